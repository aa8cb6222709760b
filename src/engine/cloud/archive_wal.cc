#include "engine/cloud/archive_wal.h"

#include <fmt/format.h>

#include "base/error.h"
#include "codec/codec.h"
#include "engine/server/cloud_keys.h"
#include "os/durable_file.h"
#include "os/file_content.h"
#include "stream/chain.h"

namespace barman::engine {

void archive_cloud_wal(store::ObjectStore& store, const std::filesystem::path& path, const CloudWalForm& form,
                       const std::stop_token& stop) {
  const std::string name = path.filename();
  const auto parsed = pgformat::parse_wal_name(name);
  if (!parsed)
    throw Error(ErrorKind::kUsage, fmt::format("{} is an invalid name for a WAL file", path.native()));
  const std::string key = wal_key(*parsed, name, form.compression);
  os::FileContent content(path);
  if (!form.compression) return store.put(key, content, {.tags = form.tags});
  // One frame: programs that read only the first of several are common.
  const std::vector<stream::Stage> stages{
      stream::through([&] { return codec::compressor(*form.compression, form.level, content.size()); })};
  const auto sink =
      stream::chain(stages, store.create(key, {.tags = form.tags, .expected_bytes = content.size()}));
  const auto source = os::open_file(path);
  if (stream::pump(*source, *sink, stop) != content.size()) {
    throw Error(ErrorKind::kFailed,
                fmt::format("{} changed while it was read; it was not stored", path.native()));
  }
  sink->finish();
}

}  // namespace barman::engine
