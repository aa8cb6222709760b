#include "engine/server/cloud_archives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CloudArchives : public testing::Test {
 protected:
  CloudArchives() { info.id.text = "20260101T000000"; }

  void put(const std::string& name) { store::write_text(store, "base/20260101T000000/" + name, name); }

  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const CloudArchiveObject& archive : cloud_archives(store, info)) {
      found.push_back(archive.key.substr(archive.key.rfind('/') + 1));
      EXPECT_EQ(archive.size, found.back().size());
    }
    return found;
  }
  std::string failure() {
    try {
      (void)names();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
      return e.what();
    }
    return "none";
  }

  store::MemoryStore store;
  catalog::BackupInfo info;
};

TEST_F(CloudArchives, StandInTheirOrderWithTheDataDirectoryFirst) {
  for (const char* name :
       {"16384.tar", "16384_0001.tar", "backup.info", "backup_manifest", "data_0001.tar.gz", "data.tar.gz",
        "data_0002.tar.zst.gpg", "notes.tar", "annotations/keep"})
    put(name);
  EXPECT_THAT(names(), ElementsAre("data.tar.gz", "data_0001.tar.gz", "data_0002.tar.zst.gpg", "16384.tar",
                                   "16384_0001.tar"));
}

TEST_F(CloudArchives, AreNamedWhenTheyAreMissing) {
  EXPECT_THAT(failure(), HasSubstr("base/20260101T000000/data.tar*"));
  put("data_0001.tar");
  EXPECT_THAT(failure(), HasSubstr("base/20260101T000000/data.tar*"));
  put("data.tar");
  put("data_0003.tar");
  EXPECT_THAT(failure(), HasSubstr("data_0002.tar*"));
  put("data_0002.tar");
  info.tablespaces = {{.name = "inside", .oid = 16385, .location = "pg_tblspc/16385"},
                      {.name = "far", .oid = 16384, .location = "/far"}};
  EXPECT_THAT(failure(), HasSubstr("16384.tar*"));
  put("16384.tar");
  EXPECT_EQ(failure(), "none");
}

TEST_F(CloudArchives, AreNotThereInTwoForms) {
  put("data.tar");
  put("data.tar.gz");
  EXPECT_THAT(failure(), HasSubstr("data.tar and base/20260101T000000/data.tar.gz should be the same"));
}

}  // namespace
}  // namespace barman::engine
