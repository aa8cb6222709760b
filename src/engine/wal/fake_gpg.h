// A program that stands in for gpg where keys do not matter: it moves letters by one, and wants the
// passphrase "sesame" to move them back.
#pragma once

#include <filesystem>
#include <fstream>

#include "engine/server/encryption.h"
#include "engine/wal/wal_format.h"
#include "os/process.h"
#include "os/test_folder.h"

namespace barman::engine {

class FakeGpg {
 public:
  FakeGpg() {
    // An encrypted session key of five bytes, then encrypted data to the end of the file.
    std::ofstream(program()) << R"sh(#!/bin/sh
case "$*" in
  *--encrypt*)
    printf '\204\005\003kkkk\247'
    tr a-z b-za
    echo "[GNUPG:] END_ENCRYPTION" >&2 ;;
  *)
    if [ "$(cat <&3)" != sesame ]; then
      echo "[GNUPG:] ERROR pkdecrypt_failed 11" >&2
      exit 2
    fi
    tail -c +9 | tr b-za a-z
    echo "[GNUPG:] DECRYPTION_OKAY" >&2 ;;
esac
)sh";
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }

  // What encrypts, if the settings name a key, and decrypts with what the command prints.
  [[nodiscard]] WalFormat format(WalFormatSettings settings, const std::string& passphrase_command) {
    settings.encrypts = !settings.key_id.empty();
    settings.gpg.program = program();
    return {settings, runner_,
            std::make_shared<PassphraseCommand>(passphrase_command, std::map<std::string, std::string>{},
                                                runner_)};
  }

 private:
  [[nodiscard]] std::filesystem::path program() const { return folder_ / "gpg"; }

  os::TestFolder folder_;
  os::LocalRunner runner_;
};

}  // namespace barman::engine
