#include "engine/wal/plain_source.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "codec/codec.h"
#include "os/durable_file.h"
#include "pgformat/manifest.h"

namespace barman::engine {

namespace {

constexpr std::size_t kBuffer = 128 * 1024;

class Digest final : public stream::Sink {
 public:
  explicit Digest(pgformat::Checksum& checksum) : checksum_(checksum) {}
  void write(stream::Bytes data) override { checksum_.update(data.data(), data.size()); }
  void finish() override {}

 private:
  pgformat::Checksum& checksum_;
};

std::string digest_of_plain(const WriteStored& write, const pgformat::WalName& name,
                            const WalFormat& format) {
  pgformat::Checksum checksum(pgformat::ChecksumKind::kSha256);
  const auto path = stream::chain(format.to_plain(name, {}), std::make_unique<Digest>(checksum));
  write(*path);
  path->finish();
  return checksum.hex();
}

WriteStored bytes_of_file(const std::filesystem::path& path) {
  return [path](stream::Sink& into) { stream::pump(*os::open_file(path), into); };
}

}  // namespace

FilteredSource::FilteredSource(std::unique_ptr<stream::Source> from, std::unique_ptr<stream::Filter> filter)
    : from_(std::move(from)), filter_(std::move(filter)), buffer_(kBuffer) {}

std::size_t FilteredSource::read(stream::Buffer into) {
  while (!done_) {
    if (rest_.empty() && !ended_) refill();
    const auto input = ended_ ? stream::Filter::Input::kLast : stream::Filter::Input::kMore;
    if (rest_.empty() && !ended_) continue;
    const auto step = filter_->step(rest_, into, input);
    rest_ = rest_.subspan(step.consumed);
    done_ = step.done && ended_;
    if (step.produced != 0) return step.produced;
  }
  return 0;
}

void FilteredSource::refill() {
  const std::size_t got = from_->read(buffer_);
  rest_ = stream::Bytes(buffer_).first(got);
  ended_ = got == 0;
}

std::unique_ptr<stream::Source> open_plain(const std::filesystem::path& path, const StoredForm& form) {
  if (form.encrypted || form.custom) return nullptr;
  if (!form.compression) return os::open_file(path);
  auto filter = codec::decompressor(*form.compression);
  if (!filter) return nullptr;
  return std::make_unique<FilteredSource>(os::open_file(path), std::move(filter));
}

std::size_t read_fully(stream::Source& source, stream::Buffer into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const std::size_t got = source.read(into.subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

bool same_content(stream::Source& one, stream::Source& other) {
  std::vector<std::byte> left(kBuffer);
  std::vector<std::byte> right(kBuffer);
  while (true) {
    const auto a = stream::Bytes(left).first(read_fully(one, left));
    const auto b = stream::Bytes(right).first(read_fully(other, right));
    if (!std::ranges::equal(a, b)) return false;
    if (a.empty()) return true;
  }
}

std::optional<bool> same_wal(const std::filesystem::path& one, const std::filesystem::path& other,
                             const pgformat::WalName& name, const WalFormat& format) {
  if (same_content(*os::open_file(one), *os::open_file(other))) return true;
  const StoredForm form = format.form_of(read_front(one, codec::kDetectBytes), name);
  const StoredForm other_form = format.form_of(read_front(other, codec::kDetectBytes), name);
  if (form == StoredForm{} && other_form == StoredForm{}) return false;
  return same_wal(bytes_of_file(one), bytes_of_file(other), name, format);
}

std::optional<bool> same_wal(const WriteStored& one, const WriteStored& other, const pgformat::WalName& name,
                             const WalFormat& format) {
  try {
    return digest_of_plain(one, name, format) == digest_of_plain(other, name, format);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCorrupt) return false;
    if (e.kind() == ErrorKind::kFailed) return std::nullopt;
    throw;
  }
}

}  // namespace barman::engine
