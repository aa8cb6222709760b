#!/usr/bin/env python3
"""Backups in tar format, compressed and encrypted: restored, verified, listed. The original Barman has made them."""

import os
import re

import harness
from gnupg import Keyring
from harness import on_versions
from restoring import Restores


class Archives(Restores):
    def scene(self, version=17, **settings):
        """A streaming server with a tablespace; returns (cluster, barman). Backups are taken by archived()."""
        harness.original_barman()
        if version >= 17:
            settings = {"summarize_wal": "on", **settings}
        cluster, barman = self.streaming(version, settings=settings)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); INSERT INTO steps VALUES (1); "
                    "CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there'); "
                    "CREATE TABLE wide AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        return cluster, barman

    def archived(self, barman, compression, parent=None, **options):
        """A backup that the original takes in that form; returns the id."""
        packed = {"backup_compression": compression, "backup_compression_format": compression and "tar"}
        barman.server("main", **packed, **options)
        done = barman.original("backup", "--wait", *([f"--incremental={parent}"] if parent else []), "main")
        self.assertEqual(done.code, 0, str(done))
        barman.server("main", **dict.fromkeys([*packed, *options]))
        return barman.backup_ids("main")[-1]

    def data(self, barman, backup, *below):
        return barman.directory("main", "base", backup, "data", *below)

    def assert_comes_back(self, cluster, barman, backup, name="restored"):
        destination, moved = self.place(name)
        barman.ok("restore", *moved, "main", backup, destination)
        self.assertEqual([one for one in os.listdir(destination) if one in ("tablespace_map", ".barman-restore-incomplete")], [])
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
        server = self.restored(cluster.version, destination, name=name)
        steps = self.steps(server)
        self.assertEqual(server.sql("SELECT t FROM afar"), "there")
        self.assertEqual(server.sql("SELECT count(*), sum(length(t)) FROM wide"), cluster.sql("SELECT count(*), sum(length(t)) FROM wide"))
        server.amcheck()
        server.stop()
        return steps

    def encrypt(self, barman, key="open", passphrase=""):
        """Options that make the next backup an encrypted one."""
        self.keyring = Keyring(self.scratch)
        options = {"encryption": "gpg", "encryption_key_id": self.keyring.make(key, passphrase),
                   "encryption_passphrase_command": f"echo '{passphrase or 'none'}'"}
        barman.server("main", encryption_passphrase_command=options["encryption_passphrase_command"])
        return options


class Restored(Archives):
    @on_versions(17)  # on 15 and 18 archives_test.py does it, with archives of ours
    def test_each_compression_comes_back(self, version):
        cluster, barman = self.scene(version)
        for compression, suffix in (("none", ""), ("gzip", ".gz"), ("lz4", ".lz4"), ("zstd", ".zst")):
            with self.subTest(compression=compression):
                backup = self.archived(barman, compression)
                self.assertTrue(os.path.exists(self.data(barman, backup, f"base.tar{suffix}")))
                self.assertEqual(self.assert_comes_back(cluster, barman, backup, compression), [1])
                verified = barman.ok("verify-backup", "main", backup)
                self.assertEqual(verified.out, f"Verifying backup '{backup}' on server ['main']\nbackup successfully verified\n")

    def test_an_encrypted_one_comes_back_with_its_passphrase(self):
        cluster, barman = self.scene()
        options = self.encrypt(barman, "locked", Keyring.passphrase)
        backup = self.archived(barman, "zstd", **{**options, "encryption_passphrase_command": options["encryption_passphrase_command"]})
        barman.server("main", encryption_passphrase_command=options["encryption_passphrase_command"])
        self.assertTrue(os.path.exists(self.data(barman, backup, "base.tar.zst.gpg")))
        self.keyring.forget_passphrases()
        self.assertEqual(self.assert_comes_back(cluster, barman, backup), [1])
        self.assertEqual(barman.ok("verify-backup", "main", backup).code, 0)
        self.keyring.forget_passphrases()
        barman.server("main", encryption_passphrase_command="echo wrong")
        destination, moved = self.place("wrong")
        self.assert_fails(barman.run("restore", *moved, "main", backup, destination), says="passphrase")
        self.assertFalse(os.path.exists(f"{destination}/global/pg_control"))

    @on_versions(18)  # on 17 incremental_test.py mixes forms
    def test_a_chain_of_every_form_comes_back(self, version):
        cluster, barman = self.scene(version)
        options = self.encrypt(barman)
        backup = self.archived(barman, "gzip")
        forms = (("zstd", options), (None, {}), ("lz4", {}), ("none", options))
        for step, (compression, more) in enumerate(forms, 2):
            cluster.sql(f"INSERT INTO steps VALUES ({step}); UPDATE wide SET t = 'x{step}' WHERE n % 997 = {step}")
            backup = self.archived(barman, compression, parent=backup, **more)
        self.assertEqual(self.assert_comes_back(cluster, barman, backup), [1, 2, 3, 4, 5])
        barman.ok("verify-backup", "main", "latest")


