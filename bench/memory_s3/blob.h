// Bytes that requests bring and answers take, kept once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace barman::bench {

class Blob {
 public:
  explicit Blob(std::size_t size);  // what is in it is not said
  ~Blob();
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() { return {begin_, size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {begin_, size_}; }

 private:
  const std::size_t size_;
  std::byte* const begin_;
};

// Shared: an object may be replaced while it is being sent.
using SharedBlob = std::shared_ptr<const Blob>;

}  // namespace barman::bench
