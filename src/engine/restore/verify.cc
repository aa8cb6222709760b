#include "engine/restore/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/final_files.h"
#include "engine/restore/member.h"
#include "engine/restore/pace.h"

namespace barman::engine {

namespace {

constexpr std::size_t kMostProblems = 100;  // that are told in words, of each backup

// Shared by the threads that read.
class FoundProblems {
 public:
  void add(std::string text) {
    const std::lock_guard lock(mutex_);
    if (found_.problems.size() < kMostProblems) {
      found_.problems.push_back(std::move(text));
    } else {
      ++found_.further;
    }
  }
  [[nodiscard]] MemberProblems take(std::string directory) {
    found_.directory = std::move(directory);
    return std::move(found_);
  }
  [[nodiscard]] bool none() const { return found_.problems.empty(); }

 private:
  std::mutex mutex_;
  MemberProblems found_;
};

// Takes a member's files, keeps nothing of them, and notes which are not as they should be.
class CheckingReceiver final : public MemberReceiver {
 public:
  CheckingReceiver(const ExpectedFiles& expected, FoundProblems& problems)
      : expected_(expected),
        problems_(problems),
        seen_(std::make_unique<std::atomic<bool>[]>(expected.files())) {}

  void directory(const std::string& /*path*/, unsigned /*mode*/) override {}

  std::unique_ptr<stream::Sink> file(const MemberFile& file) override {
    const auto place = expected_.place(file.path);
    if (!place) {
      problems_.add(fmt::format("\"{}\" is present on disk but not in the manifest", file.path));
      return nullptr;
    }
    const bool is_new = !seen_[*place].exchange(true);
    return std::make_unique<CheckedFile>(*this, file.path, is_new);
  }

  void tell_missing() {
    expected_.visit([&](const std::string& path) {
      if (!seen_[*expected_.place(path)])
        problems_.add(fmt::format("\"{}\" is present in the manifest but not on disk", path));
    });
  }

  [[nodiscard]] std::uint64_t good() const { return good_; }

 private:
  class CheckedFile final : public stream::Sink {
   public:
    CheckedFile(CheckingReceiver& owner, std::string path, bool is_new)
        : owner_(owner), path_(std::move(path)), is_new_(is_new), checksum_(owner.expected_.kind()) {}

    void write(stream::Bytes data) override {
      checksum_.update(data.data(), data.size());
      size_ += data.size();
    }
    void finish() override {
      if (owner_.expected_.compare(path_, size_, checksum_.hex()) == ExpectedFiles::Verdict::kSame) {
        owner_.good_ += is_new_ ? 1 : 0;
      } else {
        owner_.problems_.add(fmt::format("\"{}\" has another size or checksum than in the manifest", path_));
      }
    }

   private:
    CheckingReceiver& owner_;
    std::string path_;
    bool is_new_;  // not one that comes again
    pgformat::Checksum checksum_;
    std::uint64_t size_ = 0;
  };

  const ExpectedFiles& expected_;
  FoundProblems& problems_;
  std::unique_ptr<std::atomic<bool>[]> seen_;
  std::atomic<std::uint64_t> good_{0};
};

// What keeps the backup from being read further is one more problem of it.
template <class Body>
void note_failure(FoundProblems& problems, Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCancelled) throw;
    problems.add(e.what());
  }
}

// The manifest, for which there is no substitute.
KeptManifest required_manifest(const OpenMember& member, const Home& home, const catalog::BackupInfo& info) {
  if (member.manifest) return *member.manifest;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("{} is missing: without a manifest a backup cannot be verified; 'barman "
                          "generate-manifest {} {}' describes what is there",
                          manifest_name(home, info), home.server, info.id.text));
}

std::uint64_t verify_member(const Home& home, const catalog::BackupInfo& info, const VerifyRequest& request,
                            FoundProblems& problems, Pace& pace, const std::stop_token& stop) {
  std::uint64_t good = 0;
  note_failure(problems, [&] {
    const OpenMember member = open_member(home, info, request.format);
    const ExpectedFiles expected(required_manifest(member, home, info));
    CheckingReceiver receiver(expected, problems);
    member.files->read(receiver, {.workers = request.jobs, .pace = pace, .stop = stop});
    receiver.tell_missing();
    good = receiver.good();
  });
  return good;
}

// Whether the members belong together.
void verify_fit(const Home& home, const VerifyRequest& request, FoundProblems& problems) {
  note_failure(problems, [&] {
    std::vector<KeptManifest> manifests;
    std::vector<std::string> names;
    for (const catalog::BackupInfo& info : request.chain) {
      manifests.push_back(required_manifest(open_member(home, info, request.format), home, info));
      names.push_back(info.id.text);
    }
    const FinalFiles files(std::move(manifests), std::move(names));
  });
}

}  // namespace

VerifyResult verify_backup(const Home& home, const VerifyRequest& request, Clock& clock, Events& events,
                           const std::stop_token& stop) {
  VerifyResult result;
  std::uint64_t expected_bytes = 0;
  for (const catalog::BackupInfo& info : request.chain) expected_bytes += info.size.value_or(0);
  const auto report = [&](std::uint64_t done) {
    events.progress({.phase = "verifying", .done = done, .expected = std::max(done, expected_bytes)});
  };
  Pace pace(std::nullopt, report, clock, stop);
  for (const catalog::BackupInfo& info : request.chain) {
    FoundProblems problems;
    result.files += verify_member(home, info, request, problems, pace, stop);
    const bool is_last = &info == &request.chain.back();
    if (is_last && problems.none() && result.damaged.empty()) verify_fit(home, request, problems);
    if (!problems.none()) result.damaged.push_back(problems.take(backup_place(home, info)));
  }
  return result;
}

}  // namespace barman::engine
