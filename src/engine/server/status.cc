#include "engine/server/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/error.h"
#include "catalog/timestamp.h"
#include "engine/server/inspect.h"
#include "engine/server/option_facts.h"
#include "postgres/connector.h"
#include "postgres/replication.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

std::chrono::milliseconds time_limit(const config::Server& server) {
  const auto seconds = server.values.optional_number("check_timeout").value_or(0);
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 86400));
}

Fact number_fact(const std::optional<std::string>& text) {
  if (!text) return {};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc() && end == text->data() + text->size() ? Fact(number) : Fact(*text);
}

Fact time_fact(const std::optional<std::string>& text) {
  const auto instant = text ? catalog::parse_timestamp(*text) : std::nullopt;
  return instant ? Fact(*instant) : text_fact(text);
}

std::vector<std::string> listed_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto name = list.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return names;
}

// The facts of a server that does not answer, so that their names are there.
Facts silence(const config::Server& server) {
  Facts facts;
  for (const auto* name : {"current_xlog", "data_directory", "is_in_recovery", "is_superuser",
                           "postgres_systemid", "replication_slot", "replication_slot_support",
                           "server_txt_version", "synchronous_standby_names", "version_supported"}) {
    facts.emplace(name, Fact());
  }
  if (server.values.flag("archiver")) {
    facts.emplace("archive_command", Fact());
    facts.emplace("archive_mode", Fact());
  }
  return facts;
}

void add_settings(const ServerFacts& server, Facts& facts) {
  for (const auto* name :
       {"config_file", "data_checksums", "data_directory", "hba_file", "hot_standby", "ident_file",
        "max_replication_slots", "max_wal_senders", "wal_compression", "wal_keep_size", "wal_level"}) {
    facts[name] = text_fact(server.setting(name));
  }
  if (facts.contains("archive_command")) {
    facts["archive_command"] = text_fact(server.setting("archive_command"));
    facts["archive_mode"] = text_fact(server.setting("archive_mode"));
  }
  facts["archive_timeout"] = number_fact(server.setting("archive_timeout"));
  facts["checkpoint_timeout"] = number_fact(server.setting("checkpoint_timeout"));
  facts["synchronous_standby_names"] = listed_names(server.setting("synchronous_standby_names").value_or(""));
  if (!server.included_files.empty()) facts["included_files"] = server.included_files;
}

void add_archiver(const ArchiverStatistics& archiver, Facts& facts) {
  facts["archived_count"] = static_cast<std::int64_t>(archiver.archived_count);
  facts["failed_count"] = static_cast<std::int64_t>(archiver.failed_count);
  facts["is_archiving"] = archiver.is_archiving;
  facts["last_archived_wal"] = text_fact(archiver.last_archived_wal);
  facts["last_archived_time"] = time_fact(archiver.last_archived_time);
  facts["last_failed_wal"] = text_fact(archiver.last_failed_wal);
  facts["last_failed_time"] = time_fact(archiver.last_failed_time);
  facts["stats_reset"] = time_fact(archiver.stats_reset);
  facts["current_archived_wals_per_second"] = text_fact(archiver.archived_per_second);
}

