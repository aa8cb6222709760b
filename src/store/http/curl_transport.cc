#include "store/http/curl_transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "store/http/curl_library.h"
#include "store/http/url.h"

namespace barman::store {

namespace {

constexpr std::size_t kMostKept =
    8UL * 1024 * 1024;  // of an answer's body: a page of a listing is far smaller
constexpr std::size_t kMostHeaders = 256;
constexpr long kReceiveBytes = 512L * 1024;  // at a time, for what is large
constexpr long kSendBytes = 64L * 1024;      // stays in the cache of the processor

// What the callbacks of one request see.
struct Exchange {
  const HttpRequest& request;
  BodyReceiver* into;
  const std::stop_token& stop;
  const std::chrono::seconds patience;  // with a server that is silent
  std::uint64_t sent = 0;
  curl_off_t moved = 0;  // bytes in both directions
  std::chrono::steady_clock::time_point moved_at = std::chrono::steady_clock::now();
  bool is_silent = false;
  bool begun = false;  // `into` has been told
  HttpAnswer answer{};
  std::exception_ptr failure{};
};

std::size_t send_bytes(char* buffer, std::size_t size, std::size_t count, void* context) noexcept {
  auto& exchange = *static_cast<Exchange*>(context);
  const HttpRequest& request = exchange.request;
  try {
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(size * count, request.size() - exchange.sent));
    if (length > 0 && request.content != nullptr) {
      request.content->read(exchange.sent, std::as_writable_bytes(std::span(buffer, length)));
    } else if (length > 0) {
      std::memcpy(buffer, request.body.data() + exchange.sent, length);
    }
    exchange.sent += length;
    return length;
  } catch (...) {
    exchange.failure = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

int rewind_to(void* context, curl_off_t offset, int origin) noexcept {
  auto& exchange = *static_cast<Exchange*>(context);
  if (origin != SEEK_SET || offset < 0 || static_cast<std::uint64_t>(offset) > exchange.request.size()) {
    return CURL_SEEKFUNC_FAIL;
  }
  exchange.sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::string trimmed(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

void take_header_line(HttpAnswer& answer, std::string_view line) {
  if (line.starts_with("HTTP/")) {  // also after "100 Continue": what counts is the last
    const std::size_t blank = line.find(' ');
    answer.status =
        blank == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(blank + 1, 3)).c_str());
    answer.headers.clear();
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || answer.headers.size() >= kMostHeaders) return;
  std::string name = trimmed(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  answer.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* context) noexcept {
  auto& exchange = *static_cast<Exchange*>(context);
  try {
    take_header_line(exchange.answer, {data, size * count});
    return size * count;
  } catch (...) {
    exchange.failure = std::current_exception();
    return 0;
  }
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) noexcept {
  auto& exchange = *static_cast<Exchange*>(context);
  try {
    const std::string_view text(data, size * count);
    if (exchange.into != nullptr && exchange.answer.ok()) {
      if (!std::exchange(exchange.begun, true)) exchange.into->begin(exchange.answer);
      exchange.into->data(stream::bytes_of(text));
    } else {
      if (exchange.answer.body.size() + text.size() > kMostKept) {
        throw Error(ErrorKind::kFailed, "the server's answer is longer than any that makes sense");
      }
      exchange.answer.body += text;
    }
    return text.size();
  } catch (...) {
    exchange.failure = std::current_exception();
    return 0;
  }
}

// Called about once a second, and when something moves. (curl's own limit of speed looks at a mean over five
// seconds more than it is told.)
int look_on(void* context, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) noexcept {
  auto& exchange = *static_cast<Exchange*>(context);
  const auto now = std::chrono::steady_clock::now();
  if (received + sent != exchange.moved) {
    exchange.moved = received + sent;
    exchange.moved_at = now;
  }
  exchange.is_silent = now - exchange.moved_at >= exchange.patience;
  const bool is_stopped = exchange.stop.stop_requested() && !exchange.request.cleaning_up;
  return is_stopped || exchange.is_silent ? 1 : 0;
}

// Where a request goes, without what may be secret in it.
std::string place_of(const HttpRequest& request) {
  const auto url = parse_url(request.url);
  return url ? url->scheme + "://" + url->host : "the server";
}

[[noreturn]] void throw_failure(CURLcode code, const Exchange& exchange, const char* detail) {
  if (exchange.failure) std::rethrow_exception(exchange.failure);
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    if (!exchange.is_silent) throw Error(ErrorKind::kCancelled, "stopped on request");
    throw Error(ErrorKind::kTransient, fmt::format("{} has been silent for {} seconds",
                                                   place_of(exchange.request), exchange.patience.count()));
  }
  const std::string reason = detail != nullptr && *detail != '\0' ? detail : curl_library().strerror(code);
  const std::string place = place_of(exchange.request);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      throw Unreachable(
          fmt::format("cannot reach {}: {}; check the endpoint, the region and the network", place, reason));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      throw Error(
          ErrorKind::kFailed,
          fmt::format("{} is not who it should be: {}; set AWS_CA_BUNDLE if it has a certificate of your own",
                      place, reason));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      throw Error(ErrorKind::kUsage,
                  fmt::format("{}: {}; an endpoint is http://HOST or https://HOST", place, reason));
    default:
      throw Error(ErrorKind::kTransient, fmt::format("talking to {}: {}", place, reason));
  }
}

}  // namespace

class CurlTransport::Connection {
 public:
  Connection() : curl_(curl_library()), easy_(curl_.easy_init()) {
    if (easy_ == nullptr) throw Error(ErrorKind::kFailed, "libcurl has no memory for a connection");
  }
  ~Connection() { curl_.cleanup(easy_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  HttpAnswer send(const HttpRequest& request, BodyReceiver* into, const HttpOptions& options,
                  const std::stop_token& stop) {
    Exchange exchange{.request = request, .into = into, .stop = stop, .patience = options.read_timeout};
    std::array<char, CURL_ERROR_SIZE> detail{};
    const HeaderLines headers(curl_, request);
    curl_.reset(easy_);
    set(CURLOPT_ERRORBUFFER, detail.data());
    set(CURLOPT_HTTPHEADER, headers.list);
    set_common(request, options);
    if (into != nullptr) set(CURLOPT_BUFFERSIZE, kReceiveBytes);
    if (request.size() > 0) set(CURLOPT_UPLOAD_BUFFERSIZE, kSendBytes);
    set_callbacks(exchange);
    set_method(request);
    const CURLcode code = curl_.perform(easy_);
    curl_.reset(easy_);
    if (code != CURLE_OK) throw_failure(code, exchange, detail.data());
    return std::move(exchange.answer);
  }

 private:
  struct HeaderLines {
    HeaderLines(const CurlLibrary& library, const HttpRequest& request) : curl(library) {
      for (const auto& [name, value] : request.headers) {
        if (name != "host") add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
      }
      for (const char* none : {"Expect:", "Accept:", "Content-Type:"}) {
        if (!has(request, none)) add(none);
      }
    }
    ~HeaderLines() { curl.slist_free_all(list); }
    HeaderLines(const HeaderLines&) = delete;
    HeaderLines& operator=(const HeaderLines&) = delete;

    static bool has(const HttpRequest& request, std::string_view line) {
      std::string name(line.substr(0, line.size() - 1));
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return std::ranges::find(request.headers, name, &Header::first) != request.headers.end();
    }
    void add(const std::string& line) {
      curl_slist* longer = curl.slist_append(list, line.c_str());
      if (longer == nullptr) throw Error(ErrorKind::kFailed, "libcurl has no memory for a request");
      list = longer;
    }

    const CurlLibrary& curl;
    curl_slist* list = nullptr;
  };

  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_.setopt(easy_, option, value) != CURLE_OK) {
      throw Error(ErrorKind::kFailed, fmt::format("libcurl refuses option {}; install libcurl4 7.85 or newer",
                                                  static_cast<int>(option)));
    }
  }

