#include "engine/check_bucket/probe.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "engine/check_bucket/finding.h"
#include "engine/check_bucket/trial.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

constexpr std::string_view kText = "made by barman check-bucket; may be removed\n";
constexpr std::chrono::hours kOldUpload{24};

class PlaceProbe {
 public:
  PlaceProbe(const Home& home, const ProbedPlace& place, const Clock& clock,
             const std::stop_token& interrupted)
      : home_(home),
        place_(place),
        clock_(clock),
        bucket_(place.home->bucket()),
        inspection_(bucket_.inspection()),
        trials_(
            bucket_,
            trial_key(place.folder, fmt::format("{}-{}", ::getpid(), clock.now().time_since_epoch().count())),
            interrupted) {}

  std::vector<ProbeLine> run() {
    if (!enter()) return std::move(trials_).lines();
    look_at_bucket();
    if (home_.is_active) {
      try_objects();
      try_uploads();
      try_removal();
    } else {
      trials_.run("get", [&] { return read_something(); });
    }
    trials_.run("unfinished uploads", [&] { return count_uploads(); });
    trials_.take_away();
    return std::move(trials_).lines();
  }

 private:
  // Whether there is any sense in trying more.
  bool enter() {
    bool is_there = true;
    bool answers = true;
    const auto watched = [&](const auto& body) {
      return [&, body] {
        try {
          return body();
        } catch (const Error& error) {
          answers = answers && error.kind() != ErrorKind::kTransient;
          throw;
        }
      };
    };
    trials_.run("bucket", watched([&] {
                  is_there = bucket_.exists();
                  return is_there ? good() : failed("it is not there; create it or correct the URL");
                }));
    if (!is_there || !answers) return false;
    can_list_ = trials_.run("listing", watched([&] {
                              bucket_.list(folder(), [](const store::ObjectInfo&) { return false; });
                              return good();
                            }));
    return answers && trials_.may_go_on();
  }

  void look_at_bucket() {
    trials_.run("clock", [&] { return judge_clock(); });
    store::BucketState state;
    trials_.run("versioning", [&] {
      state = inspection_.state();
      return judge_versioning(state);
    });
    trials_.run("object lock", [&] { return judge_lock(state); });
  }

  Finding judge_clock() {
    const Time before = clock_.now();
    const auto theirs = inspection_.time_there();
    return engine::judge_clock(before, theirs, clock_.now());
  }

  void try_objects() {
    const std::string key = trials_.key("object");
    if (!trials_.run("put", [&] { return trials_.put_text(key, kText), good(); })) return;
    trials_.run("get", [&] { return compare(key); });
    trials_.run("ranged get", [&] { return compare_range(key); });
    trials_.run("head", [&] {
      const auto found = bucket_.stat(key);
      if (!found)
        return failed(key + " was put, and is not there; see what the store promises of consistency");
      if (found->size == kText.size()) return good();
      return failed(fmt::format("{} has {} bytes, the store says {}", key, kText.size(), found->size));
    });
    if (can_list_) trials_.run("listing of new objects", [&] { return find_in_listing(key); });
    trials_.run("encryption", [&] { return judge_encryption(key); });
    trials_.run("conditional put", [&] { return store_again(key); });
  }

  Finding compare(const std::string& key) {
    const auto found = store::read_text(bucket_, key);
    if (!found) return failed(key + " was put, and is not there; see what the store promises of consistency");
    if (*found == kText) return good();
    return failed(key + " was put, but is not what is read; find out who changes it");
  }

  Finding compare_range(const std::string& key) {
    constexpr std::uint64_t kFrom = 8;
    constexpr std::uint64_t kLength = 19;
    std::string found;
    stream::AppendTo into(found);
    const bool is_there = bucket_.read(key, {.offset = kFrom, .length = kLength}, into);
    if (is_there && found == kText.substr(kFrom, kLength)) return good();
    return failed("a range of " + key +
                  " is not what was asked for; restores need ranges: see what the store says of them");
  }

  Finding find_in_listing(const std::string& key) {
    bool is_listed = false;
    bucket_.list(key, [&](const store::ObjectInfo& object) {
      is_listed = object.key == key;
      return !is_listed;
    });
    if (is_listed) return good();
    return failed(
        key +
        " was put, and is not listed; backups and WAL would be overlooked: use a store that lists at once");
  }

  Finding judge_encryption(const std::string& key) {
    return engine::judge_encryption(inspection_.wanted_encryption(), inspection_.encryption_of(key));
  }

