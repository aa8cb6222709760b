#include "os/direct_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/expect_failure.h"
#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::os {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = 1024 * 1024;

Fd created(const fs::path& path) {
  return Fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
}

std::string content(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = static_cast<std::uint32_t>(size) + 1;
  for (char& byte : text) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24U);
  }
  return text;
}

void write_in_pieces(DirectWriter& writer, const std::string& text, std::size_t piece) {
  for (std::size_t at = 0; at < text.size(); at += piece) {
    writer.write(stream::bytes_of(std::string_view(text).substr(at, piece)));
  }
}

TEST(DirectWriter, WritesFilesOfEverySize) {
  const TestFolder folder;
  const std::size_t sizes[] = {0, 1, 4095, 4096, kMiB - 1, kMiB, kMiB + 4097, 9 * kMiB + 5};
  DirectWriter writer;
  for (const std::size_t size : sizes) {
    const fs::path path = folder / std::to_string(size);
    Fd file = created(path);
    (void)DirectWriter::suits(file);
    writer.begin(std::move(file), path);
    write_in_pieces(writer, content(size), 100'003);
    writer.end();
  }
  writer.drain();
  for (const std::size_t size : sizes) {
    EXPECT_TRUE(read_file(folder / std::to_string(size)) == content(size)) << size;
  }
}

TEST(DirectWriter, WritesThroughTheCacheWhereTheKernelRefuses) {
  const TestFolder folder;
  DirectWriter writer;
  writer.begin(created(folder / "file"), folder / "file");  // as a file that is not direct
  write_in_pieces(writer, content(5 * kMiB + 3), kMiB);
  writer.end();
  writer.drain();
  EXPECT_TRUE(read_file(folder / "file") == content(5 * kMiB + 3));
}

TEST(DirectWriter, NamesTheFileThatFailedWhenItIsDrained) {
  const TestFolder folder;
  write_file(folder / "file", "");
  DirectWriter writer;
  writer.begin(Fd(::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC)), folder / "file");
  writer.write(stream::bytes_of("text"));
  writer.end();
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { writer.drain(); }),
              testing::HasSubstr((folder / "file").string()));
}

TEST(DirectWriter, TellsAFailureToWhoGoesOnWriting) {
  const TestFolder folder;
  write_file(folder / "file", "");
  DirectWriter writer;
  writer.begin(Fd(::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC)), folder / "file");
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { write_in_pieces(writer, content(17 * kMiB), kMiB); }),
              testing::HasSubstr("Bad file descriptor"));
}

TEST(DirectWriter, ForgetsWhatWasNotEnded) {
  const TestFolder folder;
  DirectWriter writer;
  writer.begin(created(folder / "file"), folder / "file");
  writer.write(stream::bytes_of("text"));
}

}  // namespace
}  // namespace barman::os
