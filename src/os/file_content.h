// A file as content of a request: nothing of it is held in memory.
#pragma once

#include <filesystem>

#include "os/fd.h"
#include "stream/content.h"

namespace barman::os {

class FileContent final : public stream::Content {
 public:
  // Throws kFailed if it cannot be opened.
  explicit FileContent(const std::filesystem::path& path);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  // Throws kFailed if the file has another size by now; noticed by whoever reads its end.
  void read(std::uint64_t offset, stream::Buffer into) override;

 private:
  const std::filesystem::path path_;
  const Fd fd_;
  const std::uint64_t size_;
};

}  // namespace barman::os
