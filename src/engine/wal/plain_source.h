// Reading stored WAL as plain data, and comparing it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/wal/stored_wal.h"
#include "engine/wal/wal_format.h"
#include "stream/filter.h"
#include "stream/stream.h"

namespace barman::engine {

// What comes out of `filter` when `from` goes in.
class FilteredSource final : public stream::Source {
 public:
  FilteredSource(std::unique_ptr<stream::Source> from, std::unique_ptr<stream::Filter> filter);
  [[nodiscard]] std::size_t read(stream::Buffer into) override;

 private:
  void refill();

  std::unique_ptr<stream::Source> from_;
  std::unique_ptr<stream::Filter> filter_;
  std::vector<std::byte> buffer_;
  stream::Bytes rest_;  // of buffer_, not consumed yet
  bool ended_ = false;  // `from` has
  bool done_ = false;
};

// The file's plain data; an empty pointer if this build cannot read its form.
std::unique_ptr<stream::Source> open_plain(const std::filesystem::path& path, const StoredForm& form);

// Fills as much of `into` as the source has.
std::size_t read_fully(stream::Source& source, stream::Buffer into);

// Whether both hold the same bytes to their end.
bool same_content(stream::Source& one, stream::Source& other);

// Whether two stored files of this name hold the same WAL, however they are stored; nothing if one of them
// cannot be read, as the key is missing. What is damaged is not the same.
std::optional<bool> same_wal(const std::filesystem::path& one, const std::filesystem::path& other,
                             const pgformat::WalName& name, const WalFormat& format);

// The same for what is not only in files. Writes the stored bytes to a sink, without finishing it.
using WriteStored = std::function<void(stream::Sink&)>;
std::optional<bool> same_wal(const WriteStored& one, const WriteStored& other, const pgformat::WalName& name,
                             const WalFormat& format);

}  // namespace barman::engine
