#include "os/direct_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "os/durable_file.h"

namespace barman::os {

namespace {

// Large enough for one request to the disk, small enough for the processor's cache.
constexpr std::size_t kChunk = 1024 * 1024;
// No file system asks for more.
constexpr std::size_t kAlignment = 4096;

bool set_direct(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

struct Freed {
  void operator()(std::byte* buffer) const { std::free(buffer); }
};

std::unique_ptr<std::byte[], Freed> aligned_buffer() {
  void* const buffer = std::aligned_alloc(kAlignment, kChunk);
  if (buffer == nullptr) throw std::bad_alloc();
  return std::unique_ptr<std::byte[], Freed>(static_cast<std::byte*>(buffer));
}

}  // namespace

struct DirectWriter::File {
  Fd fd;
  std::filesystem::path path;
};

struct DirectWriter::Chunk {
  std::unique_ptr<std::byte[], Freed> bytes = aligned_buffer();
  std::size_t size = 0;
  std::uint64_t offset = 0;
  std::shared_ptr<File> file{};
  bool is_last = false;
  bool is_under_way = false;
  WorkAhead::Job job{.work = [this](unsigned) { store(); }};

  void store() {
    const stream::Bytes all(bytes.get(), size);
    const std::size_t whole = size - size % kAlignment;
    if (!written_directly(all.first(whole)))
      write_through_cache(0);
    else if (whole < size)
      write_through_cache(whole);  // only a file's end is not aligned
    if (is_last && file->fd.close() != 0) throw_errno("cannot close", file->path);
  }

  // False if the kernel does not take this direct write after all.
  [[nodiscard]] bool written_directly(stream::Bytes data) const {
    std::uint64_t at = offset;
    while (!data.empty()) {
      const ssize_t done = ::pwrite(file->fd.get(), data.data(), data.size(), static_cast<off_t>(at));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0 && errno == EINVAL) return false;
      if (done < 0) throw_errno("cannot write to", file->path);
      data = data.subspan(static_cast<std::size_t>(done));
      at += static_cast<std::uint64_t>(done);
    }
    return true;
  }

  void write_through_cache(std::size_t from) const {
    if (!set_direct(file->fd.get(), false)) throw_errno("cannot write to", file->path);
    write_all_at(file->fd.get(), offset + from, stream::Bytes(bytes.get(), size).subspan(from), file->path);
  }
};

DirectWriter::DirectWriter() = default;
DirectWriter::~DirectWriter() = default;

bool DirectWriter::suits(const Fd& file) { return set_direct(file.get(), true); }

void DirectWriter::begin(Fd file, std::filesystem::path path) {
  file_ = std::make_shared<File>(File{.fd = std::move(file), .path = std::move(path)});
  written_ = 0;
}

void DirectWriter::write(stream::Bytes data) {
  while (!data.empty()) {
    Chunk& chunk = current();
    const std::size_t size = std::min(data.size(), kChunk - chunk.size);
    std::memcpy(chunk.bytes.get() + chunk.size, data.data(), size);
    chunk.size += size;
    data = data.subspan(size);
    if (chunk.size == kChunk) hand_over(false);
  }
}

void DirectWriter::end() { hand_over(true); }

void DirectWriter::hand_over(bool is_last) {
  Chunk& chunk = current();
  chunk.offset = written_;
  chunk.file = is_last ? std::exchange(file_, nullptr) : file_;
  chunk.is_last = is_last;
  chunk.is_under_way = true;
  written_ += chunk.size;
  disk_.submit(chunk.job);
  current_ = (current_ + 1) % chunks_.size();
}

DirectWriter::Chunk& DirectWriter::current() {
  std::unique_ptr<Chunk>& chunk = chunks_[current_];
  if (!chunk) chunk = std::make_unique<Chunk>();
  await(*chunk);
  return *chunk;
}

void DirectWriter::await(Chunk& chunk) {
  if (!std::exchange(chunk.is_under_way, false)) return;
  disk_.wait_for(chunk.job);
  chunk.size = 0;
  chunk.file.reset();
}

void DirectWriter::drain() {
  for (const std::unique_ptr<Chunk>& chunk : chunks_) {
    if (chunk) await(*chunk);
  }
}

}  // namespace barman::os
