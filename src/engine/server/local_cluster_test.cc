#include "engine/server/local_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LocalCluster : public testing::Test {
 protected:
  LocalCluster() {
    os::make_directories(folder / "global");
    std::string control(8192, '\0');
    const std::uint64_t identifier = 7711322697705067425;
    const std::uint32_t version = 1300;
    std::memcpy(control.data(), &identifier, sizeof identifier);
    std::memcpy(control.data() + 8, &version, sizeof version);
    os::write_file(folder / "global" / "pg_control", control);
  }

  std::string refusal(const std::filesystem::path& data, const std::string& identifier) {
    try {
      require_own_cluster(data, identifier);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kRefused);
      return e.what();
    }
    return "none";
  }

  os::TestFolder folder;
};

TEST_F(LocalCluster, IsTheOneOfTheConnection) {
  EXPECT_EQ(refusal(folder.path(), "7711322697705067425"), "none");
  EXPECT_THAT(refusal(folder.path(), "1"),
              AllOf(HasSubstr("system identifier 7711322697705067425, but conninfo leads to 1"),
                    HasSubstr("on the server's host, as the user of the server")));
}

TEST_F(LocalCluster, IsHere) {
  EXPECT_THAT(refusal(folder / "nowhere", "1"), HasSubstr("is not here"));
  std::filesystem::remove(folder / "global" / "pg_control");
  EXPECT_THAT(refusal(folder.path(), "1"), HasSubstr("holds no global/pg_control"));
}

TEST_F(LocalCluster, BelongsToWhoRunsUs) {
  // A folder of somebody else's: root's, or, for root, one that is given away.
  std::filesystem::path other = "/";
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(folder.path().c_str(), 12345, 12345), 0);
    other = folder.path();
  }
  EXPECT_THAT(refusal(other, "1"), AllOf(HasSubstr("belongs to"), HasSubstr("barman runs as")));
}

}  // namespace
}  // namespace barman::engine
