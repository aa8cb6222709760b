#include "memory_s3/buckets.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "store/http/url.h"

namespace barman::bench {
namespace {

using std::chrono::system_clock;

Answer error(int status, std::string_view code) {
  return {.status = status,
          .text = fmt::format("<?xml version=\"1.0\"?><Error><Code>{0}</Code><Message>{0}</Message></Error>",
                              code)};
}

Answer document(std::string_view name, const std::string& inner) {
  return {.text = fmt::format(
              "<?xml version=\"1.0\"?><{0} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{1}</{0}>", name,
              inner)};
}

std::string element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, text);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

std::string unescaped(std::string text) {
  for (const auto& [name, c] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}}) {
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; ++at)
      text.replace(at, std::string_view(name).size(), c);
  }
  return text;
}

std::string iso_time(system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.000Z", fmt::gmtime(system_clock::to_time_t(time)));
}

std::string http_time(system_clock::time_point time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(system_clock::to_time_t(time)));
}

// The bytes from `first` on, `size` of them, of blobs that follow one another.
std::vector<Piece> pieces_of(const std::vector<SharedBlob>& blobs, std::size_t first, std::size_t size) {
  std::vector<Piece> pieces;
  for (const SharedBlob& blob : blobs) {
    if (size == 0) break;
    if (first >= blob->size()) {
      first -= blob->size();
      continue;
    }
    pieces.push_back({.blob = blob, .offset = first, .size = std::min(size, blob->size() - first)});
    size -= pieces.back().size;
    first = 0;
  }
  return pieces;
}

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Answer Buckets::answer(const Request& request) {
  const std::size_t slash = std::min(request.path.find('/', 1), request.path.size());
  const std::string bucket = request.path.substr(1, slash - 1);
  const std::string key = request.path.substr(std::min(slash + 1, request.path.size()));
  const std::lock_guard lock(mutex_);
  if (key.empty()) return of_bucket(request, bucket);
  const auto found = buckets_.find(bucket);
  if (found == buckets_.end()) return error(404, "NoSuchBucket");
  return of_object(request, found->second, bucket, key);
}

Answer Buckets::of_bucket(const Request& request, const std::string& name) {
  if (request.method == "PUT") {
    buckets_[name];
    return {};
  }
  const auto found = buckets_.find(name);
  if (found == buckets_.end()) return error(404, "NoSuchBucket");
  if (request.method == "HEAD") return {};
  if (request.method == "POST" && request.asks("delete")) return remove_many(request, found->second);
  if (request.method != "GET") return error(405, "MethodNotAllowed");
  return request.asks("uploads") ? list_uploads(request, name) : list(request, found->second);
}

Answer Buckets::of_object(const Request& request, Objects& objects, const std::string& bucket,
                          const std::string& key) {
  if (request.method == "POST" && request.asks("uploads")) {
    const std::string id = fmt::format("upload-{}", ++made_);
    uploads_[id] = {.bucket = bucket, .key = key};
    return document("InitiateMultipartUploadResult",
                    element("Bucket", bucket) + element("Key", escaped(key)) + element("UploadId", id));
  }
  if (request.asks("uploadId")) return of_upload(request, objects, key);
  const auto found = objects.find(key);
  if (request.method == "PUT") {
    const SharedBlob body = request.body ? request.body : std::make_shared<Blob>(0);
    return put(request, objects, key,
               {.blobs = {body}, .size = body->size(), .etag = new_etag(), .modified = {}});
  }
  if (request.method == "DELETE") {
    if (found != objects.end()) objects.erase(found);
    return {.status = 204};
  }
  if (request.method != "GET" && request.method != "HEAD") return error(405, "MethodNotAllowed");
  return found == objects.end() ? error(404, "NoSuchKey") : get(request, found->second);
}

Answer Buckets::of_upload(const Request& request, Objects& objects, const std::string& key) {
  const auto upload = uploads_.find(request.parameter("uploadId"));
  if (upload == uploads_.end()) return error(404, "NoSuchUpload");
  if (request.method == "DELETE") {
    uploads_.erase(upload);
    return {.status = 204};
  }
  if (request.method == "PUT") {
    const auto number = static_cast<int>(number_in(request.parameter("partNumber")));
    upload->second.parts[number] = request.body ? request.body : std::make_shared<Blob>(0);
    return {.headers = {{"ETag", new_etag()}}};
  }
  Object object{
      .blobs = {}, .etag = new_etag(fmt::format("-{}", upload->second.parts.size())), .modified = {}};
  for (const auto& [number, blob] : upload->second.parts) {
    object.blobs.push_back(blob);
    object.size += blob->size();
  }
  Answer made = put(request, objects, key, std::move(object));
  if (made.status != 200) return made;
  uploads_.erase(upload);
  return document("CompleteMultipartUploadResult",
                  element("Key", escaped(key)) + element("ETag", made.headers["ETag"]));
}

