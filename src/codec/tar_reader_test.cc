#include "codec/tar_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"

namespace barman::codec {
namespace {

using stream::bytes_of;
using testing::ElementsAre;

// Writes down what it is told.
class Transcript final : public TarReceiver {
 public:
  void begin(const TarEntry& entry) override {
    if (open_) lines.push_back("entry within an entry");
    open_ = true;
    text_.clear();
    const char* kind = entry.kind == TarEntry::Kind::kFile        ? "file"
                       : entry.kind == TarEntry::Kind::kDirectory ? "dir"
                                                                  : "link";
    line_ =
        std::string(kind) + " " + entry.path + (entry.link_target.empty() ? "" : " -> " + entry.link_target);
    size_ = entry.size;
    last = entry;
  }
  void data(stream::Bytes bytes) override { text_ += stream::text_of(bytes); }
  void end() override {
    open_ = false;
    if (text_.size() != size_) lines.push_back("wrong size");
    lines.push_back(line_ + (text_.size() > 20 ? " (" + std::to_string(text_.size()) + ")"
                             : text_.empty()   ? ""
                                               : " " + text_));
  }

  std::vector<std::string> lines;
  TarEntry last;

 private:
  bool open_ = false;
  std::string line_;
  std::string text_;
  std::uint64_t size_ = 0;
};

struct Header {
  std::string name;
  char type = '0';
  std::uint64_t size = 0;
  std::string target{};
  std::string prefix{};
};

void put(std::string& block, std::size_t at, std::string_view text) { block.replace(at, text.size(), text); }

std::string octal(std::uint64_t value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%0*lo", digits, value);
  return text.data();
}

std::string sealed(std::string block) {
  put(block, 148, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

std::string header(const Header& h) {
  std::string block(512, '\0');
  put(block, 0, h.name);
  put(block, 100, "0000600");
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, 124, octal(h.size, 11));
  put(block, 136, octal(1'700'000'000, 11));
  block[156] = h.type;
  put(block, 157, h.target);
  put(block, 257, std::string_view("ustar\00000", 8));
  put(block, 345, h.prefix);
  return sealed(block);
}

std::string padded(std::string text) {
  text.resize((text.size() + 511) / 512 * 512);
  return text;
}

std::string file(const std::string& name, const std::string& text) {
  return header({.name = name, .size = text.size()}) + padded(text);
}

const std::string kTrailer(1024, '\0');

std::vector<std::string> read(std::string_view archive, std::size_t chunk = 1'000'000) {
  Transcript transcript;
  TarReader reader(transcript);
  for (; !archive.empty(); archive.remove_prefix(std::min(chunk, archive.size()))) {
    reader.write(bytes_of(archive.substr(0, chunk)));
  }
  reader.finish();
  return transcript.lines;
}

std::string failure_of(std::string_view archive) {
  try {
    (void)read(archive);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
    return e.what();
  }
  return "no failure";
}

std::string sample() {
  return file("backup_label", "label") + header({.name = "base/", .type = '5'}) +
         header({.name = "./pg_wal/archive_status", .type = '5'}) + file("base/1", std::string(1025, 'x')) +
         file("empty", "") + header({.name = "pg_tblspc/16384", .type = '2', .target = "/srv/ts 1"}) +
         file("full", std::string(512, 'y'));
}

const auto kSampleLines =
    ElementsAre("file backup_label label", "dir base", "dir pg_wal/archive_status", "file base/1 (1025)",
                "file empty", "link pg_tblspc/16384 -> /srv/ts 1", "file full (512)");

TEST(TarReader, HandsOutEveryEntry) { EXPECT_THAT(read(sample() + kTrailer), kSampleLines); }

TEST(TarReader, TheTrailerMayBeMissingShortOrLong) {
  EXPECT_THAT(read(sample()), kSampleLines);
  EXPECT_THAT(read(sample() + std::string(512, '\0')), kSampleLines);
  EXPECT_THAT(read(sample() + std::string(10240, '\0')), kSampleLines);
  EXPECT_THAT(read(""), ElementsAre());
  EXPECT_THAT(read(kTrailer), ElementsAre());
}

TEST(TarReader, ArrivingInPiecesOfAnySizeMakesNoDifference) {
  for (const std::size_t chunk : {1U, 7U, 511U, 512U, 513U})
    EXPECT_THAT(read(sample() + kTrailer, chunk), kSampleLines);
}

TEST(TarReader, EveryTruncationThatIsNotBetweenEntriesIsCorrupt) {
  const std::string archive = file("a", "text") + file("b", std::string(600, 'x'));
  for (std::size_t size = 0; size <= archive.size(); ++size) {
    const bool between = size == 0 || size == 1024 || size == archive.size();
    EXPECT_EQ(failure_of(std::string_view(archive).substr(0, size)) == "no failure", between) << size;
  }
}

TEST(TarReader, TheTrailerIsMissedWhereItIsRequired) {
  for (const std::string& archive : {sample(), sample() + kTrailer, std::string()}) {
    Transcript transcript;
    TarReader reader(transcript, TarEnd::kRequired);
    reader.write(bytes_of(archive));
    if (archive.ends_with(kTrailer)) {
      reader.finish();
      EXPECT_THAT(transcript.lines, kSampleLines);
    } else {
      EXPECT_THROW(reader.finish(), Error);
    }
  }
}

TEST(TarReader, AHeaderIsKnownByItself) {
  const std::string good = header({.name = "./backup_manifest", .size = 77});
  const auto entry = file_header_in(bytes_of(good));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->path, "backup_manifest");
  EXPECT_EQ(entry->size, 77U);
  std::string flipped = good;
  flipped[3] ^= 1;
  for (const std::string& block :
       {flipped, good.substr(1), std::string(512, '\0'), header({.name = "../backup_manifest"}),
        header({.name = "backup_manifest", .type = '5'}),
        header({.name = "x", .type = '2', .target = "y"})}) {
    EXPECT_FALSE(file_header_in(bytes_of(block)));
  }
}

TEST(TarReader, ModeAndTimeAreRead) {
  Transcript transcript;
  TarReader reader(transcript);
  reader.write(bytes_of(header({.name = "a"})));
  EXPECT_EQ(transcript.last.mode, 0600U);
  EXPECT_EQ(transcript.last.modified, 1'700'000'000);
}

TEST(TarReader, AHeaderWithAnyFlippedByteIsCorrupt) {
  const std::string good = file("some/name", "");
  for (std::size_t at = 0; at < 512; ++at) {
    if (at >= 154 && at < 156) continue;  // what ends the checksum's digits
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_NE(failure_of(damaged), "no failure") << at;
  }
}

TEST(TarReader, NamesThatLeaveTheRootAreCorrupt) {
  for (const char* name : {"/etc/passwd", "../x", "a/../../b", "a//b", "a/./b", "..", ".", "./", "", "./../x",
                           ".//etc/passwd"}) {
    EXPECT_NE(failure_of(file(name, "")).find("unsafe name"), std::string::npos) << name;
  }
}

TEST(TarReader, HardLinksDevicesAndOthersAreCorrupt) {
  for (const char type : {'1', '3', '4', '6', '7', 'S', 'Z', '\x01'}) {
    EXPECT_NE(failure_of(header({.name = "a", .type = type})).find("kind"), std::string::npos) << type;
  }
}

TEST(TarReader, LongNamesOfGnuTarAndThePrefixOfPosixAreRead) {
  const std::string long_name = "base/" + std::string(150, 'n');
  const std::string long_target = "/srv/" + std::string(200, 't');
  EXPECT_THAT(read(header({.name = "././@LongLink", .type = 'K', .size = long_target.size() + 1}) +
                   padded(long_target + '\0') +
                   header({.name = "././@LongLink", .type = 'L', .size = long_name.size() + 1}) +
                   padded(long_name + '\0') + header({.name = "cut", .type = '2', .target = "cut"}) +
                   file("short", "")),
              ElementsAre("link " + long_name + " -> " + long_target, "file short"));
  EXPECT_THAT(read(header({.name = "name", .prefix = "folder/sub"})), ElementsAre("file folder/sub/name"));
  EXPECT_NE(failure_of(header({.name = "name", .prefix = ".."})), "no failure");
  EXPECT_NE(failure_of(header({.name = "l", .type = 'L', .size = 1U << 20})), "no failure");
  EXPECT_NE(failure_of(header({.name = "l", .type = 'L', .size = 3}) + padded("../")), "no failure");
}

TEST(TarReader, SizesAboveTheOctalRangeAreRead) {
  std::string block = header({.name = "large"});
  put(block, 124, std::string_view("\x80\0\0\0\0\0\0\x02\0\0\0\x01", 12));
  Transcript transcript;
  TarReader reader(transcript);
  reader.write(bytes_of(sealed(block)));
  EXPECT_EQ(transcript.last.size, 8'589'934'593U);
  put(block, 124, std::string_view("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
  EXPECT_NE(failure_of(sealed(block)), "no failure");
}

TEST(TarReader, GarbageIsCorrupt) {
  EXPECT_NE(failure_of(std::string(512, 'x')), "no failure");
  EXPECT_NE(failure_of(kTrailer + "x"), "no failure");
  EXPECT_NE(failure_of(sample() + kTrailer + sample()), "no failure");
  std::string block = header({.name = "a"});
  put(block, 124, "0000000000z");
  EXPECT_NE(failure_of(sealed(block)), "no failure");
}

TEST(TarReader, WhatTheReceiverThrowsComesOut) {
  class Refuses final : public TarReceiver {
    void begin(const TarEntry& entry) override { throw Error(ErrorKind::kFailed, entry.path); }
    void data(stream::Bytes) override {}
    void end() override {}
  } refuses;
  TarReader reader(refuses);
  EXPECT_THROW(reader.write(bytes_of(file("a", ""))), Error);
}

// The tar program as the referee.
TEST(TarReader, ReadsWhatTheTarProgramWrites) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("tar_reader_test." + std::to_string(::getpid()));
  fs::create_directories(root / "in" / "sub");
  std::ofstream(root / "in" / "sub" / "file") << "hello";
  std::ofstream(root / "in" / "sub" / std::string(99, 'l')) << "long";
  fs::create_symlink("/somewhere/else", root / "in" / "sub" / "link");
  for (const char* format : {"ustar", "gnu"}) {
    const std::string command =
        "cd " + (root / "in").string() + " && tar --sort=name --format=" + format + " -cf ../out.tar *";
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::ifstream in(root / "out.tar", std::ios::binary);
    const std::string archive((std::istreambuf_iterator<char>(in)), {});
    EXPECT_THAT(read(archive),
                testing::UnorderedElementsAre("file sub/" + std::string(99, 'l') + " long", "dir sub",
                                              "file sub/file hello", "link sub/link -> /somewhere/else"))
        << format;
  }
  fs::remove_all(root);
}

// A pax header whose records are these.
std::string pax(std::string_view records) {
  return header({.name = "././@PaxHeader", .type = 'x', .size = records.size()}) + std::string(records) +
         std::string((512 - records.size() % 512) % 512, '\0');
}

std::string pax_record(const std::string& text) {
  std::size_t size = text.size() + 2;
  while (std::to_string(size).size() + text.size() + 2 != size) ++size;
  return std::to_string(size) + " " + text + "\n";
}

TEST(TarReader, ReadsNamesAndSizesOfPaxHeaders) {
  const std::string long_name(300, 'n');
  EXPECT_THAT(read(pax(pax_record("mtime=1637587098.1234567") + pax_record("path=" + long_name)) +
                   file("short", "text")),
              ElementsAre("file " + long_name + " text"));
  EXPECT_THAT(read(pax(pax_record("size=4")) + header({.name = "x", .size = 0}) + "text" +
                   std::string(508, '\0') + file("y", "")),
              ElementsAre("file x text", "file y"));
  EXPECT_THAT(read(pax(pax_record("linkpath=/far/away")) + header({.name = "l", .type = '2'})),
              ElementsAre("link l -> /far/away"));
}

TEST(TarReader, RefusesPaxHeadersThatMakeNoSense) {
  for (const std::string& records :
       {std::string("x"), std::string("99 path=a\n"), std::string("9 path=ab"), pax_record("path=../x"),
        pax_record("size=-1"), std::string("3 \n"), std::string("7 path\n")}) {
    EXPECT_THROW((void)read(pax(records) + file("x", "text")), Error) << records;
  }
}

TEST(TarReader, PassesOverTheRootItself) {
  EXPECT_THAT(read(header({.name = "./", .type = '5'}) + file("./x", "text")), ElementsAre("file x text"));
}

}  // namespace
}  // namespace barman::codec
