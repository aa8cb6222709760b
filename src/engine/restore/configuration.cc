#include "engine/restore/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "pgformat/lsn.h"

namespace barman::engine {

namespace {

// archive_library: it would go on archiving to where the old server did.
constexpr std::array kSwitchedOff = {
    "archive_library",           "recovery_target",          "recovery_target_name",
    "recovery_target_time",      "recovery_target_xid",      "recovery_target_lsn",
    "recovery_target_inclusive", "recovery_target_timeline", "recovery_target_action",
};

constexpr std::array kDangerous = {
    "data_directory",          "config_file",  "hba_file",    "ident_file",        "external_pid_file",
    "ssl_cert_file",           "ssl_key_file", "ssl_ca_file", "ssl_crl_file",      "unix_socket_directory",
    "unix_socket_directories", "include",      "include_dir", "include_if_exists",
};

template <class Words>
bool is_one_of(const Words& words, std::string_view key) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return word == key; });
}

constexpr std::string_view kBlank = " \t\r";

std::string_view trim_front(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

struct Setting {
  std::string key;  // in lower case, as the server compares names
  std::string_view value;
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// "key = value" or "key value"; an empty key for anything else.
Setting parse_setting(std::string_view line) {
  line = trim_front(line);
  if (line.empty() || line.front() == '#') return {};
  const std::size_t end = std::min(line.find_first_of(" \t\r="), line.size());
  std::string_view value = trim_front(line.substr(end));
  if (value.starts_with('=')) value = trim_front(value.substr(1));
  return {.key = lower(line.substr(0, end)), .value = value};
}

}  // namespace

EditedConfiguration edit_configuration(const std::string& file, std::string_view text) {
  EditedConfiguration edited;
  int line_out = 0;
  const auto put = [&](std::string_view line) {
    edited.text.append(line);
    edited.text.push_back('\n');
    ++line_out;
  };
  int line_in = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const Setting setting = parse_setting(line);
    if (setting.key == "archive_command") {
      put("#BARMAN#" + std::string(line));
      put("archive_command = false");
      edited.changes.push_back({file, line_in, setting.key, "false"});
    } else if (is_one_of(kSwitchedOff, setting.key)) {
      put("#BARMAN#" + std::string(line));
      edited.changes.push_back({file, line_in, setting.key, "None"});
    } else {
      if (is_one_of(kDangerous, setting.key)) {
        edited.warnings.push_back({file, line_out, setting.key, std::string(setting.value)});
      }
      put(line);
    }
    ++line_in;
  }
  return edited;
}

std::string command_word(std::string_view path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@:%";
  const bool plain = path.find_first_not_of(kPlain) == std::string_view::npos;
  std::string word;
  for (const char c : path) {
    if (c == '%') word += '%';
    if (c == '\'') {
      word += R"('\'')";
    } else {
      word += c;
    }
  }
  return plain ? word : "'" + word + "'";
}

std::string quote_setting(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '\'' || c == '\\') quoted.push_back(c);
    quoted.push_back(c);
  }
  return quoted + "'";
}

std::string recovery_lines(const RecoverySettings& settings) {
  const RecoveryTarget& target = settings.target;
  std::string lines;
  const auto put = [&](std::string_view key, std::string_view value) {
    lines += fmt::format("{} = {}\n", key, value);
  };
  if (settings.get_wal_command) {
    lines += "# The 'barman get-wal' command must run as the user of the Barman installation\n";
    put("restore_command", quote_setting(*settings.get_wal_command));
  } else if (target.is_pitr()) {
    const std::string from = command_word(settings.wal_directory);
    put("restore_command", quote_setting(fmt::format("cp {}/%f %p", from)));
    if (!settings.standby) put("recovery_end_command", quote_setting(fmt::format("rm -fr {}", from)));
  }
  if (target.time)
    put("recovery_target_time", quote_setting(iso_text(target.time->instant, target.time->offset)));
  if (target.xid) put("recovery_target_xid", quote_setting(*target.xid));
  if (target.lsn) put("recovery_target_lsn", quote_setting(pgformat::format_lsn(*target.lsn)));
  if (target.name) put("recovery_target_name", quote_setting(*target.name));
  if (target.immediate) put("recovery_target", "'immediate'");
  if (target.exclusive && (target.xid || target.time || target.lsn))
    put("recovery_target_inclusive", "'False'");
  if (settings.timeline) {
    put("recovery_target_timeline", fmt::format("{}", *settings.timeline));
  } else if (target.timeline) {
    put("recovery_target_timeline", *target.timeline);
  }
  if (target.action) put("recovery_target_action", quote_setting(*target.action));
  return lines;
}

}  // namespace barman::engine
