#include "store/s3/multipart.h"

#include <utility>

#include "base/error.h"
#include "store/s3/answers.h"

namespace barman::store {

std::string begin_multipart(S3Client& client, const std::string& key, std::vector<Header> create_headers,
                            const Attempt& attempt) {
  const HttpAnswer answer = client.send(
      {.method = "POST", .key = key, .query = {{"uploads", ""}}, .headers = std::move(create_headers)});
  if (!answer.ok()) client.refuse(answer, attempt.doing, attempt.needs);
  return parse_upload_id(answer.body);
}

std::string send_part(S3Client& client, const std::string& key, const std::string& id, std::size_t number,
                      stream::Bytes part, std::vector<Header> part_headers, const Attempt& attempt) {
  const HttpAnswer answer = client.send({.method = "PUT",
                                         .key = key,
                                         .query = {{"partNumber", std::to_string(number)}, {"uploadId", id}},
                                         .headers = std::move(part_headers),
                                         .body = part});
  if (!answer.ok()) client.refuse(answer, attempt.doing, attempt.needs);
  std::string etag(answer.header("etag"));
  if (etag.empty())
    throw Error(ErrorKind::kFailed, attempt.doing + ": the server does not say what it stored (no ETag)");
  return etag;
}

HttpAnswer complete_multipart(S3Client& client, const std::string& key, const std::string& id,
                              const std::vector<std::string>& parts, bool must_be_new) {
  const std::string document = complete_document(parts);
  S3Request request{.method = "POST",
                    .key = key,
                    .query = {{"uploadId", id}},
                    .headers = {{"content-type", "application/xml"}},
                    .body = stream::bytes_of(document),
                    .errors_in_success = true};
  if (must_be_new) request.headers.emplace_back("if-none-match", "*");
  HttpAnswer answer = client.send(request);
  if (answer.status == 501 && must_be_new) {
    request.headers.pop_back();
    answer = client.send(request);
  }
  return answer;
}

bool is_completed(const HttpAnswer& answer) {
  return answer.ok() && answer.body.find("CompleteMultipartUploadResult") != std::string::npos;
}

}  // namespace barman::store
