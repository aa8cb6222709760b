// A test that restores the chain of a fixture.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/restore/chain_fixture.h"
#include "engine/restore/restore.h"

namespace barman::engine {

class LateClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(std::chrono::seconds(2000)); }
  bool sleep(std::chrono::milliseconds, const std::stop_token&) override { return true; }
};

class ChainRestoreTest : public testing::Test {
 protected:
  ChainRestoreTest() {
    request.destination = fixture.folder / "to";
    request.tablespaces = {{"far", (fixture.folder / "to-far").string()}};
    request.jobs = 2;
    request.get_wal_command = "true";
  }

  RestoreResult restore() {
    request.chain = fixture.chain;
    request.backup = fixture.chain.back();
    const RestorePlan plan = plan_restore(fixture.home, request, {}, clock.now());
    planned = plan.bytes;
    leftovers = plan.leftovers;
    return execute_restore(fixture.home, request, plan, clock, events, stop.get_token());
  }

  // What it says; "none" if the restore comes to its end.
  std::string failure() {
    try {
      restore();
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  }

  [[nodiscard]] std::filesystem::path restored_file(const std::string& name) const {
    return request.destination / name;
  }
  [[nodiscard]] std::string restored(const std::string& name) const {
    return os::read_file(restored_file(name)).value_or("(none)");
  }
  [[nodiscard]] bool can_be_started() const {
    return std::filesystem::exists(restored_file("global/pg_control"));
  }

  [[nodiscard]] std::filesystem::path member_file(std::size_t member, const std::string& path) const {
    return fixture.place(fixture.chain[member], path);
  }
  static void flip_bit(const std::filesystem::path& path, std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  ChainFixture fixture;
  RestoreRequest request;
  LateClock clock;
  RecordedEvents events;
  std::stop_source stop;
  std::uint64_t planned = 0;  // bytes, by the last restore
  Leftovers leftovers;
};

}  // namespace barman::engine
