#include "engine/server/local_cluster.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "os/durable_file.h"
#include "pgformat/control_file.h"
#include "stream/stream.h"

namespace barman::engine {

namespace {

std::string user_name(uid_t uid) {
  const passwd* user = ::getpwuid(uid);
  return user != nullptr ? user->pw_name : std::to_string(uid);
}

}  // namespace

void require_own_cluster(const std::filesystem::path& data, const std::string& system_identifier) {
  const std::string way_out = "run barman on the server's host, as the user of the server";
  struct stat status {};
  if (::stat(data.c_str(), &status) != 0) {
    throw Error(ErrorKind::kRefused,
                fmt::format("the data directory {} is not here; {}", data.native(), way_out));
  }
  if (status.st_uid != ::geteuid()) {
    throw Error(ErrorKind::kRefused,
                fmt::format("the data directory {} belongs to {}, and barman runs as {}; {}", data.native(),
                            user_name(status.st_uid), user_name(::geteuid()), way_out));
  }
  const auto control = os::read_file(data / pgformat::kControlFile);
  if (!control) {
    throw Error(ErrorKind::kRefused,
                fmt::format("{} holds no {}; {}", data.native(), pgformat::kControlFile, way_out));
  }
  const auto here =
      std::to_string(pgformat::parse_control_file(stream::bytes_of(*control)).system_identifier);
  if (here == system_identifier) return;
  throw Error(ErrorKind::kRefused,
              fmt::format("{} is of a cluster with system identifier {}, but conninfo leads to {}; {}",
                          data.native(), here, system_identifier, way_out));
}

}  // namespace barman::engine
