// A small S3 server on loopback, for tests: buckets in memory, and trouble on request. It holds requests to
// the protocol (a signature is there, parts are in order and large enough, lengths are right), not to a key.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/aws/digest.h"
#include "store/http/url.h"

namespace barman::store {

struct SeenRequest {
  std::string method;
  std::string path;   // decoded, "/bucket/key"
  std::string query;  // as it came
  std::map<std::string, std::string> headers{};
  std::string body{};
};

struct FakeReply {
  int status = 200;
  std::map<std::string, std::string> headers{};
  std::string body{};
  std::optional<std::size_t> cut_after{};  // so many bytes of the body go out, then the connection closes
  bool drop = false;                       // no answer at all: the connection closes
  bool stall = false;                      // instead of closing, nothing more comes until the client goes
};

class FakeS3 {
 public:
  // Answers in place of the server if it returns something. `number` counts requests from 1.
  using Trouble = std::function<std::optional<FakeReply>(int number, const SeenRequest& request)>;

  explicit FakeS3(std::string bucket = "bucket") {
    buckets.insert(std::move(bucket));
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 64) != 0) {
      std::abort();
    }
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~FakeS3() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    connections_.clear();
  }
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  static std::string etag_of(const std::string& text) {
    return "\"" + md5_hex(stream::bytes_of(text)) + "\"";
  }

  [[nodiscard]] std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void make_trouble(Trouble trouble) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(trouble);
    number_ = 0;
  }
  // Whether to break the connection in the middle of a request's body, asked when its head is there.
  void reset_when(std::function<bool(const SeenRequest& head)> resets) {
    const std::lock_guard lock(mutex_);
    resets_ = std::move(resets);
  }
  [[nodiscard]] std::vector<SeenRequest> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  [[nodiscard]] std::size_t unfinished() {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  [[nodiscard]] std::map<std::string, std::string> objects() {
    const std::lock_guard lock(mutex_);
    return objects_;
  }
  void put(const std::string& path, const std::string& text) {
    const std::lock_guard lock(mutex_);
    objects_[path] = text;
  }
  void remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    objects_.erase(path);
  }

  std::set<std::string> buckets;  // set up before requests are made
  std::size_t page = 1000;        // objects in a page of a listing
  bool has_batch_delete = true;
  bool has_conditions = true;              // else "if-none-match" is ignored
  bool keeps_encryption = true;            // else objects are not encrypted as was asked for
  std::string versioning{};                // the status, if it was ever set
  std::optional<std::string> object_lock;  // what is in <ObjectLockConfiguration>
  std::string date{};                      // of every answer

 private:
  static FakeReply error(int status, const std::string& code) {
    return {.status = status,
            .body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>fake</Message></Error>"};
  }

  static std::string parameter(const SeenRequest& request, const std::string& name) {
    std::string_view rest = request.query;
    while (!rest.empty()) {
      const std::string_view one = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      if (one.substr(0, one.find('=')) == name)
        return percent_decode(one.substr(std::min(one.size(), one.find('=') + 1)));
    }
    return {};
  }
  static bool asks(const SeenRequest& request, const std::string& name) {
    return ("&" + request.query).find("&" + name + "=") != std::string::npos;
  }

  FakeReply answer(const SeenRequest& request) {
    const std::lock_guard lock(mutex_);
    ++number_;
    seen_.push_back(request);
    if (trouble_) {
      if (auto reply = trouble_(number_, request)) return *reply;
    }
    if (!request.headers.contains("authorization")) return error(403, "AccessDenied");
    const std::size_t slash = request.path.find('/', 1);
    const std::string bucket = request.path.substr(1, slash == std::string::npos ? slash : slash - 1);
    const bool on_bucket = slash == std::string::npos || slash + 1 == request.path.size();
    if (on_bucket && request.method == "PUT") {
      buckets.insert(bucket);
      return {};
    }
    if (!buckets.contains(bucket)) return error(404, "NoSuchBucket");
    return on_bucket ? of_bucket(request, bucket) : of_object(request);
  }

  FakeReply of_bucket(const SeenRequest& request, const std::string& bucket) {
    if (request.method == "HEAD") return {};
    if (request.method == "POST" && asks(request, "delete")) return delete_many(request, bucket);
    if (asks(request, "uploads")) return list_uploads(request, bucket);
    if (asks(request, "versioning")) {
      const std::string status = versioning.empty() ? "" : "<Status>" + versioning + "</Status>";
      return {.body = "<VersioningConfiguration>" + status + "</VersioningConfiguration>"};
    }
    if (asks(request, "object-lock")) {
      if (!object_lock) return error(404, "ObjectLockConfigurationNotFoundError");
      return {.body = "<ObjectLockConfiguration>" + *object_lock + "</ObjectLockConfiguration>"};
    }
    return list(request, bucket);
  }

  FakeReply delete_many(const SeenRequest& request, const std::string& bucket) {
    if (!has_batch_delete) return error(501, "NotImplemented");
    if (!request.headers.contains("content-md5")) return error(400, "MissingContentMD5");
    std::size_t at = 0;
    while ((at = request.body.find("<Key>", at)) != std::string::npos) {
      const std::size_t end = request.body.find("</Key>", at);
      objects_.erase("/" + bucket + "/" + request.body.substr(at + 5, end - at - 5));
      at = end;
    }
    return {.body = "<DeleteResult/>"};
  }

  FakeReply list_uploads(const SeenRequest& request, const std::string& bucket) {
    std::string xml = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>";
    for (const auto& [id, upload] : uploads_) {
      if (!upload.path.starts_with("/" + bucket + "/" + parameter(request, "prefix"))) continue;
      xml += "<Upload><Key>" + upload.path.substr(bucket.size() + 2) + "</Key><UploadId>" + id +
             "</UploadId><Initiated>2026-11-22T13:38:18.000Z</Initiated></Upload>";
    }
    return {.body = xml + "</ListMultipartUploadsResult>"};
  }

  FakeReply list(const SeenRequest& request, const std::string& bucket) {
    const std::string root = "/" + bucket + "/";
    const std::string prefix = root + parameter(request, "prefix");
    const std::string after = percent_decode(parameter(request, "continuation-token"));
    const bool one_level = parameter(request, "delimiter") == "/";
    std::string xml = "<ListBucketResult><EncodingType>url</EncodingType>";
    std::set<std::string> folders;
    std::size_t count = 0;
    std::string last;
    bool cut = false;
    for (const auto& [path, text] : objects_) {
      if (!path.starts_with(prefix) || path <= after) continue;
      const std::size_t slash = path.find('/', prefix.size());
      const bool is_folder = one_level && slash != std::string::npos;
      if (is_folder &&
          (folders.contains(path.substr(0, slash + 1)) || after.starts_with(path.substr(0, slash + 1)))) {
        last = path;
        continue;
      }
      if (count == page) {
        cut = true;
        break;
      }
      ++count;
      last = path;
      if (is_folder) {
        folders.insert(path.substr(0, slash + 1));
      } else {
        xml += "<Contents><Key>" + percent_encode(path.substr(root.size()), true) +
               "</Key><LastModified>2026-11-22T13:38:18.123Z</LastModified><Size>" +
               std::to_string(text.size()) + "</Size></Contents>";
      }
    }
    for (const std::string& folder : folders) {
      xml += "<CommonPrefixes><Prefix>" + percent_encode(folder.substr(root.size()), true) +
             "</Prefix></CommonPrefixes>";
    }
    xml += cut ? "<IsTruncated>true</IsTruncated><NextContinuationToken>" + percent_encode(last, true) +
                     "</NextContinuationToken>"
               : "<IsTruncated>false</IsTruncated>";
    return {.body = xml + "</ListBucketResult>"};
  }

  FakeReply of_object(const SeenRequest& request) {
    if (request.method == "POST" && asks(request, "uploads")) {
      const std::string id = "upload-" + std::to_string(++uploads_made_);
      uploads_[id].path = request.path;
      uploads_[id].encryption = encryption_in(request);
      return {.body = "<InitiateMultipartUploadResult><UploadId>" + id +
                      "</UploadId></InitiateMultipartUploadResult>"};
    }
    const std::string id = parameter(request, "uploadId");
    if (!id.empty()) return of_upload(request, id);
    const auto found = objects_.find(request.path);
    if (request.method == "PUT") {
      if (found != objects_.end() && has_conditions && request.headers.contains("if-none-match"))
        return error(412, "PreconditionFailed");
      objects_[request.path] = request.body;
      encryption_[request.path] = encryption_in(request);
      parts_of_.erase(request.path);
      return {.headers = {{"etag", etag_of(request.body)}}};
    }
    if (request.method == "DELETE") {
      objects_.erase(request.path);
      return {.status = 204};
    }
    if (found == objects_.end()) return error(404, "NoSuchKey");
    return get(request, found->second);
  }

  FakeReply of_upload(const SeenRequest& request, const std::string& id) {
    const auto upload = uploads_.find(id);
    if (upload == uploads_.end()) return error(404, "NoSuchUpload");
    if (request.method == "DELETE") {
      uploads_.erase(upload);
      return {.status = 204};
    }
    if (request.method == "PUT") {
      upload->second.parts[std::stoi(parameter(request, "partNumber"))] = request.body;
      return {.headers = {{"etag", etag_of(request.body)}}};
    }
    if (request.method == "GET") return list_parts(upload->second.parts);
    std::string whole;
    std::size_t at = 0;
    for (const auto& [number, text] : upload->second.parts) {
      at = request.body.find("<PartNumber>" + std::to_string(number) + "<", at);
      if (at == std::string::npos) return error(400, "InvalidPart");
      whole += text;
    }
    if (objects_.contains(request.path) && request.headers.contains("if-none-match"))
      return error(412, "PreconditionFailed");
    parts_of_[request.path] = upload->second.parts.size();
    objects_[request.path] = whole;
    encryption_[request.path] = upload->second.encryption;
    uploads_.erase(upload);
    return {.body = "<CompleteMultipartUploadResult/>"};
  }

  static FakeReply list_parts(const std::map<int, std::string>& parts) {
    std::string xml = "<ListPartsResult><IsTruncated>false</IsTruncated>";
    for (const auto& [number, text] : parts) {
      xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><Size>" +
             std::to_string(text.size()) + "</Size></Part>";
    }
    return {.body = xml + "</ListPartsResult>"};
  }

  // What is told of it later.
  std::map<std::string, std::string> encryption_in(const SeenRequest& request) const {
    std::map<std::string, std::string> found;
    for (const auto& [name, value] : request.headers) {
      if (keeps_encryption && name.starts_with("x-amz-server-side-encryption") &&
          !name.ends_with("customer-key"))
        found.emplace(name, value);
    }
    return found;
  }

  FakeReply get(const SeenRequest& request, const std::string& text) {
    FakeReply reply{.headers = {{"etag", parts_of_.contains(request.path)
                                             ? "\"x-" + std::to_string(parts_of_[request.path]) + "\""
                                             : etag_of(text)},
                                {"last-modified", "Sun, 22 Nov 2026 13:38:18 GMT"}},
                    .body = text};
    reply.headers.insert(encryption_[request.path].begin(), encryption_[request.path].end());
    const auto match = request.headers.find("if-match");
    if (match != request.headers.end() && match->second != reply.headers["etag"])
      return error(412, "PreconditionFailed");
    const auto range = request.headers.find("range");
    if (range != request.headers.end()) {
      const std::size_t first = std::stoull(range->second.substr(6));
      const std::size_t dash = range->second.find('-');
      const std::string last = range->second.substr(dash + 1);
      if (first >= text.size()) {
        reply = error(416, "InvalidRange");
        reply.headers["content-range"] = "bytes */" + std::to_string(text.size());
        return reply;
      }
      reply.status = 206;
      reply.body = text.substr(first, last.empty() ? std::string::npos : std::stoull(last) - first + 1);
    }
    return reply;
  }

  void accept_all() {
    while (!stopping_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      connections_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string buffer;
    while (const auto request = next_request(fd, buffer)) {
      if (!send_reply(fd, *request, answer(*request))) break;
    }
    const std::lock_guard lock(mutex_);
    open_.erase(fd);
    ::close(fd);
  }

  static bool more(int fd, std::string& buffer) {
    char bytes[65536];
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  bool is_to_break(const SeenRequest& head) {
    const std::lock_guard lock(mutex_);
    return resets_ && resets_(head);
  }

  // Closing it then tells the client at once, whatever it is sending.
  static void make_abrupt(int fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  std::optional<SeenRequest> next_request(int fd, std::string& buffer) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!more(fd, buffer)) return std::nullopt;
    }
    SeenRequest request;
    std::size_t at = buffer.find("\r\n");
    const std::string first = buffer.substr(0, at);
    request.method = first.substr(0, first.find(' '));
    const std::string target =
        first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
    request.path = percent_decode(target.substr(0, target.find('?')));
    if (const std::size_t mark = target.find('?'); mark != std::string::npos)
      request.query = target.substr(mark + 1);
    while (at < end) {
      const std::size_t next = buffer.find("\r\n", at + 2);
      const std::string line = buffer.substr(at + 2, next - at - 2);
      std::string name = line.substr(0, line.find(':'));
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (line.size() > name.size() + 2) request.headers[name] = line.substr(name.size() + 2);
      at = next;
    }
    const auto length = request.headers.find("content-length");
    const std::size_t size = length == request.headers.end() ? 0 : std::stoull(length->second);
    buffer.erase(0, end + 4);
    const bool breaks = is_to_break(request);
    while (buffer.size() < (breaks ? size / 2 : size)) {
      if (!more(fd, buffer)) return std::nullopt;
    }
    if (breaks) {
      make_abrupt(fd);
      return std::nullopt;
    }
    request.body = buffer.substr(0, size);
    buffer.erase(0, size);
    return request;
  }

  // Returns whether the connection stays.
  bool send_reply(int fd, const SeenRequest& request, FakeReply reply) const {
    if (!date.empty()) reply.headers.emplace("date", date);
    const bool stays = !reply.drop && send_text(fd, request, reply);
    char ignored = 0;
    while (reply.stall && ::recv(fd, &ignored, 1, 0) > 0) {
    }
    return stays;
  }

  static bool send_text(int fd, const SeenRequest& request, const FakeReply& reply) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                       " Fake\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n";
    for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
    text += "\r\n";
    if (request.method != "HEAD") text += reply.body.substr(0, reply.cut_after.value_or(std::string::npos));
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t took = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (took <= 0) return false;
      sent += static_cast<std::size_t>(took);
    }
    return !reply.cut_after;
  }

  struct Upload {
    std::string path;
    std::map<std::string, std::string> encryption;
    std::map<int, std::string> parts;
  };

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::jthread acceptor_;

  std::mutex mutex_;  // guards the following
  Trouble trouble_;
  std::function<bool(const SeenRequest&)> resets_;
  int number_ = 0;
  int uploads_made_ = 0;
  std::vector<SeenRequest> seen_;
  std::map<std::string, std::string> objects_;  // by path
  std::map<std::string, std::size_t> parts_of_;
  std::map<std::string, std::map<std::string, std::string>> encryption_;
  std::map<std::string, Upload> uploads_;
  std::set<int> open_;
  std::vector<std::jthread> connections_;
};

}  // namespace barman::store
