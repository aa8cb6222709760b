// The archive in a bucket (keys: engine/server/cloud_keys.h). A file's form shows in the suffix of its key,
// and nothing has to be opened to list it. One name may be stored in several forms, by several programs or
// configurations; the first of them is read, and all are removed.
#pragma once

#include <functional>
#include <string>

#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/wal/wal_archive.h"

namespace barman::engine {

class BucketArchive final : public WalArchive {
 public:
  explicit BucketArchive(BucketHome& home) : home_(home) {}

  [[nodiscard]] std::vector<std::optional<WalFile>> find(std::span<const std::string> names) override;
  [[nodiscard]] std::vector<std::string> folders() override;
  [[nodiscard]] std::vector<std::string> names_in(const std::string& folder) override;
  void scan(const WalFormat* format, const ArchiveVisitor& visitor) override;
  [[nodiscard]] std::optional<catalog::WalEntry> describe(const WalFile& wal,
                                                          const WalFormat& format) override;
  void read(const WalFile& wal, stream::Sink& into) override;
  void fetch(const WalFile& wal, const WalFormat& format, const std::filesystem::path& to,
             const std::stop_token& stop) override;
  [[nodiscard]] WalRemains remove(std::span<const std::string> names, std::size_t batch) override;
  [[nodiscard]] std::string place(const WalFile& wal) const override { return home_.full_key(wal.key); }
  [[nodiscard]] std::vector<std::string> places(std::span<const std::string> names) override;
  [[nodiscard]] Likeness compare(const std::filesystem::path& arrived, const WalFile& archived,
                                 const WalFormat& format) override;
  [[nodiscard]] std::optional<catalog::WalEntry> store(const std::filesystem::path& arrived,
                                                       const WalFormat::Storing& storing,
                                                       const std::stop_token& stop) override;
  // An object is durable when it is there.
  void settle(std::span<const std::string>, std::span<const std::string>) override {}

 private:
  // Calls `visit` with each object that is stored under one of the names, from several threads but one at a
  // time.
  using Visit = std::function<void(const CloudWal&, const store::ObjectInfo&)>;
  void visit_named(std::span<const std::string> names, const Visit& visit);

  BucketHome& home_;
};

}  // namespace barman::engine
