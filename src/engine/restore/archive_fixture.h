// Turns plain backups of a fixture into archives, by the tar program: for tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "codec/compress.h"
#include "engine/restore/chain_fixture.h"
#include "engine/server/archive_name.h"
#include "engine/wal/fake_gpg.h"

namespace barman::engine {

class ArchiveFixture {
 public:
  ArchiveFixture() { std::signal(SIGPIPE, SIG_IGN); }  // gpg need not read everything

  // Leaves of the member what a backup in tar format has.
  static void archive(const ChainFixture& fixture, std::size_t member, const ArchiveName& form) {
    const catalog::BackupInfo& info = fixture.chain[member];
    const auto data = fixture.home.data(info.id);
    const auto tablespace = fixture.home.backup(info.id) / "16384";
    pack(data, "--exclude=./backup_manifest", fixture.folder / "base.tar");
    pack(tablespace, "", fixture.folder / "16384.tar");
    run(fmt::format("cd {} && find . -mindepth 1 -maxdepth 1 ! -name backup_manifest -exec rm -r {{}} +",
                    data.string()));
    run(fmt::format("rm -r {}/* || true", tablespace.string()));
    for (const char* stem : {"base", "16384"}) {
      ArchiveName name = form;
      name.stem = stem;
      store(fixture.folder / (std::string(stem) + ".tar"), data, name);
    }
  }

  [[nodiscard]] WalFormat format() { return gpg_.format({}, "echo sesame"); }
  [[nodiscard]] WalFormat format_with(const std::string& passphrase_command) {
    return gpg_.format({}, passphrase_command);
  }

  static void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

 private:
  static void pack(const std::filesystem::path& folder, const char* option, const std::filesystem::path& to) {
    run(
        fmt::format("cd {} && find . -mindepth 1 | sed 's,^./,,' | sort | tar --no-recursion {} "
                    "--exclude=backup_manifest -cf {} -T -",
                    folder.string(), option, to.string()));
  }

  static void store(const std::filesystem::path& tar, const std::filesystem::path& folder,
                    const ArchiveName& name) {
    std::vector<stream::Stage> stages;
    if (name.compression)
      stages.push_back(codec::compress(*name.compression, codec::medium_level(*name.compression), 1));
    const auto to = folder / format_archive_name(name);
    const auto path = stream::chain(stages, os::create_file(to));
    stream::pump(*os::open_file(tar), *path);
    path->finish();
    std::filesystem::remove(tar);
    if (!name.encrypted) return;
    const std::string file = to.string();
    run(fmt::format("(printf '\\204\\005\\003kkkk\\247'; tr a-z b-za < {0}) > {0}.new && mv {0}.new {0}",
                    file));
  }

  FakeGpg gpg_;
};

}  // namespace barman::engine
