#include "os/file_content.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::os {
namespace {

TEST(FileContent, IsReadFromAnyPlaceAgainAndAgain) {
  const TestFolder folder;
  write_file(folder / "x", "0123456789");
  FileContent content(folder / "x");
  EXPECT_EQ(content.size(), 10U);
  std::array<std::byte, 4> bytes{};
  for (const std::uint64_t offset : {6U, 0U, 6U}) {
    content.read(offset, bytes);
    EXPECT_EQ(stream::text_of(bytes), std::string_view("0123456789").substr(offset, 4));
  }
}

TEST(FileContent, ThatChangedIsNotTakenForWhatItWas) {
  const TestFolder folder;
  for (const std::uintmax_t size : {9U, 11U}) {
    write_file(folder / "x", "0123456789");
    FileContent content(folder / "x");
    std::filesystem::resize_file(folder / "x", size);
    std::array<std::byte, 10> bytes{};
    EXPECT_THROW(content.read(0, bytes), Error) << size;
  }
  EXPECT_THROW(FileContent(folder / "absent"), Error);
}

}  // namespace
}  // namespace barman::os
