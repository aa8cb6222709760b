// All that is known of the installation, the servers and their backups: for those who are to find a fault.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "catalog/xlogdb.h"
#include "config/settings.h"
#include "engine/events.h"
#include "engine/server/fact.h"
#include "engine/server/home.h"

namespace barman::os {
class ProcessRunner;
}
namespace barman::postgres {
class Connector;
}

namespace barman::engine {

struct SourcedFact {
  Fact value;
  std::string source;  // the file that it is from, or "default"
};
using SourcedFacts = std::map<std::string, SourcedFact>;

struct ServerDiagnosis {
  std::optional<std::string> active_model{};
  std::vector<catalog::BackupInfo> backups{};
  SourcedFacts config{};
  std::vector<std::string> messages{};
  Facts status{};
  std::map<std::string, catalog::WalEntry> last_wal{};  // by timeline, eight hexadecimal digits
};

struct Diagnosis {
  SourcedFacts global{};
  std::vector<std::string> errors{};
  std::map<std::string, std::optional<std::string>> system{};
  std::map<std::string, SourcedFacts> models{};
  std::map<std::string, ServerDiagnosis> servers{};
};

// Asks every server, whose home `home_of` tells. What cannot be learned is left out, with a warning that says
// why. Throws kCancelled.
using HomeOf = std::function<Home(const config::Server& server)>;
Diagnosis diagnose(const config::Configuration& configuration, const HomeOf& home_of,
                   postgres::Connector& connector, os::ProcessRunner& runner, Time now, Events& events,
                   const std::stop_token& stop);

}  // namespace barman::engine
