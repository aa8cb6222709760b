#include "engine/wal/stored_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "codec/detect.h"
#include "pgformat/wal_page.h"

namespace barman::engine {

namespace {

using stream::Bytes;

// The first bytes of a stream, as they come.
class FirstBytes {
 public:
  explicit FirstBytes(std::size_t wanted) : wanted_(wanted) { bytes_.reserve(wanted); }
  // Returns how many bytes of `data` it took.
  std::size_t take(Bytes data) {
    const std::size_t part = std::min(data.size(), wanted_ - bytes_.size());
    bytes_.insert(bytes_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(part));
    return part;
  }
  [[nodiscard]] bool is_full() const { return bytes_.size() == wanted_; }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  std::size_t wanted_;
  std::vector<std::byte> bytes_;
};

class ByItsFront final : public stream::Sink {
 public:
  ByItsFront(Choose choose, std::unique_ptr<Sink> next) : choose_(std::move(choose)), end_(std::move(next)) {}

  void write(Bytes data) override {
    if (!path_) {
      data = data.subspan(front_.take(data));
      if (!front_.is_full()) return;
      open();
    }
    if (!data.empty()) path_->write(data);
  }

  void finish() override {
    if (!path_) open();
    path_->finish();
  }

 private:
  void open() {
    path_ = stream::chain(choose_(front_.bytes()), std::move(end_));
    if (!front_.bytes().empty()) path_->write(front_.bytes());
  }

  Choose choose_;
  FirstBytes front_{codec::kDetectBytes};
  std::unique_ptr<Sink> end_;  // until the path is open
  std::unique_ptr<Sink> path_;
};

class WholeSegment final : public stream::Sink {
 public:
  explicit WholeSegment(std::unique_ptr<Sink> next) : next_(std::move(next)) {}

  void write(Bytes data) override {
    front_.take(data);
    size_ += data.size();
    next_->write(data);
  }

  void finish() override {
    if (size_ == 0) throw Error(ErrorKind::kCorrupt, "it is empty");
    const auto header = pgformat::parse_wal_header(front_.bytes());
    if (header && header->segment_size != size_) {
      throw Error(ErrorKind::kCorrupt, fmt::format("it holds {} bytes of WAL, a segment of its server has {}",
                                                   size_, header->segment_size));
    }
    next_->finish();
  }

 private:
  FirstBytes front_{pgformat::kWalHeaderSize};
  std::uint64_t size_ = 0;
  std::unique_ptr<Sink> next_;
};

class LimitedText final : public stream::Sink {
 public:
  LimitedText(std::string& text, std::size_t most) : text_(text), most_(most) {}

  void write(Bytes data) override {
    if (data.size() > most_ - text_.size()) {
      throw Error(ErrorKind::kCorrupt, fmt::format("it is larger than {} bytes", most_));
    }
    text_ += stream::text_of(data);
  }
  void finish() override {}

 private:
  std::string& text_;
  std::size_t most_;
};

}  // namespace

stream::Stage by_its_front(Choose choose) {
  return [choose = std::move(choose)](std::unique_ptr<stream::Sink> next) -> std::unique_ptr<stream::Sink> {
    return std::make_unique<ByItsFront>(choose, std::move(next));
  };
}

stream::Stage whole_segment(const pgformat::WalName& name) {
  const bool is_segment = name.kind == pgformat::WalKind::kSegment;
  return [is_segment](std::unique_ptr<stream::Sink> next) -> std::unique_ptr<stream::Sink> {
    if (!is_segment) return next;
    return std::make_unique<WholeSegment>(std::move(next));
  };
}

std::unique_ptr<stream::Sink> limited_text(std::string& text, std::size_t most) {
  return std::make_unique<LimitedText>(text, most);
}

}  // namespace barman::engine
