// The buckets that a server's options name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "config/settings.h"
#include "store/bucket.h"

namespace barman {
class Clock;
namespace os {
class ProcessRunner;
}
}  // namespace barman

namespace barman::engine {

// What a bucket works with; outlives it.
struct BucketSurroundings {
  os::ProcessRunner& runner;  // for credential_process
  Clock& clock;
  std::stop_token stop{};
};

// The size of the parts in which archives of at most `largest_archive` bytes are uploaded. All are equal:
// they come to nine tenths of what a store takes, and the rest is for the entry that makes an archive longer.
// `smallest` is the user's wish.
std::size_t upload_part_size(std::uint64_t largest_archive, std::uint64_t smallest);

// How many parts of an upload are sent at a time: parallel_jobs.
unsigned upload_workers(const config::Values& values);

// The server's folder below `url`, as the options aws_*, cloud_upload_* and parallel_jobs want it. Makes no
// request. Throws kUsage for options that do not go together or name what is not there, kFailed for a
// provider that this build does not speak to.
std::shared_ptr<store::Bucket> open_bucket(const config::Server& server, const std::string& url,
                                           const BucketSurroundings& around);

}  // namespace barman::engine
