// A text that must not stay behind in memory: a passphrase. Neither printed nor logged anywhere.
#pragma once

#include <string.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace barman {

class Secret {
 public:
  static constexpr std::size_t kMostBytes = 4096;

  Secret() = default;
  ~Secret() { ::explicit_bzero(bytes_.data(), bytes_.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  // Returns false, having added nothing, if it would become too long.
  [[nodiscard]] bool append(std::string_view text) {
    if (text.size() > bytes_.size() - size_) return false;
    std::ranges::copy(text, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += text.size();
    return true;
  }

  // Without white space around it. Borrowed: it must not be copied to where it stays.
  [[nodiscard]] std::string_view text() const {
    constexpr const char* kSpace = " \t\r\n\v\f";
    const std::string_view all(bytes_.data(), size_);
    const std::size_t first = all.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return all.substr(first, all.find_last_not_of(kSpace) - first + 1);
  }

 private:
  std::array<char, kMostBytes> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace barman
