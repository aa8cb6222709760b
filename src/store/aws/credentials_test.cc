#include "store/aws/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/process.h"
#include "os/test_folder.h"
#include "store/aws/credential_answer.h"

namespace barman::store {
namespace {

using testing::HasSubstr;

class StillClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return time; }
  bool sleep(std::chrono::milliseconds, const std::stop_token&) override { return true; }
  Time time = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
};

// Answers by URL; a URL that is not there is a machine without that service.
class CannedTransport final : public HttpTransport {
 public:
  using HttpTransport::send;
  HttpAnswer send(const HttpRequest& request, BodyReceiver* /*into*/) override {
    bodies.emplace_back(stream::text_of(request.body));
    requests.push_back(request);
    const auto found = answers.find(request.method + " " + request.url);
    if (found == answers.end()) throw Unreachable("nobody there");
    return {.status = 200, .headers = {}, .body = found->second};
  }
  std::map<std::string, std::string> answers;
  std::vector<HttpRequest> requests;
  std::vector<std::string> bodies;
};

class FindingCredentials : public testing::Test {
 protected:
  Credentials get(const std::string& config, const std::string& credentials = "",
                  std::map<std::string, std::string> variables = {}, CredentialSettings settings = {}) {
    if (settings.region.empty()) settings.region = "r";
    CredentialSource source(
        settings, {.config = parse_profile_file(config), .credentials = parse_profile_file(credentials)},
        [variables](const char* name) -> std::optional<std::string> {
          const auto found = variables.find(name);
          return found == variables.end() ? std::nullopt : std::optional(found->second);
        },
        transport, runner, clock);
    return source.get();
  }

  static constexpr const char* kStsAnswer =
      "<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult><Credentials>"
      "<AccessKeyId>RK</AccessKeyId><SecretAccessKey>RS</SecretAccessKey><SessionToken>RT</SessionToken>"
      "<Expiration>2026-11-22T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
  static constexpr const char* kServiceAnswer =
      R"({"Code":"Success","AccessKeyId":"IK","SecretAccessKey":"IS","Token":"IT","Expiration":"2026-11-22T06:00:00Z"})";

  CannedTransport transport;
  os::LocalRunner runner;
  StillClock clock;
};

TEST_F(FindingCredentials, TheEnvironmentGoesFirstUnlessAProfileIsAskedFor) {
  const std::string file =
      "[default]\naws_access_key_id=FK\naws_secret_access_key = FS\n[p]\naws_access_key_id=PK\n"
      "aws_secret_access_key=PS\naws_session_token=PT";
  const std::map<std::string, std::string> variables{{"AWS_ACCESS_KEY_ID", "EK"},
                                                     {"AWS_SECRET_ACCESS_KEY", "ES"}};
  EXPECT_EQ(get("", file, variables), (Credentials{"EK", "ES", "", {}}));
  EXPECT_EQ(get("", file), (Credentials{"FK", "FS", "", {}}));
  EXPECT_EQ(get("", file, variables, {.profile = "p", .profile_asked_for = true}),
            (Credentials{"PK", "PS", "PT", {}}));
  EXPECT_THROW((void)get("", file, {}, {.profile = "absent", .profile_asked_for = true}), Error);
  EXPECT_THROW((void)get("", file, {{"AWS_ACCESS_KEY_ID", "EK"}}), Error);
}

TEST_F(FindingCredentials, ARoleIsTakenWithTheKeysOfItsSource) {
  transport.answers["POST https://sts.r.amazonaws.com/"] = kStsAnswer;
  const Credentials found = get("[default]\nrole_arn = arn:role\nsource_profile = base\nexternal_id = e\n",
                                "[base]\naws_access_key_id=BK\naws_secret_access_key=BS\n");
  EXPECT_EQ(found.access_key, "RK");
  EXPECT_TRUE(found.expires);
  EXPECT_THAT(transport.bodies.at(0), HasSubstr("RoleArn=arn%3Arole"));
  EXPECT_THAT(transport.bodies.at(0), HasSubstr("ExternalId=e"));
  EXPECT_THAT(transport.requests.at(0).headers.back().second, HasSubstr("Credential=BK/20261122/r/sts/"));
}

TEST_F(FindingCredentials, ProfilesThatAreEachOthersSourceEnd) {
  EXPECT_THROW(
      (void)get("[default]\nrole_arn=a\nsource_profile=x\n[profile x]\nrole_arn=b\nsource_profile=default\n"),
      Error);
}

TEST_F(FindingCredentials, ARoleMayDrawOnTheEnvironmentOrTheMachine) {
  transport.answers["POST http://sts/"] = kStsAnswer;
  EXPECT_EQ(get("[profile p]\nrole_arn=a\ncredential_source=Environment\n", "",
                {{"AWS_ACCESS_KEY_ID", "EK"},
                 {"AWS_SECRET_ACCESS_KEY", "ES"},
                 {"AWS_ENDPOINT_URL_STS", "http://sts/"}},
                {.profile = "p", .profile_asked_for = true})
                .session_token,
            "RT");
  EXPECT_THROW((void)get("[default]\nrole_arn=a\ncredential_source=Nowhere\n"), Error);
}

