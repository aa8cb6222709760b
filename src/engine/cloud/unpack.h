// The entries of an archive as files below a folder that was empty. Of two files of one name the last stays.
#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>

#include "codec/tar_reader.h"
#include "os/fd.h"
#include "os/write_back.h"

namespace barman::engine {

// What the archives of one folder share. May be used from several threads.
class UnpackFolder {
 public:
  explicit UnpackFolder(std::filesystem::path root) : root_(std::move(root)) {}

  // Makes the folder and those above it, all of which only we have made: a link that an archive planted is
  // never followed. Throws kCorrupt if something else is there.
  void make(const std::string& relative);
  [[nodiscard]] std::filesystem::path place_of(const std::string& relative) const { return root_ / relative; }
  // Gives global/pg_control its name, if it was among the files.
  void reveal_control_file();

 private:
  const std::filesystem::path root_;
  std::mutex mutex_;  // guards made_
  std::set<std::string, std::less<>> made_;
};

class Unpack final : public codec::TarReceiver {
 public:
  explicit Unpack(UnpackFolder& folder) : folder_(folder) {}

  void begin(const codec::TarEntry& entry) override;
  void data(stream::Bytes bytes) override;
  void end() override;

 private:
  UnpackFolder& folder_;
  os::Fd file_;
  std::filesystem::path path_;
  os::WriteBack write_back_;
};

}  // namespace barman::engine
