#include "store/s3/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>
#include <vector>

#include "base/error.h"
#include "store/http/url.h"

namespace barman::store {
namespace {

// The longest beginning of `text` that is the ARN of an access point, or nothing.
std::string access_point_in(const std::string& text) {
  static const std::regex kOutpost(
      R"(^arn:(aws[a-z-]*):s3-outposts:[a-z0-9-]+:\d{12}:outpost[/:][A-Za-z0-9-]+[/:]accesspoint[/:][A-Za-z0-9-]{1,63})");
  static const std::regex kPoint(
      R"(^arn:(aws[a-z-]*):(s3|s3-object-lambda):[a-z0-9-]*:\d{12}:accesspoint[/:][A-Za-z0-9.-]{1,63})");
  std::smatch match;
  if (std::regex_search(text, match, kOutpost) || std::regex_search(text, match, kPoint)) return match.str();
  return {};
}

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
         });
}

// Whether the name can be the front of a host name, also where certificates have one "*" only.
bool fits_host(std::string_view name) {
  return name.size() <= 63 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string without_slashes(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

std::string suffix_of(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::vector<std::string> split_arn(std::string_view arn) {
  std::vector<std::string> parts(1);
  for (const char c : arn) {
    if (c == ':' || c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME, arn:aws:s3-outposts:REGION:ACCOUNT:outpost/ID/accesspoint/NAME
S3Place place_of_access_point(const S3Settings& settings, std::string_view arn) {
  const std::vector<std::string> parts = split_arn(arn);
  const std::string& service = parts.at(2);
  const std::string region = parts.at(3).empty() ? settings.region : parts.at(3);
  const bool on_outpost = service == "s3-outposts";
  const std::string name = fmt::format("{}-{}", on_outpost ? parts.at(8) : parts.at(6), parts.at(4));
  std::string host;
  if (on_outpost) {
    host = fmt::format("{}.{}.s3-outposts.{}.{}", name, parts.at(6), region, suffix_of(region));
  } else {
    host = fmt::format("{}.{}.{}.{}", name, service == "s3" ? "s3-accesspoint" : service, region,
                       suffix_of(region));
  }
  return {.root = "https://" + host, .service = service, .region = region, .is_private = true};
}

Addressing addressing_named(std::string_view name) {
  if (name == "virtual") return Addressing::kVirtual;
  return name == "path" ? Addressing::kPath : Addressing::kAuto;
}

std::string endpoint_of(const S3Choices& choices, const std::string& profile, const Profiles& profiles,
                        const Environment& environment) {
  if (!choices.endpoint.empty()) return choices.endpoint;
  const auto ignored = environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  if (ignored && (*ignored == "true" || *ignored == "True")) return {};
  for (const char* name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    if (const auto set = environment(name)) return *set;
  }
  if (const auto services = profiles.value(profile, "services")) {
    const auto section = profiles.config.find("services " + *services);
    if (section != profiles.config.end()) {
      const auto set = section->second.find("s3.endpoint_url");
      if (set != section->second.end()) return set->second;
    }
  }
  return profiles.value(profile, "endpoint_url").value_or("");
}

}  // namespace

std::optional<Provider> provider_of(std::string_view url) {
  const auto parsed = parse_url(url);
  if (!parsed) return std::nullopt;
  if (parsed->scheme == "s3") return Provider::kS3;
  if (parsed->scheme == "gs") return Provider::kGoogle;
  if (parsed->scheme != "https" && parsed->scheme != "http") return std::nullopt;
  if (parsed->host == "console.cloud.google.com" && parsed->path.starts_with("/storage/browser/")) {
    return Provider::kGoogle;
  }
  const std::string host = parsed->host.substr(0, parsed->host.find(':'));
  if (host.ends_with("blob.core.windows.net") && parsed->path.size() > 1) return Provider::kAzure;
  return std::nullopt;
}

BucketUrl parse_s3_url(std::string_view url) {
  const auto parsed = parse_url(url);
  if (!parsed || parsed->scheme != "s3") {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' is not a URL of a bucket; write s3://BUCKET/PATH", url));
  }
  const std::string text = parsed->host + parsed->path;
  BucketUrl result;
  result.bucket = access_point_in(text);
  if (result.bucket.empty()) result.bucket = parsed->host;
  if (result.bucket == parsed->host && !is_bucket_name(result.bucket)) {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' cannot be the name of a bucket", result.bucket));
  }
  result.path = without_slashes(text.substr(result.bucket.size()));
  return result;
}

S3Settings resolve_settings(const S3Choices& choices, const Profiles& profiles,
                            const Environment& environment) {
  S3Settings result;
  result.profile_asked_for = !choices.profile.empty();
  result.profile = choices.profile;
  for (const char* name : {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}) {
    if (result.profile.empty()) result.profile = environment(name).value_or("");
  }
  if (result.profile.empty()) result.profile = "default";
  const auto setting = [&](const char* name) { return profiles.value(result.profile, name); };

  result.region = choices.region;
  for (const char* name : {"AWS_DEFAULT_REGION", "AWS_REGION"}) {
    if (result.region.empty()) result.region = environment(name).value_or("");
  }
  if (result.region.empty()) result.region = setting("region").value_or("us-east-1");
  if (!std::ranges::all_of(result.region, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
      })) {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' cannot be a region of AWS", result.region));
  }

  result.endpoint = endpoint_of(choices, result.profile, profiles, environment);
  while (result.endpoint.ends_with('/')) result.endpoint.pop_back();
  const auto url = parse_url(result.endpoint);
  if (!result.endpoint.empty() && (!url || (url->scheme != "http" && url->scheme != "https"))) {
    throw Error(ErrorKind::kUsage,
                fmt::format("Invalid endpoint: {}; write http://HOST or https://HOST", result.endpoint));
  }

  result.addressing =
      choices.addressing.value_or(addressing_named(setting("s3.addressing_style").value_or("auto")));
  result.ca_bundle = environment("AWS_CA_BUNDLE").value_or(setting("ca_bundle").value_or(""));
  const std::string attempts =
      environment("AWS_MAX_ATTEMPTS").value_or(setting("max_attempts").value_or("5"));
  std::from_chars(attempts.data(), attempts.data() + attempts.size(), result.attempts);
  result.attempts = std::clamp(result.attempts, 1, 20);
  result.read_timeout = choices.read_timeout.value_or(result.read_timeout);
  return result;
}

S3Place place_of(const S3Settings& settings, std::string_view bucket) {
  if (bucket.starts_with("arn:")) return place_of_access_point(settings, bucket);
  const bool own = !settings.endpoint.empty();
  const std::string endpoint =
      own ? settings.endpoint : fmt::format("https://s3.{}.{}", settings.region, suffix_of(settings.region));
  const auto url = parse_url(endpoint);
  if (!url) throw Error(ErrorKind::kUsage, "Invalid endpoint: " + endpoint);
  bool in_host = settings.addressing == Addressing::kVirtual;
  if (settings.addressing == Addressing::kAuto) in_host = !own && fits_host(bucket);
  S3Place place{.root = {}, .service = "s3", .region = settings.region, .is_private = url->scheme == "https"};
  place.root = in_host ? fmt::format("{}://{}.{}{}", url->scheme, bucket, url->host, url->path)
                       : fmt::format("{}/{}", endpoint, bucket);
  return place;
}

}  // namespace barman::store
