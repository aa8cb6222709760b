#include "engine/server/tar_series.h"

#include <utility>

namespace barman::engine {

namespace {

class Counting final : public stream::Sink {
 public:
  Counting(std::atomic<std::uint64_t>& count, std::unique_ptr<Sink> next)
      : count_(count), next_(std::move(next)) {}

  void write(stream::Bytes data) override {
    next_->write(data);
    count_ += data.size();
  }
  void finish() override { next_->finish(); }

 private:
  std::atomic<std::uint64_t>& count_;
  std::unique_ptr<Sink> next_;
};

}  // namespace

TarSeries::TarSeries(store::ObjectStore& store, const catalog::BackupId& id, std::string stem,
                     const TarSeriesForm& form)
    : store_(store),
      id_(id),
      form_(form),
      most_bytes_(form.most_bytes),
      name_{.stem = std::move(stem), .compression = form.compression, .encrypted = form.encrypted} {
  open_next();
}

codec::TarWriter& TarSeries::entry() {
  if (stored_ - stored_before_ > most_bytes_) {
    close();
    open_next();
  }
  return *tar_;
}

void TarSeries::finish() { close(); }

void TarSeries::open_next() {
  stored_before_ = stored_;
  auto object = std::make_unique<Counting>(stored_, store_.create(archive_key(id_, name_), form_.objects));
  ++name_.number;
  path_ = stream::chain(form_.stages, std::move(object));
  tar_.emplace(*path_);
}

void TarSeries::close() {
  tar_->finish();
  path_->finish();
  path_.reset();
}

}  // namespace barman::engine
