// A Replication over libpq.
#pragma once

#include "postgres/connection.h"
#include "postgres/replication.h"

namespace barman::postgres {

class LibpqReplication final : public Replication {
 public:
  // Throws kFailed if the server is older than we know to talk to.
  LibpqReplication(const Parameters& parameters, const ConnectOptions& options);

  [[nodiscard]] int server_version() const override { return connection_.server_version(); }
  SystemIdentity identify_system() override;
  pgformat::SegmentSize wal_segment_size() override;
  std::string timeline_history(pgformat::Timeline timeline) override;
  void base_backup(const BaseBackupOptions& options, BaseBackupReceiver& receiver,
                   const std::stop_token& stop) override;
  void stream_wal(const StreamOptions& options, WalReceiver& receiver, const std::stop_token& stop) override;
  void create_slot(const std::string& name, bool reserve_wal) override;
  void drop_slot(const std::string& name) override;
  std::optional<SlotInfo> read_slot(const std::string& name) override;

 private:
  Result execute(std::string_view doing, const std::string& command);

  std::chrono::milliseconds timeout_;
  std::stop_token stop_;
  Connection connection_;
};

// "16MB", "1GB" in bytes; nothing unless it is a size that a WAL segment can have.
std::optional<pgformat::SegmentSize> parse_segment_size(std::string_view text);

}  // namespace barman::postgres
