// A file's bytes to a descriptor that is open already: standard output.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "os/fd.h"
#include "stream/stream.h"

namespace barman::os {

// Sends all that `file` has from its present position to `to`, in the kernel where it can. `name` and
// `to_name` are for messages. Throws kFailed (a reader that went away: "Broken pipe"), kCancelled.
std::uint64_t send_file(const Fd& file, const std::filesystem::path& name, int to,
                        const std::filesystem::path& to_name, const std::stop_token& stop = {});

// A sink that writes to a descriptor that somebody else owns. What was written cannot be taken back.
class DescriptorSink final : public stream::Sink {
 public:
  DescriptorSink(int fd, std::filesystem::path name) : fd_(fd), name_(std::move(name)) {}
  void write(stream::Bytes data) override { write_all(fd_, data, name_); }
  void finish() override {}

 private:
  int fd_;
  std::filesystem::path name_;
};

// Reads a file that is open.
class DescriptorSource final : public stream::Source {
 public:
  DescriptorSource(const Fd& file, std::filesystem::path name) : file_(file), name_(std::move(name)) {}
  [[nodiscard]] std::size_t read(stream::Buffer into) override;

 private:
  const Fd& file_;
  std::filesystem::path name_;
};

}  // namespace barman::os
