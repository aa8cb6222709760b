// The program: every name it may be called by ends up here.
#pragma once

namespace barman::cli {

// Runs the command that `argv` asks for and returns the exit status of the process.
// Throws nothing: what goes wrong is printed, and decides the status.
int run(int argc, char** argv) noexcept;

}  // namespace barman::cli
