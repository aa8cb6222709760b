#include "catalog/backup_info.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>

#include <fmt/format.h>

#include "base/error.h"
#include "catalog/python_literal.h"
#include "catalog/timestamp.h"
#include "pgformat/wal_name.h"

namespace barman::catalog {

namespace {

constexpr std::array<std::string_view, 6> kStatuses = {"EMPTY", "STARTED", "WAITING_FOR_WALS",
                                                       "DONE",  "SYNCING", "FAILED"};

// Thrown by a field for a value that is not of its type; parse_backup_info says where it stands.
struct Unfit {
  std::string expected;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\f\v";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <class Number>
Number number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) throw Unfit{"a number"};
  return value;
}

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

// A plain value ends with its line, so control characters become blanks.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(text, is_control, ' ');
  return std::string(trimmed(text));
}

std::string plain_text(std::string_view text) {
  if (std::ranges::any_of(text, is_control)) throw Unfit{"text without control characters"};
  return std::string(text);
}

BackupId id_of(std::string_view text) {
  if (!is_backup_id(text)) throw Unfit{"a backup id such as 20261122T133001"};
  return BackupId{std::string(text)};
}

BackupStatus status_of(std::string_view text) {
  const auto* found = std::ranges::find(kStatuses, text);
  if (found == kStatuses.end()) throw Unfit{"a backup status such as DONE"};
  return static_cast<BackupStatus>(found - kStatuses.begin());
}

Tablespace tablespace_of(const Literal& literal) {
  constexpr std::string_view kShape = "a list of (name, oid, location)";
  const auto* items = literal.items();
  if (items == nullptr || items->size() != 3) throw Unfit{std::string(kShape)};
  const auto* oid = std::get_if<std::int64_t>(&(*items)[1].value);
  const auto* name = (*items)[0].text();
  const auto* location = (*items)[2].text();
  if (name == nullptr || oid == nullptr || location == nullptr || *oid < 0 || *oid > 0xFFFFFFFFLL) {
    throw Unfit{std::string(kShape)};
  }
  return {.name = *name, .oid = static_cast<std::uint32_t>(*oid), .location = *location};
}

// How one type of field is read and written. A formatted value that is empty stands for None.
template <class Value>
struct Text;

template <>
struct Text<std::string> {
  static std::string parse(std::string_view text) { return plain_text(text); }
  static std::string format(const std::string& value) { return on_one_line(value); }
};

template <std::integral Number>
struct Text<Number> {
  static Number parse(std::string_view text) { return number_of<Number>(text); }
  static std::string format(Number value) { return std::to_string(value); }
};

template <>
struct Text<Timestamp> {
  static Timestamp parse(std::string_view text) {
    const auto timestamp = parse_timestamp(text);
    if (!timestamp) throw Unfit{"a time such as 2026-11-22 13:30:01.412345+00:00"};
    return *timestamp;
  }
  static std::string format(const Timestamp& value) { return format_timestamp(value); }
};

template <>
struct Text<pgformat::Lsn> {
  static pgformat::Lsn parse(std::string_view text) {
    const auto lsn = pgformat::parse_lsn(text);
    if (!lsn) throw Unfit{"a WAL position such as 0/3000028"};
    return *lsn;
  }
  static std::string format(pgformat::Lsn value) { return pgformat::format_lsn(value); }
};

template <>
struct Text<BackupId> {
  static BackupId parse(std::string_view text) { return id_of(text); }
  static std::string format(const BackupId& value) { return value.text; }
};

// Lines of the file, in their order.
struct Field {
  std::string_view key;
  void (*parse)(BackupInfo& info, std::string_view text);
  std::string (*format)(const BackupInfo& info);  // empty: None
  bool left_out_when_null = false;
};

template <auto kMember>
constexpr Field simple(std::string_view key, bool left_out_when_null = false) {
  return {.key = key,
          .parse =
              [](BackupInfo& info, std::string_view text) {
                using Value = typename std::remove_reference_t<decltype(info.*kMember)>::value_type;
                info.*kMember = Text<Value>::parse(text);
              },
          .format =
              [](const BackupInfo& info) {
                using Value = typename std::remove_reference_t<decltype(info.*kMember)>::value_type;
                return info.*kMember ? Text<Value>::format(*(info.*kMember)) : std::string();
              },
          .left_out_when_null = left_out_when_null};
}