Answer Buckets::put(const Request& request, Objects& objects, const std::string& key, Object object) {
  if (!request.header("if-none-match").empty() && objects.contains(key))
    return error(412, "PreconditionFailed");
  object.modified = system_clock::now();
  const std::string etag = object.etag;
  objects[key] = std::move(object);
  return {.headers = {{"ETag", etag}}};
}

Answer Buckets::get(const Request& request, const Object& object) {
  Answer answer{.headers = {{"ETag", object.etag},
                            {"Last-Modified", http_time(object.modified)},
                            {"Accept-Ranges", "bytes"}}};
  const std::string match = request.header("if-match");
  if (!match.empty() && match != object.etag) return error(412, "PreconditionFailed");
  const std::string range = request.header("range");
  if (!range.starts_with("bytes=")) {
    answer.pieces = pieces_of(object.blobs, 0, object.size);
    return answer;
  }
  const std::size_t first = number_in(std::string_view(range).substr(6));
  if (first >= object.size) {
    answer = error(416, "InvalidRange");
    answer.headers["Content-Range"] = fmt::format("bytes */{}", object.size);
    return answer;
  }
  const std::string_view end = std::string_view(range).substr(range.find('-') + 1);
  const std::size_t last = end.empty() ? object.size - 1 : std::min(number_in(end), object.size - 1);
  answer.status = 206;
  answer.headers["Content-Range"] = fmt::format("bytes {}-{}/{}", first, last, object.size);
  answer.pieces = pieces_of(object.blobs, first, last - first + 1);
  return answer;
}

Answer Buckets::list(const Request& request, const Objects& objects) {
  const std::string prefix = request.parameter("prefix");
  const std::string delimiter = request.parameter("delimiter");
  const std::string after =
      std::max(request.parameter("continuation-token"), request.parameter("start-after"));
  const std::size_t most = request.asks("max-keys") ? number_in(request.parameter("max-keys")) : 1000;
  const bool in_url_form = request.parameter("encoding-type") == "url";
  const auto name_of = [&](const std::string& key) {
    return in_url_form ? store::percent_encode(key, true) : escaped(key);
  };
  std::string rows;
  std::set<std::string> folders;
  std::string last = after;
  std::size_t count = 0;
  bool is_cut = false;
  for (auto at = objects.lower_bound(prefix); at != objects.end() && at->first.starts_with(prefix); ++at) {
    const auto& [key, object] = *at;
    // After a folder everything in it has been told.
    if (key <= after || (!delimiter.empty() && after.ends_with(delimiter) && key.starts_with(after)))
      continue;
    const std::size_t end = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
    const std::string folder = end == std::string::npos ? "" : key.substr(0, end + delimiter.size());
    if (!folder.empty() && folders.contains(folder)) continue;
    if (count++ == most) {
      is_cut = true;
      break;
    }
    last = folder.empty() ? key : folder;
    if (!folder.empty()) {
      folders.insert(folder);
      continue;
    }
    rows += element("Contents",
                    element("Key", name_of(key)) + element("LastModified", iso_time(object.modified)) +
                        element("ETag", object.etag) + element("Size", std::to_string(object.size)) +
                        element("StorageClass", "STANDARD"));
  }
  for (const std::string& folder : folders)
    rows += element("CommonPrefixes", element("Prefix", name_of(folder)));
  if (in_url_form) rows += element("EncodingType", "url");
  if (is_cut) rows += element("NextContinuationToken", escaped(last));
  return document("ListBucketResult", element("IsTruncated", is_cut ? "true" : "false") +
                                          element("Prefix", name_of(prefix)) + rows);
}

Answer Buckets::list_uploads(const Request& request, const std::string& bucket) const {
  std::string rows = element("IsTruncated", "false");
  for (const auto& [id, upload] : uploads_) {
    if (upload.bucket != bucket || !upload.key.starts_with(request.parameter("prefix"))) continue;
    rows += element("Upload", element("Key", escaped(upload.key)) + element("UploadId", id) +
                                  element("Initiated", iso_time(system_clock::now())));
  }
  return document("ListMultipartUploadsResult", rows);
}

Answer Buckets::remove_many(const Request& request, Objects& objects) {
  constexpr std::string_view kBegin = "<Key>";
  const std::string_view text = request.text();
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    objects.erase(unescaped(std::string(text.substr(at, text.find("</Key>", at) - at))));
  }
  return document("DeleteResult", "");
}

std::string Buckets::new_etag(const std::string& end) { return fmt::format("\"{:032x}{}\"", ++made_, end); }

}  // namespace barman::bench
