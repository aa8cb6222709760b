#!/usr/bin/env python3
"""Backups kept as archives: compressed by us or by the server, encrypted, incremental. The tools of each format, gpg,
pg_verifybackup and the original are the referees."""

import os
import re
import shutil
import signal

import harness
from gnupg import Keyring
from harness import EndToEnd, on_versions, wait_until
from restoring import read
from unpacking import FORMATS, unpacked

SECRET = "never on disk in plain text"


class Archives(EndToEnd):
    def scene(self, version=15, settings=None, **options):
        cluster, barman = self.streaming(version, settings=settings)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE afar TABLESPACE elsewhere AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        barman.server("main", **options)
        return cluster, barman

    def back_up(self, barman, *more):
        barman.ok("backup", "--wait", "--immediate-checkpoint", *more, "main", timeout=300)
        return barman.backup_ids("main")[-1]

    def data(self, barman, backup, *below):
        return barman.directory("main", "base", backup, "data", *below)

    def oid(self, barman, backup):
        return re.search(r"\('elsewhere', (\d+),", barman.backup_info("main", backup)["tablespaces"]).group(1)

    def assert_names(self, barman, backup, extension):
        """The files that a backup in archives has, and no others."""
        oid = self.oid(barman, backup)
        self.assertEqual(sorted(os.listdir(self.data(barman, backup))), sorted([f"base.tar{extension}", f"{oid}.tar{extension}", "backup_manifest"]))
        self.assertEqual(sorted(os.listdir(barman.directory("main", "base", backup))), sorted(["data", oid]))
        self.assertEqual(os.listdir(barman.directory("main", "base", backup, oid)), [])
        self.assertEqual(os.stat(self.data(barman, backup, f"base.tar{extension}")).st_mode & 0o077, 0)

    def encrypt(self, barman, **options):
        self.keyring = Keyring(self.scratch)
        key = self.keyring.make("locked", Keyring.passphrase)
        barman.server("main", encryption="gpg", encryption_key_id=key, backup_compression_format="tar",
                      encryption_passphrase_command=f"echo '{Keyring.passphrase}'", **options)

    def unpacked(self, cluster, barman, backup):
        """The tree that the tools of the formats make of it."""
        tree = os.path.join(self.scratch.path, f"tree-{backup}")
        return unpacked(cluster, tree, self.data(barman, backup), getattr(self, "keyring", None))

    def assert_whole(self, cluster, barman, backup, extension):
        self.assert_names(barman, backup, extension)
        tree = self.unpacked(cluster, barman, backup)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", tree])
        self.assertRegex(read(f"{tree}/tablespace_map"), rf"^{self.oid(barman, backup)} /")
        self.assertEqual(os.listdir(f"{tree}/pg_tblspc"), [self.oid(barman, backup)])
        info = barman.backup_info("main", backup)
        self.assertEqual(info["status"], "DONE")
        self.assertEqual(int(info["size"]), sum(os.path.getsize(path) for path in self.files(barman, backup)))
        self.assertEqual(info["deduplicated_size"], info["size"])
        self.assertIn("START WAL LOCATION", info["backup_label"])
        shutil.rmtree(tree)
        shutil.rmtree(f"{tree}-{self.oid(barman, backup)}")

    def files(self, barman, backup):
        return [os.path.join(folder, name) for folder, _, names in os.walk(barman.directory("main", "base", backup)) for name in names]

    def place(self, name):
        path = os.path.join(self.scratch.path, name)
        return path, ["--tablespace", f"elsewhere:{path}-ts"]

    def assert_comes_back(self, cluster, barman, backup, name, command=None):
        """Restored by ours (or by `command`), it starts and holds what the source does."""
        destination, moved = self.place(name)
        done = (command or barman.run)("restore", *moved, "main", backup, destination)
        self.assertEqual(done.code, 0, str(done))
        if not command:
            cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
        server = self.restored(cluster.version, destination, name=name)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        sums = "SELECT count(*), sum(hashtext(t)) FROM afar"
        self.assertEqual(server.sql(sums), cluster.sql(sums))
        server.stop()


