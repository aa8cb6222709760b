// Jobs on a few threads that work ahead of whoever takes their results, in order: what reads, compresses or
// fetches the next pieces while one is passed on.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace barman::os {

class WorkAhead {
 public:
  // One piece of work. Stays where it is from submit() until wait_for() has returned or thrown.
  struct Job {
    std::function<void(unsigned worker)> work{};  // `worker` counts from 0; no two threads have the same
    // For WorkAhead alone.
    bool done = false;
    std::exception_ptr failure{};
  };

  // Threads are started one by one, as there is work for them. Each calls `at_start` first.
  explicit WorkAhead(unsigned workers, std::function<void()> at_start = {});
  // Waits for the jobs under way; those that have not begun never do.
  ~WorkAhead();
  WorkAhead(const WorkAhead&) = delete;
  WorkAhead& operator=(const WorkAhead&) = delete;

  void submit(Job& job);
  [[nodiscard]] bool is_done(const Job& job);
  // Throws what the job threw.
  void wait_for(const Job& job);

 private:
  void run(unsigned worker) noexcept;
  Job* next();

  const unsigned workers_;
  const std::function<void()> at_start_;

  std::mutex mutex_;  // guards what follows, and the state of the jobs
  std::condition_variable changed_;
  std::deque<Job*> waiting_;
  unsigned busy_ = 0;
  bool ended_ = false;

  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace barman::os
