#include "os/work_ahead.h"

#include <algorithm>
#include <utility>

namespace barman::os {

WorkAhead::WorkAhead(unsigned workers, std::function<void()> at_start)
    : workers_(std::max(workers, 1U)), at_start_(std::move(at_start)) {}

WorkAhead::~WorkAhead() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void WorkAhead::submit(Job& job) {
  bool is_short_of_threads = false;
  {
    const std::lock_guard lock(mutex_);
    job.done = false;
    job.failure = nullptr;
    waiting_.push_back(&job);
    is_short_of_threads = threads_.size() < workers_ && busy_ + waiting_.size() > threads_.size();
  }
  if (is_short_of_threads) {
    const auto worker = static_cast<unsigned>(threads_.size());
    threads_.emplace_back([this, worker] { run(worker); });
  }
  changed_.notify_all();
}

bool WorkAhead::is_done(const Job& job) {
  const std::lock_guard lock(mutex_);
  return job.done;
}

void WorkAhead::wait_for(const Job& job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&job] { return job.done; });
  if (job.failure) std::rethrow_exception(job.failure);
}

void WorkAhead::run(unsigned worker) noexcept {
  if (at_start_) at_start_();
  while (Job* job = next()) {
    std::exception_ptr failure;
    try {
      job->work(worker);
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      --busy_;
      job->failure = failure;
      job->done = true;
    }
    changed_.notify_all();
  }
}

// Nothing when there is an end to it.
WorkAhead::Job* WorkAhead::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
  if (ended_) return nullptr;
  Job* job = waiting_.front();
  waiting_.pop_front();
  ++busy_;
  return job;
}

}  // namespace barman::os
