#include "engine/check_bucket/trial.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace barman::engine {
namespace {

// An answer that did not come may have been a good one.
bool is_unclear(const Error& error) {
  return error.kind() == ErrorKind::kTransient || error.kind() == ErrorKind::kCancelled;
}

}  // namespace

std::string Trials::words_for(const Error& error) const {
  switch (error.kind()) {
    case ErrorKind::kCancelled:
      return interrupted_.stop_requested()
                 ? "interrupted"
                 : "no answer in time; see whether the store is well, or give it more with --check-timeout";
    case ErrorKind::kTransient:
      return fmt::format("{}; see that the store is well and can be reached, and try again", error.what());
    default:
      return error.what();
  }
}

bool Trials::run(const std::string& label, const std::function<Finding()>& body) {
  if (over_) return false;
  ProbeLine line{.label = label};
  try {
    Finding finding = body();
    line.verdict = finding.verdict;
    line.hint = std::move(finding.hint);
  } catch (const Error& error) {
    is_stopped_ = error.kind() == ErrorKind::kCancelled;
    over_ = is_stopped_ || error.kind() == ErrorKind::kUsage ||
            dynamic_cast<const store::NotLetIn*>(&error) != nullptr;
    line.verdict = ProbeVerdict::kFailed;
    line.hint = words_for(error);
  }
  lines_.push_back(line);
  return line.verdict != ProbeVerdict::kFailed;
}

void Trials::put(const std::string& key, const std::function<void()>& step) {
  keys_.insert(key);
  try {
    step();
  } catch (const Error& error) {
    if (!is_unclear(error)) keys_.erase(key);
    throw;
  }
}

void Trials::put_text(const std::string& key, std::string_view text) {
  put(key, [&] { store::write_text(bucket_, key, text); });
}

store::UnfinishedUpload Trials::begin(const std::string& key) {
  try {
    uploads_.push_back(bucket_.inspection().begin_upload(key));
  } catch (const Error& error) {
    is_upload_unclear_ = is_upload_unclear_ || is_unclear(error);
    throw;
  }
  return uploads_.back();
}

void Trials::forget(const store::UnfinishedUpload& upload) {
  std::erase_if(uploads_, [&](const store::UnfinishedUpload& one) { return one.id == upload.id; });
}

void Trials::take_away() {
  if (is_stopped_) bucket_.begin_cleaning_up();
  std::vector<std::string> left = try_to_take_away();
  if (!left.empty() && !is_stopped_) {
    // Perhaps a stop came in between.
    bucket_.begin_cleaning_up();
    left = try_to_take_away();
  }
  if (left.empty()) return;
  lines_.push_back(
      {.label = "clean-up",
       .verdict = ProbeVerdict::kFailed,
       .hint = fmt::format("still there: {}; barman bucket-cleanup removes it when that is possible",
                           fmt::join(left, "; "))});
}

std::vector<std::string> Trials::try_to_take_away() {
  std::vector<std::string> left;
  const auto attempt = [&](const std::string& what, const std::function<void()>& body) {
    try {
      body();
      return true;
    } catch (const Error& error) {
      left.push_back(fmt::format("{} ({})", what, error.what()));
      return false;
    }
  };
  if (is_upload_unclear_) {
    attempt("perhaps an upload of " + stem_, [&] {
      for (store::UnfinishedUpload& upload : bucket_.unfinished_uploads(stem_)) uploads_.push_back(upload);
    });
  }
  for (const store::UnfinishedUpload& upload : std::vector(uploads_)) {
    if (attempt("an upload of " + upload.key, [&] { bucket_.withdraw(upload); })) forget(upload);
  }
  for (const std::string& key : std::set(keys_)) {
    const bool is_gone = attempt(key, [&] {
      for (const store::NotRemoved& one : bucket_.remove_all({key}))
        throw Error(ErrorKind::kFailed, one.reason);
    });
    if (is_gone) keys_.erase(key);
  }
  return left;
}

}  // namespace barman::engine
