#!/usr/bin/env python3
"""The WAL archive in a bucket: stored from incoming and straight from pg_wal, found under whatever suffix, read back by our
commands and by the original's, its index rebuilt by listing."""

import contextlib
import os

import bucket
import harness
import place
from archiving import Archives
from gnupg import Keyring


class WalInABucket(Archives):
    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket()
        self.addCleanup(self.bucket.close)
        self.bucket.create()

    def scene(self, **options):
        cluster = self.cluster(15, wal_segment_size=1, start=False)
        self.kept = self.scratch.folder("kept")
        cluster.configure(archive_mode="on", archive_command=f"cp %p {self.kept}/%f")
        cluster.start().create_roles()
        barman = self.barman()
        barman.environment = self.bucket.environment
        barman.server("main", cluster, archiver="on", streaming_archiver="off", slot_name=None, create_slot=None,
                      wals_directory=self.bucket.url, **options)
        self.incoming = self.folder(barman, "incoming")
        self.errors = self.folder(barman, "errors")
        self.folder(barman, "meta")
        self.delivered = self.folder(barman, "delivered")
        return cluster, barman

    def folder(self, barman, name):
        path = barman.directory("main", name)
        os.makedirs(path, exist_ok=True)
        place.give(path)
        return path

    def keys(self):
        return self.bucket.keys("main/wals/")

    def lines(self, barman):
        with open(barman.directory("main", "meta", "main-xlog.db"), encoding="utf-8") as file:
            return [line.split("\t") for line in file.read().splitlines()]

    @contextlib.contextmanager
    def store_away(self, barman):
        """Nobody listens where the bucket was."""
        barman.environment = {**self.bucket.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
        yield
        barman.environment = self.bucket.environment

    def brought_back(self, barman, name, *options, **more):
        """What cloud-wal-restore delivers."""
        path = os.path.join(self.delivered, name)
        barman.ok("cloud-wal-restore", "--spool-dir", os.path.join(self.delivered, "spool"), *options, "main", name, path, **more)
        with open(path, "rb") as file:
            return file.read()

    def test_what_arrives_is_stored_found_and_read(self):
        cluster, barman = self.scene(compression="gzip")
        names = self.segments(cluster, 5)
        self.arrive(*names[:3])
        barman.ok("archive-wal", "main")
        self.assertEqual(self.keys(), [f"{name[:16]}/{name}.gz" for name in names[:3]])
        self.assertEqual(os.listdir(self.incoming), [])
        sizes = [str(len(self.bucket.get(f"main/wals/{name[:16]}/{name}.gz"))) for name in names[:3]]
        self.assertEqual([(line[0], line[1], line[3], line[4]) for line in self.lines(barman)],
                         [(name, size, "gzip", "None") for name, size in zip(names, sizes)])

        for name in names[:3]:
            self.assertEqual(self.brought_back(barman, name, "--parallel", "2"), self.kept_bytes(name))
        barman.ok("get-wal", "--output-directory", self.delivered, "main", names[0])
        with open(os.path.join(self.delivered, names[0]), "rb") as file:
            self.assertEqual(file.read(), self.kept_bytes(names[0]))
        # Another compression since: the same WAL is known again, other WAL is put aside, nothing is replaced.
        barman.server("main", compression="zstd")
        self.arrive(names[0])
        self.write(f"{self.incoming}/{names[1]}", self.kept_bytes(names[1])[:-1] + b"!")
        barman.ok("archive-wal", "main")
        self.assertEqual(self.keys(), [f"{name[:16]}/{name}.gz" for name in names[:3]])
        self.assertRegex(" ".join(os.listdir(self.errors)), rf"^{names[1]}\.\d+T\d+Z\.duplicate$")
        self.assertEqual(len(self.lines(barman)), 3)

        # A lost index is made anew by listing.
        os.unlink(barman.directory("main", "meta", "main-xlog.db"))
        self.assertIn("wal_file: 3", str(barman.ok("rebuild-xlogdb", "main")))
        self.assertEqual([(line[0], line[1], line[3]) for line in self.lines(barman)],
                         [(name, size, "gzip") for name, size in zip(names, sizes)])

        # Not there, and not to be found out, are two things.
        path = os.path.join(self.delivered, "none")
        self.assertEqual(barman.run("cloud-wal-restore", "main", names[4], path).code, 1)
        with self.store_away(barman):
            self.assert_fails(barman.run("cloud-wal-restore", "main", names[0], path), 2)
        for words, says in ((["main", "junk", path], "not a valid WAL file"), (["absent", names[0], path], "Unknown server"),
                            (["all", names[0], path], "cannot use 'all'"), (["--parallel", "x", "main", names[0], path], "usage:")):
            self.assert_fails(barman.run("cloud-wal-restore", *words), 2, says=says)
        for options, says in (({"aws_sse_customer_key": "file:///absent"}, "/absent"), ({"wals_directory": "s3://absent-bucket/x"}, "absent-bucket"),
                              ({"wals_directory": None}, "does not keep its WAL in a bucket")):
            with self.subTest(says):
                barman.server("main", **{"wals_directory": self.bucket.url, **options})
                self.assert_fails(barman.run("cloud-wal-restore", "main", names[4], path), 2, says=says)
        os.rename(barman.config, barman.config + ".gone")
        self.assert_fails(barman.run("cloud-wal-restore", "main", names[4], path), 2, says="barman.conf")
        self.assertFalse(os.path.exists(path))

    def test_the_original_reads_what_we_stored(self):
        program = bucket.original("barman-cloud-wal-restore")
        if not os.access(program, os.X_OK):
            raise place.Missing("the original's programs for buckets (package barman-cli-cloud)")
        cluster, barman = self.scene(compression="gzip")
        name, = self.segments(cluster, 1)
        self.arrive(name)
        barman.ok("archive-wal", "main")
        path = os.path.join(self.scratch.path, "theirs")
        done = bucket.run(program, self.bucket.url, "main", name, path,
                          environment={**self.bucket.environment, "HOME": self.scratch.path})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), self.kept_bytes(name))

    def test_straight_from_the_server(self):
        cluster, barman = self.scene(compression="zstd")
        names = self.segments(cluster, 4)
        status = self.scratch.folder("kept/archive_status")
        for name in names[1:3]:
            self.write(f"{status}/{name}.ready", b"")
        wal = [os.path.join(self.kept, name) for name in names]
        barman.ok("cloud-wal-archive", "--parallel", "4", "main", wal[0])
        self.assertEqual(self.keys(), [f"{name[:16]}/{name}.zst" for name in names[:3]])
        self.assertEqual([line[0] for line in self.lines(barman)], names[:3])
        self.assertEqual(self.brought_back(barman, names[2]), self.kept_bytes(names[2]))
        # Stored ahead: no request is needed, unless the file is another one.
        with self.store_away(barman):
            barman.ok("cloud-wal-archive", "--parallel", "4", "main", wal[1])
            os.utime(wal[1])
            self.assert_fails(barman.run("cloud-wal-archive", "--parallel", "4", "main", wal[1]), 1)
        barman.ok("cloud-wal-archive", "main", wal[1])
        self.assertEqual([line[0] for line in self.lines(barman)], names[:3])

        self.write(wal[0], self.kept_bytes(names[0])[:-1] + b"!")
        self.assertIn("already present", str(barman.ok("cloud-wal-archive", "main", wal[0])))
        self.assertRegex(" ".join(os.listdir(self.errors)), rf"^{names[0]}\.\d+T\d+Z\.duplicate$")
        self.assertTrue(os.path.exists(wal[0]))
        for path, text in ((self.kept, "cannot be a directory"), ("/nowhere", "does not exist"), (__file__, "not a valid WAL file")):
            self.assert_fails(barman.run("cloud-wal-archive", "main", path), 1, says=text)
        barman.server("main", active="false")
        self.assert_fails(barman.run("cloud-wal-archive", "main", wal[3]), 1)
        self.assertEqual(len(self.keys()), 3)

    def test_encrypted_wal_never_goes_up_in_plain(self):
        keyring = Keyring(self.scratch)
        cluster, barman = self.scene(compression="gzip", encryption="gpg",
                                     encryption_key_id=keyring.make("locked", keyring.passphrase),
                                     encryption_passphrase_command=f"echo '{keyring.passphrase}'")
        names = self.segments(cluster, 2)
        self.arrive(names[0])
        barman.ok("archive-wal", "main")
        barman.ok("cloud-wal-archive", "main", os.path.join(self.kept, names[1]))
        self.assertEqual(self.keys(), [f"{name[:16]}/{name}.gz.gpg" for name in names])
        self.assertEqual([line[3:] for line in self.lines(barman)], [["gzip", "gpg"]] * 2)
        for name in names:
            self.assertEqual(self.brought_back(barman, name), self.kept_bytes(name))

    def test_a_backup_is_recovered_with_its_wal_from_the_bucket(self):
        """Received by streaming, archived, and brought back: copied by the restore, and fetched by the recovering server."""
        cluster, barman = self.streaming(15, wal_segment_size=1)
        barman.environment = self.bucket.environment
        barman.server("main", wals_directory=self.bucket.url, compression="lz4")
        cluster.sql("CREATE TABLE t AS SELECT 1 AS n")
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main", timeout=300)
        cluster.sql("INSERT INTO t VALUES (2)")
        barman.ok("switch-wal", "--archive", "--force", "main")
        self.assertIn("cloud storage configuration: OK", str(barman.run("check", "main")))
        cluster.stop()
        variables = " ".join(f"{name}={value}" for name, value in self.bucket.environment.items())
        fetch = f"{variables} {' '.join(barman.command('cloud-wal-restore', '--spool-dir', self.scratch.folder('spool'), 'main'))} %f %p"
        for name, options in (("copied", ["--no-get-wal"]), ("fetched", ["--get-wal", "--restore-command", fetch])):
            data = os.path.join(self.scratch.path, name)
            barman.ok("restore", *options, "main", barman.backup_ids("main")[-1], data, timeout=300)
            server = self.restored(15, data, name)
            self.assertEqual(server.sql("SELECT count(*) FROM t"), "2", name)
            server.stop()


if __name__ == "__main__":
    harness.main()
