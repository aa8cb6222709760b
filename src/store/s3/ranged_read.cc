#include "store/s3/ranged_read.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace barman::store {
namespace {

// Passes a body on, and remembers how far it came.
class Arriving final : public BodyReceiver {
 public:
  Arriving(stream::Sink& into, std::uint64_t wanted, std::string doing)
      : into_(into), wanted_(wanted), doing_(std::move(doing)) {}

  // Where the body of the next answer has to start.
  void expect(std::uint64_t offset) { offset_ = offset; }

  void begin(const HttpAnswer& head) override {
    if (offset_ > 0 && head.status != 206) {
      throw Error(ErrorKind::kFailed, doing_ + ": the server does not send parts of objects");
    }
    const std::string etag(head.header("etag"));
    if (!etag_.empty() && etag != etag_) {
      throw Error(ErrorKind::kFailed, doing_ + ": it was replaced while it was read; try again");
    }
    etag_ = etag;
  }

  void data(stream::Bytes bytes) override {
    if (bytes.size() > wanted_ - received_) {
      throw Error(ErrorKind::kFailed, doing_ + ": the server sends more than it was asked for");
    }
    received_ += bytes.size();
    into_.write(bytes);
  }

  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] const std::string& etag() const { return etag_; }

 private:
  stream::Sink& into_;
  const std::uint64_t wanted_;
  const std::string doing_;
  std::uint64_t offset_ = 0;
  std::uint64_t received_ = 0;
  std::string etag_;
};

// The whole size in "bytes */10".
std::uint64_t whole_size(const HttpAnswer& answer) {
  const std::string_view text = answer.header("content-range");
  const std::size_t slash = text.rfind('/');
  std::uint64_t size = 0;
  if (slash != std::string_view::npos)
    std::from_chars(text.data() + slash + 1, text.data() + text.size(), size);
  return size;
}

S3Request request_for(const std::string& key, const std::vector<Header>& headers, std::uint64_t offset,
                      std::optional<std::uint64_t> length, const std::string& etag) {
  S3Request request{.method = "GET", .key = key, .headers = headers};
  if (length) {
    request.headers.emplace_back("range", fmt::format("bytes={}-{}", offset, offset + *length - 1));
  } else if (offset > 0) {
    request.headers.emplace_back("range", fmt::format("bytes={}-", offset));
  }
  if (!etag.empty()) request.headers.emplace_back("if-match", etag);
  return request;
}

bool exists(S3Client& client, const std::string& key, const std::vector<Header>& headers) {
  return client.send({.method = "HEAD", .key = key, .headers = headers}).ok();
}

}  // namespace

bool ranged_read(S3Client& client, const std::string& key, const std::vector<Header>& headers,
                 ByteRange range, stream::Sink& into) {
  if (range.length == 0U) return exists(client, key, headers);  // no request can ask for nothing
  const std::string doing = fmt::format("cannot read {} from bucket {}", key, client.bucket());
  Arriving arriving(into, range.length.value_or(std::numeric_limits<std::uint64_t>::max()), doing);
  int attempt = 1;
  while (true) {
    const std::uint64_t before = arriving.received();
    const std::uint64_t offset = range.offset + before;
    std::optional<std::uint64_t> left = range.length;
    if (left) *left -= before;
    arriving.expect(offset);
    try {
      const HttpAnswer answer =
          client.send(request_for(key, headers, offset, left, arriving.etag()), &arriving);
      if (answer.status == 416) {
        if (!range.length && whole_size(answer) == offset) return true;
        throw Error(ErrorKind::kCorrupt, key + " is shorter than expected");
      }
      if (answer.status == 404 && before == 0 &&
          parse_s3_error(answer.body).value_or(S3Error{}).code != "NoSuchBucket")
        return false;
      if (!answer.ok()) client.refuse(answer, doing, "s3:GetObject, or the object its customer key");
      if (range.length && arriving.received() < *range.length) {
        throw Error(ErrorKind::kCorrupt, key + " is shorter than expected");
      }
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kTransient) throw;
      attempt = arriving.received() > before ? 1 : attempt;  // as long as something comes
      if (attempt >= client.attempts()) throw;
    }
    client.pause_before(++attempt);
  }
}

}  // namespace barman::store
