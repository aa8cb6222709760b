#include "cli/run.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/redact.h"
#include "cli/cloud/program.h"
#include "cli/command_line.h"
#include "cli/user.h"
#include "config/load.h"
#include "os/process.h"
#include "os/signals.h"
#include "postgres/connector.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

void print_error(std::string_view message) noexcept {
  std::fprintf(stderr, "ERROR: %.*s\n", static_cast<int>(message.size()), message.data());
}

config::Environment environment() {
  config::Environment result;
  if (const char* file = std::getenv("BARMAN_CONFIG_FILE"); file != nullptr && *file != '\0') {
    result.config_file_variable = file;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr) result.home = home;
  return result;
}

LogOptions log_options(const config::Configuration& configuration, const GlobalOptions& options,
                       std::string& complaint) {
  LogOptions result;
  if (configuration.global.has("log_file")) result.file = configuration.global.text("log_file");
  if (configuration.global.has("log_format")) result.format = configuration.global.text("log_format");
  const std::string configured = configuration.global.text("log_level");
  if (const std::optional<int> level = parse_log_level(configured)) {
    result.level = *level;
  } else if (!configured.empty()) {
    complaint = "unknown log_level in config file: " + configured;
  }
  if (options.log_level) result.level = parse_log_level(*options.log_level).value_or(result.level);
  return result;
}

report::WriterOptions writer_options(const CommandLine& line) {
  const bool out_terminal = ::isatty(STDOUT_FILENO) != 0;
  const bool err_terminal = ::isatty(STDERR_FILENO) != 0;
  report::WriterOptions result;
  result.format = line.options.json ? report::Format::kJson : report::Format::kConsole;
  result.quiet = line.options.quiet;
  result.debug = line.options.debug;
  result.colours =
      line.options.colour == "always" || (line.options.colour == "auto" && out_terminal && err_terminal);
  result.progress = err_terminal;
  result.logger = "barman." + line.command;
  for (char& c : result.logger) c = c == '-' ? '_' : c;
  return result;
}

// The program that runs now, wherever it was found.
std::string own_program() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "barman";
}

// Runs the command's body; what it throws becomes what the writer says.
int run_body(const CommandLine& line, Parts& parts) {
  int status = 0;
  try {
    status = line.body(parts);
  } catch (const Error& error) {
    const bool interrupted = error.kind() == ErrorKind::kCancelled && parts.stop.stop_requested();
    parts.out.error(interrupted ? "Process interrupted by user (KeyboardInterrupt)" : error.what());
  } catch (const std::exception& error) {
    parts.out.exception(error.what());
  }
  if (status != 0) return status;
  return parts.out.exit_status() == 0 ? 0 : line.failure_status;
}

int run_command(const CommandLine& line) {
  const std::filesystem::path file = config::find_main_file(line.options.config, environment());
  const config::Configuration configuration = config::load(file);
  const std::string user = configuration.global.text("barman_user");
  become_user(user.empty() ? "barman" : user);

  SystemClock clock;
  std::string complaint;
  Log log(log_options(configuration, line.options, complaint), clock);
  const std::unique_ptr<report::Writer> out = report::make_writer(writer_options(line), log, clock);
  if (!complaint.empty()) out->warning(complaint);
  for (const std::string& warning : configuration.warnings) out->warning(warning);

  const std::stop_source stop;
  const os::StopOnSignal signals(stop);
  os::LocalRunner runner;
  postgres::LibpqConnector connector;
  Parts parts{.configuration = configuration,
              .out = *out,
              .clock = clock,
              .runner = runner,
              .connector = connector,
              .stop = stop.get_token(),
              .own_argv = {own_program(), "-c", configuration.main_file.string()}};
  const int status = run_body(line, parts);
  out->finish();
  return status;
}

}  // namespace

int run(int argc, char** argv) noexcept {
  int failure_status = 1;
  try {
    const std::filesystem::path name = argc > 0 ? std::filesystem::path(argv[0]).filename() : "";
    if (const auto status = run_cloud(name.native(), {argv + std::min(argc, 1), argv + argc})) return *status;
    const CommandLine line = parse_command_line({argv + std::min(argc, 1), argv + argc});
    if (line.exit_status) {
      std::fputs(line.err.c_str(), stderr);
      const bool printed = std::fputs(line.out.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
      return printed || *line.exit_status != 0 ? *line.exit_status : 1;
    }
    failure_status = line.failure_status;
    return run_command(line);
  } catch (const std::exception& error) {
    try {
      print_error(redact(error.what()));
    } catch (...) {
      print_error("out of memory");
    }
  } catch (...) {
    print_error("something unknown was thrown");
  }
  return failure_status;
}

}  // namespace barman::cli
