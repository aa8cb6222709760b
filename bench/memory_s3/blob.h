// Bytes that requests bring and answers take, kept once.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace barman::bench {

class Blob {
 public:
  explicit Blob(std::size_t size) : size_(size) {
    if (size == 0) return;
    void* begin = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (begin == MAP_FAILED) throw std::bad_alloc();
    ::madvise(begin, size, MADV_HUGEPAGE);  // what is measured is not the cost of this server's memory
    begin_ = static_cast<std::byte*>(begin);
  }
  ~Blob() {
    if (begin_ != nullptr) ::munmap(begin_, size_);
  }
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() { return {begin_, size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {begin_, size_}; }

 private:
  std::byte* begin_ = nullptr;
  const std::size_t size_;
};

// Shared: an object may be replaced while it is being sent.
using SharedBlob = std::shared_ptr<const Blob>;

}  // namespace barman::bench
