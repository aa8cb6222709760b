#!/usr/bin/env python3
"""barman-cloud-wal-archive, -wal-restore and -check-wal-archive: against a bucket, and beside the original's."""

import os
import time

import bucket
import harness
from harness import EndToEnd

COMPRESSIONS = ("", "--gzip", "--bzip2", "--xz", "--snappy", "--zstd", "--lz4")
SEGMENT = 16 * 1024 * 1024


class WalInABucket(EndToEnd):
    fake = False

    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket(fake=self.fake)
        self.addCleanup(self.bucket.close)
        self.spool = os.path.join(self.scratch.path, "spool")
        if not self.fake:
            self.assertEqual(self.ours("check-wal-archive", self.bucket.url, "main").returncode, 0)

    def ours(self, name, *arguments, **variables):
        return bucket.run(bucket.ours(self.scratch, "barman-cloud-" + name), *arguments,
                          environment={**self.bucket.environment, **variables}, cwd="/")

    def theirs(self, name, *arguments):
        return bucket.run(bucket.original("barman-cloud-" + name), *arguments,
                          environment={**self.bucket.environment, "HOME": self.scratch.path})

    def archive(self, *arguments, **variables):
        done = self.ours("wal-archive", *arguments, **variables)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def restore(self, name, *arguments):
        path = os.path.join(self.scratch.path, "restored")
        done = self.ours("wal-restore", "--spool-dir", self.spool, *arguments, self.bucket.url, "main", name, path)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        return self.content(path)

    def file(self, name, size=SEGMENT):
        path = os.path.join(self.scratch.path, name)
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.write(os.urandom(size // 16) + bytes(size - size // 16))
        return path

    @staticmethod
    def content(path):
        with open(path, "rb") as file:
            return file.read()


class Programs(WalInABucket):
    def test_every_compression_comes_back(self):
        for number, option in enumerate(COMPRESSIONS, 1):
            name = f"00000001000000000000000{number}"
            with self.subTest(option=option):
                self.archive(*filter(None, [option]), self.bucket.url, "main", self.file(name))
                self.assertEqual(self.restore(name), self.content(self.file(name)))

    def test_the_original_reads_what_we_wrote_and_we_what_it_wrote(self):
        for number, option in enumerate(COMPRESSIONS, 1):
            name, other = f"00000002000000000000000{number}", f"00000003000000000000000{number}"
            with self.subTest(option=option):
                self.archive(*filter(None, [option]), self.bucket.url, "main", self.file(name))
                path = os.path.join(self.scratch.path, "theirs")
                done = self.theirs("wal-restore", self.bucket.url, "main", name, path)
                if "Missing required python module" in done.stderr:
                    continue
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.content(path), self.content(self.file(name)))
                done = self.theirs("wal-archive", *filter(None, [option]), self.bucket.url, "main", self.file(other))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.restore(other), self.content(self.file(other)))

    def test_history_labels_and_partial_files(self):
        for name in ("00000002.history", "000000010000000000000001.00000028.backup", "000000010000000000000007.partial"):
            self.archive("-z", self.bucket.url, "main", self.file(name, 200))
            self.assertEqual(self.restore(name), self.content(self.file(name)))
        self.assertEqual(self.restore("000000010000000000000007"), self.content(self.file("000000010000000000000007.partial")))
        path = os.path.join(self.scratch.path, "none")
        done = self.ours("wal-restore", "--no-partial", self.bucket.url, "main", "000000010000000000000007", path)
        self.assertEqual(done.returncode, 1)
        self.assertFalse(os.path.exists(path))
        self.archive(self.bucket.url, "main", self.file("000000010000000000000007"))
        self.assertEqual(self.restore("000000010000000000000007"), self.content(self.file("000000010000000000000007")))

    def test_following_files_wait_in_the_spool(self):
        names = [f"0000000100000000000000{number:02X}" for number in range(1, 6)]
        for name in names:
            self.archive("--lz4", self.bucket.url, "main", self.file(name, 1000))
        self.assertEqual(self.restore(names[0], "-p", "4"), self.content(self.file(names[0])))
        folder = os.path.join(self.spool, os.listdir(self.spool)[0])
        self.assertEqual(sorted(os.listdir(folder)), names[1:4])
        self.assertEqual(self.restore(names[1]), self.content(self.file(names[1])))
        self.assertEqual(sorted(os.listdir(folder)), names[2:4])
        # Another archive's WAL of the same name is another file.
        done = self.ours("wal-restore", "--spool-dir", self.spool, self.bucket.url, "other", names[2], os.path.join(self.scratch.path, "x"))
        self.assertEqual(done.returncode, 1)

    def test_the_archive_of_a_new_server_must_be_free(self):
        self.archive(self.bucket.url, "main", self.file("000000010000000000000001", 1000))
        done = self.ours("check-wal-archive", self.bucket.url, "main")
        self.assertEqual(done.returncode, 1)
        self.assertIn("WAL archive check failed for server main: Expected empty archive", done.stderr)
        self.assertEqual(self.ours("check-wal-archive", "--timeline", "2", self.bucket.url, "main").returncode, 0)
        self.assertEqual(self.ours("check-wal-archive", "--timeline", "1", self.bucket.url, "main").returncode, 1)
        self.assertEqual(self.ours("check-wal-archive", self.bucket.url, "other").returncode, 0)

    def test_exit_statuses(self):
        wal = self.file("000000010000000000000001", 1000)
        url, away = self.bucket.url, "http://127.0.0.1:1"
        target = os.path.join(self.scratch.path, "target")
        expected = [
            (["wal-archive", url, "main", "/etc/passwd"], 3),
            (["wal-archive", url, "main", self.scratch.path + "/000000010000000000000009"], 4),
            (["wal-archive", url, "main"], 1),
            (["wal-archive", "-z", "-j", url, "main", wal], 3),
            (["wal-archive", "--no-such", url, "main", wal], 3),
            (["wal-archive", "--tag", "bad", url, "main", wal], 3),
            (["wal-archive", "--compression-level", "foo", "-z", url, "main", wal], 3),
            (["wal-archive", "-e", "FOO", url, "main", wal], 3),
            (["wal-archive", "--sse-kms-key-id", "k", url, "main", wal], 4),
            (["wal-archive", "--sse-customer-key", "/x", url, "main", wal], 4),
            (["wal-archive", "-P", "absent", url, "main", wal], 4),
            (["wal-archive", "http://bucket/x", "main", wal], 4),
            (["wal-archive", "s3://absent-bucket/x", "main", wal], 4),
            (["wal-archive", "-t", "s3://absent-bucket/x", "main", wal], 1),
            (["wal-archive", "-t", url, "main", wal], 0),
            (["wal-archive", "-t", "--endpoint-url", away, url, "main", wal], 2),
            (["wal-archive", "--endpoint-url", "nonsense", url, "main", wal], 4),
            (["wal-archive", "--cloud-provider", "azure-blob-storage", url, "main", wal], 3),
            (["wal-restore", url, "main", "nonsense", target], 3),
            (["wal-restore", url, "main", "000000010000000000000002", target], 1),
            (["wal-restore", "--endpoint-url", away, url, "main", "000000010000000000000002", target], 2),
            (["check-wal-archive", "--endpoint-url", away, url, "main"], 2),
            (["check-wal-archive", "--timeline", "0", url, "main"], 3),
            (["wal-archive", "--help"], 0),
            (["wal-archive", "--version"], 0),
            (["wal-archive", "-h"], 3),
        ]
        for (name, *arguments), code in expected:
            with self.subTest(arguments=arguments):
                done = self.ours(name, *arguments, AWS_MAX_ATTEMPTS="1")
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertNotIn(self.bucket.environment["AWS_SECRET_ACCESS_KEY"], done.stderr)
                self.assertTrue(code == 0 or done.stderr, "it says why")
                self.assertFalse(os.path.exists(target))

    def test_as_hook_of_a_barman_server(self):
        wal = self.file("000000010000000000000004", 1000)
        self.archive(self.bucket.url, "main", BARMAN_HOOK="archive_script", BARMAN_PHASE="pre", BARMAN_FILE=wal)
        self.assertEqual(self.restore("000000010000000000000004"), self.content(wal))
        done = self.ours("wal-archive", self.bucket.url, "main", BARMAN_HOOK="archive_script", BARMAN_PHASE="post", BARMAN_FILE=wal)
        self.assertEqual(done.returncode, 1)


