#include "os/write_back.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::os {
namespace {

TEST(WriteBack, LeavesTheFileAsItIs) {
  const TestFolder folder;
  for (const std::string& content : {std::string("content"), std::string(1 << 20U, 'x')}) {
    write_file(folder / "file", content);
    {
      WriteBack write_back;
      Fd file(::open((folder / "file").c_str(), O_WRONLY));
      write_back.wrote(file, content.size());
      write_back.end(file);
      EXPECT_EQ(file.close(), 0);
    }
    EXPECT_EQ(read_file(folder / "file"), content);
  }
}

TEST(WriteBack, TakesMoreRequestsThanItKeeps) {
  const TestFolder folder;
  write_file(folder / "file", "content");
  const Fd file(::open((folder / "file").c_str(), O_WRONLY));
  WriteBack write_back;
  for (int i = 0; i < 10'000; ++i) write_back.wrote(file, kWriteBackBytes);
}

TEST(WriteBack, PassesOverWhatCannotBeWrittenBack) {
  WriteBack write_back;
  write_back.wrote(Fd(), kWriteBackBytes);
}

}  // namespace
}  // namespace barman::os
