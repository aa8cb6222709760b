#include "store/aws/credentials.h"

#include <fmt/format.h>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/process.h"
#include "store/aws/credential_answer.h"
#include "store/aws/digest.h"
#include "store/http/url.h"
#include "stream/memory.h"

namespace barman::store {
namespace {

constexpr int kMostRoles = 5;  // in a row of source_profile
constexpr auto kEarly = std::chrono::minutes(10);
constexpr std::size_t kMostTokenBytes = 64UL * 1024;
constexpr auto kLocalPatience = std::chrono::seconds(2);  // for services of the machine itself

std::string text_of_file(const std::string& path, std::string_view what) {
  auto text = os::read_file(path, kMostTokenBytes);
  if (!text) throw Error(ErrorKind::kFailed, fmt::format("{} {} is not there", what, path));
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return *text;
}

Credentials understood(const std::optional<Credentials>& credentials, std::string_view who) {
  if (!credentials)
    throw Error(ErrorKind::kFailed, fmt::format("{} gave no credentials that make sense", who));
  return *credentials;
}

// Only hosts that cannot be another's may be sent a token in plain text.
bool may_be_asked(const std::string& address) {
  const auto url = parse_url(address);
  if (!url) return false;
  if (url->scheme == "https") return true;
  const std::string host = url->host.starts_with('[') ? url->host.substr(0, url->host.find(']') + 1)
                                                      : url->host.substr(0, url->host.find(':'));
  for (const char* one :
       {"localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
    if (host == one) return true;
  }
  return false;
}

}  // namespace

CredentialSource::CredentialSource(CredentialSettings settings, Profiles profiles, Environment environment,
                                   HttpTransport& transport, os::ProcessRunner& runner, const Clock& clock)
    : settings_(std::move(settings)),
      profiles_(std::move(profiles)),
      environment_(std::move(environment)),
      transport_(transport),
      runner_(runner),
      clock_(clock) {}

Credentials CredentialSource::get() {
  const std::lock_guard lock(mutex_);
  const bool good =
      credentials_ && (!credentials_->expires || *credentials_->expires - kEarly > clock_.now());
  if (!good) credentials_ = find();
  return *credentials_;
}

void CredentialSource::forget() {
  const std::lock_guard lock(mutex_);
  credentials_.reset();
}

Credentials CredentialSource::find() {
  if (!settings_.profile_asked_for) {
    if (const auto found = from_environment()) return *found;
  }
  if (const auto found = from_profile(settings_.profile, 0)) return *found;
  if (const auto found = from_container()) return *found;
  if (const auto found = from_instance()) return *found;
  throw Error(
      ErrorKind::kUsage,
      fmt::format("no AWS credentials: neither AWS_ACCESS_KEY_ID nor profile \"{}\" nor the machine has any; "
                  "set the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or write ~/.aws/credentials",
                  settings_.profile));
}

std::optional<Credentials> CredentialSource::from_environment() const {
  const auto key = environment_("AWS_ACCESS_KEY_ID");
  if (!key) return std::nullopt;
  const auto secret = environment_("AWS_SECRET_ACCESS_KEY");
  if (!secret)
    throw Error(ErrorKind::kUsage, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY; set both");
  return Credentials{.access_key = *key,
                     .secret_key = *secret,
                     .session_token = environment_("AWS_SESSION_TOKEN").value_or("")};
}

std::optional<Credentials> CredentialSource::from_profile(const std::string& profile, int depth) {
  const bool is_known = profiles_.settings(profile) != nullptr || profiles_.keys(profile) != nullptr;
  if (!is_known && (settings_.profile_asked_for || depth > 0 || profile != "default")) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("there is no AWS profile \"{}\"; add it to ~/.aws/config or correct the name", profile));
  }
  if (auto found = by_web_identity(profile)) return found;
  if (const auto role = profiles_.value(profile, "role_arn")) return by_role(profile, *role, depth);
  if (auto found = keys_of(profile)) return found;
  if (const auto command = profiles_.value(profile, "credential_process")) return by_process(*command);
  return std::nullopt;
}

std::optional<Credentials> CredentialSource::keys_of(const std::string& profile) const {
  for (const ProfileSettings* where : {profiles_.keys(profile), profiles_.settings(profile)}) {
    if (where == nullptr) continue;
    const auto key = where->find("aws_access_key_id");
    if (key == where->end()) continue;
    const auto secret = where->find("aws_secret_access_key");
    if (secret == where->end()) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("AWS profile \"{}\" has aws_access_key_id without aws_secret_access_key", profile));
    }
    const auto token = where->find("aws_session_token");
    return Credentials{.access_key = key->second,
                       .secret_key = secret->second,
                       .session_token = token == where->end() ? "" : token->second};
  }
  return std::nullopt;
}

