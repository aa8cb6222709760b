// What a command's file needs to add itself to the program. cli is the composition root: a command builds the
// engine objects that it needs from these parts and passes each only what its constructor names; the engine
// never sees Parts.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace CLI {
class App;
}
namespace barman {
class Clock;
namespace config {
struct Configuration;
struct Server;
}  // namespace config
namespace os {
class ProcessRunner;
}
namespace postgres {
class Connector;
}
namespace report {
class Writer;
}
}  // namespace barman

namespace barman::cli {

struct Parts {
  const config::Configuration& configuration;
  report::Writer& out;  // also the engine::Events of operations
  Clock& clock;
  os::ProcessRunner& runner;
  postgres::Connector& connector;
  std::stop_token stop;               // requested by SIGINT and SIGTERM
  std::vector<std::string> own_argv;  // how to start this program again: program, "-c", file
};

// A command's body. Failures are thrown; the exit status follows from what `out` heard, unless the
// returned value is not 0.
using Body = std::function<int(Parts&)>;

// Adds one sub-command to `app`; when it was chosen, sets `chosen` to its body. Each command's file has one
// such function, listed in commands.h.
using Register = void (*)(CLI::App& app, Body& chosen);

}  // namespace barman::cli
