#include "codec/gpg.h"

#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/openpgp.h"
#include "codec/program.h"
#include "stream/memory.h"

namespace barman::codec {

namespace {

// What `--status-fd` said: lines that begin with "[GNUPG:] ", among those for people.
class GpgStatus {
 public:
  explicit GpgStatus(std::string_view err) : err_(err) {}

  // The arguments of the first line with this keyword; nothing if there is none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view keyword) const {
    constexpr std::string_view kPrefix = "[GNUPG:] ";
    for (std::string_view rest = err_; !rest.empty();) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.starts_with(kPrefix)) continue;
      line.remove_prefix(kPrefix.size());
      if (line.substr(0, line.find(' ')) == keyword) {
        return line.substr(std::min(keyword.size() + 1, line.size()));
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] bool has(std::string_view keyword) const { return find(keyword).has_value(); }

  // The number of the error that a "ERROR <where> <number>" line tells for `where`, without its source.
  [[nodiscard]] std::optional<unsigned> error_of(std::string_view where) const {
    const auto arguments = find("ERROR");
    if (!arguments || !arguments->starts_with(where)) return std::nullopt;
    const std::string_view digits = arguments->substr(std::min(where.size() + 1, arguments->size()));
    unsigned number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    constexpr unsigned kCode = 0xffff;
    return number & kCode;
  }

  // What gpg said to people.
  [[nodiscard]] std::string words() const {
    std::string words;
    for (std::string_view rest = err_; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (line.starts_with("[GNUPG:] ") || line.empty()) continue;
      words += words.empty() ? "" : "; ";
      words += line;
    }
    return words;
  }

 private:
  std::string_view err_;
};

os::Command command_of(const Gpg& gpg, std::vector<std::string> arguments) {
  os::Command command{.argv = {gpg.program, "--batch", "--yes", "--no-tty", "--status-fd", "2"},
                      .env = gpg.env,
                      .if_missing = "encryption needs GnuPG: install it, or name its folder in path_prefix"};
  command.env.emplace("LC_ALL", "C");
  for (std::string& argument : arguments) command.argv.push_back(std::move(argument));
  return command;
}

// Of "2.2.40"; what is no version is none that we know to be old.
bool is_old(const std::string& version) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* const end = version.data() + version.size();
  const auto after = std::from_chars(version.data(), end, major);
  if (after.ec != std::errc{} || after.ptr == end || *after.ptr != '.') return false;
  if (std::from_chars(after.ptr + 1, end, minor).ec != std::errc{}) return false;
  return major < 2 || (major == 2 && minor < 1);
}

// Why the key cannot be used, and what to do, if gpg says so.
std::string reason_of(const GpgStatus& status) {
  const std::string_view refused = status.find("INV_RECP").value_or("").substr(0, 1);
  if (status.has("KEYEXPIRED")) {
    return "has expired: extend it (gpg --edit-key … expire), or name another in encryption_key_id";
  }
  if (status.has("KEYREVOKED") || refused == "4") {
    return "is revoked: name another in encryption_key_id";
  }
  if (refused == "2") return "fits several keys: write a fingerprint as encryption_key_id";
  if (refused == "3") return "is not made for encryption: name another in encryption_key_id";
  return "is not in the keyring of this user: import it (gpg --import), or correct encryption_key_id";
}

void judge_encryption(const std::string& key_id, const os::Exit& exit, const std::string& err) {
  const GpgStatus status(err);
  if (exit.ok() && status.has("END_ENCRYPTION")) return;
  if (status.has("INV_RECP")) {
    throw Error(ErrorKind::kFailed, fmt::format("the key '{}' {}", key_id, reason_of(status)));
  }
  require_success("gpg", exit, status.words());
  throw Error(ErrorKind::kFailed, "gpg did not say that it has encrypted everything");
}

void judge_secret_key(const GpgStatus& status) {
  constexpr unsigned kBadPassphrase = 11;
  constexpr unsigned kNoPassphrase = 177;
  const auto error = status.error_of("pkdecrypt_failed");
  if (error == kBadPassphrase) {
    throw Error(ErrorKind::kFailed,
                "the passphrase for the secret key is wrong: see what encryption_passphrase_command prints");
  }
  if (error == kNoPassphrase) {
    throw Error(ErrorKind::kFailed,
                "the secret key needs a passphrase: set encryption_passphrase_command to a command that "
                "prints it");
  }
  if (const auto key = status.find("NO_SECKEY")) {
    throw Error(ErrorKind::kFailed,
                fmt::format("it is encrypted for the key {}, whose secret part is not in the keyring of this "
                            "user: import it (gpg --import)",
                            *key));
  }
}