class OnThisSide(Archives):
    @on_versions(15, 18)
    def test_every_compression(self, version):
        cluster, barman = self.scene(version)
        for name, (extension, _) in FORMATS.items():
            if version == 15 and name in ("bzip2", "xz"):
                continue  # made from the same stream as gzip
            with self.subTest(name):
                barman.server("main", backup_compression=name)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, extension)
                self.assertEqual(barman.backup_info("main", backup)["compression"], name)
                self.assertEqual(barman.backup_info("main", backup)["encryption"], "None")
                self.assertEqual(sorted(barman.ok("list-files", "--target", "data", "main", backup).out.splitlines()),
                                 sorted(self.files(barman, backup)))
                barman.ok("verify-backup", "main", backup)
                if version == 18:
                    self.assert_comes_back(cluster, barman, backup, f"restored-{name}")
                barman.ok("delete", "main", backup)
        self.assert_clean(barman)

    def test_levels_and_workers(self):
        cluster, barman = self.scene()
        sizes = {}
        for name, level in (("zstd", -100), ("zstd", 7), ("gzip", -1), ("gzip", 1), ("gzip", 9), ("lz4", 12)):
            with self.subTest(name=name, level=level):
                barman.server("main", backup_compression=name, backup_compression_level=level, backup_compression_workers=2)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, FORMATS[name][0])
                sizes[name, level] = int(barman.backup_info("main", backup)["size"])
        self.assertLess(sizes["zstd", 7], sizes["zstd", -100])
        self.assertLess(sizes["gzip", 9], sizes["gzip", 1])

    def test_what_cannot_be_is_refused(self):
        cluster, barman = self.scene()
        for options, says in (({"backup_compression": "gzip", "backup_compression_level": 0}, "level = 0 .* set backup_compression = none"),
                              ({"backup_compression": "gzip", "backup_compression_level": 10}, "it must be -1 to 9"),
                              ({"backup_compression": "lz4", "backup_compression_level": 13}, "it must be 0 to 12"),
                              ({"backup_compression": "zstd", "backup_compression_level": 23}, "it must be -131072 to 22"),
                              ({"backup_compression": "none", "backup_compression_level": 1}, "it must be 0 to 0"),
                              ({"backup_compression": "none", "backup_compression_workers": 1}, "workers is not supported by none"),
                              ({"backup_compression": "zstd", "backup_compression_format": "plain"}, "requires .*location to be server"),
                              ({"backup_compression": "xz", "backup_compression_location": "server"}, "location server is not supported by xz")):
            with self.subTest(options):
                barman.server("main", **options)
                self.assert_fails(barman.run("backup", "main"))
                checked = barman.run("check", "main")
                self.assertRegex(checked.out + checked.err, says)
                barman.server("main", **dict.fromkeys(options))
        self.assertEqual(barman.backup_ids("main"), [])

    def in_place_scene(self, version):
        cluster, barman = self.scene(version, {"allow_in_place_tablespaces": "on"}, backup_compression="zstd")
        cluster.sql("CREATE TABLESPACE inside LOCATION ''")
        cluster.sql("CREATE TABLE near TABLESPACE inside AS SELECT generate_series(1, 1000) n")
        return cluster, barman

    @on_versions(17, 18)
    def test_a_tablespace_in_place_comes_back(self, version):
        cluster, barman = self.in_place_scene(version)
        backup = self.back_up(barman)
        oid = cluster.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'inside'")
        self.assertIn(f"{oid}.tar.zst", os.listdir(self.data(barman, backup)))
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", self.unpacked(cluster, barman, backup)])
        barman.ok("verify-backup", "main", backup)
        self.assert_comes_back(cluster, barman, backup, "restored")
        server = self.restored(version, os.path.join(self.scratch.path, "restored"))
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(server.sql("SELECT count(*) FROM near"), "1000")

    def test_15_would_leave_a_tablespace_in_place_out(self):
        cluster, barman = self.in_place_scene(15)
        self.assert_fails(barman.run("backup", "main"), says="tablespace inside is a folder of the data directory")


