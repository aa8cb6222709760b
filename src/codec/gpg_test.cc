#include "codec/gpg.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/expect_failure.h"
#include "codec/detect.h"
#include "codec/openpgp.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

namespace fs = std::filesystem;

// A keyring with keys without and with a passphrase, an expired one, and nothing else of the user's. Made
// once: keys take time.
class Keyring {
 public:
  Keyring() : folder_(make_folder()) {
    // Otherwise the agent measures for seconds how slow it can be with a passphrase.
    std::ofstream(folder_ / "gpg-agent.conf") << "s2k-count 65536\n";
    make_key("plain", "");
    make_key("locked", "open sesame");
    make_key("old", "", {"--faked-system-time", "20200101T000000"}, "1d");
  }
  ~Keyring() {
    forget_passphrases();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Keyring(const Keyring&) = delete;
  Keyring& operator=(const Keyring&) = delete;

  [[nodiscard]] Gpg gpg() const { return {.env = {{"GNUPGHOME", folder_}}}; }
  [[nodiscard]] const fs::path& folder() const { return folder_; }

  // Ends the agent, which remembers them.
  void forget_passphrases() const {
    os::LocalRunner runner;
    runner.run({.argv = {"gpgconf", "--kill", "all"}, .env = gpg().env}, {}, {});
  }

 private:
  static std::string make_folder() {
    std::string name = (fs::temp_directory_path() / "gpg.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    return name;
  }

  void make_key(const std::string& name, const std::string& passphrase,
                const std::vector<std::string>& more = {}, const std::string& expire = "0") const {
    os::LocalRunner runner;
    std::vector<std::string> argv = {"gpg", "--batch", "--quiet", "--passphrase", passphrase};
    argv.insert(argv.end(), more.begin(), more.end());
    for (const std::string& word : {std::string("--quick-gen-key"), name + " <" + name + "@example.org>",
                                    std::string("future-default"), std::string("default"), expire}) {
      argv.push_back(word);
    }
    if (!runner.run({.argv = argv, .env = gpg().env}, {}, {}).ok()) throw std::runtime_error("no key made");
  }

  fs::path folder_;
};

class GpgStages : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);  // gpg need not read everything
    keyring_ = std::make_unique<Keyring>();
  }
  static void TearDownTestSuite() { keyring_.reset(); }

  std::string pass(const stream::Stage& stage, std::string_view text) {
    std::string out;
    const auto path = stream::chain(stage, std::make_unique<stream::AppendTo>(out));
    path->write(stream::bytes_of(text));
    path->finish();
    return out;
  }

  std::string encrypted(std::string_view text, const std::string& key = "plain@example.org") {
    return pass(gpg_encrypt(runner_, keyring_->gpg(), key), text);
  }

  std::string decrypted(std::string_view message, const char* passphrase = nullptr) {
    std::shared_ptr<Secret> secret;
    if (passphrase != nullptr) {
      secret = std::make_shared<Secret>();
      EXPECT_TRUE(secret->append(passphrase));
    }
    return pass(gpg_decrypt(runner_, keyring_->gpg(), secret), message);
  }

  os::LocalRunner runner_;
  static std::unique_ptr<Keyring> keyring_;
};

std::unique_ptr<Keyring> GpgStages::keyring_;

std::string much_text() {
  std::string text;
  while (text.size() < 3000000) text += std::to_string(text.size() * 7919) + " ";
  return text;
}

TEST_F(GpgStages, WhatIsEncryptedIsDecryptedAgain) {
  for (const std::string& text : {std::string(), std::string("text"), much_text()}) {
    const std::string message = encrypted(text);
    EXPECT_TRUE(is_openpgp_encrypted(stream::bytes_of(message).first(kDetectBytes)));
    EXPECT_EQ(decrypted(message), text);
  }
}

