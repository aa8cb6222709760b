#include "engine/backup/checked_archive.h"

#include <utility>

#include "os/fault_point.h"

namespace barman::engine {

namespace {

class CheckedArchive final : public stream::Sink {
 public:
  CheckedArchive(std::unique_ptr<stream::Sink> contents, std::unique_ptr<stream::Sink> file)
      : contents_(std::move(contents)), file_(std::move(file)) {
    os::fault_point("backup-archive-open");
  }

  void write(stream::Bytes data) override {
    contents_->write(data);
    file_->write(data);
  }

  void finish() override {
    contents_->finish();
    os::fault_point("backup-archive-received");
    file_->finish();
    os::fault_point("backup-archive-stored");
  }

 private:
  std::unique_ptr<stream::Sink> contents_;
  std::unique_ptr<stream::Sink> file_;
};

}  // namespace

std::unique_ptr<stream::Sink> checked_archive(std::unique_ptr<stream::Sink> contents,
                                              std::unique_ptr<stream::Sink> file) {
  return std::make_unique<CheckedArchive>(std::move(contents), std::move(file));
}

}  // namespace barman::engine
