#include "cli/user.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"

namespace barman::cli {

void become_user(const std::string& name) {
  const passwd* user = ::getpwnam(name.c_str());
  if (user == nullptr) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("the configured user '{}' does not exist; create it or correct barman_user", name));
  }
  if (user->pw_uid == ::getuid()) return;
  const std::string home = user->pw_dir;
  if (::initgroups(name.c_str(), user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 ||
      ::setuid(user->pw_uid) != 0) {
    throw Error(ErrorKind::kRefused, fmt::format("please run barman as '{}' user", name));
  }
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace barman::cli