class OnTheServer(Archives):
    @on_versions(15, 18)
    def test_archives_and_plain_files(self, version):
        cluster, barman = self.scene(version, backup_compression_location="server")
        for name in ("gzip", "lz4", "zstd"):
            with self.subTest(name):
                barman.server("main", backup_compression=name, backup_compression_format="tar", backup_compression_level=3)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, FORMATS[name][0])
                barman.ok("verify-backup", "main", backup)
                barman.server("main", backup_compression_format="plain")
                plain = self.back_up(barman)
                self.assertEqual(barman.backup_info("main", plain)["compression"], "None")
                cluster.verifybackup(self.data(barman, plain))
        self.assert_comes_back(cluster, barman, backup, "restored")

    def test_workers_are_the_servers_business(self):
        cluster, barman = self.scene(backup_compression_location="server", backup_compression="zstd", backup_compression_workers=2)
        self.assert_whole(cluster, barman, self.back_up(barman), FORMATS["zstd"][0])
        barman.server("main", backup_compression="gzip")
        self.assert_fails(barman.run("backup", "main"))
        self.assertIn("backup_compression_workers is not supported by gzip compression on the server", barman.run("check", "main").out)


class Encrypted(Archives):
    def encrypted_scene(self, **options):
        cluster, barman = self.scene(**options)
        self.encrypt(barman)
        return cluster, barman

    def test_every_compression(self):
        cluster, barman = self.encrypted_scene()
        for name, location in (("none", "client"), ("gzip", "client"), ("zstd", "client"), ("lz4", "server")):
            with self.subTest(name=name, location=location):
                barman.server("main", backup_compression=name, backup_compression_location=location)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, f"{FORMATS[name][0]}.gpg")
                info = barman.backup_info("main", backup)
                self.assertEqual((info["compression"], info["encryption"]), (name, "gpg"))
                self.assertIn("gpg", barman.ok("show-backup", "main", backup).out)
        self.keyring.forget_passphrases()
        barman.ok("verify-backup", "main", backup)
        self.assert_comes_back(cluster, barman, backup, "restored")

    def test_nothing_plain_is_ever_on_disk(self):
        cluster, barman = self.encrypted_scene(backup_compression="none")
        cluster.sql(f"CREATE TABLE secrets AS SELECT n, '{SECRET}' AS t FROM generate_series(1, 20000) n; CHECKPOINT")
        watched = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "8192", "main")
        seen = set()
        while watched.running():
            seen |= self.secret_files(barman)
        self.assertEqual(watched.wait(), 0, watched.err)
        self.assertGreater(len(self.files(barman, barman.backup_ids("main")[0])), 2)
        killed = barman.run("backup", "--immediate-checkpoint", "main", fault_point="backup-archive-received")
        self.assertEqual(killed.code, -signal.SIGKILL, str(killed))
        self.assertEqual(seen | self.secret_files(barman), set())

    def secret_files(self, barman):
        found = set()
        for folder, _, names in os.walk(barman.directory("main", "base")):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        if SECRET.encode() in file.read():
                            found.add(name)
                except FileNotFoundError:
                    continue
        return found

    def test_a_key_that_is_gone_leaves_nothing(self):
        cluster, barman = self.encrypted_scene(backup_compression="zstd")
        barman.server("main", encryption_key_id="nobody@example.org")
        self.assert_fails(barman.run("backup", "main"))
        self.assertEqual(barman.backup_ids("main"), [])

    def test_check_tells_whether_it_can_be_done(self):
        cluster, barman = self.encrypted_scene(backup_compression="zstd")
        self.assertIn("encryption: OK (encryption test succeeded)", barman.run("check", "main").out)
        old = self.scratch.folder("old")
        with open(f"{old}/gpg", "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'gpg (GnuPG) 2.0.31'\n")
        os.chmod(f"{old}/gpg", 0o755)
        barman.server("main", path_prefix=old)
        self.assertRegex(barman.run("check", "main").out, r"encryption: FAILED \(gpg is version 2\.0\.31: encryption needs GnuPG 2\.1")
        self.assert_fails(barman.run("backup", "main"))
        barman.server("main", path_prefix=None, encryption_key_id=self.keyring.make("old", expired=True))
        self.assertRegex(barman.run("check", "main").out, r"encryption: FAILED \(the key '.*' has expired")

    def test_plain_files_cannot_be_encrypted(self):
        cluster, barman = self.encrypted_scene(backup_compression="zstd", backup_compression_location="server")
        barman.server("main", backup_compression_format="plain")
        self.assert_fails(barman.run("backup", "main"))
        self.assertIn("backup_compression_format is not tar", barman.run("check", "main").out)
        self.assertEqual(barman.backup_ids("main"), [])


