#include "store/s3/part_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>

#include "base/error.h"

namespace barman::store {

namespace {
constexpr std::size_t kSmallPart = 8UL * 1024 * 1024;
}

std::size_t part_memory_bytes(std::size_t part_size, unsigned workers) {
  const std::size_t sent = std::max(workers, 1U) * part_size;
  return part_size <= kSmallPart ? sent + part_size : sent;
}

PartMemory::~PartMemory() {
  for (const Room& room : spare_) unmap(room);
}

// Not from the heap, which keeps what is given back.
PartMemory::Room PartMemory::map(std::size_t size) {
  spare_.reserve(rooms_ + 1);
  void* begin = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) {
    throw Error(ErrorKind::kFailed,
                fmt::format("there is no memory for a part of {} bytes; take smaller or fewer ones", size));
  }
  ::madvise(begin, size, MADV_HUGEPAGE);  // one page fault for many; a wish
  ++rooms_;
  exist_ += size;
  peak_ = std::max(peak_, exist_);
  return {static_cast<std::byte*>(begin), size};
}

void PartMemory::unmap(Room room) noexcept {
  ::munmap(room.begin, room.size);
  --rooms_;
  exist_ -= room.size;
}

std::size_t PartMemory::peak_bytes() {
  const std::lock_guard lock(mutex_);
  return peak_;
}

std::unique_ptr<PartMemory::Part> PartMemory::take(std::size_t size) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return taken_ + size <= most_ || sent_ == 0; });
  Room room = reuse(size);
  if (room.begin == nullptr) {
    drop_spares(size);
    room = map(size);
  }
  taken_ += size;
  return std::make_unique<Part>(*this, room);
}

PartMemory::Room PartMemory::reuse(std::size_t size) {
  const auto found = std::ranges::find(spare_, size, &Room::size);
  if (found == spare_.end()) return {};
  const Room room = *found;
  spare_.erase(found);
  return room;
}

// Those in the way of a room of this size.
void PartMemory::drop_spares(std::size_t size) {
  for (; !spare_.empty() && exist_ + size > most_; spare_.pop_back()) unmap(spare_.back());
}

void PartMemory::give_back(Room room, bool was_sent) noexcept {
  {
    const std::lock_guard lock(mutex_);
    taken_ -= room.size;
    if (was_sent) --sent_;
    if (exist_ <= most_) {
      spare_.push_back(room);  // there is room: map() saw to it
    } else {
      unmap(room);
    }
  }
  changed_.notify_all();
}

std::size_t PartMemory::Part::append(stream::Bytes data) {
  const std::size_t size = std::min(data.size(), free());
  stream::copy(data.first(size), {room_.begin + size_, size});
  size_ += size;
  return size;
}

void PartMemory::Part::begin_to_send() {
  is_sent_ = true;
  const std::lock_guard lock(memory_.mutex_);
  ++memory_.sent_;
}

}  // namespace barman::store
