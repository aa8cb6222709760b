// Writes the files of a backup on a thread of its own, while the next bytes are received.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "stream/stream.h"

namespace barman::engine {

// Takes folders, links and files in order, one file at a time, and returns before they are on disk. Holds at
// most a few megabytes. What goes wrong (kFailed, naming the file) comes out of a later call, of finish() at
// the latest. Nothing that is there is overwritten. Files are not made durable, but their way to the disk is
// begun early. Belongs to one thread. Destroyed without finish(), it leaves off.
class TreeWriter {
 public:
  TreeWriter();
  ~TreeWriter();
  TreeWriter(const TreeWriter&) = delete;
  TreeWriter& operator=(const TreeWriter&) = delete;

  // The folder may exist.
  void make_directory(std::filesystem::path path, mode_t mode);
  void make_symlink(std::filesystem::path path, std::filesystem::path target);

  void begin_file(std::filesystem::path path, mode_t mode, std::uint64_t size);
  void write(stream::Bytes data);
  void end_file();

  // Returns when everything has been written.
  void finish();

 private:
  struct Step;
  struct Batch;

  void add(Step step);
  void submit();
  void take_batch();
  void work() noexcept;

  std::unique_ptr<Batch> current_;  // being filled

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Batch>> filled_;
  std::deque<std::unique_ptr<Batch>> empty_;
  std::size_t batches_ = 0;  // made so far
  bool finishing_ = false;
  bool finished_ = false;
  bool abandoned_ = false;
  std::exception_ptr failure_;

  std::jthread worker_;  // last: it ends before what it uses
};

}  // namespace barman::engine
