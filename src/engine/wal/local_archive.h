// The archive in a folder: <wals>/<timeline and log>/<segment>, <wals>/<timeline>.history. A file's form
// shows in its first bytes.
#pragma once

#include "engine/wal/wal_archive.h"

namespace barman::engine {

class LocalArchive final : public WalArchive {
 public:
  // Of a home that keeps its WAL in a folder.
  explicit LocalArchive(const Home& home) : home_(home) {}

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
  [[nodiscard]] std::string place(const WalFile& wal) const override { return wal.key; }
  [[nodiscard]] std::vector<std::string> places(std::span<const std::string> names) override;
  [[nodiscard]] Likeness compare(const std::filesystem::path& arrived, const WalFile& archived,
                                 const WalFormat& format) override;
  [[nodiscard]] std::optional<catalog::WalEntry> store(const std::filesystem::path& arrived,
                                                       const WalFormat::Storing& storing,
                                                       const std::stop_token& stop) override;
  void settle(std::span<const std::string> fresh, std::span<const std::string> found) override;

 private:
  const Home& home_;
};

}  // namespace barman::engine