std::string CredentialSource::role_session_name(const std::string& profile) const {
  if (const auto name = environment_("AWS_ROLE_SESSION_NAME")) return *name;
  return profiles_.value(profile, "role_session_name")
      .value_or(fmt::format(
          "barman-{}",
          std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count()));
}

// What signs the request for a role.
Credentials CredentialSource::of_source(const std::string& profile, int depth) {
  if (const auto source = profiles_.value(profile, "source_profile")) {
    if (*source == profile) {
      if (const auto own = keys_of(profile)) return *own;
    } else if (depth < kMostRoles) {
      if (const auto found = from_profile(*source, depth + 1)) return *found;
    }
    throw Error(
        ErrorKind::kUsage,
        fmt::format("AWS profile \"{}\" is the source of \"{}\" and has no credentials", *source, profile));
  }
  const std::string place = profiles_.value(profile, "credential_source").value_or("");
  std::optional<Credentials> found;
  if (place == "Environment") found = from_environment();
  if (place == "EcsContainer") found = from_container();
  if (place == "Ec2InstanceMetadata") found = from_instance();
  if (found) return *found;
  throw Error(
      ErrorKind::kUsage,
      fmt::format("AWS profile \"{}\" has a role_arn, and no source_profile or credential_source that has "
                  "credentials",
                  profile));
}

Credentials CredentialSource::by_role(const std::string& profile, const std::string& role, int depth) {
  std::vector<std::pair<std::string, std::string>> parameters{
      {"Action", "AssumeRole"}, {"RoleArn", role}, {"RoleSessionName", role_session_name(profile)}};
  if (const auto id = profiles_.value(profile, "external_id")) parameters.emplace_back("ExternalId", *id);
  if (const auto time = profiles_.value(profile, "duration_seconds")) {
    parameters.emplace_back("DurationSeconds", *time);
  }
  if (profiles_.value(profile, "mfa_serial")) {
    throw Error(ErrorKind::kUsage,
                fmt::format("AWS profile \"{}\" asks for mfa_serial: nobody is there to type a "
                            "code; use a role without it",
                            profile));
  }
  const Credentials source = of_source(profile, depth);
  return ask_sts(parameters, &source);
}

std::optional<Credentials> CredentialSource::by_web_identity(const std::string& profile) {
  auto file = environment_("AWS_WEB_IDENTITY_TOKEN_FILE");
  auto role = environment_("AWS_ROLE_ARN");
  if (!file || settings_.profile_asked_for) file = profiles_.value(profile, "web_identity_token_file");
  if (!role || settings_.profile_asked_for) role = profiles_.value(profile, "role_arn");
  if (!file) return std::nullopt;
  if (!role) throw Error(ErrorKind::kUsage, "a web identity token is set without a role: set AWS_ROLE_ARN");
  return ask_sts({{"Action", "AssumeRoleWithWebIdentity"},
                  {"RoleArn", *role},
                  {"RoleSessionName", role_session_name(profile)},
                  {"WebIdentityToken", text_of_file(*file, "the web identity token file")}},
                 nullptr);
}

Credentials CredentialSource::by_process(const std::string& command) {
  const auto argv = split_words(command);
  if (!argv || argv->empty()) throw Error(ErrorKind::kUsage, "credential_process is not a command line");
  std::string out;
  stream::AppendTo sink(out);
  const os::Exit exit = runner_.run({.argv = *argv}, {.out = &sink}, {});
  if (!exit.ok()) {
    throw Error(ErrorKind::kFailed, fmt::format("credential_process {} failed with status {}; try it by hand",
                                                argv->front(), exit.status));
  }
  return understood(parse_process_credentials(out), "credential_process " + argv->front());
}

