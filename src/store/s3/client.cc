#include "store/s3/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <random>

#include "store/aws/credential_answer.h"
#include "store/aws/digest.h"
#include "store/inspection.h"

namespace barman::store {
namespace {

constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{20000};

constexpr int kStoreIsFull = 507;
constexpr std::chrono::minutes kMostApart{5};  // of two clocks; servers take up to 15

bool may_pass(const HttpAnswer& answer, const S3Error& error) {
  const bool is_lasting = answer.status == 501 || answer.status == kStoreIsFull;
  if (answer.status == 429 || (answer.status >= 500 && !is_lasting)) return true;
  for (const char* code :
       {"InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "Throttling",
        "ThrottlingException", "RequestLimitExceeded", "OperationAborted", "ConditionalRequestConflict"}) {
    if (error.code == code) return true;
  }
  return false;
}

// A success that turned out to be none has the status that its document stands for.
void unmask(HttpAnswer& answer, const std::optional<S3Error>& error) {
  if (answer.ok() && error) answer.status = error->code == "PreconditionFailed" ? 412 : 500;
}

bool is_one_of(const std::string& code, std::initializer_list<const char*> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// Ceph says so of the key that encrypts, with the code of an unknown access key.
bool is_of_key_service(const S3Error& error) { return error.message.find("kms-keyid") != std::string::npos; }

// Whether the server does not know who asks.
bool is_of_credentials(const S3Error& error) {
  return is_one_of(error.code, {"InvalidAccessKeyId", "SignatureDoesNotMatch"}) && !is_of_key_service(error);
}

std::string meaning_of(const HttpAnswer& answer, const S3Error& error, const std::string& bucket,
                       std::string_view needs) {
  const std::string said = error.code.empty() ? std::to_string(answer.status) : reason_text(error);
  if (error.code == "NoSuchBucket") {
    return fmt::format("there is no bucket {}; create it or correct the URL", bucket);
  }
  if (is_of_key_service(error)) {
    return fmt::format(
        "the store does not get the key to encrypt with ({}); check aws_sse_kms_key_id, or --sse-kms-key-id",
        said);
  }
  if (is_of_credentials(error)) {
    return fmt::format("the server does not accept the credentials ({}); check access key and secret key",
                       error.code);
  }
  if (is_one_of(error.code, {"RequestTimeTooSkewed", "RequestExpired"})) {
    return fmt::format("the clock of this machine is too far from the server's ({}); set it right",
                       error.code);
  }
  if (is_one_of(error.code, {"ExpiredToken", "TokenRefreshRequired", "InvalidToken"})) {
    return fmt::format("the credentials have expired ({}); get new ones", error.code);
  }
  if (answer.status == kStoreIsFull || is_one_of(error.code, {"QuotaExceeded", "XMinioStorageFull"})) {
    return fmt::format("the store is full ({}); make room there or raise the quota", said);
  }
  if (answer.status == 401 || answer.status == 403) {
    return fmt::format("permission denied ({}); the credentials need {}", said, needs);
  }
  if (error.code.empty() && answer.status == 400) {  // a HEAD
    return "the server answers 400 and does not say why; is the customer key missing or another one, are the "
           "credentials good?";
  }
  if (error.code.empty()) return fmt::format("the server answers {}", answer.status);
  return fmt::format("the server answers {} {}: {}", answer.status, error.code, error.message);
}

// What the signature says of the body.
std::string payload_of(const S3Request& request, bool is_private) {
  if (is_private && (request.content != nullptr || !request.body.empty())) {
    return std::string(kUnsignedPayload);
  }
  return hex_text(request.content != nullptr ? sha256(*request.content) : sha256(request.body));
}

}  // namespace

S3Client::S3Client(S3Settings settings, std::string bucket, CredentialSource& credentials,
                   HttpTransport& transport, Clock& clock, std::stop_token stop)
    : settings_(std::move(settings)),
      bucket_(std::move(bucket)),
      credentials_(credentials),
      transport_(transport),
      clock_(clock),
      stop_(std::move(stop)),
      place_(place_of(settings_, bucket_)) {}

S3Place S3Client::place() {
  const std::lock_guard lock(mutex_);
  return place_;
}

std::string S3Client::region() { return place().region; }

void S3Client::pause_before(int next) {
  const auto most = std::min(kLongestPause, kFirstPause * (1 << std::min(next - 2, 8)));
  std::random_device random;
  const auto pause =
      most / 2 + std::chrono::milliseconds(random() % static_cast<unsigned>(most.count() / 2 + 1));
  if (!clock_.sleep(pause, stop_)) throw Error(ErrorKind::kCancelled, "stopped on request");
}

HttpAnswer S3Client::send_once(const S3Request& request, const S3Place& place, std::string_view payload,
                               BodyReceiver* into) {
  HttpRequest http{.method = request.method,
                   .url = place.root + "/",
                   .headers = request.headers,
                   .body = request.body,
                   .content = request.content,
                   .cleaning_up = request.cleaning_up || is_cleaning_up_,
                   .is_sent_once = request.counts_attempts};
  if (request.key) http.url += percent_encode(*request.key, true);
  if (!request.query.empty()) http.url += "?" + query_text(request.query);
  if (needs_digest_ && request.method == "PUT") {
    http.headers.emplace_back(
        "content-md5", request.content != nullptr ? md5_base64(*request.content) : md5_base64(request.body));
  }
  const Time now = clock_.now() + std::chrono::seconds(skew_seconds_.load());
  sign(http, credentials_.get(), {.region = place.region, .service = place.service}, now, payload);
  return transport_.send(http, into);
}

HttpAnswer S3Client::send(const S3Request& request, BodyReceiver* into) {
  const std::string payload = payload_of(request, place_of(settings_, bucket_).is_private);
  const int most = request.cleaning_up || is_cleaning_up_ ? 1 : settings_.attempts;
  Lessons learned;
  for (int attempt = 1;; ++attempt) {
    try {
      const S3Place asked = place();
      HttpAnswer answer = send_once(request, asked, payload, into);
      answer.attempts = attempt;
      if (answer.ok() && !request.errors_in_success) return answer;
      const std::optional<S3Error> error = parse_s3_error(answer.body);
      if (answer.ok() && !error) return answer;
      unmask(answer, error);
      const S3Error why = error.value_or(S3Error{});
      if (learn_from(answer, why, asked, learned)) {
        --attempt;
        continue;
      }
      if (!may_pass(answer, why) || attempt >= most) return answer;
    } catch (const Error& error) {
      // A body that has begun to arrive is the caller's to go on with.
      if (error.kind() != ErrorKind::kTransient || attempt >= most || into != nullptr) throw;
    }
    pause_before(attempt + 1);
  }
}

bool S3Client::learn_from(const HttpAnswer& answer, const S3Error& error, const S3Place& asked,
                          Lessons& learned) {
  if (!learned.region && learn_region(answer, error, asked)) return learned.region = true;
  if (!learned.clock && learn_time(answer, error)) return learned.clock = true;
  if (!learned.digest && error.message.find("Content-MD5") != std::string::npos) {
    needs_digest_ = true;
    return learned.digest = true;
  }
  if (learned.credentials || !have_expired(answer, error)) return false;
  credentials_.forget();
  return learned.credentials = true;
}

bool S3Client::learn_region(const HttpAnswer& answer, const S3Error& error, const S3Place& asked) {
  std::string region(answer.header("x-amz-bucket-region"));
  if (region.empty()) region = error.region;
  const bool elsewhere = answer.status == 301 || answer.status == 307 || answer.status == 400;
  if (!elsewhere || region.empty() || region == asked.region) return false;
  S3Settings there = settings_;
  there.region = region;
  const std::lock_guard lock(mutex_);
  place_ = place_of(there, bucket_);
  return true;
}

// The answer to a HEAD has no document that tells why: then the server's time does.
bool S3Client::learn_time(const HttpAnswer& answer, const S3Error& error) {
  const auto theirs = parse_http_time(answer.header("date"));
  if (!theirs) return false;
  const auto apart = std::chrono::duration_cast<std::chrono::seconds>(*theirs - clock_.now());
  const auto wrong_by = std::chrono::abs(apart - std::chrono::seconds(skew_seconds_.load()));
  const bool may_be_it = answer.status == 403 && error.code.empty() && wrong_by > kMostApart;
  if (error.code != "RequestTimeTooSkewed" && !may_be_it) return false;
  skew_seconds_ = apart.count();
  return true;
}

bool S3Client::have_expired(const HttpAnswer& answer, const S3Error& error) {
  if (is_one_of(error.code, {"ExpiredToken", "TokenRefreshRequired"})) return true;
  const bool is_answer_to_head = answer.status == 400 && error.code.empty();
  return is_answer_to_head && !credentials_.get().session_token.empty();
}

void S3Client::refuse(const HttpAnswer& answer, const std::string& doing, std::string_view needs) const {
  const S3Error error = parse_s3_error(answer.body).value_or(S3Error{});
  const std::string message = fmt::format("{}: {}", doing, meaning_of(answer, error, bucket_, needs));
  if (is_of_credentials(error)) throw NotLetIn(message);
  ErrorKind kind = ErrorKind::kFailed;
  if (may_pass(answer, error)) kind = ErrorKind::kTransient;
  if (answer.status == 412) kind = ErrorKind::kRefused;
  throw Error(kind, message);
}

}  // namespace barman::store