TEST_F(GpgStages, APlainGpgReadsIt) {
  const fs::path file = keyring_->folder() / "message";
  std::ofstream(file) << encrypted("for anybody with the key");
  std::string out;
  stream::AppendTo sink(out);
  runner_.run({.argv = {"gpg", "-d", file}, .env = keyring_->gpg().env}, {.out = &sink}, {});
  EXPECT_EQ(out, "for anybody with the key");
}

TEST_F(GpgStages, APassphraseOpensALockedKey) {
  const std::string message = encrypted("text", "locked@example.org");
  keyring_->forget_passphrases();
  EXPECT_EQ(decrypted(message, "open sesame\n"), "text");
}

TEST_F(GpgStages, AWrongPassphraseAndNoneAreToldApart) {
  const std::string message = encrypted("text", "locked@example.org");
  keyring_->forget_passphrases();
  EXPECT_NE(failure(ErrorKind::kFailed, [&] { decrypted(message, "open barley"); }).find("is wrong"),
            std::string::npos);
  keyring_->forget_passphrases();
  EXPECT_NE(failure(ErrorKind::kFailed, [&] { decrypted(message); }).find("needs a passphrase"),
            std::string::npos);
}

TEST_F(GpgStages, AMissingSecretKeyIsNamed) {
  const std::string message = encrypted("text");
  const Gpg stranger{.env = {{"GNUPGHOME", keyring_->folder() / "stranger"}}};
  fs::create_directory(keyring_->folder() / "stranger");
  fs::permissions(keyring_->folder() / "stranger", fs::perms::owner_all);
  const std::string told =
      failure(ErrorKind::kFailed, [&] { pass(gpg_decrypt(runner_, stranger, nullptr), message); });
  EXPECT_NE(told.find("whose secret part is not in the keyring"), std::string::npos) << told;
}

TEST_F(GpgStages, AKeyThatIsNotThereOrHasExpiredCannotEncrypt) {
  EXPECT_EQ(failure(ErrorKind::kFailed, [&] { encrypted("text", "nobody@example.org"); }),
            "the key 'nobody@example.org' is not in the keyring of this user: import it (gpg --import), or "
            "correct encryption_key_id");
  EXPECT_NE(
      failure(ErrorKind::kFailed, [&] { encrypted(much_text(), "old@example.org"); }).find("has expired"),
      std::string::npos);
}

TEST_F(GpgStages, ACutMessageIsToldAtEveryLength) {
  const std::string message = encrypted("twenty bytes of text");
  for (std::size_t size = 0; size < message.size(); size += 7) {
    failure(ErrorKind::kCorrupt, [&] { decrypted(std::string_view(message).substr(0, size)); });
  }
  const std::string long_message = encrypted(much_text());
  EXPECT_NE(failure(ErrorKind::kCorrupt,
                    [&] { decrypted(std::string_view(long_message).substr(0, long_message.size() - 1)); })
                .find("is cut"),
            std::string::npos);
}

TEST_F(GpgStages, AFlippedBitIsTold) {
  std::string message = encrypted(much_text());
  message[message.size() / 2] = static_cast<char>(message[message.size() / 2] ^ 1);
  EXPECT_NE(failure(ErrorKind::kCorrupt, [&] { decrypted(message); }).find("was changed"), std::string::npos);
}

// Like a decompressor that trips over damaged data.
class Tripping final : public stream::Sink {
 public:
  void write(stream::Bytes) override { throw Error(ErrorKind::kCorrupt, "not valid zstd data"); }
  void finish() override {}
};

TEST_F(GpgStages, WhatGpgSaysOfDamageComesBeforeWhatItDidToTheRest) {
  std::string message = encrypted(much_text());
  const auto decrypt = [&] {
    const auto path =
        stream::chain(gpg_decrypt(runner_, keyring_->gpg(), nullptr), std::make_unique<Tripping>());
    path->write(stream::bytes_of(message));
    path->finish();
  };
  EXPECT_EQ(failure(ErrorKind::kCorrupt, decrypt), "not valid zstd data");
  message[message.size() / 2] = static_cast<char>(message[message.size() / 2] ^ 1);
  EXPECT_NE(failure(ErrorKind::kCorrupt, decrypt).find("was changed"), std::string::npos);
}

