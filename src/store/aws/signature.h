// Signature version 4 of requests to Amazon's services and to those that speak their protocol.
//
// Source: "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/http/http.h"

namespace barman::store {

// Secret: never printed, never part of a message.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token{};
  std::optional<Time> expires{};

  bool operator==(const Credentials&) const = default;
};

struct SigningScope {
  std::string region;
  std::string service;  // "s3", "sts"
};

// In place of the digest of a body: only where the connection itself protects it.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// Adds the headers host, x-amz-date, x-amz-content-sha256, x-amz-security-token (if there is a token) and
// authorization. All headers that are there are signed. `payload` is the digest of the body in hexadecimal
// digits, or kUnsignedPayload.
void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope, Time now,
          std::string_view payload);

}  // namespace barman::store
