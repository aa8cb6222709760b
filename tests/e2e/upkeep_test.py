#!/usr/bin/env python3
"""Commands that look after backups and WAL that are there already, with the original as referee."""

import json
import os

import harness
from harness import EndToEnd, on_versions
from recorded import FAILED, FULL, INCREMENTAL, LATEST, RSYNC, RecordedCatalogue, segment


class Keeping(RecordedCatalogue):
    def kept(self, backup):
        """What the catalogue says, byte for byte."""
        path = self.ours.directory("main", "meta", f"{backup}-keep")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_keep_says_what_the_original_says(self):
        harness.original_barman()
        for words in (["main", FULL], ["--status", "main", FULL], ["--target", "full", "main", INCREMENTAL],
                      ["--target", "full", "main", FAILED], ["--target", "full", "main", LATEST],
                      ["--target", "standalone", "main", "first one"], ["--status", "main", FULL], ["--status", "--release", "main", FULL]):
            self.assert_same(self.ours, "keep", *words)
        self.assert_same(self.ours, "-f", "json", "keep", "-s", "main", FULL)
        self.assertEqual(self.kept(FULL), "standalone")

    def test_a_kept_backup_stays_until_it_is_released(self):
        self.ours.server("main", retention_policy="redundancy 1", minimum_redundancy=0)
        self.ours.ok("keep", "--target", "full", "main", FULL)
        self.assertEqual(self.kept(FULL), "full")
        self.assert_fails(self.ours.run("delete", "main", FULL), says="keep request")
        self.ours.ok("cron")
        self.assertIn(FULL, self.ours.backup_ids("main"))
        self.ours.ok("keep", "--release", "main", FULL)
        self.assertEqual(self.kept(FULL), None)
        self.ours.ok("delete", "main", FULL)
        self.assertNotIn(FULL, self.ours.backup_ids("main"))

    def test_retention_leaves_of_kept_backups_what_the_original_leaves(self):
        harness.original_barman()
        for target in ("full", "standalone"):
            with self.subTest(target=target):
                ours, other = self.scene(f"ours-{target}"), self.scene(f"other-{target}")
                for barman in (ours, other):
                    os.remove(barman.directory("main", "meta", f"{LATEST}-backup.info"))  # cron would check it meanwhile
                    self.remove(barman.directory("main", "base", LATEST))
                    self.record(barman, LATEST, begin_wal=segment(15), end_wal=segment(16))
                    barman.server("main", retention_policy="redundancy 1")
                    barman.ok("keep", "--target", target, "main", FULL)
                ours.ok("cron")
                self.assertEqual(other.original("cron").code, 0)
                self.assertEqual(self.state(ours), self.state(other))
                kept = [segment(5), segment(6)] + [segment(i) for i in range(15, 21)]
                self.assertEqual(ours.archived_wal("main"), kept if target == "standalone" else [segment(i) for i in range(3, 21)])

    def test_what_is_being_deleted_is_not_kept(self):
        self.write(self.ours, "delete", "meta", f"{FULL}-delete_this")
        self.assert_fails(self.ours.run("keep", "--target", "full", "main", FULL), says="deletion has begun")
        self.assertEqual(self.kept(FULL), None)


class ArchivedWal(RecordedCatalogue):
    def test_the_archive_is_found_used_as_the_original_finds_it(self):
        harness.original_barman()
        for timeline in ([], ["--timeline", 1], ["--timeline", 2]):
            self.assert_same(self.ours, "check-wal-archive", *timeline, "main")
        self.assert_same(self.ours, "-f", "json", "check-wal-archive", "main")
        self.assert_same(self.ours, "-f", "json", "check-wal-archive", "--timeline", 2, "main")

    def test_files_that_the_index_lost_are_in_the_way_too(self):
        self.write(self.ours, "", "wals", "main-xlog.db")
        self.assert_fails(self.ours.run("check-wal-archive", "main"), says="Expected empty archive")
        self.remove(self.ours.directory("main", "wals", segment(1)[:16]))
        self.ours.ok("check-wal-archive", "main")

    def test_gaps_are_named_as_the_original_names_them(self):
        harness.original_barman()
        os.remove(self.ours.directory("main", "wals", segment(7)[:16], segment(7)))
        for form in ([], ["-f", "json"]):
            for begin, end in ((segment(8), segment(20)), (segment(2), segment(8)), (segment(254), segment(257)), (segment(9), segment(8))):
                self.assert_same(self.ours, *form, "check-archived-wal-range", "main", begin, end)
        for begin, end in (("foo", segment(8)), (segment(8), f"{segment(9)}.partial"), (segment(5), segment(6, timeline=2))):
            self.assert_same(self.ours, "check-archived-wal-range", "main", begin, end)
        self.remove(self.ours.directory("main", "meta"))
        self.assert_same(self.ours, "-f", "json", "check-archived-wal-range", "main", segment(8), segment(9))


