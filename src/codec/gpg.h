// Encryption by the program gpg, as stages of a data path: nothing is written to disk, and what comes out of
// one is read by `gpg --decrypt`, whoever made it.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "base/secret.h"
#include "os/process.h"
#include "stream/chain.h"

namespace barman::codec {

// How to start gpg. It uses the keyring of the user who runs us, or what `env` says of it.
struct Gpg {
  std::string program = "gpg";
  std::map<std::string, std::string> env{};
};

// Throws kFailed if there is no gpg, or one older than 2.1.
void require_gpg(os::ProcessRunner& runner, const Gpg& gpg, const std::stop_token& stop = {});

// Encrypts for this key: its id, fingerprint, or what else gpg takes for a recipient. It must be in the
// keyring; nobody need have signed it, as whoever configured it trusts it. finish() throws kFailed if the key
// is not there, has expired or cannot be used, and if there is no gpg.
stream::Stage gpg_encrypt(os::ProcessRunner& runner, const Gpg& gpg, std::string key_id);

// Decrypts a message. Without a passphrase only keys that need none, or that the user's agent already has
// open, can be used. Writing and finishing throw kFailed if the secret key is not there, or the passphrase is
// wrong; kCorrupt if the message is cut or was changed. Bytes pass on before they are known to be good: that
// finish() returns is the proof.
stream::Stage gpg_decrypt(os::ProcessRunner& runner, const Gpg& gpg,
                          std::shared_ptr<const Secret> passphrase);

}  // namespace barman::codec
