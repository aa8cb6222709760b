#include "store/s3/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/s3/multipart.h"
#include "store/s3/put_object.h"

namespace barman::store {

namespace {
constexpr std::size_t kLargestPart = 5UL << 30U;
}  // namespace

std::size_t size_of_part(std::size_t number, const UploadOptions& options) {
  const std::size_t equal = equal_parts(options.most_parts);
  if (number <= equal) return options.part_size;
  const std::size_t step = std::max<std::size_t>(options.most_parts / 100, 1);
  std::size_t size = options.part_size;
  for (std::size_t at = equal; at < number && size <= kLargestPart / 2; at += step) size *= 2;
  return size;
}

S3Upload::S3Upload(S3Client& client, PartMemory& memory, std::string key, UploadOptions options)
    : client_(client), memory_(memory), key_(std::move(key)), options_(std::move(options)) {}

S3Upload::~S3Upload() {
  {
    const std::lock_guard lock(mutex_);
    if (!done_) waiting_.clear();  // nobody wants them any more
  }
  end_workers();
  if (done_ || upload_id_.empty()) return;
  try {
    client_.send({.method = "DELETE", .key = key_, .query = {{"uploadId", upload_id_}}, .cleaning_up = true});
  } catch (...) {  // NOLINT(bugprone-empty-catch): what is left is found and removed later
  }
}

std::string S3Upload::doing() const { return storing(client_, key_); }

void S3Upload::write(stream::Bytes data) {
  total_ += data.size();
  while (!data.empty()) {
    if (current_ && current_->free() == 0) hand_over();  // the first one: there is more than one
    if (!current_) current_ = memory_.take(size_of_part(parts_ + 1, options_));
    data = data.subspan(current_->append(data));
    if (parts_ > 0 && current_->free() == 0) hand_over();
  }
}

// The current part is full, or the last.
void S3Upload::hand_over() {
  if (upload_id_.empty()) begin();
  if (parts_ == options_.most_parts) {
    throw Error(ErrorKind::kFailed,
                fmt::format("{}: it needs more than {} parts of {} bytes and more; raise the size of parts",
                            doing(), options_.most_parts, options_.part_size));
  }
  {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    ++unsent_;
    etags_.resize(++parts_);
    current_->begin_to_send();
    waiting_.push_back({std::move(current_), parts_});
  }
  changed_.notify_all();
}

void S3Upload::begin() {
  upload_id_ = begin_multipart(client_, key_, options_.create_headers, {doing(), kNeedsToStore});
  for (unsigned i = 0; i < std::max(1U, options_.workers); ++i) {
    workers_.emplace_back([this](const std::stop_token& stop) { send_parts(stop); });
  }
}

void S3Upload::send_parts(const std::stop_token& stop) {
  while (true) {
    Waiting one;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      one = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      send_part(one);
    } catch (...) {
      return fail(std::current_exception());
    }
    one.part.reset();
    {
      const std::lock_guard lock(mutex_);
      --unsent_;
    }
    changed_.notify_all();
  }
}

// The others that wait would hold their memory for ever.
void S3Upload::fail(const std::exception_ptr& failure) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    waiting_.clear();
  }
  changed_.notify_all();
}

void S3Upload::send_part(const Waiting& one) {
  std::string etag =
      store::send_part(client_, key_, upload_id_, one.number, one.part->bytes(), options_.part_headers,
                       {fmt::format("{} (part {})", doing(), one.number), kNeedsToStore});
  const std::lock_guard lock(mutex_);
  etags_[one.number - 1] = std::move(etag);
}

void S3Upload::finish() {
  if (upload_id_.empty()) {
    put_whole();
    done_ = true;
    return;
  }
  if (current_) hand_over();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || unsent_ == 0; });
    if (failure_) std::rethrow_exception(failure_);
  }
  end_workers();
  complete();
  done_ = true;
}

void S3Upload::put_whole() {
  put_object(client_,
             {.method = "PUT",
              .key = key_,
              .headers = options_.create_headers,
              .body = current_ ? current_->bytes() : stream::Bytes{}},
             options_.before, options_.part_headers);
}

void S3Upload::complete() {
  const bool must_be_new = options_.before != MayBeThere::kAnything;
  if (must_be_new) require_absent(client_, key_, options_.part_headers);
  const HttpAnswer answer = complete_multipart(client_, key_, upload_id_, etags_, must_be_new);
  if (is_completed(answer)) return;
  if ((answer.ok() || answer.status == 404) && arrived_after_all()) return;
  if (answer.status == 412) throw Error(ErrorKind::kRefused, doing() + ": it exists already");
  client_.refuse(answer, doing(), kNeedsToStore);
}

// An earlier attempt to complete may have succeeded although its answer was lost: then the upload is gone and
// the object is there.
bool S3Upload::arrived_after_all() {
  const HttpAnswer answer = client_.send({.method = "HEAD", .key = key_, .headers = options_.part_headers});
  const std::string size(answer.header("content-length"));
  const std::string parts = fmt::format("-{}", parts_);
  return answer.ok() && size == std::to_string(total_) &&
         answer.header("etag").find(parts) != std::string_view::npos;
}

void S3Upload::end_workers() {
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();
}

}  // namespace barman::store
