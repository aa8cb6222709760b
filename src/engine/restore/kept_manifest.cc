#include "engine/restore/kept_manifest.h"

#include <exception>

#include "base/error.h"
#include "engine/restore/left_out.h"
#include "os/durable_file.h"

namespace barman::engine {

namespace {

class IntoReader final : public stream::Sink {
 public:
  explicit IntoReader(pgformat::ManifestReader& reader) : reader_(reader) {}

  void write(stream::Bytes data) override { reader_.write(stream::text_of(data)); }
  void finish() override {}

 private:
  pgformat::ManifestReader& reader_;
};

}  // namespace

std::optional<KeptManifest> manifest_on_disk(const std::filesystem::path& place) {
  if (!std::filesystem::exists(place)) return std::nullopt;
  return KeptManifest{.name = place.string(),
                      .read = [place](stream::Sink& into) { stream::pump(*os::open_file(place), into); }};
}

pgformat::ManifestSummary read_manifest(const KeptManifest& manifest,
                                        const std::function<void(const pgformat::ManifestFile&)>& visit) {
  std::exception_ptr of_visit;  // which names what it is about itself: the manifest has no part in it
  try {
    pgformat::ManifestReader reader([&](const pgformat::ManifestFile& file) {
      if (is_left_out(file.path)) return;
      try {
        visit(file);
      } catch (const Error&) {
        of_visit = std::current_exception();
        throw;
      }
    });
    IntoReader into(reader);
    manifest.read(into);
    return reader.finish();
  } catch (const Error& e) {
    if (of_visit) std::rethrow_exception(of_visit);
    throw Error(e.kind(), "reading " + manifest.name + ": " + e.what());
  }
}

}  // namespace barman::engine
