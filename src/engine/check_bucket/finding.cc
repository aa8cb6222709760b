#include "engine/check_bucket/finding.h"

#include <fmt/format.h>

#include "base/text.h"

namespace barman::engine {
namespace {

constexpr std::chrono::seconds kNotableSkew{60};
constexpr std::chrono::minutes kRefusedSkew{15};

}  // namespace

Finding judge_clock(Time before, std::optional<Time> theirs, Time after) {
  if (!theirs) return good("not told");
  std::chrono::microseconds skew{0};  // of ours against theirs
  if (before >= *theirs + std::chrono::seconds(1)) skew = before - *theirs;
  if (after < *theirs) skew = after - *theirs;
  const auto size = std::chrono::floor<std::chrono::seconds>(std::chrono::abs(skew));
  if (size <= kNotableSkew) return good();
  const std::string hint = fmt::format("this machine's clock is {} {} the store's; set it right",
                                       human_duration(size), skew.count() < 0 ? "behind" : "ahead of");
  if (size > kRefusedSkew) return failed(hint + ", the store refuses requests that are 15 minutes off");
  return warning(hint);
}

Finding judge_versioning(const store::BucketState& state) {
  if (!state.versioning) return good("not told");
  if (*state.versioning == "off") return good("off");
  return good(*state.versioning +
              ": what is deleted takes room until a lifecycle rule of the bucket removes old versions");
}

Finding judge_lock(const store::BucketState& state) {
  if (!state.object_lock) return good("not told");
  if (*state.object_lock == "off") return good("off");
  return good(*state.object_lock + ": what is locked cannot be deleted; see aws_check_object_lock");
}

Finding judge_encryption(const store::Encryption& wanted, const store::Encryption& found) {
  if (wanted.method.empty()) {
    return good(found.method.empty() ? "none is configured, and the store tells of none"
                                     : found.method + ", by the bucket itself");
  }
  if (found.method != wanted.method) {
    return failed(fmt::format("{} is configured, but the store says {}; see whether it can encrypt so",
                              wanted.method, found.method.empty() ? "nothing of encryption" : found.method));
  }
  // Of an alias the store tells the key that it stands for.
  const bool is_comparable = !wanted.key.empty() && wanted.key.find("alias/") == std::string::npos;
  if (is_comparable && !found.key.ends_with(wanted.key)) {
    return failed(
        fmt::format("the key {} is configured, but the store used {}; see whether it may use that key",
                    wanted.key, found.key.empty() ? "one that it does not name" : found.key));
  }
  return good(found.method);
}

Finding judge_condition(store::Conditional outcome) {
  switch (outcome) {
    case store::Conditional::kRefused:
      return good();
    case store::Conditional::kReplaced:
      return warning(
          "the store overwrites what is there although told not to (If-None-Match): a WAL segment that two "
          "hosts archive is not protected by it; let only one host archive there");
    case store::Conditional::kUnsupported:
      return warning(
          "the store knows no conditions (If-None-Match): that a name is free is found out by looking, which "
          "two hosts may do at once; let only one host archive WAL there");
  }
  return {};
}

}  // namespace barman::engine
