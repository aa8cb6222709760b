#include "postgres/server_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace barman::postgres {

namespace {

struct Rule {
  std::string_view sqlstate;  // whole, or the two characters of a class
  std::string_view word;      // has to be in the text or the detail, if not empty
  ErrorKind kind;
  std::string_view advice;
};

// First match wins.
constexpr std::array kRules = {
    Rule{"28P01", "", ErrorKind::kFailed,
         "Check the password in the .pgpass file (mode 0600) of the user that runs barman."},
    Rule{"28000", "pg_hba.conf", ErrorKind::kFailed,
         "Add a matching line to the server's pg_hba.conf and reload it; a replication connection needs a "
         "line of its own with the database \"replication\"."},
    Rule{"28", "", ErrorKind::kFailed, "Check that the role exists on the server and may log in."},
    Rule{"3D000", "", ErrorKind::kFailed, "Check dbname in the connection string."},
    Rule{"53300", "max_wal_senders (currently 0)", ErrorKind::kFailed,
         "The server sends its WAL to nobody: set wal_level = replica and max_wal_senders = 10 on it, and "
         "restart it."},
    Rule{"53300", "max_wal_senders", ErrorKind::kTransient,
         "Raise max_wal_senders on the server (restart needed), or end a client listed in "
         "pg_stat_replication."},
    Rule{"53300", "", ErrorKind::kTransient,
         "Raise max_connections on the server, or close other connections."},
    Rule{"53400", "", ErrorKind::kFailed,
         "Raise max_replication_slots on the server (restart needed), or drop a slot that nobody uses."},
    Rule{"53100", "", ErrorKind::kFailed, "Make room on the server's disk."},
    Rule{"42710", "", ErrorKind::kRefused, ""},
    Rule{"55006", "", ErrorKind::kTransient,
         "Another client uses it: look for its process in pg_stat_replication."},
    Rule{"58P01", "", ErrorKind::kFailed, ""},
    Rule{"55000", "max_slot_wal_keep_size", ErrorKind::kFailed,
         "The slot fell too far behind and was invalidated: drop it with 'barman receive-wal --drop-slot', "
         "create it again, and take a new backup."},
    Rule{"55000", "wal_level", ErrorKind::kFailed, "Set wal_level = replica on the server and restart it."},
    Rule{"XX001", "", ErrorKind::kCorrupt, ""},
    Rule{"57014", "", ErrorKind::kTransient, ""},
    Rule{"57P0", "", ErrorKind::kTransient, "Try again when the server is up."},
    Rule{"08", "", ErrorKind::kTransient, ""},
    Rule{"40", "", ErrorKind::kTransient, ""},
    Rule{"53", "", ErrorKind::kTransient, ""},
};

constexpr std::string_view kReplicationAttribute = "Give the role the attribute: ALTER ROLE ... REPLICATION.";

bool mentions(const ServerMessage& message, std::string_view word) {
  return message.text.find(word) != std::string::npos || message.detail.find(word) != std::string::npos ||
         message.hint.find(word) != std::string::npos;
}

// ": 28P01: " after a severity word; nothing else in libpq's texts has this shape.
std::optional<std::size_t> find_code(std::string_view text, std::size_t from) {
  const auto is_code_character = [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || (c >= 'A' && c <= 'Z');
  };
  for (std::size_t at = text.find(":  ", from); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const std::string_view rest = text.substr(at + 3);
    if (rest.size() > 7 && std::ranges::all_of(rest.substr(0, 5), is_code_character) &&
        rest.substr(5, 2) == ": ") {
      return at + 3;
    }
  }
  return std::nullopt;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c != '\n') {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += "; ";
    }
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == ';' || line.back() == '.')) line.pop_back();
  return line;
}

}  // namespace

Diagnosis diagnose(const ServerMessage& message, ConnectionUse use) {
  if (message.sqlstate.empty()) return {.kind = ErrorKind::kTransient};
  if (message.sqlstate == "42501" && use == ConnectionUse::kReplication) {
    return {.kind = ErrorKind::kFailed, .advice = std::string(kReplicationAttribute)};
  }
  for (const Rule& rule : kRules) {
    if (message.sqlstate.starts_with(rule.sqlstate) && (rule.word.empty() || mentions(message, rule.word))) {
      return {.kind = rule.kind, .advice = std::string(rule.advice)};
    }
  }
  return {.kind = ErrorKind::kFailed};
}

ServerError server_error(std::string_view doing, const ServerMessage& message, ConnectionUse use) {
  const Diagnosis diagnosis = diagnose(message, use);
  std::string text = fmt::format("{}: {}", doing, one_line(message.text));
  if (!message.detail.empty()) text += fmt::format(" ({})", one_line(message.detail));
  const std::string advice = diagnosis.advice.empty() ? one_line(message.hint) : diagnosis.advice;
  if (!advice.empty()) text += ". " + advice;
  return {diagnosis.kind, text, message.sqlstate};
}

ServerMessage parse_connect_failure(std::string_view libpq_text) {
  ServerMessage message;
  std::string kept;
  while (!libpq_text.empty()) {
    const std::size_t end = std::min(libpq_text.find('\n'), libpq_text.size());
    const std::string_view line = libpq_text.substr(0, end);
    libpq_text.remove_prefix(std::min(end + 1, libpq_text.size()));
    // "LOCATION:  auth_failed, auth.c:319", in whatever language.
    const std::size_t colon = line.find(":  ");
    if (colon != std::string_view::npos && line.substr(0, colon).find(' ') == std::string_view::npos &&
        line.find(".c:", colon) != std::string_view::npos) {
      continue;
    }
    if (line.starts_with('\t'))
      continue;  // libpq's own advice ("Is the server running on that host ...?"); ours follows
    if (const auto code = find_code(line, 0)) {
      message.sqlstate = line.substr(*code, 5);
      kept.append(line.substr(0, *code)).append(line.substr(*code + 7));
    } else {
      kept.append(line);
    }
    kept += '\n';
  }
  message.text = one_line(kept);
  return message;
}

}  // namespace barman::postgres