// The name of a WAL segment.
template <auto kMember>
constexpr Field segment(std::string_view key) {
  return {.key = key,
          .parse =
              [](BackupInfo& info, std::string_view text) {
                if (!pgformat::parse_segment(text)) throw Unfit{"the name of a WAL segment"};
                info.*kMember = std::string(text);
              },
          .format = [](const BackupInfo& info) { return (info.*kMember).value_or(std::string()); }};
}

// A dict that is kept as its text, in the form in which Python writes it.
template <auto kMember>
constexpr Field dict(std::string_view key, bool left_out_when_null = false) {
  return {.key = key,
          .parse =
              [](BackupInfo& info, std::string_view text) {
                const Literal literal = parse_literal(text);
                const auto* content = std::get_if<Literal::Dict>(&literal.value);
                if (content == nullptr) throw Unfit{"a Python dict"};
                if (!content->items.empty()) info.*kMember = format_literal(literal);
              },
          .format = [](const BackupInfo& info) { return (info.*kMember).value_or(std::string()); },
          .left_out_when_null = left_out_when_null};
}

void parse_label(BackupInfo& info, std::string_view text) {
  const Literal literal = parse_literal(text);
  if (literal.text() == nullptr) throw Unfit{"a quoted text"};
  if (!literal.text()->empty()) info.backup_label = *literal.text();
}

std::string format_label(const BackupInfo& info) {
  if (!info.backup_label || info.backup_label->empty()) return {};
  return format_literal(*info.backup_label);
}

void parse_children(BackupInfo& info, std::string_view text) {
  info.children_backup_ids.clear();
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    info.children_backup_ids.push_back(id_of(trimmed(text.substr(0, comma))));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

std::string format_children(const BackupInfo& info) {
  std::string text;
  for (const BackupId& id : info.children_backup_ids) text += (text.empty() ? "" : ",") + id.text;
  return text;
}

void parse_included_files(BackupInfo& info, std::string_view text) {
  const Literal literal = parse_literal(text);
  const auto* items = literal.items();
  if (items == nullptr) throw Unfit{"a list of file names"};
  info.included_files.clear();
  for (const Literal& item : *items) {
    if (item.text() == nullptr) throw Unfit{"a list of file names"};
    info.included_files.push_back(*item.text());
  }
}

std::string format_included_files(const BackupInfo& info) {
  if (info.included_files.empty()) return {};
  Literal::List items;
  for (const std::string& file : info.included_files) items.push_back(Literal{file});
  return format_literal(Literal{std::move(items)});
}

void parse_tablespaces(BackupInfo& info, std::string_view text) {
  const Literal literal = parse_literal(text);
  const auto* items = literal.items();
  if (items == nullptr) throw Unfit{"a list of tablespaces"};
  info.tablespaces.clear();
  std::ranges::transform(*items, std::back_inserter(info.tablespaces), tablespace_of);
}

std::string format_tablespaces(const BackupInfo& info) {
  if (info.tablespaces.empty()) return {};
  Literal::List items;
  for (const Tablespace& tablespace : info.tablespaces) {
    items.push_back(Literal{Literal::Tuple{
        {Literal{tablespace.name}, Literal{std::int64_t{tablespace.oid}}, Literal{tablespace.location}}}});
  }
  return format_literal(Literal{std::move(items)});
}

void parse_status(BackupInfo& info, std::string_view text) { info.status = status_of(text); }
std::string format_status_field(const BackupInfo& info) { return std::string(format_status(info.status)); }

// Every field, sorted by key: the file's order.
constexpr std::array kFields = {
    Field{"backup_label", parse_label, format_label},
    simple<&BackupInfo::backup_name>("backup_name", true),
    simple<&BackupInfo::begin_offset>("begin_offset"),
    simple<&BackupInfo::begin_time>("begin_time"),
    segment<&BackupInfo::begin_wal>("begin_wal"),
    simple<&BackupInfo::begin_xlog>("begin_xlog"),
    Field{"children_backup_ids", parse_children, format_children},
    simple<&BackupInfo::cluster_size>("cluster_size"),
    simple<&BackupInfo::compression>("compression"),
    simple<&BackupInfo::config_file>("config_file"),
    dict<&BackupInfo::copy_stats>("copy_stats"),
    simple<&BackupInfo::data_checksums>("data_checksums"),
    simple<&BackupInfo::deduplicated_size>("deduplicated_size"),
    simple<&BackupInfo::encryption>("encryption"),
    simple<&BackupInfo::end_offset>("end_offset"),
    simple<&BackupInfo::end_time>("end_time"),
    segment<&BackupInfo::end_wal>("end_wal"),
    simple<&BackupInfo::end_xlog>("end_xlog"),
    simple<&BackupInfo::error>("error"),
    simple<&BackupInfo::hba_file>("hba_file"),
    simple<&BackupInfo::ident_file>("ident_file"),
    Field{"included_files", parse_included_files, format_included_files},
    simple<&BackupInfo::mode>("mode"),
    simple<&BackupInfo::parent_backup_id>("parent_backup_id"),
    simple<&BackupInfo::pgdata>("pgdata"),
    simple<&BackupInfo::server_name>("server_name"),
    simple<&BackupInfo::size>("size"),
    dict<&BackupInfo::snapshots_info>("snapshots_info", true),
    Field{"status", parse_status, format_status_field},
    simple<&BackupInfo::summarize_wal>("summarize_wal"),
    simple<&BackupInfo::systemid>("systemid"),
    Field{"tablespaces", parse_tablespaces, format_tablespaces},
    simple<&BackupInfo::timeline>("timeline"),
    simple<&BackupInfo::version>("version"),
    simple<&BackupInfo::xlog_segment_size>("xlog_segment_size"),
};

[[noreturn]] void corrupt(const BackupId& id, std::size_t line, const std::string& reason) {
  throw Error(ErrorKind::kCorrupt, fmt::format("backup.info of {}, line {}: {}", id.text, line, reason));
}

void parse_line(BackupInfo& info, std::string_view line, std::size_t number) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) corrupt(info.id, number, "there is no '='");
  const std::string_view key = trimmed(line.substr(0, equals));
  const std::string_view value = trimmed(line.substr(equals + 1));
  const auto* field = std::ranges::find(kFields, key, &Field::key);
  if (field == kFields.end()) {
    corrupt(info.id, number,
            fmt::format("unknown field {}: a newer Barman wrote it, or the file is damaged",
                        format_literal(key.substr(0, 40))));
  }
  if (value == "None") return;
  try {
    field->parse(info, value);
  } catch (const Unfit& unfit) {
    corrupt(info.id, number, fmt::format("the value of {} is not {}", field->key, unfit.expected));
  } catch (const Error& e) {
    corrupt(info.id, number, fmt::format("the value of {} is {}", field->key, e.what()));
  }
}

}  // namespace

