#include "store/aws/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/error.h"

namespace barman::store {
namespace {

const unsigned char* raw(stream::Bytes data) { return reinterpret_cast<const unsigned char*>(data.data()); }

template <std::size_t kSize>
std::array<std::byte, kSize> digest(const EVP_MD* method, stream::Bytes data) {
  std::array<std::byte, kSize> result{};
  unsigned size = 0;
  if (EVP_Digest(raw(data), data.size(), reinterpret_cast<unsigned char*>(result.data()), &size, method,
                 nullptr) != 1 ||
      size != kSize) {
    throw Error(ErrorKind::kFailed, "OpenSSL refuses a digest that object storage needs");
  }
  return result;
}

template <std::size_t kSize>
std::array<std::byte, kSize> digest(const EVP_MD* method, stream::Content& content) {
  constexpr std::size_t kPieceBytes = 64UL * 1024;  // stays in the cache of the processor
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::vector<std::byte> piece(
      static_cast<std::size_t>(std::min<std::uint64_t>(content.size(), kPieceBytes)));
  bool is_good = context && EVP_DigestInit_ex(context.get(), method, nullptr) == 1;
  for (std::uint64_t at = 0; is_good && at < content.size(); at += piece.size()) {
    const stream::Buffer into = stream::Buffer(piece).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(content.size() - at, piece.size())));
    content.read(at, into);
    is_good = EVP_DigestUpdate(context.get(), into.data(), into.size()) == 1;
  }
  std::array<std::byte, kSize> result{};
  if (!is_good ||
      EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(result.data()), nullptr) != 1) {
    throw Error(ErrorKind::kFailed, "OpenSSL refuses a digest that object storage needs");
  }
  return result;
}

}  // namespace

Sha256 sha256(stream::Bytes data) { return digest<32>(EVP_sha256(), data); }

Sha256 sha256(stream::Content& content) { return digest<32>(EVP_sha256(), content); }

Sha256 hmac_sha256(stream::Bytes key, std::string_view text) {
  Sha256 result{};
  unsigned size = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(stream::bytes_of(text)),
                          text.size(), reinterpret_cast<unsigned char*>(result.data()), &size);
  if (made == nullptr) throw Error(ErrorKind::kFailed, "OpenSSL refuses to sign a request");
  return result;
}

std::string md5_base64(stream::Bytes data) { return base64_text(digest<16>(EVP_md5(), data)); }

std::string md5_base64(stream::Content& content) { return base64_text(digest<16>(EVP_md5(), content)); }

std::string hex_text(stream::Bytes data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * data.size());
  for (const std::byte byte : data) {
    text += kDigits[std::to_integer<std::size_t>(byte) >> 4U];
    text += kDigits[std::to_integer<std::size_t>(byte) & 15U];
  }
  return text;
}

std::string base64_text(stream::Bytes data) {
  std::string text((data.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), raw(data),
                                   static_cast<int>(data.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> parse_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.empty()) return std::nullopt;
  std::size_t padding = 0;
  for (std::string_view rest = text; rest.ends_with('=') && padding < 2; rest.remove_suffix(1)) ++padding;
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.find_first_not_of(kDigits) < text.size() - padding) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

std::string md5_hex(stream::Bytes data) { return hex_text(digest<16>(EVP_md5(), data)); }

std::string md5_hex(stream::Content& content) { return hex_text(digest<16>(EVP_md5(), content)); }

}  // namespace barman::store
