// The restored server's configuration files: what must not run as it was is switched off, what is dangerous
// is reported, and the recovery settings are added. Texts in, texts out; restore.cc does the files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/restore/target.h"

namespace barman::engine {

// A setting in a file. `line` counts from 0, as the original's reports do.
struct SettingLine {
  std::string file;
  int line = 0;
  std::string key;
  std::string value;
  bool operator==(const SettingLine&) const = default;
};

struct EditedConfiguration {
  std::string text;
  std::vector<SettingLine> changes;   // value "None" for settings that were commented out
  std::vector<SettingLine> warnings;  // settings that point outside or to other machines' files
};

// archive_command becomes false, archive_library and recovery_target* are commented out; the old lines stay,
// marked "#BARMAN#". Names are compared as the server does, without regard to case.
EditedConfiguration edit_configuration(const std::string& file, std::string_view text);

struct RecoverySettings {
  RecoveryTarget target;
  bool standby = false;
  std::optional<std::string> get_wal_command{};  // a whole restore_command
  std::string wal_directory;                     // where the WAL for a target was put, without get-wal
  // Instead of what the target says: where the server's own choice of "latest" would be wrong.
  std::optional<pgformat::Timeline> timeline{};
};

// The lines for postgresql.auto.conf, each with its newline.
std::string recovery_lines(const RecoverySettings& settings);

// A path as a word of a shell's line, in a setting in which the server replaces %-words.
std::string command_word(std::string_view path);

// A value in PostgreSQL's quotes.
std::string quote_setting(std::string_view value);

}  // namespace barman::engine
