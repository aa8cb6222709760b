#include "config/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/option.h"

namespace barman::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Texts = std::vector<std::string>;

// What `text` means for `option`.
Value value_of(std::string_view option, std::string_view text) {
  auto parsed = parse_value(*find_option(option), text);
  if (const auto* bad = std::get_if<BadValue>(&parsed)) return Value("bad: " + bad->reason);
  return std::get<Value>(parsed);
}

std::string reason(std::string_view option, std::string_view text) {
  const auto parsed = parse_value(*find_option(option), text);
  const auto* bad = std::get_if<BadValue>(&parsed);
  return bad == nullptr ? "(good)" : bad->reason;
}

const Value kUnset;
Value number(std::int64_t n) { return n; }
Value text(std::string t) { return t; }

TEST(OptionTable, HasTheOptionsOfAServer) {
  std::size_t of_servers = 0;
  for (const auto& option : all_options()) of_servers += option.scope.server ? 1U : 0U;
  EXPECT_EQ(of_servers, 122U);
}

TEST(OptionTable, NamesNoOptionTwiceAndFindsEach) {
  for (const auto& option : all_options()) EXPECT_EQ(find_option(option.name), &option) << option.name;
  EXPECT_EQ(find_option("backup_metho"), nullptr);
  EXPECT_EQ(find_option(""), nullptr);
  EXPECT_EQ(find_option("zzz"), nullptr);
}

TEST(OptionTable, ExplainsEveryOption) {
  for (const auto& option : all_options()) {
    EXPECT_TRUE(option.meaning.ends_with('.')) << option.name;
    EXPECT_FALSE(option.group.empty()) << option.name;
  }
}

TEST(OptionTable, HasDefaultsThatAreValues) {
  for (const auto& option : all_options()) {
    if (option.default_text.empty() || option.default_text.find('%') != std::string_view::npos) continue;
    EXPECT_EQ(reason(option.name, option.default_text), "(good)") << option.name;
  }
}

TEST(ParseValue, ReadsFlags) {
  for (const auto* yes : {"true", "T", "Yes", "1", "ON"})
    EXPECT_EQ(value_of("archiver", yes), Value(true)) << yes;
  for (const auto* no : {"false", "f", "NO", "0", "off"})
    EXPECT_EQ(value_of("archiver", no), Value(false)) << no;
  EXPECT_THAT(reason("archiver", "maybe"), HasSubstr("true|t|yes|1|on | false|f|no|0|off"));
  EXPECT_NE(reason("archiver", ""), "(good)");
}

TEST(ParseValue, ReadsNumbersAsPythonDoes) {
  EXPECT_EQ(value_of("check_timeout", "30"), number(30));
  EXPECT_EQ(value_of("check_timeout", " +1_000 "), number(1000));
  EXPECT_EQ(value_of("check_timeout", "-5"), number(-5));
  for (const auto* bad :
       {"", "x", "1.5", "1__0", "_1", "1_", "--1", "+", "9223372036854775808", "0x10", "None"}) {
    EXPECT_NE(reason("check_timeout", bad), "(good)") << bad;
  }
}

TEST(ParseValue, LowersChoicesUnlessTheyAreExact) {
  EXPECT_EQ(value_of("backup_method", "Postgres"), text("postgres"));
  EXPECT_THAT(reason("backup_method", "tape"),
              HasSubstr("rsync, postgres, local-rsync, snapshot, local-to-cloud"));
  EXPECT_EQ(value_of("staging_location", "remote"), text("remote"));
  EXPECT_NE(reason("staging_location", "REMOTE"), "(good)");
  EXPECT_EQ(value_of("aws_encryption", "AES256"), text("AES256"));
  EXPECT_NE(reason("aws_encryption", "aes256"), "(good)");
}

TEST(ParseValue, LetsEmptyTextUnsetWhatHasNoDefault) {
  EXPECT_EQ(value_of("compression", ""), kUnset);
  EXPECT_EQ(value_of("compression", "None"), kUnset);
  EXPECT_EQ(value_of("encryption", "none"), kUnset);
  EXPECT_EQ(value_of("last_backup_maximum_age", ""), kUnset);
  EXPECT_EQ(value_of("streaming_conninfo", "None"), kUnset);
  EXPECT_EQ(value_of("minimum_redundancy", ""), number(0));
  EXPECT_THAT(reason("backup_method", ""), HasSubstr("'rsync'"));
  EXPECT_THAT(reason("backup_directory", ""), HasSubstr("cannot be empty"));
}

TEST(ParseValue, ReadsSetsOnceEach) {
  EXPECT_EQ(value_of("recovery_options", "get-wal, Delta-Restore,get-wal"),
            Value(Texts{"get-wal", "delta-restore"}));
  EXPECT_EQ(value_of("backup_options", ""), Value(Texts{}));
  EXPECT_THAT(reason("backup_options", "concurrent_backup,foo"), HasSubstr("'foo'"));
  EXPECT_NE(reason("backup_options", "concurrent_backup,"), "(good)");
  EXPECT_THAT(reason("backup_options", "exclusive_backup,concurrent_backup"),
              HasSubstr("cannot contain both 'exclusive_backup' and 'concurrent_backup'"));
}