class InactiveServers(RecordedCatalogue):
    def test_what_was_kept_is_there_and_nothing_new_comes(self):
        self.ours.server("main", active="false", conninfo=None, streaming_conninfo=None)
        for words in (["list-backups", "main"], ["show-backup", "main", FULL], ["list-files", "main", FULL], ["show-servers", "main"],
                      ["check", "main"], ["check-backup", "main", LATEST], ["keep", "--target", "full", "main", FULL],
                      ["get-wal", "-p", "1", "main", segment(5)], ["check-archived-wal-range", "main", segment(5), segment(9)],
                      ["list-processes", "main"], ["cron"], ["delete", "main", FAILED]):
            self.assertNotIn("inactive server", self.ours.ok(*words).out)
        self.assert_fails(self.ours.run("check-wal-archive", "main"), says="Expected empty archive")
        before = self.state(self.ours)
        for words in (["backup", "main"], ["archive-wal", "main"], ["receive-wal", "main"], ["switch-wal", "main"],
                      ["rebuild-xlogdb", "main"], ["generate-manifest", "main", RSYNC]):
            self.assertEqual(self.ours.ok(*words).out, "Skipping inactive server 'main'\n")
        self.assertEqual(self.state(self.ours), before)

    def test_disabled_servers_are_looked_at(self):
        self.ours.server("main", errors_directory=self.ours.directory("main", "base"))
        for words in (["keep", "--status", "main", FULL], ["check-archived-wal-range", "main", segment(5), segment(9)],
                      ["check-backup", "main", LATEST], ["list-processes", "main"]):
            self.ours.ok(*words)
        self.assert_fails(self.ours.run("generate-manifest", "main", RSYNC), says="Conflicting path")
        self.assertIn("Verifying backup", self.ours.run("verify-backup", "main", RSYNC).out)


class Manifests(EndToEnd):
    def listed(self, manifest):
        """What a manifest says beside its checksums and times."""
        with open(manifest, encoding="utf-8") as file:
            said = json.load(file)
        files = {one["Path"]: one["Size"] for one in said.pop("Files")}
        return files, {name: value for name, value in said.items() if name != "Manifest-Checksum"}

    @on_versions(15, 17, 18)
    def test_a_generated_manifest_is_as_good_as_the_server_s(self, version):
        cluster, barman = self.streaming(version)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE t TABLESPACE elsewhere AS SELECT generate_series(1, 1000)")
        barman.ok("backup", "main")
        manifest = barman.directory("main", "base", barman.backup_ids("main")[0], "data", "backup_manifest")
        self.assert_fails(barman.run("generate-manifest", "main", "latest"), says="backup_manifest already exists")
        before = self.listed(manifest)
        os.remove(manifest)
        done = barman.ok("generate-manifest", "main", "latest")
        self.assertEqual(done.out, "Backup manifest for backup 'latest' successfully generated for server ['main']\n")
        self.assertEqual(self.listed(manifest), before)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", os.path.dirname(manifest)])
        barman.ok("verify-backup", "main", "latest")

    def test_a_generated_manifest_of_archives_is_as_good_as_the_server_s(self):
        cluster, barman = self.streaming(18)
        barman.server("main", backup_compression="zstd")
        barman.ok("backup", "main")
        manifest = barman.directory("main", "base", barman.backup_ids("main")[0], "data", "backup_manifest")
        before = self.listed(manifest)
        os.remove(manifest)
        self.assertEqual(barman.json("generate-manifest", "main", "latest")["_INFO"],
                         ["Backup manifest for backup 'latest' successfully generated for server ['main']"])
        self.assertEqual(self.listed(manifest), before)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", "-F", "tar", os.path.dirname(manifest)])


if __name__ == "__main__":
    harness.main()