class Incremental(Archives):
    def test_a_chain_of_every_form(self):
        cluster, barman = self.scene(18, {"summarize_wal": "on"})
        self.encrypt(barman)
        plain = {"encryption": None, "backup_compression_format": None}
        steps = ({"backup_compression": "zstd"}, {"backup_compression": "lz4", **plain},
                 {"backup_compression": "gzip", "backup_compression_location": "server"},
                 {"backup_compression": None, "backup_compression_location": None},
                 {"backup_compression": "none", "backup_compression_format": "tar", "encryption": "gpg"}, {"backup_compression": "xz"})
        ids = []
        for step, options in enumerate(steps):
            barman.server("main", **options)
            ids.append(self.back_up(barman, *(["--incremental=latest"] if ids else [])))
            cluster.sql(f"UPDATE afar SET t = 'x' WHERE n % 997 = {step}")
            if step:
                self.assertEqual(barman.backup_info("main", ids[-1])["parent_backup_id"], ids[-2])
        for tree in [self.unpacked(cluster, barman, one) for one in ids[1:]]:
            self.assertTrue([name for _, _, names in os.walk(tree) for name in names if name.startswith("INCREMENTAL.")])
            cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", tree])
        self.archive(barman, "main", until=cluster.switch_wal())
        barman.ok("verify-backup", "main", "latest")
        self.assert_comes_back(cluster, barman, ids[-1], "restored")


class BesideTheOriginal(Archives):
    def setUp(self):
        super().setUp()
        harness.original_barman()

    def test_it_lists_shows_and_restores_ours(self):
        cluster, barman = self.scene(backup_compression_format="tar")
        barman.server("main", staging_path=self.scratch.folder("staging"), staging_location="local")
        for name in ("zstd", "gzip", "none"):
            with self.subTest(name):
                barman.server("main", backup_compression=name)
                self.assert_known_and_restored(cluster, barman, self.back_up(barman), f"restored-{name}")
        self.encrypt(barman, backup_compression="zstd")
        self.assert_known_and_restored(cluster, barman, self.back_up(barman), "restored-encrypted")

    def test_it_restores_a_chain_of_ours(self):
        cluster, barman = self.scene(17, {"summarize_wal": "on"}, backup_compression="zstd")
        barman.server("main", staging_path=self.scratch.folder("staging"), staging_location="local")
        self.back_up(barman)
        cluster.sql("UPDATE afar SET t = 'x' WHERE n % 997 = 1")
        barman.server("main", backup_compression="lz4")
        self.assert_known_and_restored(cluster, barman, self.back_up(barman, "--incremental=latest"), "restored")

    def assert_known_and_restored(self, cluster, barman, backup, name):
        for words in (["list-backups", "main"], ["show-backup", "main", backup], ["check-backup", "main", backup]):
            self.assertEqual(barman.original(*words).out, barman.ok(*words).out)
        theirs, ours = barman.original("list-files", "main", backup), barman.ok("list-files", "main", backup)
        self.assertEqual(sorted(theirs.out.splitlines()), sorted(ours.out.splitlines()))
        self.assert_comes_back(cluster, barman, backup, name, command=barman.original)

    def test_names_and_record_are_as_it_has_them(self):
        cluster, barman = self.scene(backup_compression="gzip")
        theirs = barman.original("backup", "--wait", "main")
        self.assertEqual(theirs.code, 0, str(theirs))
        original = barman.backup_ids("main")[-1]
        ours = self.back_up(barman)
        self.assertEqual(sorted(os.listdir(self.data(barman, ours))), sorted(os.listdir(self.data(barman, original))))
        for key in ("compression", "encryption", "tablespaces", "mode"):
            self.assertEqual(barman.backup_info("main", ours)[key], barman.backup_info("main", original)[key], key)