std::optional<Credentials> CredentialSource::from_container() {
  std::string address;
  if (const auto relative = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    address = "http://169.254.170.2" + *relative;
  } else if (const auto full = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    address = *full;
  } else {
    return std::nullopt;
  }
  if (!may_be_asked(address)) {
    throw Error(ErrorKind::kUsage,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https or an address of the machine");
  }
  HttpRequest request{.method = "GET", .url = address, .direct = true, .limit = kLocalPatience};
  if (const auto file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    request.headers.emplace_back("authorization", text_of_file(*file, "the container's token file"));
  } else if (const auto token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN")) {
    request.headers.emplace_back("authorization", *token);
  }
  const HttpAnswer answer = transport_.send(request);
  if (!answer.ok()) {
    throw Error(ErrorKind::kFailed,
                fmt::format("the container's credential service answers {}", answer.status));
  }
  return understood(parse_service_credentials(answer.body), "the container's credential service");
}

// Instance metadata, version 2. A machine that has none does not answer at all.
std::optional<Credentials> CredentialSource::from_instance() {
  const auto disabled = environment_("AWS_EC2_METADATA_DISABLED");
  if (disabled && (*disabled == "true" || *disabled == "True" || *disabled == "TRUE")) return std::nullopt;
  std::string root = environment_("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254");
  while (root.ends_with('/')) root.pop_back();
  try {
    HttpRequest ask{.method = "PUT",
                    .url = root + "/latest/api/token",
                    .headers = {{"x-amz-ec2-metadata-token-ttl-seconds", "21600"}},
                    .direct = true,
                    .limit = kLocalPatience};
    const HttpAnswer token = transport_.send(ask);
    if (!token.ok()) return std::nullopt;
    const std::string folder = root + "/latest/meta-data/iam/security-credentials/";
    HttpRequest get{.method = "GET",
                    .url = folder,
                    .headers = {{"x-aws-ec2-metadata-token", token.body}},
                    .direct = true,
                    .limit = kLocalPatience};
    const HttpAnswer role = transport_.send(get);
    if (!role.ok() || role.body.empty()) return std::nullopt;
    get.url = folder + percent_encode(role.body.substr(0, role.body.find('\n')));
    const HttpAnswer answer = transport_.send(get);
    if (!answer.ok()) return std::nullopt;
    return understood(parse_service_credentials(answer.body), "the instance's metadata service");
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kTransient) return std::nullopt;  // nobody is there
    throw;
  }
}

Credentials CredentialSource::ask_sts(const std::vector<std::pair<std::string, std::string>>& parameters,
                                      const Credentials* signed_with) {
  const std::string region = settings_.region;
  const bool chinese = region.starts_with("cn-");
  auto endpoint = environment_("AWS_ENDPOINT_URL_STS");
  if (!endpoint) endpoint = environment_("AWS_ENDPOINT_URL");
  if (!endpoint) endpoint = fmt::format("https://sts.{}.amazonaws.com{}", region, chinese ? ".cn" : "");
  while (endpoint->ends_with('/')) endpoint->pop_back();
  Query query(parameters.begin(), parameters.end());
  query.emplace_back("Version", "2011-06-15");
  const std::string body = query_text(query);
  HttpRequest request{.method = "POST",
                      .url = *endpoint + "/",
                      .headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}},
                      .body = stream::bytes_of(body),
                      .limit = std::chrono::seconds(60)};
  if (signed_with != nullptr) {
    sign(request, *signed_with, {.region = region, .service = "sts"}, clock_.now(),
         hex_text(sha256(request.body)));
  }
  const HttpAnswer answer = transport_.send(request);
  if (!answer.ok()) {
    throw Error(ErrorKind::kFailed,
                fmt::format("STS refuses the role ({}); check role_arn and who may take it", answer.status));
  }
  return understood(parse_sts_credentials(answer.body), "STS");
}

}  // namespace barman::store
