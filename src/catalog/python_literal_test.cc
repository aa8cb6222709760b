#include "catalog/python_literal.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/utf8.h"

namespace barman::catalog {
namespace {

std::string text_in(std::string_view literal) {
  const Literal parsed = parse_literal(literal);
  return parsed.text() != nullptr ? *parsed.text() : "not a text";
}

std::string again(std::string_view literal) { return format_literal(parse_literal(literal)); }

TEST(PythonLiteral, StringsOfEveryKindAreRead) {
  EXPECT_EQ(text_in(R"('plain')"), "plain");
  EXPECT_EQ(text_in(R"("it's")"), "it's");
  EXPECT_EQ(text_in(R"('it\'s')"), "it's");
  EXPECT_EQ(text_in("'''two\nlines'''"), "two\nlines");
  EXPECT_EQ(text_in(R"(r'\n')"), "\\n");
  EXPECT_EQ(text_in(R"(u'x' 'y'  "z")"), "xyz");
  EXPECT_EQ(text_in(R"('')"), "");
}

TEST(PythonLiteral, EscapesAreRead) {
  EXPECT_EQ(text_in(R"('a\nb\tc\\d\x41\u00e9\U0001F600\101')"),
            "a\nb\tc\\dA\xC3\xA9\xF0\x9F\x98\x80"
            "A");
  EXPECT_EQ(text_in(R"('\q')"), "\\q");
  EXPECT_EQ(text_in("'a\\\nb'"), "ab");
}

TEST(PythonLiteral, BytesThatAreNoTextTravelAsLoneSurrogates) {
  EXPECT_EQ(text_in(R"('\udcff')"), "\xFF");
  EXPECT_EQ(format_literal(std::string_view("a\xFF")), R"('a\udcff')");
}

TEST(PythonLiteral, WhatReprWritesIsWrittenBack) {
  for (const std::string_view text : {
           R"(None)",
           R"(True)",
           R"(False)",
           R"(12)",
           R"(-7)",
           R"(12.5)",
           R"(1e-05)",
           R"(1e+16)",
           R"([])",
           R"({})",
           R"(())",
           R"((1,))",
           R"(['a', "it's", 'both \' and "'])",
           R"([('ts1', 16385, '/path')])",
           R"({'copy_time': 12.5, 'items': {'pgdata': 0.25, 'x': None}})",
           R"('START WAL LOCATION: 0/5000028\nLABEL: \\ \t \x07 \xa0 é \u200b \U000e0001\n')",
       }) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(PythonLiteral, SpacesAndTrailingCommasDoNotMatter) {
  EXPECT_EQ(again(" [ 1 ,2, ] "), "[1, 2]");
  EXPECT_EQ(again("( 'a' , )"), "('a',)");
  EXPECT_EQ(again("(('a'))"), "'a'");
  EXPECT_EQ(again("{'a':1,}"), "{'a': 1}");
  EXPECT_EQ(again("1_000"), "1000");
}

TEST(PythonLiteral, ValuesOfADictAreFoundByTheirKey) {
  const Literal stats = parse_literal("{'copy_time': 12.5, 'workers': 4, 'copy_time': 13.5}");
  ASSERT_NE(stats.find("copy_time"), nullptr);
  EXPECT_EQ(std::get<double>(stats.find("copy_time")->value), 13.5);
  EXPECT_EQ(stats.find("absent"), nullptr);
  EXPECT_EQ(parse_literal("[1]").find("copy_time"), nullptr);
}

TEST(PythonLiteral, AnythingElseIsRefused) {
  for (const std::string_view text : {"",         " ",         "[1",
                                      "[1 2]",    "[,]",       "{'a'}",
                                      "{'a': }",  "'open",     "'a\nb'",
                                      "nothing",  "Non",       "1 2",
                                      "1.2.3",    "--1",       "99999999999999999999",
                                      R"('\x4')", R"('\xzz')", R"('\U00110000')",
                                      "(1",       "f'x'",      "1e",
                                      "-",        "+",         "__import__('os')",
                                      "1e999"}) {
    EXPECT_THROW(parse_literal(text), Error) << text;
  }
}

TEST(PythonLiteral, NestingHasALimit) {
  EXPECT_NO_THROW(parse_literal(std::string(30, '[') + std::string(30, ']')));
  EXPECT_THROW(parse_literal(std::string(100000, '[')), Error);
}

TEST(PythonLiteral, CutShortAnywhereItIsRefused) {
  const std::string whole = R"([('ts1', 16385, '/p\'\u00e9'), ("x", -1, '')])";
  ASSERT_NO_THROW(parse_literal(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(parse_literal(whole.substr(0, length)), Error) << length;
  }
}

TEST(PythonLiteral, FloatsAreTheShortestThatReadBack) {
  EXPECT_EQ(format_python_float(1406019026.0), "1406019026.0");
  EXPECT_EQ(format_python_float(1795354630.1062977), "1795354630.1062977");
  EXPECT_EQ(format_python_float(0), "0.0");
  EXPECT_EQ(format_python_float(-0.5), "-0.5");
  EXPECT_EQ(format_python_float(0.0001), "0.0001");
  EXPECT_EQ(format_python_float(0.00001), "1e-05");
  EXPECT_EQ(format_python_float(1e15), "1000000000000000.0");
  EXPECT_EQ(format_python_float(1e16), "1e+16");
  EXPECT_EQ(format_python_float(1e100), "1e+100");
}

TEST(Utf8, EveryCodePointSurvives) {
  for (char32_t value = 0; value <= 0x10FFFF; value += value < 0x3000 ? 1 : 61) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string text;
    append_code_point(text, value);
    const CodePoint read = code_point_at(text, 0);
    EXPECT_EQ(read.value, value);
    EXPECT_EQ(read.length, text.size());
  }
}

TEST(Utf8, OverlongAndCutSequencesAreSingleBytes) {
  for (const std::string_view text :
       {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "\x80"}) {
    EXPECT_EQ(code_point_at(text, 0).length, 1U);
    EXPECT_GE(code_point_at(text, 0).value, 0xDC80U);
  }
}

}  // namespace
}  // namespace barman::catalog
