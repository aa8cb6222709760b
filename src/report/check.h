// Results of checks in words.
#pragma once

#include <string>
#include <vector>

#include "engine/check/report.h"

namespace barman::report {

class Writer;

// What a check is called in JSON: "replication slot (WAL streaming)" is "replication_slot_(wal_streaming)".
std::string json_key(const std::string& label);

// Console: a heading and a line for each check. JSON: an object of results under the server's name. A failed
// check of an active server makes the exit status 1.
void print_check(const engine::CheckReport& report, Writer& out);

struct NagiosResult {
  std::string text;  // without the last newline
  int status = 0;    // 0 or 2, as Nagios wants it
};

// `configuration_failed`: a server could not be checked at all.
NagiosResult nagios(const std::vector<engine::CheckReport>& reports, bool configuration_failed);

}  // namespace barman::report