  Finding store_again(const std::string& key) {
    return judge_condition(inspection_.store_if_absent(key, "made by barman check-bucket a second time\n"));
  }

  void try_uploads() {
    const std::string key = trials_.key("parts");
    trials_.run("multipart upload", [&] {
      const store::UnfinishedUpload upload = trials_.begin(key);
      trials_.put(key, [&] {
        inspection_.complete(upload, {inspection_.send_part(upload, 1, stream::bytes_of(kText))});
      });
      trials_.forget(upload);
      return compare(key);
    });
    trials_.run("multipart abort", [&] { return give_up(trials_.key("abandoned")); });
  }

  Finding give_up(const std::string& key) {
    const store::UnfinishedUpload upload = trials_.begin(key);
    (void)inspection_.send_part(upload, 1, stream::bytes_of(kText));
    bucket_.withdraw(upload);
    const auto left = bucket_.unfinished_uploads(key);
    if (!std::ranges::none_of(left, [&](const auto& one) { return one.id == upload.id; })) {
      return failed(
          "an upload was withdrawn and is still there: unfinished ones would take room for ever; let a "
          "lifecycle rule of the bucket end them");
    }
    trials_.forget(upload);
    return good();
  }

  void try_removal() {
    const std::string single = trials_.key("single");
    const std::vector<std::string> several{trials_.key("object"), trials_.key("parts")};
    trials_.run("batch delete", [&] { return remove_several(several); });
    trials_.run("delete", [&] {
      trials_.put_text(single, kText);
      bucket_.remove(single);
      if (bucket_.stat(single)) return failed(single + " was removed and is still there");
      trials_.forget(single);
      return good();
    });
  }

  Finding remove_several(const std::vector<std::string>& keys) {
    if (const auto left = bucket_.remove_all(keys); !left.empty()) {
      return failed(fmt::format("{} cannot be removed: {}", left.front().key, left.front().reason));
    }
    for (const std::string& key : keys) {
      if (bucket_.stat(key)) return failed(key + " was removed and is still there");
      trials_.forget(key);
    }
    return good();
  }

  // What a server that only reads needs.
  Finding read_something() {
    std::string key;
    bucket_.list(folder(), [&](const store::ObjectInfo& object) {
      if (object.size > 0) key = object.key;
      return key.empty();
    });
    if (key.empty()) return good("there is nothing to read yet");
    std::string byte;
    stream::AppendTo into(byte);
    const bool is_there = bucket_.read(key, {.offset = 0, .length = 1}, into);
    return is_there ? good() : failed(key + " is listed, and is not there");
  }

  Finding count_uploads() {
    const Time now = clock_.now();
    const auto all = bucket_.unfinished_uploads(folder());
    const auto old = std::ranges::count_if(
        all, [&](const store::UnfinishedUpload& upload) { return now - upload.begun > kOldUpload; });
    if (old == 0) return good();
    return warning(fmt::format("{} older than a day take room: 'barman bucket-cleanup {}' removes them", old,
                               home_.server));
  }

  [[nodiscard]] std::string folder() const { return fmt::format("{}/", place_.folder); }

  const Home& home_;
  const ProbedPlace& place_;
  const Clock& clock_;
  store::Bucket& bucket_;
  store::Inspection& inspection_;
  Trials trials_;
  bool can_list_ = false;
};

}  // namespace

bool PlaceReport::passed() const {
  return std::ranges::none_of(lines,
                              [](const ProbeLine& line) { return line.verdict == ProbeVerdict::kFailed; });
}

std::vector<ProbedPlace> places_in_buckets(const Home& home) {
  std::vector<ProbedPlace> places;
  if (home.backup_bucket) places.push_back({home.backup_bucket, kCloudBackups});
  if (home.wal_bucket) places.push_back({home.wal_bucket, kCloudWals});
  return places;
}

PlaceReport probe_place(const Home& home, const ProbedPlace& place, const Clock& clock,
                        const std::stop_token& interrupted) {
  PlaceReport report{.what = place.folder == kCloudBackups ? "base backups" : "WAL",
                     .url = fmt::format("{}/{}/{}", place.home->url(), home.server, place.folder)};
  try {
    report.lines = PlaceProbe(home, place, clock, interrupted).run();
  } catch (const Error& error) {  // it cannot even be opened
    report.lines.push_back({.label = "bucket", .verdict = ProbeVerdict::kFailed, .hint = error.what()});
  }
  return report;
}

}  // namespace barman::engine
