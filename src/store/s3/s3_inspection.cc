#include "store/s3/s3_inspection.h"

#include <fmt/format.h>

#include "base/error.h"
#include "store/aws/credential_answer.h"
#include "store/key.h"
#include "store/s3/multipart.h"

namespace barman::store {
namespace {

constexpr const char* kCustomerKey = "customer key";

// Nothing if the server does not tell: some know no such question, some tell nobody but the owner.
std::optional<std::string> lock_state(const HttpAnswer& answer) {
  if (answer.ok()) return parse_object_lock(answer.body);
  const auto error = parse_s3_error(answer.body);
  if (error && error->code == "ObjectLockConfigurationNotFoundError") return "off";
  return std::nullopt;
}

}  // namespace

std::string S3Inspection::full(std::string_view key) const {
  check_key(key);
  return root_ + std::string(key);
}

std::string_view S3Inspection::put_rights() const {
  return form_.encryption == "aws:kms" ? "s3:PutObject, and kms:GenerateDataKey and kms:Decrypt of the key"
                                       : "s3:PutObject";
}

BucketState S3Inspection::state() {
  BucketState state;
  const HttpAnswer versioning = client_.send({.method = "GET", .query = {{"versioning", ""}}});
  if (versioning.ok()) state.versioning = parse_versioning(versioning.body);
  state.object_lock = lock_state(client_.send({.method = "GET", .query = {{"object-lock", ""}}}));
  return state;
}

std::optional<Time> S3Inspection::time_there() {
  return parse_http_time(client_.send({.method = "HEAD"}).header("date"));
}

Encryption S3Inspection::wanted_encryption() const {
  if (!form_.customer_key.empty()) return {.method = kCustomerKey};
  return {.method = form_.encryption, .key = form_.kms_key};
}

Encryption S3Inspection::encryption_of(std::string_view key) {
  const HttpAnswer answer =
      client_.send({.method = "HEAD", .key = full(key), .headers = customer_headers(form_)});
  if (!answer.ok())
    client_.refuse(answer, fmt::format("cannot look at {} in bucket {}", full(key), client_.bucket()),
                   "s3:GetObject");
  if (!answer.header("x-amz-server-side-encryption-customer-algorithm").empty()) {
    return {.method = kCustomerKey};
  }
  return {.method = std::string(answer.header("x-amz-server-side-encryption")),
          .key = std::string(answer.header("x-amz-server-side-encryption-aws-kms-key-id"))};
}

Conditional S3Inspection::store_if_absent(std::string_view key, std::string_view text) {
  S3Request request{.method = "PUT",
                    .key = full(key),
                    .headers = create_headers(form_, {}),
                    .body = stream::bytes_of(text)};
  request.headers.emplace_back("if-none-match", "*");
  const HttpAnswer answer = client_.send(request);
  if (answer.status == 412) return Conditional::kRefused;
  if (answer.status == 501) return Conditional::kUnsupported;
  if (!answer.ok())
    client_.refuse(answer, fmt::format("cannot store {} in bucket {}", full(key), client_.bucket()),
                   put_rights());
  return Conditional::kReplaced;
}

UnfinishedUpload S3Inspection::begin_upload(std::string_view key) {
  std::string id = begin_multipart(
      client_, full(key), create_headers(form_, {}),
      {fmt::format("cannot begin the upload of {} to bucket {}", full(key), client_.bucket()), put_rights()});
  return {.key = std::string(key), .id = std::move(id), .begun = {}};
}

std::string S3Inspection::send_part(const UnfinishedUpload& upload, unsigned number, stream::Bytes part) {
  return store::send_part(
      client_, full(upload.key), upload.id, number, part, customer_headers(form_),
      {fmt::format("cannot send part {} of {} to bucket {}", number, full(upload.key), client_.bucket()),
       put_rights()});
}

void S3Inspection::complete(const UnfinishedUpload& upload, const std::vector<std::string>& parts) {
  const HttpAnswer answer = complete_multipart(client_, full(upload.key), upload.id, parts, false);
  if (!is_completed(answer)) {
    client_.refuse(
        answer,
        fmt::format("cannot complete the upload of {} to bucket {}", full(upload.key), client_.bucket()),
        put_rights());
  }
}

std::optional<std::uint64_t> S3Inspection::uploaded_bytes(const UnfinishedUpload& upload) {
  std::uint64_t bytes = 0;
  PartsPage page;
  do {
    S3Request request{.method = "GET", .key = full(upload.key), .query = {{"uploadId", upload.id}}};
    if (!page.next.empty()) request.query.emplace_back("part-number-marker", page.next);
    const HttpAnswer answer = client_.send(request);
    if (!answer.ok()) return std::nullopt;
    const std::string before = page.next;
    page = parse_parts_page(answer.body);
    if (!page.next.empty() && page.next == before) return std::nullopt;
    bytes += page.bytes;
  } while (!page.next.empty());
  return bytes;
}

}  // namespace barman::store
