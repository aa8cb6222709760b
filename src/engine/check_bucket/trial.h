// One trial after the other in a bucket: what each finds is a line, what each puts is taken away in the end.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/check_bucket/finding.h"
#include "store/inspection.h"

namespace barman::engine {

class Trials {
 public:
  // Keys begin with `stem`. The bucket outlives this; `interrupted` tells whether a person wants it to end.
  Trials(store::Bucket& bucket, std::string stem, std::stop_token interrupted)
      : bucket_(bucket), stem_(std::move(stem)), interrupted_(std::move(interrupted)) {}

  // Whether to go on: the bucket answers, and knows us.
  [[nodiscard]] bool may_go_on() const { return !over_; }

  // Adds a line, and returns whether it did not fail; does nothing if it is over.
  bool run(const std::string& label, const std::function<Finding()>& body);

  [[nodiscard]] std::string key(std::string_view word) const { return stem_ + "-" + std::string(word); }
  // Puts an object with `step`. From now on it is ours to take away, unless the bucket refused it.
  void put(const std::string& key, const std::function<void()>& step);
  void put_text(const std::string& key, std::string_view text);
  store::UnfinishedUpload begin(const std::string& key);
  void forget(const std::string& key) { keys_.erase(key); }
  void forget(const store::UnfinishedUpload& upload);

  // Takes away what is still there. What cannot be is a line that failed.
  void take_away();

  [[nodiscard]] std::vector<ProbeLine> lines() && { return std::move(lines_); }

 private:
  [[nodiscard]] std::string words_for(const Error& error) const;
  [[nodiscard]] std::vector<std::string> try_to_take_away();

  store::Bucket& bucket_;
  const std::string stem_;
  const std::stop_token interrupted_;
  std::vector<ProbeLine> lines_;
  std::set<std::string> keys_;  // that may be there
  std::vector<store::UnfinishedUpload> uploads_;
  bool is_upload_unclear_ = false;  // the answer to a begin() did not come
  bool over_ = false;
  bool is_stopped_ = false;
};

}  // namespace barman::engine
