#include "memory_s3/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "store/http/url.h"

namespace barman::bench {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::optional<std::size_t> number_of(std::string_view text, int base = 10) {
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failure != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

std::map<std::string, std::string> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equal = std::min(one.find('='), one.size());
    query[store::percent_decode(one.substr(0, equal))] =
        store::percent_decode(one.substr(std::min(one.size(), equal + 1)));
  }
  return query;
}

std::optional<Request> parse_head(std::string_view head) {
  Request request;
  std::string_view first = head.substr(0, head.find("\r\n"));
  const std::size_t space = first.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  request.method = first.substr(0, space);
  const std::string_view target = first.substr(space + 1, first.rfind(' ') - space - 1);
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = store::percent_decode(target.substr(0, mark));
  request.query = parse_query(target.substr(std::min(target.size(), mark + 1)));
  for (std::size_t at = first.size() + 2; at < head.size();) {
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    at += line.size() + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    request.headers[lower(std::string(line.substr(0, colon)))] = value;
  }
  return request;
}

}  // namespace

std::string Request::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string Request::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

std::string_view Request::text() const {
  if (!body) return {};
  return {reinterpret_cast<const char*>(body->bytes().data()), body->size()};
}

Connection::~Connection() { ::close(socket_); }

std::optional<Request> Connection::next() {
  const auto text = head();
  if (!text) return std::nullopt;
  auto request = parse_head(*text);
  if (!request) return std::nullopt;
  if (lower(request->header("expect")) == "100-continue" && !send_all("HTTP/1.1 100 Continue\r\n\r\n")) {
    return std::nullopt;
  }
  if (!read_body(*request)) return std::nullopt;
  return request;
}

std::optional<std::string> Connection::head() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::size_t end = 0;
  while ((end = buffer_.find(kEnd)) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string text = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + kEnd.size());
  return text;
}

bool Connection::read_body(Request& request) {
  const bool is_chunked = request.header("content-encoding").find("aws-chunked") != std::string::npos ||
                          request.header("x-amz-content-sha256").starts_with("STREAMING-");
  const auto size = number_of(request.header(is_chunked ? "x-amz-decoded-content-length" : "content-length"));
  if (!size) return !is_chunked && request.header("transfer-encoding").empty();
  request.body = is_chunked ? amazons_chunks(*size) : plain_body(*size);
  return request.body != nullptr;
}

SharedBlob Connection::plain_body(std::size_t size) {
  auto blob = std::make_shared<Blob>(size);
  return read_exactly(blob->bytes()) ? blob : nullptr;
}

SharedBlob Connection::amazons_chunks(std::size_t size) {
  auto blob = std::make_shared<Blob>(size);
  for (std::size_t at = 0;;) {
    const auto first = line();
    const auto chunk = first ? number_of(*first, 16) : std::nullopt;
    if (!chunk || *chunk > size - at) return nullptr;
    if (*chunk == 0) break;
    if (!read_exactly(blob->bytes().subspan(at, *chunk)) || line() != "") return nullptr;
    at += *chunk;
  }
  while (true) {  // sums, and the line that ends them
    const auto sum = line();
    if (!sum) return nullptr;
    if (sum->empty()) return blob;
  }
}

std::optional<std::string> Connection::line() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return text;
}

bool Connection::fill() {
  std::array<char, 16384> bytes{};
  const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

bool Connection::read_exactly(std::span<std::byte> into) {
  const std::size_t have = std::min(into.size(), buffer_.size());
  if (have > 0) std::memcpy(into.data(), buffer_.data(), have);
  buffer_.erase(0, have);
  for (into = into.subspan(have); !into.empty();) {
    const ssize_t got = ::recv(socket_, into.data(), into.size(), MSG_WAITALL);
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool Connection::send_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::answer(const Request& request, const Answer& answer) {
  std::size_t size = answer.text.size();
  for (const Piece& piece : answer.pieces) size += piece.size;
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Answer\r\n";
  if (answer.status != 204) head += "Content-Length: " + std::to_string(size) + "\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  head += "\r\n";
  if (request.method == "HEAD") return send_all(head);
  if (!send_all(head + answer.text)) return false;
  return std::ranges::all_of(answer.pieces, [this](const Piece& piece) {
    const auto* begin = reinterpret_cast<const char*>(piece.blob->bytes().data());
    return send_all({begin + piece.offset, piece.size});
  });
}

}  // namespace barman::bench