// Of a message that is being decrypted.
struct Progress {
  PacketTracker packets;
  bool ended = false;
  // Damage that the rest of the chain found in what was decrypted. A damaged message shows so, before its
  // end; but what gpg says at the end comes first.
  std::exception_ptr damage;
};

void judge_decryption(const Progress& progress, const os::Exit& exit, const std::string& err) {
  const GpgStatus status(err);
  const bool is_cut = progress.ended && !progress.packets.is_complete();
  if (exit.ok() && status.has("DECRYPTION_OKAY") && !is_cut) return;
  judge_secret_key(status);
  if (is_cut && (exit.ok() || !status.has("NODATA") || status.has("ENC_TO"))) {
    throw Error(ErrorKind::kCorrupt, "the encrypted data ends too early: it is cut");
  }
  if (status.has("BADMDC") || status.has("BEGIN_DECRYPTION")) {
    throw Error(ErrorKind::kCorrupt,
                "the encrypted data was changed or is damaged: it fails the check of its integrity");
  }
  throw Error(ErrorKind::kCorrupt,
              fmt::format("it is no encrypted OpenPGP message that gpg can read: {}", status.words()));
}

// Lets a message pass to gpg, and follows its packets.
class FollowedMessage final : public stream::Sink {
 public:
  FollowedMessage(std::shared_ptr<Progress> progress, std::unique_ptr<Sink> next)
      : progress_(std::move(progress)), next_(std::move(next)) {}

  void write(stream::Bytes data) override {
    progress_->packets.add(data);
    next_->write(data);
  }
  void finish() override {
    progress_->ended = true;
    next_->finish();
  }

 private:
  std::shared_ptr<Progress> progress_;
  std::unique_ptr<Sink> next_;
};

// What was decrypted, on its way to the rest of the chain; after damage the rest of it is dropped.
class Decrypted final : public stream::Sink {
 public:
  Decrypted(std::shared_ptr<Progress> progress, std::unique_ptr<Sink> next)
      : progress_(std::move(progress)), next_(std::move(next)) {}

  void write(stream::Bytes data) override {
    if (progress_->damage) return;
    try {
      next_->write(data);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kCorrupt) throw;
      progress_->damage = std::current_exception();
    }
  }
  void finish() override { next_->finish(); }

 private:
  std::shared_ptr<Progress> progress_;
  std::unique_ptr<Sink> next_;
};

}  // namespace

void require_gpg(os::ProcessRunner& runner, const Gpg& gpg, const std::stop_token& stop) {
  std::string out;
  stream::AppendTo collected(out);
  os::Command command = command_of(gpg, {"--version"});
  const os::Exit exit = runner.run(command, {.out = &collected}, stop);
  require_success("gpg --version", exit, "");
  const std::string line = out.substr(0, out.find('\n'));
  const std::string version = line.substr(line.rfind(' ') + 1);
  if (is_old(version)) {
    throw Error(ErrorKind::kFailed,
                fmt::format("{} is version {}: encryption needs GnuPG 2.1 or later; install it, or name its "
                            "folder in path_prefix",
                            gpg.program, version));
  }
}

stream::Stage gpg_encrypt(os::ProcessRunner& runner, const Gpg& gpg, std::string key_id) {
  // No key is fetched from anywhere, and what is compressed already is not compressed again.
  os::Command command = command_of(gpg, {"--trust-model", "always", "--no-auto-key-locate", "--compress-algo",
                                         "none", "--recipient", key_id, "--encrypt"});
  return through_program(
      runner, {.command = std::move(command),
               .judge = [key_id = std::move(key_id)](const os::Exit& exit, const std::string& err) {
                 judge_encryption(key_id, exit, err);
               }});
}

stream::Stage gpg_decrypt(os::ProcessRunner& runner, const Gpg& gpg,
                          std::shared_ptr<const Secret> passphrase) {
  os::Command command = command_of(gpg, {"--pinentry-mode", "loopback", "--passphrase-fd", "3", "--decrypt"});
  if (!passphrase) passphrase = std::make_shared<const Secret>();
  return [&runner, command = std::move(command),
          passphrase = std::move(passphrase)](std::unique_ptr<stream::Sink> next) {
    // Shared by the stages in front of the program and behind it, and its judge. The thread that decrypts
    // has ended before the judge speaks.
    const auto progress = std::make_shared<Progress>();
    const stream::Stage decrypt =
        through_program(runner, {.command = command,
                                 .secret = passphrase,
                                 .judge = [progress](const os::Exit& exit, const std::string& err) {
                                   judge_decryption(*progress, exit, err);
                                   if (progress->damage) std::rethrow_exception(progress->damage);
                                 }});
    return std::unique_ptr<stream::Sink>(std::make_unique<FollowedMessage>(
        progress, decrypt(std::make_unique<Decrypted>(progress, std::move(next)))));
  };
}

}  // namespace barman::codec
