#include "store/aws/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "store/aws/digest.h"
#include "store/http/url.h"

namespace barman::store {
namespace {

// "20130524T000000Z"
std::string basic_time(Time now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

// Each parameter with "=", in order.
std::string canonical_query(std::string_view query) {
  std::vector<std::string> parameters;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    std::string parameter(query.substr(0, end));
    if (parameter.find('=') == std::string::npos) parameter += '=';
    parameters.push_back(std::move(parameter));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  std::ranges::sort(parameters);
  return fmt::format("{}", fmt::join(parameters, "&"));
}

struct CanonicalRequest {
  std::string signed_headers;
  std::string text;
};

CanonicalRequest canonical(const HttpRequest& request, const Url& url, std::string_view payload) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : request.headers) headers[name] = value;
  CanonicalRequest result;
  std::string lines;
  for (const auto& [name, value] : headers) {
    lines.append(name).append(":").append(value).append("\n");
    if (!result.signed_headers.empty()) result.signed_headers += ';';
    result.signed_headers += name;
  }
  const std::size_t mark = url.path.find('?');
  const std::string path = url.path.substr(0, mark);
  const std::string query = mark == std::string::npos ? "" : url.path.substr(mark + 1);
  result.text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, path.empty() ? "/" : path,
                            canonical_query(query), lines, result.signed_headers, payload);
  return result;
}

std::string signature(const Credentials& credentials, const SigningScope& scope, std::string_view day,
                      const std::string& text) {
  Sha256 key = hmac_sha256(stream::bytes_of("AWS4" + credentials.secret_key), day);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  key = hmac_sha256(key, "aws4_request");
  return hex_text(hmac_sha256(key, text));
}

}  // namespace

void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope, Time now,
          std::string_view payload) {
  const auto url = parse_url(request.url);
  if (!url) throw Error(ErrorKind::kUsage, "not a URL: an endpoint is http://HOST or https://HOST");
  const std::string time = basic_time(now);
  const std::string day = time.substr(0, 8);
  request.headers.emplace_back("host", url->host);
  request.headers.emplace_back("x-amz-date", time);
  request.headers.emplace_back("x-amz-content-sha256", payload);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  const CanonicalRequest asked = canonical(request, *url, payload);
  const std::string place = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, place,
                                          hex_text(sha256(stream::bytes_of(asked.text))));
  request.headers.emplace_back(
      "authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.access_key,
                  place, asked.signed_headers, signature(credentials, scope, day, to_sign)));
}

}  // namespace barman::store
