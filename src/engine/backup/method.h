// How the files of a backup get to where it is kept: what differs between the values of backup_method.
#pragma once

#include <cstdint>
#include <string_view>

namespace barman::engine {

struct StoredSize {
  std::uint64_t bytes = 0;
  std::uint64_t unique_bytes = 0;  // that are this backup's alone
};

// The steps of one backup, in their order. What they learn goes into the record.
class BackupMethod {
 public:
  virtual ~BackupMethod() = default;

  // For the record.
  [[nodiscard]] virtual std::string_view mode() const = 0;

  // Before there is a record. Throws what makes this backup impossible.
  virtual void prepare() = 0;
  // Afterwards it is known where the backup begins, and that it is STARTED.
  virtual void start() = 0;
  virtual void copy() = 0;
  // Afterwards it is known where the backup ends.
  virtual void stop() = 0;
  [[nodiscard]] virtual StoredSize measure() = 0;
};

}  // namespace barman::engine
