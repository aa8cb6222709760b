#!/usr/bin/env python3
"""Backups kept as archives: compressed by us or by the server, encrypted, incremental. The tools of each format, gpg,
pg_verifybackup and the original are the referees."""

import os
import re
import shutil
import signal
import subprocess

import harness
import place
from gnupg import Keyring
from harness import EndToEnd, on_versions, wait_until
from restoring import read

FORMATS = {"none": ("", ["cat"]), "gzip": (".gz", ["gzip", "-dc"]), "lz4": (".lz4", ["lz4", "-dc"]), "zstd": (".zst", ["zstd", "-qdc"]),
           "bzip2": (".bz2", ["bzip2", "-dc"]), "xz": (".xz", ["xz", "-dc"])}


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

    def unpacked(self, cluster, barman, backup, extension, reader, decrypt=None):
        """The tree that the tools make of the archives, in the shape that pg_verifybackup takes."""
        tree = os.path.join(self.scratch.path, f"tree-{backup}")
        oid = self.oid(barman, backup)
        for archive, folder in ((f"base.tar{extension}", tree), (f"{oid}.tar{extension}", f"{tree}/pg_tblspc/{oid}")):
            cluster.program(["mkdir", "-p", "-m", "700", folder])
            raw = decrypt(self.data(barman, backup, archive)) if decrypt else _bytes(self.data(barman, backup, archive))
            plain = subprocess.run(reader, input=raw, check=True, capture_output=True).stdout
            subprocess.run(["tar", "-x", "-C", folder], input=plain, check=True, capture_output=True)
        cluster.program(["cp", self.data(barman, backup, "backup_manifest"), tree])
        if place.AM_ROOT:
            subprocess.run(["chown", "-R", place.ACCOUNT.pw_name, tree], check=True)
        return tree

    def assert_whole(self, cluster, barman, backup, extension, reader, decrypt=None):
        self.assert_names(barman, backup, extension)
        tree = self.unpacked(cluster, barman, backup, extension, reader, decrypt)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", tree])
        self.assertRegex(read(f"{tree}/tablespace_map"), rf"^{self.oid(barman, backup)} /")
        self.assertEqual(os.listdir(f"{tree}/pg_tblspc"), [self.oid(barman, backup)])
        info = barman.backup_info("main", backup)
        self.assertEqual(info["status"], "DONE")
        self.assertEqual(int(info["size"]), sum(os.path.getsize(os.path.join(folder, name))
                                                for folder, _, names in os.walk(barman.directory("main", "base", backup)) for name in names))
        self.assertEqual(info["deduplicated_size"], info["size"])
        self.assertIn("START WAL LOCATION", info["backup_label"])
        shutil.rmtree(tree)


class OnThisSide(Archives):
    @on_versions(15, 17, 18)
    def test_every_compression(self, version):
        cluster, barman = self.scene(version)
        for name, (extension, reader) in FORMATS.items():
            with self.subTest(name):
                barman.server("main", backup_compression=name)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, extension, reader)
                self.assertEqual(barman.backup_info("main", backup)["compression"], name)
                self.assertEqual(barman.backup_info("main", backup)["encryption"], "None")
                barman.ok("delete", "main", backup)

    def test_levels_and_workers(self):
        cluster, barman = self.scene()
        sizes = {}
        for name, level in (("zstd", -100), ("zstd", 19), ("gzip", -1), ("gzip", 1), ("gzip", 9), ("lz4", 12)):
            with self.subTest(name=name, level=level):
                barman.server("main", backup_compression=name, backup_compression_level=level, backup_compression_workers=2)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, *FORMATS[name])
                sizes[name, level] = int(barman.backup_info("main", backup)["size"])
        self.assertLess(sizes["zstd", 19], sizes["zstd", -100])
        self.assertLess(sizes["gzip", 9], sizes["gzip", 1])


class OnTheServer(Archives):
    @on_versions(15, 17, 18)
    def test_archives_and_plain_files(self, version):
        cluster, barman = self.scene(version, backup_compression_location="server")
        for name in ("gzip", "lz4", "zstd"):
            with self.subTest(name):
                barman.server("main", backup_compression=name, backup_compression_format="tar", backup_compression_level=3)
                backup = self.back_up(barman)
                self.assert_whole(cluster, barman, backup, *FORMATS[name])
                barman.server("main", backup_compression_format="plain")
                plain = self.back_up(barman)
                self.assertEqual(barman.backup_info("main", plain)["compression"], "None")
                cluster.verifybackup(self.data(barman, plain))

    def test_workers_are_the_servers_business(self):
        cluster, barman = self.scene(backup_compression_location="server", backup_compression="zstd", backup_compression_workers=2)
        self.assert_whole(cluster, barman, self.back_up(barman), *FORMATS["zstd"])
        barman.server("main", backup_compression="gzip")
        self.assert_fails(barman.run("backup", "main"))
        self.assertIn("backup_compression_workers is not supported by gzip compression on the server", barman.run("check", "main").out)


