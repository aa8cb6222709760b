#include "store/s3/s3_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "store/aws/credential_answer.h"
#include "store/aws/digest.h"
#include "store/key.h"
#include "store/s3/put_object.h"
#include "store/s3/ranged_read.h"
#include "store/s3/upload.h"

namespace barman::store {
namespace {

// A WAL segment of the usual size; and one that takes no memory.
constexpr std::uint64_t kOneRequest = 16ULL * 1024 * 1024;
constexpr std::uint64_t kLargestContent = 64ULL * 1024 * 1024;

bool is_good_key(std::string_view key) {
  try {
    check_key(key);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Not every store can do all of S3.
bool is_unknown_there(const HttpAnswer& answer) {
  return answer.status == 501 || answer.status == 405 ||
         parse_s3_error(answer.body).value_or(S3Error{}).code == "NotImplemented";
}

std::uint64_t size_in(const HttpAnswer& answer) {
  const std::string_view text = answer.header("content-length");
  std::uint64_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

}  // namespace

S3Store::S3Store(S3Client& client, const std::string& root, S3Form form)
    : client_(client),
      root_(root.empty() ? "" : root + "/"),
      form_(std::move(form)),
      customer_headers_(customer_headers(form_)),
      memory_(part_memory_bytes(form_.part_size, form_.workers)),
      inspection_(client_, root_, form_) {
  check_form(form_);
}

std::string S3Store::full(std::string_view key) const {
  check_key(key);
  return root_ + std::string(key);
}

std::optional<std::string> S3Store::own(std::string_view full_key) const {
  if (!full_key.starts_with(root_)) return std::nullopt;
  const std::string_view key = full_key.substr(root_.size());
  if (!is_good_key(key)) return std::nullopt;
  return std::string(key);
}

std::unique_ptr<stream::Sink> S3Store::create(std::string_view key, CreateOptions options) {
  UploadOptions upload{.part_size = form_.part_size,
                       .workers = form_.workers,
                       .before = may_be_there(options),
                       .create_headers = create_headers(form_, options),
                       .part_headers = customer_headers_,
                       .most_parts = form_.most_parts};
  if (options.expected_bytes <= kOneRequest)
    upload.part_size = std::max(upload.part_size, static_cast<std::size_t>(options.expected_bytes));
  return std::make_unique<S3Upload>(client_, memory_, full(key), std::move(upload));
}

void S3Store::put(std::string_view key, stream::Content& content, CreateOptions options) {
  if (content.size() > kLargestContent) return ObjectStore::put(key, content, std::move(options));
  put_object(
      client_,
      {.method = "PUT", .key = full(key), .headers = create_headers(form_, options), .content = &content},
      may_be_there(options), customer_headers_);
}

bool S3Store::read(std::string_view key, ByteRange range, stream::Sink& into) {
  return ranged_read(client_, full(key), customer_headers_, range, into);
}

std::optional<HttpAnswer> S3Store::head(std::string_view key) {
  HttpAnswer answer = client_.send({.method = "HEAD", .key = full(key), .headers = customer_headers_});
  if (answer.status == 404) return std::nullopt;
  if (!answer.ok())
    client_.refuse(answer, fmt::format("cannot look at {} in bucket {}", full(key), client_.bucket()),
                   "s3:GetObject and s3:ListBucket, or the object its customer key");
  return answer;
}

std::optional<ObjectInfo> S3Store::stat(std::string_view key) {
  const auto answer = head(key);
  if (!answer) return std::nullopt;
  return ObjectInfo{.key = std::string(key),
                    .size = size_in(*answer),
                    .modified = parse_http_time(answer->header("last-modified")).value_or(Time{})};
}

void S3Store::list_pages(std::string_view prefix, bool one_level,
                         const std::function<bool(const ListPage&)>& visit) {
  const std::string whole = root_ + std::string(prefix);
  std::string token;
  while (true) {
    S3Request request{.method = "GET",
                      .query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", whole}}};
    if (one_level) request.query.emplace_back("delimiter", "/");
    if (!token.empty()) request.query.emplace_back("continuation-token", token);
    const HttpAnswer answer = client_.send(request);
    const std::string doing = fmt::format("cannot list {} of bucket {}", whole, client_.bucket());
    if (!answer.ok()) client_.refuse(answer, doing, "s3:ListBucket");
    const ListPage page = parse_list_page(answer.body);
    if (!visit(page) || page.next.empty()) return;
    if (page.next == token)
      throw Error(ErrorKind::kFailed, doing + ": the server sends the same page again and again");
    token = page.next;
  }
}

void S3Store::list(std::string_view prefix, const Visit& visit) {
  list_pages(prefix, false, [&](const ListPage& page) {
    return std::ranges::all_of(page.objects, [&](const ListedObject& object) {
      const auto key = own(object.key);
      return !key || !key->starts_with(prefix) ||
             visit({.key = *key, .size = object.size, .modified = object.modified});
    });
  });
}

std::vector<std::string> S3Store::children(std::string_view folder) {
  if (!folder.empty()) check_key(folder);
  const std::string prefix = folder.empty() ? "" : std::string(folder) + "/";
  std::vector<std::string> names;
  const auto add = [&](const std::string& full_key, const char* end) {
    const auto key = own(full_key);
    if (key && key->starts_with(prefix)) names.push_back(key->substr(prefix.size()) + end);
  };
  list_pages(prefix, true, [&](const ListPage& page) {
    for (const ListedObject& object : page.objects) add(object.key, "");
    for (const std::string& below : page.folders)
      add(below.substr(0, below.size() - std::min<std::size_t>(1, below.size())), "/");
    return true;
  });
  std::ranges::sort(names);
  return names;
}

bool S3Store::remove(std::string_view key) {
  if (!stat(key)) return false;
  const HttpAnswer answer = client_.send({.method = "DELETE", .key = full(key)});
  if (answer.status == 404) return false;
  if (!answer.ok())
    client_.refuse(answer, fmt::format("cannot remove {} from bucket {}", full(key), client_.bucket()),
                   "s3:DeleteObject");
  return true;
}

std::vector<NotRemoved> S3Store::remove_all(const std::vector<std::string>& keys, std::size_t batch) {
  batch = std::clamp<std::size_t>(batch, 1, kLargestBatch);
  std::vector<NotRemoved> failed;
  for (std::size_t at = 0; at < keys.size(); at += batch) {
    std::vector<std::string> some;
    for (std::size_t i = at; i < std::min(keys.size(), at + batch); ++i) some.push_back(full(keys[i]));
    for (NotRemoved& one : remove_batch(some)) {
      one.key = own(one.key).value_or(one.key);
      if (one.reason.starts_with("AccessDenied")) one.reason += "; the credentials need s3:DeleteObject";
      failed.push_back(std::move(one));
    }
  }
  return failed;
}

std::vector<NotRemoved> S3Store::remove_batch(const std::vector<std::string>& keys) {
  const std::string document = delete_document(keys);
  const HttpAnswer answer =
      client_.send({.method = "POST",
                    .query = {{"delete", ""}},
                    .headers = {{"content-type", "application/xml"},
                                {"content-md5", md5_base64(stream::bytes_of(document))}},
                    .body = stream::bytes_of(document),
                    .errors_in_success = true});
  if (answer.ok()) return parse_delete_result(answer.body);
  const S3Error error = parse_s3_error(answer.body).value_or(S3Error{});
  const bool wants_other_digest =
      error.code == "MissingContentMD5" || error.message.find("content-md5") != std::string::npos;
  if (wants_other_digest || is_unknown_there(answer)) return remove_singly(keys);
  client_.refuse(answer, fmt::format("cannot remove objects from bucket {}", client_.bucket()),
                 "s3:DeleteObject");
}

std::vector<NotRemoved> S3Store::remove_singly(const std::vector<std::string>& keys) {
  std::vector<NotRemoved> failed;
  for (const std::string& key : keys) {
    const HttpAnswer answer = client_.send({.method = "DELETE", .key = key});
    if (answer.ok() || answer.status == 404) continue;
    const S3Error error =
        parse_s3_error(answer.body).value_or(S3Error{.code = std::to_string(answer.status)});
    failed.push_back({.key = key, .reason = reason_text(error)});
  }
  return failed;
}

bool S3Store::is_locked(std::string_view key, Time now) {
  const auto answer = head(key);
  if (!answer) return false;
  const auto until = parse_utc_time(answer->header("x-amz-object-lock-retain-until-date"));
  return (until && *until > now) || answer->header("x-amz-object-lock-legal-hold") == "ON";
}

bool S3Store::exists() {
  const HttpAnswer answer = client_.send({.method = "HEAD"});
  if (answer.status == 404) return false;
  if (!answer.ok()) {
    client_.refuse(answer, fmt::format("cannot look at bucket {}", client_.bucket()), "s3:ListBucket");
  }
  return true;
}

void S3Store::create_bucket() {
  if (client_.bucket().starts_with("arn:")) {
    throw Error(ErrorKind::kRefused,
                fmt::format("{} looks like an access point, which cannot be created here; create "
                            "it and its bucket first",
                            client_.bucket()));
  }
  const std::string document = create_bucket_document(client_.region());
  const HttpAnswer answer = client_.send({.method = "PUT", .body = stream::bytes_of(document)});
  if (!answer.ok()) {
    client_.refuse(answer, fmt::format("cannot create bucket {}", client_.bucket()), "s3:CreateBucket");
  }
}

std::vector<UnfinishedUpload> S3Store::unfinished_uploads(std::string_view prefix) {
  std::vector<UnfinishedUpload> result;
  UploadsPage page;
  do {
    S3Request request{.method = "GET", .query = {{"uploads", ""}, {"prefix", root_ + std::string(prefix)}}};
    if (!page.next_key.empty()) {
      request.query.emplace_back("key-marker", page.next_key);
      request.query.emplace_back("upload-id-marker", page.next_id);
    }
    const HttpAnswer answer = client_.send(request);
    if (is_unknown_there(answer)) return {};
    if (!answer.ok())
      client_.refuse(answer, fmt::format("cannot list the uploads of bucket {}", client_.bucket()),
                     "s3:ListBucketMultipartUploads");
    page = parse_uploads_page(answer.body);
    for (UnfinishedUpload& upload : page.uploads) {
      if (const auto key = own(upload.key)) {
        upload.key = *key;
        result.push_back(std::move(upload));
      }
    }
  } while (!page.next_key.empty());
  return result;
}

void S3Store::withdraw(const UnfinishedUpload& upload) {
  const HttpAnswer answer =
      client_.send({.method = "DELETE", .key = full(upload.key), .query = {{"uploadId", upload.id}}});
  if (!answer.ok() && answer.status != 404) {
    client_.refuse(
        answer, fmt::format("cannot withdraw the upload of {} from bucket {}", upload.key, client_.bucket()),
        "s3:AbortMultipartUpload");
  }
}

}  // namespace barman::store
