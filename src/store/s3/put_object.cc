#include "store/s3/put_object.h"

#include <fmt/format.h>

#include "store/aws/digest.h"

namespace barman::store {
namespace {

bool is_there_whole(S3Client& client, const S3Request& put, const std::vector<Header>& part_headers) {
  const HttpAnswer answer = client.send({.method = "HEAD", .key = put.key, .headers = part_headers});
  const std::uint64_t size = put.content != nullptr ? put.content->size() : put.body.size();
  const auto sum = [&] { return put.content != nullptr ? md5_hex(*put.content) : md5_hex(put.body); };
  return answer.ok() && answer.header("content-length") == std::to_string(size) &&
         answer.header("etag") == '"' + sum() + '"';
}

}  // namespace

MayBeThere may_be_there(const CreateOptions& options) {
  if (!options.must_be_new) return MayBeThere::kAnything;
  return options.same_is_taken ? MayBeThere::kNothing : MayBeThere::kSame;
}

void put_object(S3Client& client, S3Request request, MayBeThere before,
                const std::vector<Header>& part_headers) {
  const std::string doing = storing(client, *request.key);
  const bool must_be_new = before != MayBeThere::kAnything;
  if (must_be_new) request.headers.emplace_back("if-none-match", "*");
  request.counts_attempts = before == MayBeThere::kNothing;
  HttpAnswer answer = client.send(request);
  if (answer.status == 501 && must_be_new) {
    require_absent(client, *request.key, part_headers);
    request.headers.pop_back();
    answer = client.send(request);
  }
  if (answer.ok()) return;
  const bool may_be_ours = before == MayBeThere::kSame || answer.attempts > 1;
  if (answer.status == 412 && may_be_ours && is_there_whole(client, request, part_headers)) return;
  if (answer.status == 412) throw Error(ErrorKind::kRefused, doing + ": it exists already");
  client.refuse(answer, doing, kNeedsToStore);
}

void require_absent(S3Client& client, const std::string& key, const std::vector<Header>& part_headers) {
  const HttpAnswer answer = client.send({.method = "HEAD", .key = key, .headers = part_headers});
  if (answer.ok()) throw Error(ErrorKind::kRefused, storing(client, key) + ": it exists already");
  if (answer.status != 404) client.refuse(answer, storing(client, key), kNeedsToStore);
}

std::string storing(const S3Client& client, const std::string& key) {
  return fmt::format("cannot store {} in bucket {}", key, client.bucket());
}

}  // namespace barman::store
