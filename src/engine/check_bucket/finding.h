// What a trial found, and what the provider's answers mean: pure decisions.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "engine/check_bucket/probe.h"
#include "store/inspection.h"

namespace barman::engine {

struct Finding {
  ProbeVerdict verdict = ProbeVerdict::kOk;
  std::string hint{};

  bool operator==(const Finding&) const = default;
};

inline Finding good(std::string hint = {}) { return {ProbeVerdict::kOk, std::move(hint)}; }
inline Finding warning(std::string hint) { return {ProbeVerdict::kWarning, std::move(hint)}; }
inline Finding failed(std::string hint) { return {ProbeVerdict::kFailed, std::move(hint)}; }

// The provider said `theirs`, cut to a second, between `before` and `after` by our clock.
Finding judge_clock(Time before, std::optional<Time> theirs, Time after);

Finding judge_versioning(const store::BucketState& state);
Finding judge_lock(const store::BucketState& state);
Finding judge_encryption(const store::Encryption& wanted, const store::Encryption& found);
Finding judge_condition(store::Conditional outcome);

}  // namespace barman::engine
