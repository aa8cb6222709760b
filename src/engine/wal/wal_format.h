// In which form a server's WAL is stored, and how to read what is stored, in whatever form: the archive may
// hold several, from before the configuration was changed or from the original.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "codec/gpg.h"
#include "config/settings.h"
#include "engine/server/encryption.h"
#include "engine/wal/stored_wal.h"
#include "pgformat/wal_name.h"
#include "stream/chain.h"

namespace barman::os {
class ProcessRunner;
}

namespace barman::engine {

// As configured; empty is unset.
struct WalFormatSettings {
  std::string compression{};
  std::string level{};
  std::string custom_compression{};  // shell commands
  std::string custom_decompression{};
  std::string custom_magic{};  // "0x1f8b"
  bool encrypts = false;
  std::string key_id{};
  codec::Gpg gpg{};
  std::map<std::string, std::string> environment{};  // of the custom commands
};
WalFormatSettings wal_format_settings(const config::Server& server);

// Why WAL cannot be compressed as the settings want, and what to do; nothing if it can.
std::optional<std::string> compression_problem(const WalFormatSettings& settings);

class WalFormat {
 public:
  // Stores WAL as it is, and reads what needs no program and no key.
  WalFormat() = default;
  WalFormat(WalFormatSettings settings, os::ProcessRunner& runner,
            std::shared_ptr<PassphraseCommand> passphrase);
  WalFormat(const config::Server& server, os::ProcessRunner& runner);

  // As above, for all that is done to WAL.
  [[nodiscard]] std::optional<std::string> problem() const;

  // What the stages do to a file that arrived in this form, and what the index says of it then. What arrived
  // compressed or encrypted is left so. `threads` may work on the one file. Requires that there is no
  // problem.
  struct Storing {
    std::vector<stream::Stage> stages{};
    std::optional<std::string> compression{};
    std::optional<std::string> encryption{};
  };
  [[nodiscard]] Storing storing(const StoredForm& arrived, std::uint64_t size, unsigned threads) const;

  // How many files can be stored at a time without taking too much memory: one for each core, or at least so
  // many, as they have to wait for something else too.
  [[nodiscard]] unsigned workers(unsigned at_least = 1) const;

  [[nodiscard]] bool is_custom() const { return settings_.compression == "custom"; }

  // What the file of this name is that begins so.
  [[nodiscard]] StoredForm form_of(stream::Bytes front, const pgformat::WalName& name) const;

  // From the stored bytes to the plain ones, which for a whole segment must be as many as it says itself; or
  // only to what is left when it is not encrypted. The passphrase is asked for when one is needed. Throws
  // kFailed if this format cannot read it.
  [[nodiscard]] std::vector<stream::Stage> reading(const StoredForm& form, const pgformat::WalName& name,
                                                   const std::stop_token& stop) const;
  [[nodiscard]] std::vector<stream::Stage> decrypting(const std::stop_token& stop) const;

  // The same for bytes of whatever form, which shows when they pass.
  [[nodiscard]] stream::Stage to_plain(const pgformat::WalName& name, const std::stop_token& stop) const;

 private:
  [[nodiscard]] std::vector<stream::Stage> unpacking(const StoredForm& form,
                                                     const pgformat::WalName& name) const;
  [[nodiscard]] stream::Stage custom(const char* option, const std::string& command) const;
  [[nodiscard]] stream::Stage compressing(std::uint64_t size, unsigned threads) const;

  WalFormatSettings settings_{};
  std::optional<codec::Compression> kind_{};
  os::ProcessRunner* runner_ = nullptr;
  // Shared by the copies of a format: the command runs once.
  std::shared_ptr<PassphraseCommand> passphrase_{};
};

}  // namespace barman::engine
