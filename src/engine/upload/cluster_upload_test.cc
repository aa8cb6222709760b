#include "engine/upload/cluster_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "codec/tar_reader.h"
#include "engine/upload/acting_clock.h"
#include "engine/upload/sample_page.h"
#include "os/test_folder.h"
#include "pgformat/crc32c.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const catalog::BackupId kUploadedBackup{"20261122T133001"};

std::string control_file() {
  std::string file(8192, '\0');
  for (std::size_t i = 0; i < 288; ++i) file[i] = static_cast<char>(i * 31);
  const std::uint32_t crc = pgformat::crc32c(0, stream::bytes_of(file).data(), 288);
  for (std::size_t i = 0; i < 4; ++i) file[288 + i] = static_cast<char>(crc >> (8 * i) & 0xFFU);
  return file;
}

class Names final : public codec::TarReceiver {
 public:
  void begin(const codec::TarEntry& entry) override { names.push_back(entry.path); }
  void data(stream::Bytes) override {}
  void end() override {}
  std::vector<std::string> names;
};

class ClusterUploadTest : public testing::Test {
 protected:
  ClusterUploadTest() {
    files.data = folder / "data";
    files.version = 150000;
    put("data/PG_VERSION", "15\n");
    put("data/global/1262", sample_page(0));
    put("data/global/pg_control", control_file());
    put("data/base/5/1259", sample_page(0));
  }
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((folder / name).parent_path());
    write_sample(folder / name, text);
  }
  std::vector<std::string> names(const std::string& archive) {
    Names found;
    codec::TarReader tar(found);
    tar.write(stream::bytes_of(*store::read_text(store, "base/20261122T133001/" + archive)));
    tar.finish();
    return found.names;
  }
  void upload() {
    ClusterUpload upload(store, kUploadedBackup, files, form, clock);
    upload.copy({});
    upload.finish("label");
    stats = upload.copy_stats();
  }

  os::TestFolder folder;
  store::MemoryStore store;
  ActingClock clock;
  TreeForm form;
  ClusterFiles files;
  std::string stats;
};

TEST_F(ClusterUploadTest, TheControlFileAndTheLabelAreLast) {
  put("etc/pg_hba.conf", "local all all trust\n");
  files.others = {folder / "etc/pg_hba.conf", folder / "etc/absent.conf"};
  upload();
  EXPECT_THAT(names("data.tar"),
              ElementsAre("PG_VERSION", "base", "base/5", "base/5/1259", "global", "global/1262",
                          "pg_hba.conf", "global/pg_control", "backup_label"));
  EXPECT_THAT(stats, HasSubstr("'number_of_workers': 2"));
}

TEST_F(ClusterUploadTest, TheyAreInTheLastArchiveIfThereAreSeveral) {
  form.archives.most_bytes = 10000;
  put("data/base/5/1260", sample_page(0) + sample_page(1));
  upload();
  const auto archives = store.children("base/20261122T133001");
  ASSERT_GT(archives.size(), 1U);
  EXPECT_THAT(names(archives.back()),
              ElementsAre("global", "global/1262", "global/pg_control", "backup_label"));
}

TEST_F(ClusterUploadTest, TablespacesAreArchivesOfTheirOwn) {
  put("far/PG_15_202209061/5/16401", sample_page(0));
  put("far/PG_14_202107181/5/16401", sample_page(0));  // another cluster's
  put("data/inside/PG_15_202209061/5/16402", sample_page(0));
  put("data/pg_tblspc/16403/PG_15_202209061/5/16404", sample_page(0));  // in place
  fs::create_directory_symlink(folder / "far", folder / "data/pg_tblspc/16400");
  fs::create_directory_symlink(folder / "data/inside", folder / "data/pg_tblspc/16401");
  catalog::BackupInfo info{.id = kUploadedBackup};
  info.pgdata = files.data;
  info.version = files.version;
  info.tablespaces = {{"far", 16400, folder / "far"},
                      {"inside", 16401, folder / "data/inside"},
                      {"here", 16403, "pg_tblspc/16403"}};
  files = cluster_files(info);
  upload();
  EXPECT_THAT(store.children("base/20261122T133001"), ElementsAre("16400.tar", "16401.tar", "data.tar"));
  EXPECT_THAT(names("16400.tar"),
              ElementsAre("PG_15_202209061", "PG_15_202209061/5", "PG_15_202209061/5/16401"));
  EXPECT_THAT(names("16401.tar"), Contains("PG_15_202209061/5/16402"));
  EXPECT_THAT(names("data.tar"), Contains("pg_tblspc/16403/PG_15_202209061/5/16404"));
  EXPECT_THAT(names("data.tar"), Contains("inside"));
  EXPECT_THAT(names("data.tar"), Not(Contains("inside/PG_15_202209061")));
  EXPECT_THAT(names("data.tar"), Not(Contains("pg_tblspc/16400")));
}

TEST_F(ClusterUploadTest, ATablespaceThatIsDroppedMeanwhileIsEmpty) {
  files.tablespaces = {{"gone", 16400, folder / "gone"}};
  upload();
  EXPECT_THAT(names("16400.tar"), ElementsAre());
}

TEST_F(ClusterUploadTest, TheControlFileIsReadUntilItIsWhole) {
  std::string half = control_file();
  half.replace(100, 100, 100, 'x');
  put("data/global/pg_control", half);
  clock.while_asleep = [&](int sleeps) {
    if (sleeps == 5) put("data/global/pg_control", control_file());
  };
  upload();
  EXPECT_EQ(clock.sleeps, 5);
}

TEST_F(ClusterUploadTest, ADamagedControlFileIsAFailure) {
  put("data/global/pg_control", std::string(8192, 'x'));
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { upload(); }), HasSubstr("pg_controldata"));
  EXPECT_THAT(store.children("base/20261122T133001"), ElementsAre());
}

TEST_F(ClusterUploadTest, ADirectoryThatCannotBeReadIsRefused) {
  EXPECT_NO_THROW(require_local_cluster(files));
  fs::remove(folder / "data/global/pg_control");
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { require_local_cluster(files); }),
              HasSubstr("run this on the server's host"));
  failure(ErrorKind::kRefused, [&] { require_local_cluster({}); });
}

}  // namespace
}  // namespace barman::engine