TEST(ParseValue, ReadsIntervals) {
  EXPECT_EQ(value_of("last_wal_maximum_age", "2 HOURS"), Value(Interval{2h}));
  EXPECT_EQ(value_of("last_wal_maximum_age", "1 day"), Value(Interval{24h}));
  EXPECT_EQ(value_of("last_wal_maximum_age", "3  Weeks"), Value(Interval{21 * 24h}));
  EXPECT_EQ(value_of("last_wal_maximum_age", "1 month"), Value(Interval{31 * 24h}));
  EXPECT_EQ(value_of("last_wal_maximum_age", "0 days"), Value(Interval{0s}));
  for (const auto* bad :
       {"1d", "1day", "day", "1", "1 year", "-1 day", "1 day ", "1 days x", "99999999999 days"}) {
    EXPECT_NE(reason("last_wal_maximum_age", bad), "(good)") << bad;
  }
}

TEST(ParseValue, ReadsSizes) {
  EXPECT_EQ(value_of("last_backup_minimum_size", "5"), number(5));
  EXPECT_EQ(value_of("last_backup_minimum_size", "5k"), number(5000));
  EXPECT_EQ(value_of("last_backup_minimum_size", "5 Ki"), number(5120));
  EXPECT_EQ(value_of("cloud_staging_max_size", "30Gi"), number(32212254720));
  for (const auto* bad : {"100g", "5KB", "-1", "1.5G", " 5", "G", "9999999999Ti"}) {
    EXPECT_NE(reason("last_backup_minimum_size", bad), "(good)") << bad;
  }
}

TEST(ParseValue, ReadsSlotNamesPathsListsAndLevels) {
  EXPECT_EQ(value_of("slot_name", "Barman_1"), text("barman_1"));
  EXPECT_NE(reason("slot_name", "a-b"), "(good)");
  EXPECT_EQ(value_of("staging_path", "/a b"), text("/a b"));
  EXPECT_THAT(reason("staging_path", "a"), HasSubstr("absolute path"));
  EXPECT_EQ(value_of("snapshot_disks", "a, b"), Value(Texts{"a", " b"}));
  EXPECT_NE(reason("snapshot_disks", "a,,b"), "(good)");
  EXPECT_EQ(value_of("compression_level", "HIGH"), text("high"));
  EXPECT_EQ(value_of("compression_level", "-3"), number(-3));
  EXPECT_NE(reason("compression_level", "huge"), "(good)");
}

TEST(ParseValue, ReadsTablespaceLimitsWithCommasAndBlanks) {
  EXPECT_EQ(value_of("tablespace_bandwidth_limit", "a:1, b:2"), Value(Texts{"a:1", "b:2"}));
  EXPECT_EQ(value_of("tablespace_bandwidth_limit", "a:1 b:2\nc:3"), Value(Texts{"a:1", "b:2", "c:3"}));
  EXPECT_EQ(value_of("tablespace_bandwidth_limit", "a:x :1 b"), kUnset);
}

TEST(ParseValue, KnowsObjectStoresByTheirUrls) {
  EXPECT_EQ(value_of("wals_directory", "s3://bucket/path"), text("s3://bucket/path"));
  EXPECT_EQ(value_of("wals_directory", "/a/b"), text("/a/b"));
  EXPECT_NE(reason("wals_directory", "s3:///path"), "(good)");
  EXPECT_NE(reason("wals_directory", "ftp://host/path"), "(good)");
  EXPECT_EQ(cloud_provider_of("gs://b/x"), "google-cloud-storage");
  EXPECT_EQ(cloud_provider_of("https://console.cloud.google.com/storage/browser/b"), "google-cloud-storage");
  EXPECT_EQ(cloud_provider_of("https://a.blob.core.windows.net/c"), "azure-blob-storage");
  EXPECT_EQ(cloud_provider_of("https://a.blob.core.windows.net"), std::nullopt);
  EXPECT_EQ(cloud_provider_of("/a"), std::nullopt);
}

TEST(RetentionPolicy, IsReadInAnyCaseAndWrittenInOne) {
  EXPECT_EQ(value_of("retention_policy", "redundancy  3"), text("REDUNDANCY 3"));
  EXPECT_EQ(value_of("retention_policy", "recovery window of 2 week"), text("RECOVERY WINDOW OF 2 WEEKS"));
  const auto policy = parse_retention_policy("RECOVERY WINDOW OF 2 MONTHS");
  ASSERT_TRUE(policy.has_value());
  EXPECT_EQ(policy->window(), 62 * 24h);
  for (const auto* bad : {"", "redundancy", "redundancy -1", "redundancy x", "recovery window of 2",
                          "recovery window of 2 hours", "recovery window of days 2", "redundancy 1 2 3 4",
                          "REDUNDANCY 99999999999999999999"}) {
    EXPECT_EQ(parse_retention_policy(bad), std::nullopt) << bad;
  }
}

TEST(RetentionPolicy, StaysAsWrittenWhenItIsNone) {
  EXPECT_EQ(value_of("retention_policy", "keep all"), text("keep all"));
}

TEST(Conninfo, IsWordsOrAUri) {
  for (const auto* good : {"host=a", "host=a user=b", " host = a ", "host='a b' password=''",
                           "password='it\\'s' x=y", "postgresql://a/b", "postgres://a", "host="}) {
    EXPECT_TRUE(looks_like_conninfo(good)) << good;
  }
  for (const auto* bad : {"a", "host=a b", "=a", "host='a", "host='a\\'", "http://a/b"}) {
    EXPECT_FALSE(looks_like_conninfo(bad)) << bad;
  }
}

}  // namespace
}  // namespace barman::config