TEST_F(GpgStages, WhatIsNoMessageIsTold) {
  EXPECT_NE(failure(ErrorKind::kCorrupt, [&] { decrypted("plain text, nothing else"); })
                .find("no encrypted OpenPGP message"),
            std::string::npos);
}

TEST_F(GpgStages, WithoutTheProgramItIsSaidWhatToInstall) {
  const Gpg missing{.program = "/nowhere/gpg"};
  EXPECT_EQ(
      failure(ErrorKind::kFailed, [&] { pass(gpg_encrypt(runner_, missing, "plain@example.org"), "text"); }),
      "cannot start /nowhere/gpg: No such file or directory; encryption needs GnuPG: install it, or "
      "name its folder in path_prefix");
}

TEST_F(GpgStages, AGpgThatIsTooOldIsRefused) {
  const fs::path program = keyring_->folder() / "other-gpg";
  const auto says = [&](const std::string& version) {
    std::ofstream(program) << "#!/bin/sh\necho 'gpg (GnuPG) " << version << "'\necho 'libgcrypt 1.10.1'\n";
    fs::permissions(program, fs::perms::owner_all);
    require_gpg(runner_, {.program = program}, {});
  };
  for (const char* version : {"2.1.0", "2.2.40", "2.10.3-beta1", "3.0", "unheard of"}) {
    EXPECT_NO_THROW(says(version)) << version;
  }
  for (const char* version : {"2.0.31", "1.4.23", "2.0"}) {
    EXPECT_NE(failure(ErrorKind::kFailed, [&] { says(version); })
                  .find(std::string("is version ") + version + ": encryption needs GnuPG 2.1 or later"),
              std::string::npos);
  }
  EXPECT_NO_THROW(require_gpg(runner_, keyring_->gpg()));
  failure(ErrorKind::kFailed, [&] { require_gpg(runner_, {.program = "/no/such/gpg"}); });
}

// In the manner of gpg: an encrypted session key of 4 bytes, then encrypted data in parts of 512 and 3 bytes.
std::string packets() {
  return "\x84\x04" + std::string(4, 'k') + "\xd2\xe9" + std::string(512, 'd') + "\x03" + "end";
}

TEST(PacketTracker, KnowsOfEveryCutButNotOfTheWhole) {
  const std::string message = packets();
  for (std::size_t size = 0; size <= message.size(); ++size) {
    PacketTracker tracker;
    tracker.add(stream::bytes_of(message).first(size));
    EXPECT_EQ(tracker.is_complete(), size == message.size()) << size;
  }
}

TEST(PacketTracker, DoesNotMindHowTheBytesArrive) {
  PacketTracker tracker;
  const std::string message = packets();
  for (const std::byte& byte : stream::bytes_of(message)) tracker.add(stream::Bytes(&byte, 1));
  EXPECT_TRUE(tracker.is_complete());
}

TEST(PacketTracker, ReadsEveryKindOfLength) {
  const auto is_complete = [](const std::string& header, std::size_t size) {
    PacketTracker tracker;
    tracker.add(stream::bytes_of(header));
    tracker.add(stream::bytes_of(std::string(size, 'x')));
    return tracker.is_complete();
  };
  EXPECT_TRUE(is_complete(std::string("\xd2\xc0\x05", 3), 197));
  EXPECT_FALSE(is_complete(std::string("\xd2\xc0\x05", 3), 196));
  EXPECT_TRUE(is_complete(std::string("\xd2\xff\x00\x00\x01\x00", 6), 256));
  EXPECT_TRUE(is_complete(std::string("\xa5\x01\x00", 3), 256));
  EXPECT_TRUE(is_complete(std::string("\xa6\x00\x00\x01\x00", 5), 256));
  EXPECT_TRUE(is_complete("\xa7", 77));
  EXPECT_FALSE(is_complete("\x84\x05", 5)) << "a session key is not the data";
}

}  // namespace
}  // namespace barman::codec
