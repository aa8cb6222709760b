#include "os/work_ahead.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <set>
#include <stdexcept>

namespace barman::os {
namespace {

TEST(WorkAhead, EveryJobIsDoneOnce) {
  std::array<WorkAhead::Job, 200> jobs{};
  std::array<int, 200> done{};
  WorkAhead ahead(3);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].work = [&done, i](unsigned) { ++done[i]; };
    ahead.submit(jobs[i]);
  }
  for (const auto& job : jobs) ahead.wait_for(job);
  for (const auto& job : jobs) EXPECT_TRUE(ahead.is_done(job));
  for (const int times : done) EXPECT_EQ(times, 1);
}

TEST(WorkAhead, AJobCanBeGivenAgain) {
  int done = 0;
  WorkAhead::Job job{.work = [&done](unsigned) { ++done; }};
  WorkAhead ahead(1);
  for (int i = 1; i <= 3; ++i) {
    ahead.submit(job);
    ahead.wait_for(job);
    EXPECT_EQ(done, i);
  }
}

TEST(WorkAhead, WhatAJobThrowsComesOutOfItsWaitAlone) {
  WorkAhead ahead(2);
  WorkAhead::Job bad{.work = [](unsigned) { throw std::runtime_error("no"); }};
  WorkAhead::Job good{.work = [](unsigned) {}};
  ahead.submit(bad);
  ahead.submit(good);
  ahead.wait_for(good);
  EXPECT_THROW(ahead.wait_for(bad), std::runtime_error);
}

TEST(WorkAhead, WorkersHaveNumbersOfTheirOwnAndStartOnce) {
  std::atomic<int> started = 0;
  std::array<WorkAhead::Job, 3> jobs{};
  std::array<std::atomic<int>, 3> by{};
  std::atomic<int> together = 0;
  {
    WorkAhead ahead(3, [&started] { ++started; });
    for (auto& job : jobs) {
      job.work = [&](unsigned worker) {
        ++by.at(worker);
        ++together;
        while (together < 3) std::this_thread::yield();  // so that each has a thread of its own
      };
      ahead.submit(job);
    }
    for (const auto& job : jobs) ahead.wait_for(job);
  }
  EXPECT_EQ(started, 3);
  for (const auto& count : by) EXPECT_EQ(count, 1);
}

TEST(WorkAhead, ItEndsWithJobsThatNobodyWaitsFor) {
  std::array<WorkAhead::Job, 50> jobs{};
  std::atomic<int> done = 0;
  {
    WorkAhead ahead(2);
    for (auto& job : jobs) {
      job.work = [&done](unsigned) { ++done; };
      ahead.submit(job);
    }
  }
  EXPECT_LE(done, 50);
}

}  // namespace
}  // namespace barman::os
