#include "memory_s3/blob.h"

#include <sys/mman.h>

#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace barman::bench {
namespace {

// What is measured is not the cost of this server's memory: memory of objects that are gone is used again,
// since the kernel would clear it first.
class FreeMemory {
 public:
  std::byte* take(std::size_t room) {
    {
      const std::lock_guard lock(mutex_);
      auto& free = free_[room];
      if (!free.empty()) {
        std::byte* begin = free.back();
        free.pop_back();
        return begin;
      }
    }
    void* begin = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (begin == MAP_FAILED) throw std::bad_alloc();
    ::madvise(begin, room, MADV_HUGEPAGE);
    return static_cast<std::byte*>(begin);
  }

  void give_back(std::byte* begin, std::size_t room) {
    const std::lock_guard lock(mutex_);
    free_[room].push_back(begin);
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::vector<std::byte*>> free_;
};

FreeMemory& free_memory() {
  static FreeMemory memory;
  return memory;
}

std::size_t room_for(std::size_t size) {
  const std::size_t step = size < (1U << 20U) ? 4096 : std::size_t{2} << 20U;
  return (size + step - 1) / step * step;
}

}  // namespace

Blob::Blob(std::size_t size)
    : size_(size), begin_(size == 0 ? nullptr : free_memory().take(room_for(size))) {}

Blob::~Blob() {
  if (begin_ != nullptr) free_memory().give_back(begin_, room_for(size_));
}

}  // namespace barman::bench
