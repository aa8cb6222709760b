// Nothing: only the precompiled headers are wanted of the targets that compile this.