void ask_sql(const config::Server& server, postgres::Session& session, Facts& facts) {
  const ServerFacts known = inspect(session);
  facts["server_txt_version"] = known.version_text;
  facts["version_supported"] = known.version >= kOldestVersion;
  facts["is_in_recovery"] = known.in_recovery;
  facts["is_superuser"] = known.superuser;
  facts["has_backup_privileges"] = known.backup_privileges;
  facts["has_monitoring_privileges"] = known.monitoring_privileges;
  facts["postgres_systemid"] = text_fact(known.system_identifier);
  facts["xlog_segment_size"] = static_cast<std::int64_t>(known.segment_size);
  facts["replication_slot_support"] = true;
  add_settings(known, facts);
  const WalPosition position = wal_position(session, known);
  facts["current_lsn"] = pgformat::format_lsn(position.lsn);
  facts["current_xlog"] = text_fact(position.wal);
  if (const auto slot_name = server.values.optional_text("slot_name")) {
    if (const auto slot = replication_slot(session, *slot_name)) {
      facts["replication_slot"] = SlotFact{
          *slot_name, slot->active,
          slot->restart_lsn ? std::optional(pgformat::format_lsn(*slot->restart_lsn)) : std::nullopt};
    }
  }
  if (server.values.flag("archiver")) {
    if (const auto archiver = archiver_statistics(session)) add_archiver(*archiver, facts);
  }
  // Reads the server's folders: last, so that its slowness costs nothing else.
  const auto size = cluster_size(session);
  facts["current_size"] = size ? Fact(std::to_string(*size)) : Fact();
}

void ask_streaming(const std::string& conninfo, postgres::Connector& connector,
                   const postgres::ConnectOptions& options, Facts& facts) {
  const auto identity = connector.replication(conninfo, options)->identify_system();
  facts["streaming"] = true;
  facts["streaming_supported"] = true;
  facts["streaming_systemid"] = identity.system_identifier;
  facts["timeline"] = static_cast<std::int64_t>(identity.timeline);
  facts["xlogpos"] = pgformat::format_lsn(identity.flushed);
}

// The programs that the original runs for this are part of ours.
void add_built_in(std::string_view program, std::initializer_list<const char*> abilities, Facts& facts) {
  for (const auto* ability : abilities) facts[fmt::format("{}_{}", program, ability)] = true;
  facts[fmt::format("{}_path", program)] = Fact();
  facts[fmt::format("{}_version", program)] = Fact();
}

// Whether commits wait for the WAL that is received here. Unknown while the server is.
Fact is_synchronous(const config::Server& server, const Facts& facts) {
  const auto* names = std::get_if<std::vector<std::string>>(&facts.at("synchronous_standby_names"));
  if (names == nullptr) return {};
  return std::ranges::any_of(*names, [&](const std::string& name) {
    return name == "*" || name == server.values.text("streaming_archiver_name");
  });
}

// Runs `ask` if there is a connection string for it.
template <class Ask>
void ask_or_note(const config::Server& server, const char* option, Facts& facts, Ask&& ask) {
  const auto conninfo = server.values.optional_text(option);
  if (!conninfo) {
    facts["connection_error"] = fmt::format("{} is not set", option);
    return;
  }
  try {
    ask(*conninfo);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    facts["connection_error"] = std::string(error.what());
  }
}

}  // namespace

Facts server_status(const config::Server& server, postgres::Connector& connector,
                    const std::stop_token& stop) {
  if (!server.active() || server.passive()) return {};
  Facts facts = silence(server);
  const postgres::ConnectOptions options{.timeout = time_limit(server), .stop = stop};
  const bool streams = server.values.flag("streaming_archiver");
  const bool backs_up = server.values.text("backup_method") == "postgres";
  if (streams || backs_up) {
    for (const auto* name : {"connection_error", "streaming", "streaming_supported", "streaming_systemid",
                             "timeline", "xlogpos"}) {
      facts.emplace(name, Fact());
    }
    ask_or_note(server, "streaming_conninfo", facts,
                [&](const std::string& conninfo) { ask_streaming(conninfo, connector, options, facts); });
  }
  ask_or_note(server, "conninfo", facts, [&](const std::string& conninfo) {
    const auto session = connector.session(conninfo, options);
    ask_sql(server, *session, facts);
  });
  if (backs_up) add_built_in("pg_basebackup", {"installed", "compatible", "bwlimit", "tbls_mapping"}, facts);
  if (streams) {
    add_built_in("pg_receivexlog", {"installed", "compatible", "supports_slots"}, facts);
    facts["pg_receivexlog_synchronous"] = is_synchronous(server, facts);
  }
  return facts;
}

}  // namespace barman::engine