class Interrupted(Archives):
    def assert_failed(self, barman):
        backup = barman.backup_ids("main")[-1]
        self.assertEqual(barman.backup_info("main", backup)["status"], "FAILED")
        return backup

    def test_killed_at_every_point(self):
        cluster, barman = self.scene(backup_compression="zstd")
        for point in ("backup-archive-open", "backup-archive-received", "backup-archive-stored", "backup-manifest", "backup-synced"):
            with self.subTest(point):
                result = barman.run("backup", "--immediate-checkpoint", "main", fault_point=point)
                self.assertEqual(result.code, -signal.SIGKILL, f"{point} was not reached\n{result}")
                killed = barman.backup_ids("main")[-1]
                good = self.back_up(barman)
                self.assertEqual(barman.backup_info("main", killed)["status"], "FAILED")
                self.assert_whole(cluster, barman, good, FORMATS["zstd"][0])
                barman.ok("delete", "main", killed)
                barman.ok("delete", "main", good)
                self.assertEqual(os.listdir(barman.directory("main", "base")), [])

    def test_stopped_politely_it_leaves_no_archive(self):
        cluster, barman = self.scene(backup_compression="gzip")
        cluster.fill(64)
        running = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "2048", "main")
        base = barman.directory("main", "base")
        wait_until(lambda: [name for _, _, names in os.walk(base) for name in names if name.startswith(".base.tar")], "an archive is being written")
        running.process.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(30), 1, running.err)
        self.assert_failed(barman)
        self.assertEqual([name for _, _, names in os.walk(base) for name in names if "base.tar" in name], [])

    def test_the_server_goes_away(self):
        cluster, barman = self.scene(backup_compression="zstd")
        cluster.fill(64)
        running = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "2048", "main")
        base = barman.directory("main", "base")
        wait_until(lambda: [name for _, _, names in os.walk(base) for name in names if name.startswith(".base.tar")], "an archive is being written")
        cluster.stop("immediate")
        self.assertEqual(running.wait(60), 1, running.err)
        self.assert_failed(barman)
        self.assertEqual([name for _, _, names in os.walk(base) for name in names if "base.tar" in name], [])
        cluster.start()
        harness.wait_until(lambda: cluster.sql("SELECT 1") == "1", "the server is back")

    def test_a_full_disk(self):
        disk = self.small_disk("base-disk", 3)
        cluster, barman = self.scene(basebackups_directory=disk, backup_compression="lz4")
        result = barman.run("backup", "--immediate-checkpoint", "--no-retry", "main")
        self.assert_fails(result, says="No space left on device")
        failed = self.assert_failed(barman)
        self.assertFalse(os.path.exists(os.path.join(disk, failed, "data", "base.tar.lz4")))
        barman.ok("delete", "main", failed)
        self.assertEqual(os.listdir(disk), [])


if __name__ == "__main__":
    harness.main()