TEST_F(FindingCredentials, AWebIdentityNeedsNoKeys) {
  const os::TestFolder folder;
  os::write_file(folder / "token", "web-token\n");
  transport.answers["POST https://sts.r.amazonaws.com/"] = kStsAnswer;
  EXPECT_EQ(
      get("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", (folder / "token").string()}, {"AWS_ROLE_ARN", "arn:r"}})
          .access_key,
      "RK");
  EXPECT_THAT(transport.bodies.at(0), HasSubstr("WebIdentityToken=web-token"));
  EXPECT_EQ(transport.requests.at(0).headers.size(), 1U);  // nothing signs it
}

TEST_F(FindingCredentials, AProgramMaySayThem) {
  const os::TestFolder folder;
  os::write_file(folder / "say it",
                 "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"'$1'\",\"SecretAccessKey\":\"s\"}'\n",
                 {.mode = 0755});
  EXPECT_EQ(get("[default]\ncredential_process = \"" + (folder / "say it").string() + "\" PK\n").access_key,
            "PK");
  EXPECT_THROW((void)get("[default]\ncredential_process = /bin/false\n"), Error);
  EXPECT_THROW((void)get("[default]\ncredential_process = /bin/echo nonsense\n"), Error);
}

TEST_F(FindingCredentials, ContainersAndInstancesHaveTheirOwn) {
  transport.answers["GET http://169.254.170.2/creds"] = kServiceAnswer;
  EXPECT_EQ(
      get("", "",
          {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t"}})
          .access_key,
      "IK");
  EXPECT_EQ(transport.requests.back().headers.at(0).second, "t");
  EXPECT_TRUE(transport.requests.back().direct);
  EXPECT_THROW((void)get("", "", {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/creds"}}),
               Error);

  const std::string root = "http://169.254.169.254/latest/";
  transport.answers = {{"PUT " + root + "api/token", "token"},
                       {"GET " + root + "meta-data/iam/security-credentials/", "role"},
                       {"GET " + root + "meta-data/iam/security-credentials/role", kServiceAnswer}};
  EXPECT_EQ(get("").session_token, "IT");
  EXPECT_THROW((void)get("", "", {{"AWS_EC2_METADATA_DISABLED", "true"}}), Error);
}

TEST_F(FindingCredentials, NoneAnywhereSaysWhereTheyMayBe) {
  try {
    (void)get("");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("AWS_ACCESS_KEY_ID"));
  }
}

TEST_F(FindingCredentials, AreAskedForAnewBeforeTheyExpire) {
  transport.answers["GET http://169.254.170.2/creds"] = kServiceAnswer;
  CredentialSource source(
      {.region = "r"}, {},
      [](const char* name) -> std::optional<std::string> {
        if (std::string_view(name) == "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") return "/creds";
        return std::nullopt;
      },
      transport, runner, clock);
  (void)source.get();
  (void)source.get();
  EXPECT_EQ(transport.requests.size(), 1U);
  clock.time += std::chrono::minutes(355);
  (void)source.get();
  EXPECT_EQ(transport.requests.size(), 2U);
}

TEST(CredentialAnswer, MakesNoSenseOfWhatIsCut) {
  const std::string_view json = R"({"AccessKeyId":"a","SecretAccessKey":"b","Token":"c"})";
  EXPECT_TRUE(parse_service_credentials(json));
  for (std::size_t size = 0; size < json.size(); ++size)
    EXPECT_FALSE(parse_service_credentials(json.substr(0, size)));
  EXPECT_FALSE(parse_service_credentials(R"({"AccessKeyId":"a\r\nx: y","SecretAccessKey":"b"})"));
  EXPECT_FALSE(parse_service_credentials(R"({"AccessKeyId":1,"SecretAccessKey":"b"})"));
  EXPECT_FALSE(parse_sts_credentials("<a"));
}

TEST(CredentialAnswer, TimesAsServersWriteThem) {
  const Time expected = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(13);
  for (const char* text : {"2026-11-22T13:00:00Z", "2026-11-22T13:00:00.000Z", "2026-11-22T14:00:00+01:00"}) {
    EXPECT_EQ(parse_utc_time(text), expected) << text;
  }
  EXPECT_EQ(parse_http_time("Sun, 22 Nov 2026 13:00:00 GMT"), expected);
  for (const char* text :
       {"", "2026", "2026-13-22T13:00:00Z", "2026-11-22 13:00:00", "2026-11-22T25:00:00Z"}) {
    EXPECT_FALSE(parse_utc_time(text)) << text;
  }
  EXPECT_FALSE(parse_http_time("Sun, 22 Nov"));
}

TEST(CommandWords, AreSplitAsAShellDoes) {
  EXPECT_EQ(split_words(R"(a "b c" 'd"e' f\ g)"), (std::vector<std::string>{"a", "b c", "d\"e", "f g"}));
  EXPECT_EQ(split_words(""), std::vector<std::string>{});
  EXPECT_FALSE(split_words("a 'b"));
  EXPECT_FALSE(split_words("a\\"));
}

}  // namespace
}  // namespace barman::store
