// What services and programs say when they are asked for credentials. All of it is hostile until parsed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/aws/signature.h"

namespace barman::store {

// JSON of the metadata services: AccessKeyId, SecretAccessKey, Token, Expiration.
std::optional<Credentials> parse_service_credentials(std::string_view json);
// JSON of a credential_process: Version 1, SessionToken in place of Token.
std::optional<Credentials> parse_process_credentials(std::string_view json);
// XML of STS.
std::optional<Credentials> parse_sts_credentials(std::string_view xml);

// "2026-11-22T13:38:18Z", also with a fraction or an offset "+00:00".
std::optional<Time> parse_utc_time(std::string_view text);
// "Sun, 22 Nov 2026 13:38:18 GMT": as HTTP has it.
std::optional<Time> parse_http_time(std::string_view text);

// A command line in words, as a shell would see them: blanks, '…', "…" and \. Nothing if a quote is not
// closed.
std::optional<std::vector<std::string>> split_words(std::string_view line);

}  // namespace barman::store
