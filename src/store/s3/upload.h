// One object on its way into a bucket.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/s3/client.h"
#include "store/s3/part_memory.h"
#include "store/s3/put_object.h"
#include "stream/stream.h"

namespace barman::store {

// Parts that S3 takes in one upload; it wants at least 5 MiB in each but the last.
inline constexpr std::size_t kMostParts = 10000;

struct UploadOptions {
  std::size_t part_size = 8UL * 1024 * 1024;  // what is not longer is one request
  unsigned workers = 1;                       // parts that are sent at a time
  MayBeThere before = MayBeThere::kAnything;
  std::vector<Header> create_headers{};  // encryption, tags: with what makes the object
  std::vector<Header> part_headers{};    // the customer's key: also with each part
  std::size_t most_parts = kMostParts;   // that the store takes
};

// How many parts have the size that was asked for: nine tenths of those that the store takes.
constexpr std::size_t equal_parts(std::size_t most_parts) { return most_parts / 10 * 9; }

// The size of part `number`, from 1. Parts are equal, as some stores want them. Only an upload that turns out
// so long that the store would not take the rest gets larger ones at its end: from nine tenths on the size
// doubles with each hundredth of the parts, up to the 5 GiB that S3 takes.
std::size_t size_of_part(std::size_t number, const UploadOptions& options);

// Its parts are in `memory`, which bounds them together with those of other uploads. Destroyed without
// finish() it withdraws what was sent.
class S3Upload final : public stream::Sink {
 public:
  S3Upload(S3Client& client, PartMemory& memory, std::string key, UploadOptions options);
  ~S3Upload() override;
  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;

  void write(stream::Bytes data) override;
  // Throws kRefused if there is what may not be. kSame is meant of what is a single request; of parts
  // nothing may be there.
  void finish() override;

 private:
  struct Waiting {
    std::unique_ptr<PartMemory::Part> part{};
    std::size_t number = 0;  // from 1
  };

  void begin();
  void hand_over();
  void send_parts(const std::stop_token& stop);
  void send_part(const Waiting& one);
  void fail(const std::exception_ptr& failure);
  void put_whole();
  void complete();
  void end_workers();
  [[nodiscard]] bool arrived_after_all();
  [[nodiscard]] std::string doing() const;

  S3Client& client_;
  PartMemory& memory_;
  const std::string key_;
  const UploadOptions options_;
  std::unique_ptr<PartMemory::Part> current_;  // that is being filled
  std::size_t parts_ = 0;
  std::uint64_t total_ = 0;
  std::string upload_id_;
  bool done_ = false;

  std::mutex mutex_;  // guards the following
  std::condition_variable_any changed_;
  std::deque<Waiting> waiting_;
  std::size_t unsent_ = 0;  // parts waiting or on their way
  std::vector<std::string> etags_;
  std::exception_ptr failure_;
  std::vector<std::jthread> workers_;  // last: they end first
};

}  // namespace barman::store