bool is_backup_id(std::string_view text) {
  if (text.size() != 15 || text[8] != 'T') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i != 8 && (text[i] < '0' || text[i] > '9')) return false;
  }
  return true;
}

std::string_view format_status(BackupStatus status) { return kStatuses.at(static_cast<std::size_t>(status)); }

BackupInfo parse_backup_info(const BackupId& id, std::string_view text) {
  BackupInfo info;
  info.id = id;
  std::size_t number = 0;
  bool complete = false;
  while (!text.empty()) {
    ++number;
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos) corrupt(id, number, "the file is cut short in this line");
    const std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(newline + 1);
    if (line.empty() || line.front() == '#') continue;
    parse_line(info, line, number);
    complete = complete || line.starts_with(kFields.back().key);
  }
  // The last line in the order of keys, written by every version: without it the file is not whole.
  if (!complete) corrupt(id, number, fmt::format("the file is cut short: {} is missing", kFields.back().key));
  return info;
}

std::string format_backup_info(const BackupInfo& info) {
  std::string text;
  for (const Field& field : kFields) {
    const std::string value = field.format(info);
    if (value.empty() && field.left_out_when_null) continue;
    text += fmt::format("{}={}\n", field.key, value.empty() ? "None" : value);
  }
  return text;
}

BackupType backup_type(const BackupInfo& info) {
  const std::string_view mode = info.mode ? std::string_view(*info.mode) : std::string_view();
  if (mode.starts_with("snapshot")) return BackupType::kSnapshot;
  if (mode.starts_with("rsync")) return BackupType::kRsync;
  return info.parent_backup_id ? BackupType::kIncremental : BackupType::kFull;
}

bool is_available(const BackupInfo& info) {
  return info.status == BackupStatus::kDone || info.status == BackupStatus::kWaitingForWals;
}

}  // namespace barman::catalog