  void set_common(const HttpRequest& request, const HttpOptions& options) {
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_USERAGENT, "barman/" BARMAN_VERSION);
    // On a connection of before that has died it sends a request again without a word.
    if (request.is_sent_once) set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
    const auto generous = std::chrono::seconds(1800 + request.size() / (64UL * 1024));
    if (request.limit || request.size() > 0) {
      set(CURLOPT_TIMEOUT, static_cast<long>(request.limit.value_or(generous).count()));
    }
    if (!options.ca_bundle.empty()) set(CURLOPT_CAINFO, options.ca_bundle.c_str());
    if (request.direct) {
      set(CURLOPT_NOPROXY, "*");
    } else if (const char* proxy = std::getenv("HTTP_PROXY"); proxy != nullptr &&
                                                              std::getenv("http_proxy") == nullptr &&
                                                              request.url.starts_with("http://")) {
      set(CURLOPT_PROXY, proxy);  // curl itself reads the name in lower case only
    }
  }

  void set_callbacks(Exchange& exchange) {
    set(CURLOPT_READFUNCTION, &send_bytes);
    set(CURLOPT_READDATA, &exchange);
    set(CURLOPT_SEEKFUNCTION, &rewind_to);
    set(CURLOPT_SEEKDATA, &exchange);
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, &exchange);
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, &exchange);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &look_on);
    set(CURLOPT_XFERINFODATA, &exchange);
  }

  void set_method(const HttpRequest& request) {
    const auto size = static_cast<curl_off_t>(request.size());
    if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (request.method == "PUT") {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_INFILESIZE_LARGE, size);
    } else if (request.method == "POST") {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, size);
    } else if (request.method != "GET") {
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  const CurlLibrary& curl_;
  CURL* easy_;
};

// A connection while it is in use.
class CurlTransport::Lease {
 public:
  explicit Lease(CurlTransport& owner) : owner_(owner) {
    const std::lock_guard lock(owner.mutex_);
    if (owner.idle_.empty()) {
      connection_ = std::make_unique<Connection>();
    } else {
      connection_ = std::move(owner.idle_.back());
      owner.idle_.pop_back();
    }
  }
  ~Lease() {
    const std::lock_guard lock(owner_.mutex_);
    owner_.idle_.push_back(std::move(connection_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Connection* operator->() { return connection_.get(); }

 private:
  CurlTransport& owner_;
  std::unique_ptr<Connection> connection_;
};

CurlTransport::CurlTransport(HttpOptions options, std::stop_token stop)
    : options_(std::move(options)), stop_(std::move(stop)), loading_([] {
        try {
          (void)curl_library();
        } catch (...) {  // NOLINT(bugprone-empty-catch): the first request says it
        }
      }) {}

CurlTransport::~CurlTransport() = default;

HttpAnswer CurlTransport::send(const HttpRequest& request, BodyReceiver* into) {
  if (stop_.stop_requested() && !request.cleaning_up)
    throw Error(ErrorKind::kCancelled, "stopped on request");
  Lease connection(*this);
  return connection->send(request, into, options_, stop_);
}

}  // namespace barman::store
