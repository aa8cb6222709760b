#include "engine/backup/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/fd.h"

namespace barman::engine {

namespace {

constexpr std::size_t kBatchBytes = 1024 * 1024;
constexpr std::size_t kMostBatches = 8;
constexpr std::size_t kMostSteps = 4096;  // in a batch: many empty files use no bytes

// From this size on the file system is told the size in advance, and the disk is kept busy meanwhile.
constexpr std::uint64_t kLargeFile = 4 * 1024 * 1024;
constexpr std::uint64_t kWriteBackBytes = 8 * 1024 * 1024;
// Below this, a file's write-back is left to the sync at the end: many small files make one large write
// there.
constexpr std::uint64_t kSmallFile = 128 * 1024;

}  // namespace

struct TreeWriter::Step {
  enum class Kind { kDirectory, kSymlink, kOpen, kWrite, kClose };

  Kind kind = Kind::kWrite;
  std::filesystem::path path{};
  std::filesystem::path target{};
  mode_t mode = 0;
  std::uint64_t size = 0;  // of the file to come
  std::size_t offset = 0;  // of the bytes to write, in the batch
  std::size_t length = 0;
};

struct TreeWriter::Batch {
  std::vector<Step> steps;
  std::vector<std::byte> bytes = std::vector<std::byte>(kBatchBytes);
  std::size_t used = 0;
};

namespace {

// The file that the worker is writing.
class OpenFile {
 public:
  void open(const std::filesystem::path& path, mode_t mode, std::uint64_t size) {
    path_ = path;
    fd_ = os::Fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode & 0777));
    if (!fd_) os::throw_errno("cannot create", path_);
    os::fault_point("backup-file-open");
    // The umask may have taken group permissions away.
    if ((mode & 0077) != 0 && ::fchmod(fd_.get(), mode & 0777) != 0)
      os::throw_errno("cannot set the mode of", path_);
    is_large_ = size >= kLargeFile;
    written_ = 0;
    pushed_ = 0;
    // Only a hint: file systems that cannot do it answer with an error that means nothing. A full disk shows
    // in write().
    if (is_large_) (void)::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
  }

  void write(stream::Bytes data) {
    os::write_all(fd_.get(), data, path_);
    written_ += data.size();
    if (is_large_ && written_ - pushed_ >= kWriteBackBytes) push();
  }

  void close() {
    if (written_ >= kSmallFile) push();
    if (fd_.close() != 0) os::throw_errno("cannot close", path_);
  }

 private:
  // Begins write-back without waiting for it.
  void push() {
    (void)::sync_file_range(fd_.get(), static_cast<off_t>(pushed_), static_cast<off_t>(written_ - pushed_),
                            SYNC_FILE_RANGE_WRITE);
    pushed_ = written_;
  }

  std::filesystem::path path_;
  os::Fd fd_;
  bool is_large_ = false;
  std::uint64_t written_ = 0;
  std::uint64_t pushed_ = 0;
};

void make_one_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    struct stat there {};
    if (errno != EEXIST || ::lstat(path.c_str(), &there) != 0 || !S_ISDIR(there.st_mode)) {
      os::throw_errno("cannot create the directory", path);
    }
  }
  if (::chmod(path.c_str(), (mode & 0777) | 0700) != 0) os::throw_errno("cannot set the mode of", path);
}

}  // namespace

TreeWriter::TreeWriter() : worker_([this] { work(); }) {}

TreeWriter::~TreeWriter() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
}

void TreeWriter::make_directory(std::filesystem::path path, mode_t mode) {
  add({.kind = Step::Kind::kDirectory, .path = std::move(path), .mode = mode});
}

void TreeWriter::make_symlink(std::filesystem::path path, std::filesystem::path target) {
  add({.kind = Step::Kind::kSymlink, .path = std::move(path), .target = std::move(target)});
}

void TreeWriter::begin_file(std::filesystem::path path, mode_t mode, std::uint64_t size) {
  add({.kind = Step::Kind::kOpen, .path = std::move(path), .mode = mode, .size = size});
}

void TreeWriter::end_file() { add({.kind = Step::Kind::kClose}); }

void TreeWriter::write(stream::Bytes data) {
  while (!data.empty()) {
    if (!current_) take_batch();
    Batch& batch = *current_;
    const std::size_t size = std::min(kBatchBytes - batch.used, data.size());
    std::copy_n(data.begin(), size, batch.bytes.begin() + static_cast<std::ptrdiff_t>(batch.used));
    if (!batch.steps.empty() && batch.steps.back().kind == Step::Kind::kWrite) {
      batch.steps.back().length += size;
    } else {
      batch.steps.push_back({.kind = Step::Kind::kWrite, .offset = batch.used, .length = size});
    }
    batch.used += size;
    data = data.subspan(size);
    if (batch.used == kBatchBytes) submit();
  }
}

void TreeWriter::finish() {
  if (current_) submit();
  std::unique_lock lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return finished_ || failure_; });
  if (failure_) std::rethrow_exception(failure_);
}

void TreeWriter::add(Step step) {
  if (!current_) take_batch();
  current_->steps.push_back(std::move(step));
  if (current_->steps.size() == kMostSteps) submit();
}

void TreeWriter::take_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || !empty_.empty() || batches_ < kMostBatches; });
  if (failure_) std::rethrow_exception(failure_);
  if (empty_.empty()) {
    ++batches_;
    lock.unlock();
    current_ = std::make_unique<Batch>();
  } else {
    current_ = std::move(empty_.front());
    empty_.pop_front();
  }
}

void TreeWriter::submit() {
  const std::lock_guard lock(mutex_);
  filled_.push_back(std::move(current_));
  changed_.notify_all();
}

void TreeWriter::work() noexcept {
  try {
    OpenFile file;
    while (true) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return abandoned_ || finishing_ || !filled_.empty(); });
      if (abandoned_) return;
      if (filled_.empty()) break;
      std::unique_ptr<Batch> batch = std::move(filled_.front());
      filled_.pop_front();
      lock.unlock();
      for (const Step& step : batch->steps) {
        switch (step.kind) {
          case Step::Kind::kDirectory:
            make_one_directory(step.path, step.mode);
            break;
          case Step::Kind::kSymlink:
            if (::symlink(step.target.c_str(), step.path.c_str()) != 0)
              os::throw_errno("cannot create the link", step.path);
            break;
          case Step::Kind::kOpen:
            file.open(step.path, step.mode, step.size);
            break;
          case Step::Kind::kWrite:
            file.write(stream::Bytes(batch->bytes).subspan(step.offset, step.length));
            break;
          case Step::Kind::kClose:
            file.close();
            break;
        }
      }
      batch->steps.clear();
      batch->used = 0;
      lock.lock();
      empty_.push_back(std::move(batch));
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    finished_ = true;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  changed_.notify_all();
}

}  // namespace barman::engine
