// Restores a backup that is kept as plain files and is not compared with what stands in the destination by
// its manifest: folder by folder.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "engine/events.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/restore_plan.h"

namespace barman::engine {

void tell_that_nothing_is_checked(Events& events);

class PlainCopy {
 public:
  // Reads the manifest, if there is one and it is wanted. What is given outlives this.
  PlainCopy(const Home& home, const RestoreRequest& request, const RestorePlan& plan, Events& events);

  // Copies all files but pg_control to the prepared folders. Throws kCorrupt, naming it, for one that is not
  // as the manifest says or is missing.
  void copy_files(Clock& clock, const std::stop_token& stop);

  // The last one, durably, under the name that it has until the end (kControlUnderWay).
  void copy_control_file();

  [[nodiscard]] std::uint64_t checked_files() const { return checked_files_; }

 private:
  std::uint64_t copy_folder_of(const RestoreFolder& folder, std::uint64_t before, Clock& clock,
                               const std::stop_token& stop);
  void require_all_files() const;

  const Home& home_;
  const RestoreRequest& request_;
  const RestorePlan& plan_;
  Events& events_;
  std::unique_ptr<ExpectedFiles> expected_;  // none: bytes are not looked at
  std::uint64_t checked_files_ = 0;
};

}  // namespace barman::engine
