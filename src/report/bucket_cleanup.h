// What dead runs left in a bucket, and what became of it, in words.
#pragma once

#include <string>

#include "base/clock.h"
#include "engine/bucket_cleanup/plan.h"

namespace barman::report {

class Writer;

// A line for each, and in JSON an element of "would_remove", "removed" or "not_removed" under the server's
// name.
void report_found(const std::string& server, const engine::LeftOver& left_over, Time now, Writer& out);
// `failure`, if there is one, is an error.
void report_removed(const std::string& server, const engine::LeftOver& left_over, const std::string& failure,
                    Time now, Writer& out);

// How much is planned: the heading, or that there is nothing.
void report_plan(const std::string& server, const engine::CleanupPlan& plan, bool is_dry_run, Writer& out);

}  // namespace barman::report
