// check-bucket: whether a bucket does all that is asked of it, found out by doing it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/server/home.h"

namespace barman {
class Clock;
}

namespace barman::engine {

enum class ProbeVerdict {
  kOk,
  kWarning,  // it works, but somebody should know
  kFailed,
};

struct ProbeLine {
  std::string label;
  ProbeVerdict verdict = ProbeVerdict::kOk;
  std::string hint{};

  bool operator==(const ProbeLine&) const = default;
};

// A place of a server in a bucket, and what was found there.
struct PlaceReport {
  std::string what;  // "base backups" or "WAL"
  std::string url;   // with the server's folder: "s3://bucket/path/main/base"
  std::vector<ProbeLine> lines{};

  [[nodiscard]] bool passed() const;
};

// The folder of a bucket that something of a server is in.
struct ProbedPlace {
  std::shared_ptr<BucketHome> home;
  std::string_view folder;  // "base" or "wals"
};
// Those of a server, none if nothing of it is in a bucket.
std::vector<ProbedPlace> places_in_buckets(const Home& home);

// Tries all that this program does in the place, with small objects of its own that it takes away again; on a
// server that is not active only what reads. One thing that fails keeps no other from being tried, unless the
// bucket is not there, does not answer at all or does not know us. Throws nothing: what the bucket throws is
// a line of the report. When the bucket gives up because it was told to stop, the report ends there, after
// what was put was taken away; `interrupted` tells whether a person wanted that.
PlaceReport probe_place(const Home& home, const ProbedPlace& place, const Clock& clock,
                        const std::stop_token& interrupted);

}  // namespace barman::engine