class Damaged(Archives):
    def test_a_cut_or_changed_archive_is_named_and_nothing_starts(self):
        cluster, barman = self.scene()
        for compression, name in (("none", "base.tar"), ("gzip", "base.tar.gz"), ("zstd", "base.tar.zst")):
            backup = self.archived(barman, compression)
            path = self.data(barman, backup, name)
            size = os.path.getsize(path)
            with open(path, "r+b") as file:
                file.seek(size // 2)
                byte = file.read(1)
                file.seek(size // 2)
                file.write(bytes([byte[0] ^ 1]))
            self.assert_damage_is_told(barman, backup, name)
            os.truncate(path, size // 3)
            self.assert_damage_is_told(barman, backup, name)
            os.unlink(path)
            if os.path.exists(self.place()[0]):
                self.remove(self.place()[0])
            destination, moved = self.place("fresh")
            result = barman.run("restore", *moved, "main", backup, destination)
            self.assert_fails(result)
            self.assertFalse(os.path.exists(destination))

    def assert_damage_is_told(self, barman, backup, name):
        destination, moved = self.place()
        self.assert_fails(barman.run("restore", *moved, "main", backup, destination), says=re.escape(name))
        self.assertFalse(os.path.exists(f"{destination}/global/pg_control"))
        verdict = barman.run("verify-backup", "main", backup)
        self.assertEqual(verdict.code, 1, str(verdict))
        self.assertIn(f"ERROR: verify backup failure on directory '{self.data(barman, backup)}'", verdict.err)

    def test_a_plain_backup_is_verified_file_by_file(self):
        cluster, barman = self.scene()
        backup = self.archived(barman, None)
        self.assertEqual(barman.ok("verify-backup", "main", backup).out,
                         f"Verifying backup '{backup}' on server ['main']\nbackup successfully verified\n")
        with open(self.data(barman, backup, "PG_VERSION"), "a", encoding="utf-8") as file:
            file.write("\n")
        os.unlink(self.data(barman, backup, "pg_hba.conf"))
        with open(self.data(barman, backup, "strange"), "w", encoding="utf-8"):
            pass
        verdict = barman.run("verify-backup", "main", "latest")
        self.assertEqual(verdict.code, 1)
        for problem in ('"PG_VERSION" has another size', '"pg_hba.conf" is present in the manifest but not on disk',
                        '"strange" is present on disk but not in the manifest'):
            self.assertIn(f"ERROR: {problem}", verdict.err)


class Listed(Archives):
    def test_files_are_listed_as_the_original_does(self):
        cluster, barman = self.scene()
        plain, packed = self.archived(barman, None), self.archived(barman, "gzip")
        self.archive(barman, "main", until=cluster.switch_wal())
        for backup in (plain, packed):
            for options in ([], ["--target", "data"], ["--target", "wal"], ["--target", "full"], ["--list-empty-directories"]):
                with self.subTest(backup=backup, options=options):
                    theirs = barman.original("list-files", *options, "main", backup)
                    ours = barman.ok("list-files", *options, "main", backup)
                    self.assertEqual(sorted(ours.out.splitlines()), sorted(theirs.out.splitlines()))
        lines = barman.ok("list-files", "main", packed).out.splitlines()
        self.assertIn(self.data(barman, packed, "base.tar.gz"), lines)
        self.assertEqual(sorted(barman.json("list-files", "main", packed)["_INFO"]),
                         sorted(barman.original("-f", "json", "list-files", "main", packed).json["_INFO"]))


if __name__ == "__main__":
    harness.main()
