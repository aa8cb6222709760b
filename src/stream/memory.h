// Sources and sinks in memory: for small objects, and for tests.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "stream/content.h"
#include "stream/stream.h"

namespace barman::stream {

// Reads a text that it owns, at most `chunk` bytes at a time.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string text, std::size_t chunk = static_cast<std::size_t>(-1))
      : text_(std::move(text)), chunk_(chunk) {}

  [[nodiscard]] std::size_t read(Buffer into) override {
    const std::size_t size = std::min({into.size(), chunk_, text_.size() - position_});
    const Bytes all = bytes_of(text_);
    copy(all.subspan(position_, size), into);
    position_ += size;
    return size;
  }

 private:
  std::string text_;
  std::size_t chunk_;
  std::size_t position_ = 0;
};

// A text that it owns.
class MemoryContent final : public Content {
 public:
  explicit MemoryContent(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  void read(std::uint64_t offset, Buffer into) override {
    const Bytes from = bytes_of(text_).subspan(static_cast<std::size_t>(offset), into.size());
    std::copy(from.begin(), from.end(), into.begin());
  }

 private:
  std::string text_;
};

// Appends to a text of the caller's, at once: for short-lived collecting, where nobody else looks.
class AppendTo final : public Sink {
 public:
  explicit AppendTo(std::string& text) : text_(text) {}

  void write(Bytes data) override { text_ += text_of(data); }
  void finish() override {}

 private:
  std::string& text_;
};

}  // namespace barman::stream
