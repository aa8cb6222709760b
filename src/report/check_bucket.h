// What was found in the buckets of a server, in words.
#pragma once

#include <string>

#include "engine/check_bucket/probe.h"

namespace barman::report {

class Writer;

// Console: a heading and a line for each trial. JSON: an object of results for each place under the server's
// name. A failed one makes the exit status 1.
void print_place(const std::string& server, const engine::PlaceReport& place, Writer& out);

}  // namespace barman::report