class Trouble(WalInABucket):
    """With a server of our own, that misbehaves."""

    fake = True
    name = "000000010000000000000001"

    def setUp(self):
        super().setUp()
        self.bucket.store.buckets[self.bucket.name] = {}

    def test_passing_trouble_is_overcome(self):
        for trouble in ("drop", (503, "<Error><Code>SlowDown</Code></Error>"), (500, "")):
            store = self.bucket.store
            store.requests.clear()
            store.trouble = lambda number, *_, trouble=trouble: trouble if number == 1 else None
            self.archive(self.bucket.url, "main", self.file(self.name))
            store.requests.clear()
            self.assertEqual(self.restore(self.name), self.content(self.file(self.name)))

    def test_lasting_trouble_is_a_failure_and_nothing_appears(self):
        for trouble in ("drop", (503, ""), (403, "<Error><Code>AccessDenied</Code></Error>")):
            self.bucket.store.trouble = lambda *_, trouble=trouble: trouble
            done = self.ours("wal-archive", self.bucket.url, "main", self.file(self.name), AWS_MAX_ATTEMPTS="2")
            self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(self.bucket.store.buckets[self.bucket.name], {})

    def test_a_silent_server_is_given_up(self):
        self.bucket.store.trouble = lambda *_: time.sleep(20)
        began = time.monotonic()
        done = self.ours("wal-archive", "--read-timeout", "1", self.bucket.url, "main", self.file(self.name, 1000), AWS_MAX_ATTEMPTS="2")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertLess(time.monotonic() - began, 15)

    def test_a_segment_that_is_cut_is_not_delivered(self):
        cluster = self.cluster()
        cluster.stop()
        folder = os.path.join(cluster.data, "pg_wal")
        name = sorted(one for one in os.listdir(folder) if len(one) == 24)[0]
        whole = self.content(os.path.join(folder, name))
        self.bucket.store.buckets[self.bucket.name][f"some/path/main/wals/{name[:16]}/{name}"] = whole[:4 << 20]
        target = os.path.join(self.scratch.path, "target")
        done = self.ours("wal-restore", self.bucket.url, "main", name, target)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertFalse(os.path.exists(target))

    def test_tags_go_along(self):
        self.archive("--tag", "a b,c", "--tag", "d,e", "--history-tag", "h,1", self.bucket.url, "main", self.file(self.name, 100))
        self.archive("--tag", "a b,c", "--history-tag", "h,1", self.bucket.url, "main", self.file("00000002.history", 100))
        tags = [headers.get("x-amz-tagging") for _, _, _, headers in self.bucket.store.requests]
        self.assertEqual(tags, ["a%20b=c&d=e", "h=1"])

    def test_nothing_is_needed_but_the_network(self):
        """As containers run: no home folder, nowhere to write."""
        self.archive(self.bucket.url, "main", self.file(self.name, 100))
        self.assertEqual(len(self.bucket.store.requests), 1)


if __name__ == "__main__":
    harness.main()
