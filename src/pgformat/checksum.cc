#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "pgformat/crc32c.h"
#include "pgformat/hex.h"
#include "pgformat/manifest.h"

namespace barman::pgformat {

namespace {

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

const EVP_MD* digest_of(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kSha224:
      return EVP_sha224();
    case ChecksumKind::kSha256:
      return EVP_sha256();
    case ChecksumKind::kSha384:
      return EVP_sha384();
    case ChecksumKind::kSha512:
      return EVP_sha512();
    case ChecksumKind::kNone:
    case ChecksumKind::kCrc32c:
      break;
  }
  return nullptr;
}

void require(int openssl_result) {
  if (openssl_result != 1) throw Error(ErrorKind::kFailed, "OpenSSL refuses to compute a SHA-2 digest");
}

}  // namespace

struct Checksum::State {
  ChecksumKind kind = ChecksumKind::kNone;
  std::uint32_t crc = 0;
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest{};
};

Checksum::Checksum(ChecksumKind kind) : state_(std::make_unique<State>()) {
  state_->kind = kind;
  if (const EVP_MD* digest = digest_of(kind)) {
    state_->digest.reset(EVP_MD_CTX_new());
    require(EVP_DigestInit_ex(state_->digest.get(), digest, nullptr));
  }
}

Checksum::~Checksum() = default;
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;

void Checksum::update(const std::byte* data, std::size_t size) {
  if (state_->digest) {
    require(EVP_DigestUpdate(state_->digest.get(), data, size));
  } else if (state_->kind == ChecksumKind::kCrc32c) {
    state_->crc = crc32c(state_->crc, data, size);
  }
}

std::string Checksum::hex() {
  if (state_->digest) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(state_->digest.get(), bytes.data(), &size));
    return format_hex(std::as_bytes(std::span(bytes).first(size)));
  }
  if (state_->kind == ChecksumKind::kCrc32c) return format_crc32c(state_->crc);
  return {};
}

}  // namespace barman::pgformat
