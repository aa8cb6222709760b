#include "engine/restore/recovery_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include "os/durable_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

void edit_file(const fs::path& data, const std::string& name, ConfiguredFiles& files) {
  const fs::path path = data / name;
  const auto text = os::read_file(path);
  if (!text) {
    files.missing.push_back(name);
    return;
  }
  EditedConfiguration edited = edit_configuration(name, *text);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) os::throw_errno("cannot look at", path);
  const os::FileOptions same_mode{.mode = status.st_mode & 0777U, .sync = false};
  os::write_file(path.string() + ".origin", *text, same_mode);
  os::write_file(path, edited.text, same_mode);
  std::move(edited.changes.begin(), edited.changes.end(), std::back_inserter(files.changes));
  std::move(edited.warnings.begin(), edited.warnings.end(), std::back_inserter(files.warnings));
}

}  // namespace

ConfiguredFiles edit_configuration_files(const fs::path& data) {
  ConfiguredFiles files;
  edit_file(data, "postgresql.conf", files);
  edit_file(data, "postgresql.auto.conf", files);
  for (const char* name : {"pg_hba.conf", "pg_ident.conf"}) {
    if (!fs::exists(data / name)) files.missing.emplace_back(name);
  }
  return files;
}

void write_recovery_settings(const fs::path& data, const std::string& file,
                             const RecoverySettings& settings) {
  const fs::path path = data / file;
  std::string text = os::read_file(path).value_or("");
  if (!text.empty() && text.back() != '\n') text += '\n';
  os::write_file(path, text + recovery_lines(settings), {.sync = false});
  os::write_file(data / (settings.standby ? "standby.signal" : "recovery.signal"), "", {.sync = false});
}

}  // namespace barman::engine
