// barman get-wal: hands out one WAL file, usually as restore_command of a server that recovers.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/get_wal/get_wal.h"
#include "engine/server/support.h"
#include "os/durable_file.h"
#include "os/send_file.h"
#include "pgformat/wal_name.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

constexpr int kBadRequest = 3;  // the name is none, or the output cannot be opened
constexpr mode_t kOutputMode = 0644;

struct GetWalOptions {
  std::string server;
  std::string wal;
  std::string output_directory;
  std::string peek;
  bool partial = false;
  bool gzip = false;
  bool bzip2 = false;
  bool keep_compression = false;
  bool test = false;
};

// Who asked, when that was a program on another machine.
std::string asked_from() {
  const char* connection = std::getenv("SSH_CONNECTION");
  if (connection == nullptr || *connection == '\0') return {};
  const std::string_view all = connection;
  return fmt::format(" (SSH host: {})", all.substr(0, all.find(' ')));
}

// `digits` are a positive number, perhaps larger than any that we can count to.
std::size_t count_of(const std::string& digits) {
  std::size_t count = std::numeric_limits<std::size_t>::max();
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

engine::WalForm form_of(const GetWalOptions& options) {
  engine::WalForm form{.as_stored = options.keep_compression};
  if (options.gzip) form.compression = codec::Compression::kGzip;
  if (options.bzip2) form.compression = codec::Compression::kBzip2;
  return form;
}

// Whether a file can be made where the output is to be. Says it if not.
bool can_write(Parts& parts, const std::filesystem::path& output) {
  errno = 0;
  if (::access(output.parent_path().c_str(), W_OK | X_OK) == 0 && !std::filesystem::is_directory(output))
    return true;
  const int reason = errno != 0 ? errno : EISDIR;
  parts.out.error(fmt::format("Unable to open '{}' file{}: [Errno {}] {}: '{}'", output.native(),
                              asked_from(), reason, std::strerror(reason), output.native()));
  return false;
}

void send_to_standard_output(Parts& parts, const engine::Home& home, const engine::FoundWal& found,
                             const engine::WalForm& form, const engine::WalFormat& format) {
  parts.out.log(engine::LogLevel::kInfo, fmt::format("Sending WAL '{}' for server '{}' to standard output{}",
                                                     found.name(), home.server, asked_from()));
  if (engine::can_be_sent_so(found, form)) {
    os::send_file(found.file, found.path, STDOUT_FILENO, "standard output", parts.stop);
  } else {
    engine::deliver_wal(home, found, form, format,
                        std::make_unique<os::DescriptorSink>(STDOUT_FILENO, "standard output"), parts.stop);
  }
}

int send(Parts& parts, const config::Server& server, const engine::Home& home, const GetWalOptions& options) {
  const engine::WalFormat format(server, parts.runner);
  std::optional<std::filesystem::path> output;
  if (!options.output_directory.empty()) {
    output = std::filesystem::path(options.output_directory) / options.wal;
    if (!can_write(parts, *output)) return kBadRequest;
  }
  const auto found = engine::find_wal(home, options.wal, options.partial, format, parts.out);
  if (!found) {
    parts.out.error(
        fmt::format("WAL file '{}' not found in server '{}'{}", options.wal, home.server, asked_from()));
    return 0;
  }
  const engine::WalForm form = form_of(options);
  if (!output) {
    send_to_standard_output(parts, home, *found, form, format);
    return 0;
  }
  parts.out.info(fmt::format("Sending WAL '{}' for server '{}' into '{}' file{}", found->name(), home.server,
                             output->native(), asked_from()));
  engine::deliver_wal(home, *found, form, format, os::create_file(*output, {.mode = kOutputMode}),
                      parts.stop);
  return 0;
}

int get_wal(Parts& parts, const GetWalOptions& options) {
  if (options.keep_compression && (options.gzip || options.bzip2)) {
    parts.out.error(fmt::format("argument `{}` not allowed with argument `keep-compression`",
                                options.gzip ? "gzip" : "bzip2"));
    return 0;
  }
  const config::Server* server = select_server(parts, options.server, {});
  if (server == nullptr) return 0;
  if (options.test) {
    parts.out.info("Ready to retrieve WAL files from the server " + server->name);
    return 0;
  }
  if (!pgformat::parse_wal_name(options.wal)) {
    parts.out.error(fmt::format("'{}' is not a valid wal file name{}", options.wal, asked_from()));
    return kBadRequest;
  }
  engine::require_supported(*server, engine::Verb::kGetWal);
  const engine::Home home = home_of(parts, *server);
  if (options.peek.empty()) {
    return during(fmt::format("WAL file '{}' of server '{}'{}", options.wal, server->name, asked_from()),
                  [&] { return send(parts, *server, home, options); });
  }
  for (const std::string& name : engine::peek_wal(home, options.wal, count_of(options.peek))) {
    parts.out.notice(name);
  }
  return 0;
}

}  // namespace

void register_get_wal(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<GetWalOptions>();
  CLI::App* command =
      app.add_subcommand("get-wal", "Hands out a WAL file, on standard output unless told otherwise.");
  command->add_option("--output-directory,-o", options->output_directory, "Write the file in this directory.")
      ->type_name("DIRECTORY");
  command->add_flag("--partial,-P", options->partial,
                    "Hand out a partial file too, if there is no whole one.");
  command->add_flag("--gzip,-z,-x", options->gzip, "Compress the output with gzip.");
  command->add_flag("--bzip2,-j", options->bzip2, "Compress the output with bzip2.");
  command->add_flag("--keep-compression", options->keep_compression,
                    "Hand out compressed files as they are.");
  command
      ->add_option("--peek,-p", options->peek,
                   "Only print the names of this many files that are there, from the wanted one on.")
      ->type_name("COUNT")
      ->check(positive);
  command->add_flag("--test,-t", options->test, "Only tell whether the server can be asked for WAL.");
  command->add_option("server_name", options->server, "The server.")->required();
  command->add_option("wal_name", options->wal, "The WAL file.")->required();
  command->callback(
      [options, &chosen] { chosen = [options](Parts& parts) { return get_wal(parts, *options); }; });
}

}  // namespace barman::cli
