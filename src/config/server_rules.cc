#include "config/server_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "config/value.h"

namespace barman::config {
namespace {

void check_conninfo(Server& server, std::string_view option, std::string_view kind, bool needed) {
  const auto text = server.values.optional_text(option);
  if (!text && needed) {
    server.messages.push_back(
        fmt::format("{}: Missing '{}' parameter for server '{}'. Set it to 'host=… user=… dbname=…' or a "
                    "postgresql:// URI",
                    kind, option, server.name));
  }
  if (text && !looks_like_conninfo(*text)) {
    server.messages.push_back(fmt::format(
        "{}: '{}' of server '{}' is not a valid connection string. It must be key=value words, or "
        "a postgresql:// URI",
        kind, option, server.name));
  }
}

void check_connections(Server& server) {
  const auto& values = server.values;
  constexpr std::string_view kSql = "PostgreSQL connection";
  constexpr std::string_view kStreaming = "Streaming connection";
  check_conninfo(server, "conninfo", kSql, true);
  check_conninfo(server, "primary_conninfo", kSql, false);
  check_conninfo(server, "wal_conninfo", kSql, false);
  if (values.text("backup_method") == "postgres" || values.flag("streaming_archiver")) {
    check_conninfo(server, "streaming_conninfo", kStreaming, true);
    check_conninfo(server, "wal_streaming_conninfo", kStreaming, false);
  }
}

void refuse_options(Server& server, std::initializer_list<std::string_view> options) {
  const auto method = server.values.text("backup_method");
  for (const auto option : options) {
    const auto& value = server.values.value(option);
    const bool set = server.values.has(option) && value != Value(false) && value != Value(std::int64_t{0}) &&
                     value != Value(std::string("off"));
    if (set) {
      server.messages.push_back(
          fmt::format("{} option is not supported by {} backup_method", option, method));
    }
  }
}

struct Compressor {
  std::string_view name;
  std::int64_t lowest;
  std::int64_t highest;
};
constexpr Compressor kBackupCompressors[] = {{"gzip", -1, 9}, {"lz4", 0, 12}, {"zstd", -131072, 22},
                                             {"bzip2", 1, 9}, {"xz", 1, 9},   {"none", 0, 0}};

// What does not depend on the versions of server and client.
void check_backup_compression(Server& server) {
  const auto& values = server.values;
  const auto name = values.text("backup_compression");
  const auto* known = std::ranges::find(kBackupCompressors, name, &Compressor::name);
  if (known == std::end(kBackupCompressors)) return;
  const auto level = values.optional_number("backup_compression_level");
  if (level && (*level < known->lowest || *level > known->highest)) {
    server.messages.push_back(
        fmt::format("backup_compression_level {} is not supported by {} compression: it must be {} to {}",
                    *level, name, known->lowest, known->highest));
  }
  const auto workers = values.optional_number("backup_compression_workers");
  const bool on_server = values.text("backup_compression_location") == "server";
  if (workers && (name == "none" || (on_server && name != "zstd"))) {
    server.messages.push_back(
        fmt::format("backup_compression_workers is not supported by {} compression{}: leave it out", name,
                    name == "none" ? "" : " on the server"));
  } else if (workers && *workers < 0) {
    server.messages.push_back("backup_compression_workers must be 0 or more");
  }
  if (on_server && (name == "bzip2" || name == "xz")) {
    server.messages.push_back(fmt::format(
        "backup_compression_location server is not supported by {} compression: set it to client", name));
  }
  if (values.text("backup_compression_format") == "plain" && !on_server) {
    server.messages.push_back(
        "backup_compression_format plain requires backup_compression_location to be server");
  }
}

void check_snapshot_lock(Server& server) {
  const auto& values = server.values;
  const auto mode = values.text("aws_snapshot_lock_mode");
  if (mode.empty()) return;
  const auto days = values.optional_number("aws_snapshot_lock_duration");
  const auto hours = values.optional_number("aws_snapshot_lock_cool_off_period");
  if (days.has_value() == values.has("aws_snapshot_lock_expiration_date")) {
    server.messages.push_back(
        "aws_snapshot_lock_mode requires one of aws_snapshot_lock_duration and "
        "aws_snapshot_lock_expiration_date, and not both");
  }
  if (days && (*days < 1 || *days > 36500)) {
    server.messages.push_back("aws_snapshot_lock_duration must be 1 to 36500 days");
  }
  if (hours && mode == "governance") {
    server.messages.push_back("aws_snapshot_lock_cool_off_period is not supported with governance mode");
  } else if (hours && (*hours < 1 || *hours > 72)) {
    server.messages.push_back("aws_snapshot_lock_cool_off_period must be 1 to 72 hours");
  }
}

// What keeps the provider from being used; nothing if it can be.
std::optional<std::string_view> provider_problem(const Values& values) {
  const auto provider = values.text("snapshot_provider");
  if (provider == "aws") return std::nullopt;
  if (provider == "gcp") {
    const bool project = values.has("gcp_project") || values.has("snapshot_gcp_project");
    return project ? std::nullopt : std::optional<std::string_view>("gcp_project is missing");
  }
  if (provider != "azure") return "unknown provider: it must be aws, azure or gcp";
  if (!values.has("azure_subscription_id")) return "azure_subscription_id is missing";
  const auto credential = values.text("azure_credential");
  if (credential.empty() || credential == "azure-cli" || credential == "managed-identity" ||
      credential == "default") {
    return std::nullopt;
  }
  return "azure_credential must be azure-cli, managed-identity or default";
}

void check_snapshot(Server& server) {
  for (const std::string_view option : {"snapshot_disks", "snapshot_instance", "snapshot_provider"}) {
    if (!server.values.has(option)) {
      server.messages.push_back(fmt::format("{} option is required by snapshot backup_method", option));
    }
  }
  refuse_options(server, {"backup_compression", "bandwidth_limit", "network_compression",
                          "tablespace_bandwidth_limit", "reuse_backup"});
  if (!server.values.has("snapshot_provider")) return;
  if (const auto problem = provider_problem(server.values)) {
    server.messages.push_back(fmt::format("Error initialising snapshot provider {}: {}",
                                          server.values.text("snapshot_provider"), *problem));
  }
  if (server.values.text("snapshot_provider") == "aws") check_snapshot_lock(server);
}

void check_backup_method(Server& server) {
  const auto method = server.values.text("backup_method");
  const bool has_ssh = server.values.has("ssh_command");
  if ((method == "rsync" || method == "snapshot") && !has_ssh) {
    server.messages.push_back(
        fmt::format("Missing or invalid ssh_command in barman configuration for server {}", server.name));
  }
  if (method == "local-rsync" && has_ssh) {
    server.messages.push_back(fmt::format(
        "Local copy requires ssh_command in barman configuration to be empty for server {}", server.name));
  }
  if ((method == "rsync" || method == "local-rsync") && server.values.has("backup_compression")) {
    server.messages.push_back("backup_compression option is not supported by rsync backup_method");
  }
  if (method == "postgres") {
    refuse_options(server, {"tablespace_bandwidth_limit", "reuse_backup", "network_compression"});
    check_backup_compression(server);
  }
  if (method == "snapshot") check_snapshot(server);
}

void check_archivers(Server& server, std::vector<std::string>& warnings) {
  auto& values = server.values;
  if (!values.flag("archiver") && !values.flag("streaming_archiver")) {
    warnings.push_back(fmt::format(
        "No archiver enabled for server '{}'. Please turn on 'archiver', 'streaming_archiver' or both",
        server.name));
    warnings.push_back("Forcing 'archiver = on'");
    values.set("archiver", true, values.source("archiver"));
  }
  if (values.flag("streaming_archiver") && !values.flag("archiver") && !values.has("slot_name")) {
    server.messages.push_back(
        "Streaming-only archiver requires 'streaming_conninfo' and 'slot_name' options to be properly "
        "configured");
  }
}

void choose_backup_strategy(Server& server, std::vector<std::string>& warnings) {
  auto& values = server.values;
  auto options = values.list("backup_options");
  const auto method = values.text("backup_method");
  const bool streams = method == "postgres" || method == "local-to-cloud";
  if (streams && std::erase(options, "exclusive_backup") != 0) {
    warnings.push_back(fmt::format(
        "'exclusive_backup' is not supported by backup_method {} of server '{}' (using 'concurrent_backup')",
        method, server.name));
  }
  const bool chosen =
      std::ranges::any_of(options, [](const std::string& o) { return o != "external_configuration"; });
  if (chosen) return;
  if (!streams) {
    warnings.push_back(fmt::format(
        "No backup strategy set for server '{}' (using default 'concurrent_backup').", server.name));
  }
  options.emplace_back("concurrent_backup");
  values.set("backup_options", std::move(options), values.source("backup_options"));
}

}  // namespace

void apply_rules(Server& server, std::vector<std::string>& warnings) {
  if (!server.active() || server.passive()) return;
  check_connections(server);
  const auto messages = server.messages.size();
  check_backup_method(server);
  if (server.messages.size() == messages) choose_backup_strategy(server, warnings);
  check_archivers(server, warnings);
}

}  // namespace barman::config
