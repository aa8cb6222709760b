// The memory of what is on its way into a bucket: parts that are being filled, and parts that are being sent.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "stream/stream.h"

namespace barman::store {

// How many bytes the parts of all uploads of a store may have together, so that `workers` of them are sent at
// a time. Parts of at most 8 MiB get one more, which is filled meanwhile.
std::size_t part_memory_bytes(std::size_t part_size, unsigned workers);

// Shared by all uploads of a store; may be used from several threads.
class PartMemory {
 public:
  class Part;

  explicit PartMemory(std::size_t most_bytes) : most_(most_bytes) {}
  ~PartMemory();
  PartMemory(const PartMemory&) = delete;
  PartMemory& operator=(const PartMemory&) = delete;

  // Room for a part of `size` bytes. All rooms together have at most the bytes of the constructor, and this
  // waits until others are given back. Only if none of them is being sent, so that none would be given back
  // by itself, there is one more: many uploads can be open at a time, and a part may be larger than all that
  // there should be. Throws kFailed if the system has no memory.
  [[nodiscard]] std::unique_ptr<Part> take(std::size_t size);

  // The most that there ever was, spare rooms included.
  [[nodiscard]] std::size_t peak_bytes();

 private:
  struct Room {
    std::byte* begin = nullptr;
    std::size_t size = 0;
  };
  Room map(std::size_t size);
  void unmap(Room room) noexcept;
  [[nodiscard]] Room reuse(std::size_t size);
  void drop_spares(std::size_t size);
  void give_back(Room room, bool was_sent) noexcept;

  const std::size_t most_;

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::vector<Room> spare_;
  std::size_t taken_ = 0;  // bytes
  std::size_t exist_ = 0;  // bytes: those that are taken and those that are spare
  std::size_t peak_ = 0;
  std::size_t sent_ = 0;   // parts on their way
  std::size_t rooms_ = 0;  // that exist
};

// Gives its room back when it ends. Belongs to one thread at a time; ends before the memory.
class PartMemory::Part {
 public:
  Part(PartMemory& memory, Room room) : memory_(memory), room_(room) {}
  ~Part() { memory_.give_back(room_, is_sent_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  [[nodiscard]] std::size_t room() const { return room_.size; }
  [[nodiscard]] std::size_t free() const { return room_.size - size_; }
  [[nodiscard]] stream::Bytes bytes() const { return {room_.begin, size_}; }

  // As many as there is room for; returns how many that was.
  std::size_t append(stream::Bytes data);
  // It is complete: from now on it ends without anybody's doing.
  void begin_to_send();

 private:
  PartMemory& memory_;
  const Room room_;
  std::size_t size_ = 0;
  bool is_sent_ = false;
};

}  // namespace barman::store
