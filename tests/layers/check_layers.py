#!/usr/bin/env python3
"""Holds the #include lines of src/ against the layers that CMake links by.

usage: check_layers.py SRC LAYERS

LAYERS has a line per module: "name: used;modules". A file of a module may include its own module,
the modules that it uses, and foreign headers. Inside engine/, verbs (its sub-folders) do not include one
another; `engine/server/`, `engine/upload/`, `engine/wal/` and files directly in `engine/` are what verbs share. A
library's headers stay in the module that wraps the library.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SHARED_ENGINE = {"server", "upload", "wal"}
OWNED_HEADERS = {  # foreign header: the only modules that may include it
    r"^(libpq-fe|libpq/.*)": {"postgres"},
    r"^CLI/": {"cli"},
    r"^spdlog/": {"base"},
    r"^(zlib|bzlib|lzma|zstd|lz4frame|snappy)\.h": {"codec"},
    r"^curl/": {"store"},
}


def problems(source: pathlib.Path, layers: dict[str, set[str]]) -> list[str]:
    found = []
    for path in sorted(p for p in source.rglob("*") if p.suffix in (".h", ".cc")):
        parts = path.relative_to(source).parts
        if len(parts) < 2:
            continue  # main.cc
        module = parts[0]
        if module not in layers:
            found.append(f"{path}: folder {module} is not a declared module")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            where = f"{path}:{number}"
            if kind == "<":
                for pattern, owners in OWNED_HEADERS.items():
                    if re.match(pattern, header) and module not in owners:
                        found.append(f"{where}: <{header}> belongs to {', '.join(sorted(owners))}")
                continue
            target = header.split("/")
            if len(target) < 2 or target[0] not in layers:
                found.append(f'{where}: "{header}" is not written as "module/file.h"')
            elif target[0] != module and target[0] not in layers[module]:
                found.append(f"{where}: {module} may not include {target[0]}")
            elif (module == target[0] == "engine" and len(target) > 2 and target[1] not in SHARED_ENGINE
                  and (len(parts) < 3 or parts[1] != target[1])):
                found.append(f"{where}: {'/'.join(parts[:-1])} may not include the verb {target[1]}")
            if path.suffix == ".h" and re.match(r"^(nlohmann/|regex$|gtest/)", header):
                found.append(f"{where}: {header} is too heavy for a header")
    return found


def read_layers(text: str) -> dict[str, set[str]]:
    layers = {}
    for line in text.splitlines():
        if ":" in line:
            name, uses = line.split(":", 1)
            layers[name.strip()] = {u for u in re.split(r"[;\s]+", uses) if u}
    return layers


def cycle(layers: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()
    for name in layers:  # declared lowest first: each may use only what stands above it in the list
        if not layers[name] <= done:
            return [f"{name} uses {', '.join(sorted(layers[name] - done))} before its declaration"]
        done.add(name)
    return []


def main() -> int:
    layers = read_layers(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    found = cycle(layers) + problems(pathlib.Path(sys.argv[1]), layers)
    print("\n".join(found) or f"{len(layers)} modules, no include against the layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
