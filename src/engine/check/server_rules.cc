#include <fmt/format.h>

#include "engine/check/rules.h"
#include "engine/server/inspect.h"

namespace barman::engine {
namespace {

bool is_up(const Observed& observed) { return observed.remote && observed.remote->main.ok(); }

void judge_wal_level(const ServerFacts& facts, const std::string& suffix, Lines& lines) {
  const bool ok = facts.setting("wal_level").value_or("") != "minimal";
  lines.add("wal_level" + suffix, ok, ok ? "" : "please set it to a higher level than 'minimal'");
}

void judge_streaming(const Answer<postgres::SystemIdentity>& answer, const std::string& suffix,
                     Lines& lines) {
  lines.add("PostgreSQL streaming" + suffix, answer.ok(), answer.error);
}

void judge_standby(const Observed& observed, Lines& lines) {
  const ServerAnswers& remote = *observed.remote;
  if (!observed.asked.primary) return;
  const bool standby = remote.main.value->in_recovery;
  lines.add("PostgreSQL server is standby", standby,
            standby ? "" : "conninfo should point to a standby server if primary_conninfo is set");
  if (!standby) return;
  const bool primary_leads = remote.primary.ok() && !remote.primary.value->in_recovery;
  lines.add("Primary server is not a standby", primary_leads,
            primary_leads         ? ""
            : remote.primary.ok() ? "primary_conninfo should point to a primary server, not a standby"
                                  : remote.primary.error);
  const bool same =
      remote.primary.ok() && remote.primary.value->system_identifier == remote.main.value->system_identifier;
  lines.add("Primary and standby have same system ID", same,
            same ? ""
            : remote.primary.ok()
                ? "primary_conninfo and conninfo should point to primary and standby servers which "
                  "share the same system identifier"
                : remote.primary.error);
}

// Regular, streaming and stored identifiers agree, as far as they are known.
CheckLine coherence(const std::string& suffix, const std::optional<std::string>& regular,
                    const Answer<postgres::SystemIdentity>& streaming, const Observed& observed) {
  const std::string label = "systemid coherence" + suffix;
  const std::optional<std::string> streamed =
      streaming.ok() ? std::optional(streaming.value->system_identifier) : std::nullopt;
  if (regular && streamed && *regular != *streamed) {
    return {
        label, false,
        fmt::format(
            "the streaming connection leads to system Id {}, the regular one to {}; let both point to the "
            "same server",
            *streamed, *regular)};
  }
  const std::optional<std::string> live = streamed ? streamed : regular;
  if (!live) return {label, true, "no system Id available"};
  if (!observed.local) return {label, true};
  if (!observed.local->identity.ok()) return {label, false, observed.local->identity.error};
  const std::optional<catalog::Identity>& stored = *observed.local->identity.value;
  if (!stored) return {label, true, "no system Id stored on disk"};
  if (stored->systemid == *live) return {label, true};
  return {label, false,
          fmt::format(
              "the server has system Id {}, but the backups here are of {}; use another server section for a "
              "new cluster",
              *live, stored->systemid)};
}

std::optional<std::string> identifier_of(const Answer<ServerFacts>& facts) {
  return facts.ok() ? facts.value->system_identifier : std::nullopt;
}

}  // namespace

void judge_connections(const Observed& observed, Lines& lines) {
  if (!observed.remote) return;
  const ServerAnswers& remote = *observed.remote;
  if (!is_up(observed)) {
    lines.add("PostgreSQL", false, remote.main.error);
    return;
  }
  const ServerFacts& facts = *remote.main.value;
  const bool recent = facts.version >= kOldestVersion;
  lines.add(
      "PostgreSQL", recent,
      recent ? ""
             : fmt::format("PostgreSQL {} is too old, this program needs 13 or later", facts.version_text));
  if (facts.superuser || facts.backup_privileges) {
    lines.add("superuser or standard user with backup privileges", true);
  } else {
    lines.add("no access to backup functions", false,
              "privileges for PostgreSQL backup functions are required (see documentation)");
  }
  if (observed.asked.streaming) judge_streaming(remote.streaming, "", lines);
  judge_wal_level(facts, "", lines);
  judge_standby(observed, lines);
}

void judge_wal_connections(const Observed& observed, Lines& lines) {
  if (!observed.remote || !observed.asked.wal) return;
  const std::string suffix = " (WAL streaming)";
  const ServerAnswers& remote = *observed.remote;
  if (remote.wal.ok() && (remote.wal.value->superuser || remote.wal.value->monitoring_privileges)) {
    lines.add("has monitoring privileges" + suffix, true);
  } else {
    lines.add("no access to monitoring functions", false,
              remote.wal.ok()
                  ? "privileges for PostgreSQL monitoring functions are required (see documentation)"
                  : remote.wal.error);
  }
  if (observed.asked.wal_streaming) judge_streaming(remote.wal_streaming, suffix, lines);
  if (remote.wal.ok()) judge_wal_level(*remote.wal.value, suffix, lines);
  lines.add(coherence(suffix, identifier_of(remote.wal), remote.wal_streaming, observed));
}

void judge_slot(const Observed& observed, Lines& lines) {
  if (!observed.remote || !observed.asked.slot_name) return;
  const Answer<std::optional<Slot>>& answer = observed.remote->slot;
  const std::string label = observed.asked.wal ? "replication slot (WAL streaming)" : "replication slot";
  const std::string& name = *observed.asked.slot_name;
  const bool needed = observed.server.values.flag("streaming_archiver");
  if (!answer.ok()) {
    if (needed) lines.add(label, false, answer.error.empty() ? "PostgreSQL cannot be asked" : answer.error);
    return;
  }
  const std::optional<Slot>& slot = *answer.value;
  if (!needed) {
    if (slot && slot->restart_lsn) {
      lines.add(label, true,
                fmt::format("WARNING: slot '{}' is {} but not required by the current config", name,
                            slot->active ? "active" : "initialised"));
    }
    return;
  }
  if (!slot) {
    lines.add(label, false,
              fmt::format(
                  "replication slot '{}' doesn't exist. Please execute 'barman receive-wal --create-slot {}'",
                  name, observed.server.name));
  } else if (!slot->restart_lsn) {
    const bool lost = slot->wal_status == "lost";
    lines.add(label, false,
              lost
                  ? fmt::format(
                        "slot '{}' lost the WAL that it should keep: drop it, create it anew, and take a new "
                        "backup",
                        name)
                  : fmt::format("slot '{}' not initialised: is 'receive-wal' running?", name));
  } else {
    lines.add(label, slot->active,
              slot->active ? "" : fmt::format("slot '{}' not active: is 'receive-wal' running?", name));
  }
}

void judge_system_identifier(const Observed& observed, Lines& lines) {
  const ServerAnswers none;
  const ServerAnswers& remote = observed.remote ? *observed.remote : none;
  lines.add(coherence("", identifier_of(remote.main), remote.streaming, observed));
}

void judge_archiving(const Observed& observed, Lines& lines) {
  if (!observed.remote) return;  // inactive and passive servers have no archivers here
  const ServerAnswers& remote = *observed.remote;
  if (observed.server.values.flag("streaming_archiver")) {
    // Receiving WAL is built in: what the tool of these names did, we do.
    lines.add("pg_receivexlog", true);
    lines.add("pg_receivexlog compatible", is_up(observed),
              is_up(observed) ? "" : "PostgreSQL version: None, pg_receivexlog version: built in");
    const bool running = observed.local && observed.local->receiver_running.value.value_or(false);
    lines.add("receive-wal running", running, running ? "" : "See the Barman log file for more details");
  }
  if (!observed.server.values.flag("archiver") || !is_up(observed)) return;
  const std::string mode = remote.main.value->setting("archive_mode").value_or("");
  const bool on = mode == "on" || mode == "always";
  lines.add("archive_mode", on, on ? "" : "please set it to 'on' or 'always'");
  const std::string command = remote.main.value->setting("archive_command").value_or("");
  const std::string library = remote.main.value->setting("archive_library").value_or("");
  const bool commanded = (!command.empty() && command != "(disabled)") || !library.empty();
  lines.add("archive_command", commanded, commanded ? "" : "please set it accordingly to documentation");
  if (!commanded) return;
  if (!remote.archiver.ok()) {
    lines.add("continuous archiving", false, remote.archiver.error);
  } else if (remote.archiver.value->has_value()) {
    lines.add("continuous archiving", (*remote.archiver.value)->is_archiving);
  }
}

}  // namespace barman::engine
