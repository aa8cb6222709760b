// What a server's encryption options mean: the key, the program, and where the passphrase comes from.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/secret.h"
#include "codec/gpg.h"
#include "config/settings.h"

namespace barman::os {
class ProcessRunner;
}

namespace barman::engine {

// What children get beside our own environment: PATH with the folders of `path_prefix` in front.
std::map<std::string, std::string> child_environment(const config::Server& server);

codec::Gpg gpg_of(const config::Server& server);

// The key to encrypt for; nothing if encryption is off. Throws kUsage if it is on and no key is named.
std::optional<std::string> encryption_key(const config::Server& server);

// The output of a shell command that prints a passphrase. The command runs when the passphrase is first
// wanted, at most once. Serves several threads at a time.
class PassphraseCommand {
 public:
  // An empty command: there is no passphrase.
  PassphraseCommand(std::string command, std::map<std::string, std::string> environment,
                    os::ProcessRunner& runner)
      : command_(std::move(command)), environment_(std::move(environment)), runner_(runner) {}

  // An empty pointer without a command. Throws kFailed if the command fails or prints nothing; what it
  // printed is never quoted.
  [[nodiscard]] std::shared_ptr<const Secret> get(const std::stop_token& stop = {});

 private:
  std::string command_;
  std::map<std::string, std::string> environment_;
  os::ProcessRunner& runner_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Secret> passphrase_;
};

std::shared_ptr<PassphraseCommand> passphrase_command(const config::Server& server,
                                                      os::ProcessRunner& runner);

}  // namespace barman::engine
