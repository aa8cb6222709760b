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
#include "stream/stream.h"

namespace barman::store {

struct UploadOptions {
  std::size_t part_size = 8UL * 1024 * 1024;  // what is not longer is one request
  unsigned workers = 1;                       // parts that are sent at a time
  bool must_be_new = false;
  std::vector<Header> create_headers{};  // encryption, tags: with what makes the object
  std::vector<Header> part_headers{};    // the customer's key: also with each part
};

// Holds at most max(2, workers) parts in memory. Parts have the same size, all but the last. Destroyed
// without finish() it withdraws what was sent.
class S3Upload final : public stream::Sink {
 public:
  S3Upload(S3Client& client, std::string key, UploadOptions options);
  ~S3Upload() override;
  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;

  void write(stream::Bytes data) override;
  // Throws kRefused if the object must be new and is not. One with the very bytes of a single request is
  // taken for ours.
  void finish() override;

 private:
  struct Part {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::size_t number = 0;  // from 1
  };

  void begin();
  void hand_over();
  void take_buffer();
  void send_parts(const std::stop_token& stop);
  void send_part(const Part& part);
  void put_whole();
  void complete();
  void end_workers();
  [[nodiscard]] bool arrived_after_all();
  [[nodiscard]] bool is_there_whole();
  void require_absent();
  [[nodiscard]] std::string doing() const;

  S3Client& client_;
  const std::string key_;
  const UploadOptions options_;
  const std::size_t most_buffers_;
  Part current_;
  std::size_t parts_ = 0;
  std::uint64_t total_ = 0;
  std::string upload_id_;
  bool done_ = false;

  std::mutex mutex_;  // guards the following
  std::condition_variable_any changed_;
  std::deque<Part> waiting_;
  std::vector<std::unique_ptr<std::byte[]>> spare_;
  std::size_t buffers_ = 0;  // that exist
  std::size_t unsent_ = 0;   // parts waiting or on their way
  std::vector<std::string> etags_;
  std::exception_ptr failure_;
  std::vector<std::jthread> workers_;  // last: they end first
};

}  // namespace barman::store
