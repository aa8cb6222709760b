#include "codec/tar_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "codec/tar_reader.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

using testing::ElementsAre;

// What a reader makes of an archive, a line an entry.
class EntryLines final : public TarReceiver {
 public:
  void begin(const TarEntry& entry) override {
    owners.emplace_back(entry.uid, entry.gid);
    const char* kind = entry.kind == TarEntry::Kind::kFile      ? "file"
                       : entry.kind == TarEntry::Kind::kSymlink ? "link"
                                                                : "dir";
    lines.push_back(std::string(kind) + " " + entry.path + " " + entry.link_target + " " +
                    std::to_string(entry.mode) + " ");
  }
  void data(stream::Bytes bytes) override { lines.back() += stream::text_of(bytes); }
  void end() override {}
  std::vector<std::string> lines;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> owners;
};

std::vector<std::string> entries_of(const std::string& archive) {
  EntryLines receiver;
  TarReader reader(receiver);
  reader.write(stream::bytes_of(archive));
  reader.finish();
  return receiver.lines;
}

std::string written_archive() {
  std::string archive;
  stream::AppendTo sink(archive);
  TarWriter tar(sink);
  tar.directory("./", {.mode = 0700});
  tar.directory("base/1", {.mode = 0750, .uid = 4000000000U});
  tar.begin_file("base/1/" + std::string(200, 'n'), 5, {.modified = 1700000000});
  tar.data(stream::bytes_of("01"));
  tar.data(stream::bytes_of("234567"));
  tar.end_file();
  tar.begin_file("short", 4, {});
  tar.data(stream::bytes_of("ab"));
  tar.end_file();
  tar.symlink("link", std::string(150, 't'), {.mode = 0777});
  tar.finish();
  return archive;
}

TEST(TarWriter, IsReadBack) {
  EXPECT_THAT(
      entries_of(written_archive()),
      ElementsAre("dir base/1  488 ", "file base/1/" + std::string(200, 'n') + "  384 01234",
                  std::string("file short  384 ab\0\0", 20), "link link " + std::string(150, 't') + " 511 "));
  EXPECT_EQ(written_archive().size() % 10240, 0U);
}

TEST(TarWriter, KeepsOwners) {
  std::string archive;
  stream::AppendTo sink(archive);
  TarWriter tar(sink);
  tar.directory("base", {.uid = 26, .gid = 2000000});
  tar.finish();
  EntryLines receiver;
  TarReader(receiver).write(stream::bytes_of(archive));
  EXPECT_THAT(receiver.owners, ElementsAre(std::pair(26U, 2000000U)));
}

TEST(TarWriter, IsReadByTheTarProgram) {
  const os::TestFolder folder;
  os::write_file(folder / "archive.tar", written_archive());
  std::FILE* program = ::popen(("tar tf " + (folder / "archive.tar").string() + " 2>&1").c_str(), "r");
  ASSERT_NE(program, nullptr);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), program));
  EXPECT_EQ(::pclose(program), 0);
  EXPECT_EQ(text, "./\nbase/1/\nbase/1/" + std::string(200, 'n') + "\nshort\nlink\n");
}

}  // namespace
}  // namespace barman::codec
