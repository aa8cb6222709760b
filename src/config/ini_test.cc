#include "config/ini.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace barman::config {
namespace {

using testing::HasSubstr;

// The final value of [s] key in `text`.
std::string value_in(std::string_view text, std::string_view key = "key",
                     InlineComments comments = InlineComments::kStrip) {
  const auto ini = parse_ini(text, "test.conf");
  const auto* section = ini.find("s");
  if (section == nullptr) return "(no section)";
  const auto* found = section->find(key);
  return found == nullptr ? "(no key)" : final_value(ini, *section, *found, comments);
}

std::string complaint_about(std::string_view text) {
  try {
    const auto ini = parse_ini(text, "test.conf");
    for (const auto& section : ini.sections) {
      for (const auto& key : section.keys) (void)final_value(ini, section, key, InlineComments::kStrip);
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "(none)";
}

TEST(Ini, HoldsSectionsOfKeysWithTheirLines) {
  const auto ini =
      parse_ini("# first\n[barman]\nbarman_home = /b\n\n[main:model 1]\nCluster: x\n", "test.conf");
  ASSERT_EQ(ini.sections.size(), 2U);
  EXPECT_EQ(ini.sections[0].name, "barman");
  EXPECT_EQ(ini.sections[0].line, 2);
  EXPECT_EQ(ini.sections[0].keys[0].line, 3);
  EXPECT_EQ(ini.sections[1].name, "main:model 1");
  EXPECT_EQ(ini.sections[1].keys[0].name, "cluster");
  EXPECT_EQ(ini.sections[1].keys[0].value, "x");
}

TEST(Ini, SplitsAtTheFirstDelimiter) {
  EXPECT_EQ(value_in("[s]\nkey = host=a port:1\n"), "host=a port:1");
  EXPECT_EQ(value_in("[s]\nkey: a=b\n"), "a=b");
  EXPECT_EQ(value_in("[s]\nkey=\n"), "");
}

TEST(Ini, EndsLinesAsAnySystemDoes) {
  EXPECT_EQ(value_in("[s]\r\nkey = a\r\nother = b\r\n"), "a");
  EXPECT_EQ(value_in("[s]\rkey = a\rother = b", "other"), "b");
  EXPECT_EQ(value_in("\xef\xbb\xbf[s]\nkey = a"), "a");
}

TEST(Ini, LetsTheLastAssignmentWin) {
  EXPECT_EQ(value_in("[s]\nkey = 1\n[t]\nkey = 2\n[s]\nKEY = 3\n"), "3");
}

TEST(Ini, ContinuesAValueOnDeeperLines) {
  EXPECT_EQ(value_in("[s]\nkey = a\n  b\n# dropped\n\n  c\nother = d\n"), "a\nb\n\nc");
  EXPECT_EQ(value_in("[s]\nkey = a\n  [t]\n"), "a\n[t]");
  EXPECT_EQ(value_in("[s]\nkey =\n  b\n"), "\nb");
}

TEST(Ini, AllowsAHeaderToBeIndented) { EXPECT_EQ(value_in("  [s]\n  key = a\n"), "a"); }

TEST(Ini, KeepsValuesOfDefaultApart) {
  const auto ini = parse_ini("[DEFAULT]\na = 1\n[s]\nb = 2\n", "test.conf");
  ASSERT_EQ(ini.sections.size(), 1U);
  ASSERT_NE(ini.defaults.find("a"), nullptr);
}

TEST(Ini, StripsInlineCommentsAsTheDocumentationWritesThem) {
  EXPECT_EQ(value_in("[s]\nkey = 5120  ; 5 MB/s\n"), "5120");
  EXPECT_EQ(value_in("[s]\nkey = on\t#yes\n"), "on");
  EXPECT_EQ(value_in("[s]\nkey = ; nothing\n"), "");
  EXPECT_EQ(value_in("[s]\nkey = a ; x\n  b # y\n"), "a\nb");
}

TEST(Ini, KeepsWhatOnlyLooksLikeAComment) {
  EXPECT_EQ(value_in("[s]\nkey = password=a#b;c\n"), "password=a#b;c");
  EXPECT_EQ(value_in("[s]\nkey = password='a #b' user=c # d\n"), "password='a #b' user=c");
  EXPECT_EQ(value_in("[s]\nkey = \"a ; b\" ; c\n"), "a ; b");
  EXPECT_EQ(value_in("[s]\nkey = the DBA's own ; server's\n"), "the DBA's own");
  EXPECT_EQ(value_in("[s]\nkey = a ; b\n", "key", InlineComments::kKeep), "a ; b");
}

TEST(Ini, TakesOffOnePairOfQuotes) {
  EXPECT_EQ(value_in("[s]\nkey = \"a\"\n"), "a");
  EXPECT_EQ(value_in("[s]\nkey = ''a''\n"), "'a'");
  EXPECT_EQ(value_in("[s]\nkey = \"a'\n"), "\"a'");
  EXPECT_EQ(value_in("[s]\nkey = \"\n"), "\"");
}

TEST(Ini, PutsOtherValuesIn) {
  EXPECT_EQ(value_in("[s]\nroot = /b\nkey = %(Root)s/c\n"), "/b/c");
  EXPECT_EQ(value_in("[DEFAULT]\nroot = /d\n[s]\nkey = %(root)s\n"), "/d");
  EXPECT_EQ(value_in("[s]\na = x\nb = %(a)s%(a)s\nkey = %(b)s\n"), "xx");
}

TEST(Ini, ReadsTwoOrFourPercentSignsAsOne) {
  EXPECT_EQ(value_in("[s]\nkey = 10%% %%%%d %%%%%%%%\n"), "10% %d %%");
}

TEST(Ini, RefusesABadSubstitutionByFileAndLine) {
  EXPECT_THAT(complaint_about("[s]\nkey = %(barman_home)s\n"),
              testing::AllOf(HasSubstr("Bad value substitution"), HasSubstr("'key'"),
                             HasSubstr("test.conf, line 2"), HasSubstr("%(barman_home)s")));
  EXPECT_THAT(complaint_about("[s]\nkey = 10%\n"), HasSubstr("write '%%'"));
  EXPECT_THAT(complaint_about("[s]\nkey = %(key\n"), HasSubstr("write '%%'"));
  EXPECT_THAT(complaint_about("[s]\nkey = %(key)s\n"), HasSubstr("leads back to itself"));
}

TEST(Ini, RefusesAValueThatGrowsWithoutEnd) {
  std::string text = "[s]\na0 = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
  for (int i = 1; i < 8; ++i) {
    text += "a" + std::to_string(i) + " = ";
    for (int n = 0; n < 10; ++n) text += "%(a" + std::to_string(i - 1) + ")s";
    text += "\n";
  }
  EXPECT_THAT(complaint_about(text), HasSubstr("grows beyond"));
}

TEST(Ini, NamesEveryLineThatItDoesNotUnderstand) {
  EXPECT_THAT(
      complaint_about("[s]\nkey = a\nfoo\n= b\n"),
      testing::AllOf(HasSubstr("'test.conf'"), HasSubstr("line 3: 'foo'"), HasSubstr("line 4: '= b'")));
  EXPECT_THAT(complaint_about("key = a\n[s]\n"), HasSubstr("line 1: 'key = a'"));
  EXPECT_THAT(complaint_about("a\nb\nc\nd\ne\nf\ng\n"), HasSubstr("and 2 more"));
}

TEST(Ini, SaysThatASectionIsMissing) {
  EXPECT_THAT(complaint_about("barman_home = /b\n"), HasSubstr("there is no [section] before"));
}

TEST(Ini, ReadsAnEmptyTextAsNothing) {
  EXPECT_TRUE(parse_ini("", "test.conf").sections.empty());
  EXPECT_TRUE(parse_ini("\n\n# x\n", "test.conf").sections.empty());
}

TEST(Ini, EitherReadsOrRefusesATextCutAnywhere) {
  const std::string whole =
      "; c\n[barman]\nbarman_home = /b\n[DEFAULT]\nx = %%y\n[s]\nkey = %(x)s ; z\n  more \"a\n\n b\"\n[t\n";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    EXPECT_NO_FATAL_FAILURE((void)complaint_about(std::string_view(whole).substr(0, length)));
  }
}

TEST(Ini, EitherReadsOrRefusesGarbage) {
  constexpr std::string_view kAlphabet = "[]=:#;%()s\"'\n\r \tab\\\0\xff";
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text = "[s]\n";
    for (int i = 0; i < 40; ++i) text += kAlphabet[random() % kAlphabet.size()];
    EXPECT_NO_FATAL_FAILURE((void)complaint_about(text));
  }
}

}  // namespace
}  // namespace barman::config
