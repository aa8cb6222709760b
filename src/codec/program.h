// A stage that is another program: what is written goes to its standard input, and what it writes to its
// standard output goes on. Nothing touches the disk.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/secret.h"
#include "os/process.h"
#include "stream/chain.h"

namespace barman::codec {

struct Program {
  os::Command command;
  // What it reads at descriptor 3. Shared: every run of the program needs it for as long as it takes.
  std::shared_ptr<const Secret> secret{};
  // Throws if the run was no success, given how it ended and the end of what it wrote to standard error.
  // Called from finish(), or from write() if the program ends before it has read everything.
  std::function<void(const os::Exit&, const std::string& err)> judge;
};

// Throws kFailed, quoting standard error, unless the exit status is 0.
void require_success(const std::string& program, const os::Exit& exit, const std::string& err);

// The program runs on a thread of the stage's own from the first byte on, or from finish(); the rest of the
// chain hears of its output on that thread. Abandoning the stage ends the program.
// `runner` must outlive the chain, and serve several threads at a time.
stream::Stage through_program(os::ProcessRunner& runner, Program program);

}  // namespace barman::codec
