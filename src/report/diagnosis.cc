#include "report/diagnosis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/backup.h"
#include "report/fact.h"

namespace barman::report {
namespace {

using engine::Fact;
using Json = nlohmann::json;

// Like fact_json(), but with what is easier to read for sets, slots and times.
Json json_of(const Fact& fact) {
  if (const auto* set = std::get_if<engine::WordSet>(&fact))
    return fmt::format("{}", fmt::join(set->words, ","));
  if (const auto* interval = std::get_if<config::Interval>(&fact)) return human_duration(interval->length);
  if (const auto* time = std::get_if<catalog::Timestamp>(&fact))
    return iso_text(time->instant, time->offset, 'T');
  if (const auto* slot = std::get_if<engine::SlotFact>(&fact)) {
    return Json::array(
        {slot->name, slot->active, slot->restart_lsn ? Json(*slot->restart_lsn) : Json(nullptr)});
  }
  return Json::parse(fact_json(fact));
}

Json options(const engine::SourcedFacts& facts, bool with_sources) {
  Json object = Json::object();
  for (const auto& [name, fact] : facts) {
    if (with_sources) {
      object[name] = {{"source", fact.source}, {"value", json_of(fact.value)}};
    } else {
      object[name] = json_of(fact.value);
    }
  }
  return object;
}

Json server_json(const engine::ServerDiagnosis& server, bool with_sources) {
  Json result = {{"active_model", server.active_model ? Json(*server.active_model) : Json(nullptr)},
                 {"backups", Json::object()},
                 {"config", options(server.config, with_sources)},
                 {"msg_list", server.messages},
                 {"status", Json::object()},
                 {"wals", {{"last_archived_wal_per_timeline", Json::object()}}}};
  for (const auto& info : server.backups)
    result["backups"][info.id.text] = Json::parse(backup_record_json(info));
  for (const auto& [name, fact] : server.status) result["status"][name] = json_of(fact);
  for (const auto& [timeline, wal] : server.last_wal) {
    result["wals"]["last_archived_wal_per_timeline"][timeline] = {
        {"name", wal.name},
        {"size", wal.size},
        {"time", wal.time},
        {"compression", wal.compression ? Json(*wal.compression) : Json(nullptr)},
        {"encryption", wal.encryption ? Json(*wal.encryption) : Json(nullptr)}};
  }
  return result;
}

}  // namespace

std::string diagnosis_text(const engine::Diagnosis& diagnosis, bool with_sources) {
  Json document = {
      {"global", {{"config", options(diagnosis.global, with_sources)}, {"system_info", Json::object()}}},
      {"models", Json::object()},
      {"servers", Json::object()}};
  document["global"]["config"]["errors_list"] = diagnosis.errors;
  for (const auto& [name, text] : diagnosis.system) {
    document["global"]["system_info"][name] = text ? Json(*text) : Json(nullptr);
  }
  for (const auto& [name, facts] : diagnosis.models) {
    document["models"][name] = {{"config", options(facts, with_sources)}};
  }
  for (const auto& [name, server] : diagnosis.servers) {
    document["servers"][name] = server_json(server, with_sources);
  }
  return document.dump(4, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

}  // namespace barman::report