class Encrypted(Archives):
    def encrypted_scene(self, **options):
        self.keyring = Keyring(self.scratch)
        cluster, barman = self.scene(**options)
        key = self.keyring.make("locked", Keyring.passphrase)
        barman.server("main", encryption="gpg", encryption_key_id=key, backup_compression_format="tar",
                      encryption_passphrase_command=f"echo '{Keyring.passphrase}'")
        return cluster, barman

    def test_every_compression(self):
        cluster, barman = self.encrypted_scene()
        for location in ("client", "server"):
            for name in ("none", "gzip", "lz4", "zstd"):
                with self.subTest(name=name, location=location):
                    barman.server("main", backup_compression=name, backup_compression_location=location)
                    backup = self.back_up(barman)
                    extension, reader = FORMATS[name]
                    self.assert_whole(cluster, barman, backup, f"{extension}.gpg", reader, self.keyring.decrypt)
                    info = barman.backup_info("main", backup)
                    self.assertEqual((info["compression"], info["encryption"]), (name, "gpg"))
                    self.assertIn("gpg", barman.ok("show-backup", "main", backup).out)

    def test_a_key_that_is_gone_leaves_nothing(self):
        cluster, barman = self.encrypted_scene(backup_compression="zstd")
        barman.server("main", encryption_key_id="nobody@example.org")
        self.assert_fails(barman.run("backup", "main"))
        self.assertEqual(barman.backup_ids("main"), [])

    def test_plain_files_cannot_be_encrypted(self):
        cluster, barman = self.encrypted_scene(backup_compression="zstd", backup_compression_location="server")
        barman.server("main", backup_compression_format="plain")
        self.assert_fails(barman.run("backup", "main"))
        self.assertIn("backup_compression_format is not tar", barman.run("check", "main").out)
        self.assertEqual(barman.backup_ids("main"), [])


class Incremental(Archives):
    @on_versions(17, 18)
    def test_on_archives_of_any_kind(self, version):
        cluster, barman = self.scene(version, {"summarize_wal": "on"}, backup_compression="zstd")
        ids = [self.back_up(barman)]
        for step, options in enumerate(({"backup_compression": "lz4"}, {"backup_compression": "gzip", "backup_compression_location": "server"},
                                        {"backup_compression": None, "backup_compression_location": None})):
            cluster.sql(f"UPDATE afar SET t = 'x' WHERE n % 997 = {step}")
            barman.server("main", **options)
            ids.append(self.back_up(barman, "--incremental=latest"))
            self.assertEqual(barman.backup_info("main", ids[-1])["parent_backup_id"], ids[-2])
        referees = [self.unpacked(cluster, barman, one, *FORMATS[name]) for one, name in zip(ids, ("zstd", "lz4", "gzip"))]
        for tree in referees[1:]:
            self.assertTrue([name for _, _, names in os.walk(tree) for name in names if name.startswith("INCREMENTAL.")])
            cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", tree])


class BesideTheOriginal(Archives):
    def setUp(self):
        super().setUp()
        harness.original_barman()

    @on_versions(15, 17)
    def test_it_lists_shows_and_restores_ours(self, version):
        cluster, barman = self.scene(version, backup_compression="zstd", backup_compression_format="tar")
        barman.server("main", staging_path=self.scratch.folder("staging"), staging_location="local")
        for name in ("zstd", "gzip", "none"):
            with self.subTest(name):
                barman.server("main", backup_compression=name)
                backup = self.back_up(barman)
                self.assertEqual(barman.original("list-backups", "main").out, barman.ok("list-backups", "main").out)
                self.assertEqual(barman.original("show-backup", "main", backup).out, barman.ok("show-backup", "main", backup).out)
                destination = os.path.join(self.scratch.path, f"restored-{name}")
                done = barman.original("restore", "--tablespace", f"elsewhere:{destination}-ts", "main", backup, destination)
                self.assertEqual(done.code, 0, str(done))
                server = self.restored(version, destination, name=f"restored-{name}")
                wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
                self.assertEqual(server.sql("SELECT count(*) FROM afar"), "20000")
                server.stop()

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
                self.assert_whole(cluster, barman, good, *FORMATS["zstd"])
                barman.ok("delete", "main", killed)
                barman.ok("delete", "main", good)
                self.assertEqual(os.listdir(barman.directory("main", "base")), [])

    def test_stopped_politely_it_leaves_no_archive(self):
        cluster, barman = self.scene(backup_compression="gzip")
        cluster.pgbench_init(5)
        running = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "2048", "main")
        base = barman.directory("main", "base")
        wait_until(lambda: [name for _, _, names in os.walk(base) for name in names if name.startswith(".base.tar")], "an archive is being written")
        running.process.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(30), 1, running.err)
        self.assert_failed(barman)
        self.assertEqual([name for _, _, names in os.walk(base) for name in names if "base.tar" in name], [])

    def test_the_server_goes_away(self):
        cluster, barman = self.scene(backup_compression="zstd")
        cluster.pgbench_init(5)
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


def _bytes(path):
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    harness.main()
