// What a server's encryption options mean: the key, the program, and where the passphrase comes from.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "codec/gpg.h"
#include "config/settings.h"

namespace barman::os {
struct Exit;
class ProcessRunner;
}  // namespace barman::os

namespace barman::stream {
class Sink;
}

namespace barman::engine {

// What children get beside our own environment: PATH with the folders of `path_prefix` in front.
std::map<std::string, std::string> child_environment(const config::Server& server);

codec::Gpg gpg_of(const config::Server& server);

// The key to encrypt for; nothing if encryption is off. Throws kUsage if it is on and no key is named.
std::optional<std::string> encryption_key(const config::Server& server);

// The output of a shell command that prints a passphrase. The command runs when the passphrase is first
// wanted, at most once, and is ended when it takes too long. Serves several threads at a time.
class PassphraseCommand {
 public:
  // A key service may be slow; somebody who is asked by a command has this long too.
  static constexpr std::chrono::seconds kLimit{60};

  // An empty command: there is no passphrase.
  PassphraseCommand(std::string command, std::map<std::string, std::string> environment,
                    os::ProcessRunner& runner, std::chrono::milliseconds limit = kLimit)
      : command_(std::move(command)), environment_(std::move(environment)), runner_(runner), limit_(limit) {}

  // An empty pointer without a command. Throws kFailed, each time, if the command fails, prints nothing or
  // does not end within the limit; what it printed is never quoted.
  [[nodiscard]] std::shared_ptr<const Secret> get(const std::stop_token& stop = {});

 private:
  [[nodiscard]] std::shared_ptr<const Secret> ask(const std::stop_token& stop);
  [[nodiscard]] os::Exit run(stream::Sink& out, const std::stop_token& stop);

  std::string command_;
  std::map<std::string, std::string> environment_;
  os::ProcessRunner& runner_;
  const std::chrono::milliseconds limit_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Secret> passphrase_;
  std::optional<Error> failure_;  // of the one time that the command ran
};

std::shared_ptr<PassphraseCommand> passphrase_command(const config::Server& server,
                                                      os::ProcessRunner& runner);

}  // namespace barman::engine
