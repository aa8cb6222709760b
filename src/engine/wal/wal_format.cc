#include "engine/wal/wal_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/error.h"
#include "codec/codec.h"
#include "codec/compress.h"
#include "codec/program.h"
#include "engine/wal/stored_stages.h"

namespace barman::engine {

namespace {

// The bytes that "0x1f8b" stands for; nothing if it is no such text.
std::optional<std::string> bytes_of_magic(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.empty() || text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (; !text.empty(); text.remove_prefix(2)) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, byte, 16);
    if (error != std::errc{} || end != text.data() + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

// Whether a file that no known method compressed is plain, as far as its front shows: a page of WAL, or text.
bool looks_plain(stream::Bytes front, const pgformat::WalName& name) {
  if (front.empty()) return true;
  if (name.kind == pgformat::WalKind::kSegment || name.kind == pgformat::WalKind::kPartial) {
    // The high byte of a page's magic, in every version so far.
    const auto high = front.size() < 2 ? 0U : std::to_integer<unsigned>(front[1]);
    return high == 0xd0U || high == 0xd1U;
  }
  return std::ranges::all_of(front, [](std::byte byte) {
    const auto value = std::to_integer<unsigned char>(byte);
    return (value >= ' ' && value < 0x7f) || value == '\n' || value == '\t';
  });
}

}  // namespace

WalFormatSettings wal_format_settings(const config::Server& server) {
  const config::Values& values = server.values;
  return {.compression = values.text("compression"),
          .level = values.text("compression_level"),
          .custom_compression = values.text("custom_compression_filter"),
          .custom_decompression = values.text("custom_decompression_filter"),
          .custom_magic = values.text("custom_compression_magic"),
          .encrypts = values.text("encryption") == "gpg",
          .key_id = values.text("encryption_key_id"),
          .gpg = gpg_of(server),
          .environment = child_environment(server)};
}

WalFormat::WalFormat(WalFormatSettings settings, os::ProcessRunner& runner,
                     std::shared_ptr<PassphraseCommand> passphrase)
    : settings_(std::move(settings)),
      kind_(codec::compression_named(settings_.compression)),
      runner_(&runner),
      passphrase_(std::move(passphrase)) {}

WalFormat::WalFormat(const config::Server& server, os::ProcessRunner& runner)
    : WalFormat(wal_format_settings(server), runner, passphrase_command(server, runner)) {}

std::optional<std::string> compression_problem(const WalFormatSettings& settings) {
  if (settings.compression != "custom") return std::nullopt;
  if (settings.custom_compression.empty() || settings.custom_decompression.empty()) {
    return "compression = custom needs custom_compression_filter and custom_decompression_filter; better, "
           "name one of the built-in methods";
  }
  if (!settings.custom_magic.empty() && !bytes_of_magic(settings.custom_magic)) {
    return fmt::format("custom_compression_magic = {} is not of the form 0x1f8b", settings.custom_magic);
  }
  return std::nullopt;
}

std::optional<std::string> WalFormat::problem() const {
  if (settings_.encrypts && settings_.key_id.empty()) {
    return "encryption = gpg needs encryption_key_id, the key to encrypt for";
  }
  return compression_problem(settings_);
}

stream::Stage WalFormat::custom(const char* option, const std::string& command) const {
  if (runner_ == nullptr || command.empty()) {
    throw Error(ErrorKind::kFailed, fmt::format("{} is not set", option));
  }
  return codec::through_program(*runner_,
                                {.command = {.argv = {"sh", "-c", command}, .env = settings_.environment},
                                 .judge = [option](const os::Exit& exit, const std::string& err) {
                                   codec::require_success(option, exit, err);
                                 }});
}

stream::Stage WalFormat::compressing(std::uint64_t size, unsigned threads) const {
  const codec::Compression kind = *kind_;
  const int level = codec::level_of(kind, settings_.level);
  if (settings_.compression == "pigz" && threads > 1) return codec::compress(kind, level, threads);
  // One frame of a known size, as far as the method has it: there are readers that know no other.
  return stream::through([=] { return codec::compressor(kind, level, size); });
}

WalFormat::Storing WalFormat::storing(const StoredForm& arrived, std::uint64_t size, unsigned threads) const {
  if (arrived.encrypted) return {.encryption = "gpg"};
  Storing result;
  if (arrived.custom) {
    result.compression = "custom";
  } else if (arrived.compression) {
    result.compression = codec::name_of(*arrived.compression);
  } else if (is_custom()) {
    result.stages.push_back(custom("custom_compression_filter", settings_.custom_compression));
    result.compression = "custom";
  } else if (kind_) {
    result.stages.push_back(compressing(size, threads));
    result.compression = settings_.compression;
  }
  if (settings_.encrypts) {
    result.stages.push_back(codec::gpg_encrypt(*runner_, settings_.gpg, settings_.key_id));
    result.encryption = "gpg";
  }
  return result;
}

unsigned WalFormat::workers(unsigned at_least) const {
  const unsigned wanted = std::max(std::thread::hardware_concurrency(), at_least);
  if (!kind_) return wanted;
  return std::min(wanted, codec::files_at_a_time(*kind_, codec::level_of(*kind_, settings_.level)));
}

StoredForm WalFormat::form_of(stream::Bytes front, const pgformat::WalName& name) const {
  if (!settings_.custom_decompression.empty()) {
    const auto magic = bytes_of_magic(settings_.custom_magic);
    if (magic && stream::text_of(front).starts_with(magic->substr(0, codec::kDetectBytes))) {
      return {.custom = true};
    }
    const StoredForm known = stored_form(front);
    const bool is_known = known.compression || known.encrypted;
    if (!is_known && is_custom() && !magic && !looks_plain(front, name)) return {.custom = true};
  }
  return stored_form(front);
}

std::vector<stream::Stage> WalFormat::unpacking(const StoredForm& form, const pgformat::WalName& name) const {
  std::vector<stream::Stage> stages;
  if (form.custom) {
    stages.push_back(custom("custom_decompression_filter", settings_.custom_decompression));
  } else if (form.compression) {
    stages.push_back(codec::decompress(*form.compression));
  }
  if (!stages.empty()) stages.push_back(whole_segment(name));
  return stages;
}

std::vector<stream::Stage> WalFormat::decrypting(const std::stop_token& stop) const {
  if (runner_ == nullptr) throw Error(ErrorKind::kFailed, "it is encrypted, which cannot be read here");
  return {codec::gpg_decrypt(*runner_, settings_.gpg, passphrase_ ? passphrase_->get(stop) : nullptr)};
}

std::vector<stream::Stage> WalFormat::reading(const StoredForm& form, const pgformat::WalName& name,
                                              const std::stop_token& stop) const {
  if (!form.encrypted) return unpacking(form, name);
  std::vector<stream::Stage> stages = decrypting(stop);
  // How it was compressed shows when it is decrypted. The stage lives as long as this format's copy in it.
  stages.push_back(by_its_front([format = *this, name](stream::Bytes front) {
    const StoredForm inside = format.form_of(front, name);
    if (inside.encrypted) throw Error(ErrorKind::kFailed, "it is encrypted twice, which cannot be read");
    return format.unpacking(inside, name);
  }));
  return stages;
}

stream::Stage WalFormat::to_plain(const pgformat::WalName& name, const std::stop_token& stop) const {
  return by_its_front([format = *this, name, stop](stream::Bytes front) {
    return format.reading(format.form_of(front, name), name, stop);
  });
}

}  // namespace barman::engine
