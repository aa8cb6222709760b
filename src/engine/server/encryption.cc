#include "engine/server/encryption.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"
#include "engine/server/time_limit.h"
#include "os/process.h"

namespace barman::engine {

namespace {

// Collects a secret.
class SecretSink final : public stream::Sink {
 public:
  explicit SecretSink(Secret& secret) : secret_(secret) {}
  void write(stream::Bytes data) override {
    if (!secret_.append(stream::text_of(data))) {
      throw Error(ErrorKind::kFailed,
                  fmt::format("encryption_passphrase_command printed more than {} bytes: it must print the "
                              "passphrase and nothing else",
                              Secret::kMostBytes));
    }
  }
  void finish() override {}

 private:
  Secret& secret_;
};

}  // namespace

std::map<std::string, std::string> child_environment(const config::Server& server) {
  const std::string prefix = server.values.text("path_prefix");
  if (prefix.empty()) return {};
  const char* path = std::getenv("PATH");
  return {{"PATH", path == nullptr ? prefix : fmt::format("{}:{}", prefix, path)}};
}

codec::Gpg gpg_of(const config::Server& server) { return {.env = child_environment(server)}; }

std::optional<std::string> encryption_key(const config::Server& server) {
  if (server.values.text("encryption") != "gpg") return std::nullopt;
  std::string key = server.values.text("encryption_key_id");
  if (key.empty()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("server {}: encryption = gpg needs encryption_key_id, the key to encrypt for",
                            server.name));
  }
  return key;
}

std::shared_ptr<const Secret> PassphraseCommand::get(const std::stop_token& stop) {
  const std::lock_guard lock(mutex_);
  if (failure_) throw Error(*failure_);
  if (passphrase_ || command_.empty()) return passphrase_;
  try {
    passphrase_ = ask(stop);
  } catch (const Error& error) {
    // Whoever asks next would wait as long for the same.
    if (error.kind() != ErrorKind::kCancelled) failure_ = error;
    throw;
  }
  return passphrase_;
}

std::shared_ptr<const Secret> PassphraseCommand::ask(const std::stop_token& stop) {
  const auto secret = std::make_shared<Secret>();
  SecretSink out(*secret);
  const os::Exit exit = run(out, stop);
  const std::string_view problem = !exit.ok() ? "failed" : secret->text().empty() ? "printed nothing" : "";
  if (!problem.empty()) {
    throw Error(
        ErrorKind::kFailed,
        fmt::format("encryption_passphrase_command {}: run it by hand as this user to see why", problem));
  }
  return secret;
}

os::Exit PassphraseCommand::run(stream::Sink& out, const std::stop_token& stop) {
  const TimeLimit limit(limit_, stop);
  try {
    return runner_.run({.argv = {"sh", "-c", command_}, .env = environment_}, {.out = &out}, limit.token());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled || stop.stop_requested()) throw;
    throw Error(
        ErrorKind::kFailed,
        fmt::format("encryption_passphrase_command did not end within {:g} seconds and was ended: run "
                    "it by hand as this user to see what it waits for; it must print the passphrase "
                    "without asking anybody",
                    std::chrono::duration<double>(limit_).count()));
  }
}

std::shared_ptr<PassphraseCommand> passphrase_command(const config::Server& server,
                                                      os::ProcessRunner& runner) {
  return std::make_shared<PassphraseCommand>(server.values.text("encryption_passphrase_command"),
                                             child_environment(server), runner);
}

}  // namespace barman::engine
