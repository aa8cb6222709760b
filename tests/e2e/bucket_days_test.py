#!/usr/bin/env python3
"""The days of a server that has one half of its home in a bucket and the other on the disk, or both in the bucket: cron keeps the
WAL coming, finishes backups and obeys the retention policy; an old moment comes back."""

import os

import bucket
import harness
from harness import EndToEnd, wait_until


class Days(EndToEnd):
    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket().create()
        self.addCleanup(self.bucket.close)

    def live(self, barman_options, version=17):
        self.cluster_ = self.cluster(version)
        self.cluster_.sql("CREATE TABLE steps (step int, at timestamptz DEFAULT clock_timestamp())")
        self.host = self.barman().server("main", self.cluster_, retention_policy="REDUNDANCY 1", **barman_options)
        self.host.environment = self.bucket.environment
        self.host.ok("cron")
        wait_until(lambda: self.cluster_.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "cron's receiver streams")

        first = self.backed_up()
        self.step(1)
        moment = self.cluster_.sql("SELECT clock_timestamp()")
        self.step(2)
        self.assert_checked()
        self.assert_comes_back("first", ["--target-time", moment, "--target-action", "promote"], [1])

        before = self.archived()
        second = self.backed_up()
        begin = self.host.backup_info("main", second)["begin_wal"]
        self.assertTrue([name for name in before if name < begin])
        wait_until(lambda: self.host.backup_ids("main") == [second], "cron has deleted what the policy does not need")
        wait_until(lambda: min(self.archived()) == begin, "and its WAL")
        self.assertEqual([key for key in self.bucket.keys() if first in key], [])
        self.step(3)
        self.assert_comes_back("second", [], [1, 2, 3])
        self.assert_checked()
        self.host.stop_all()

    def backed_up(self):
        """A backup that nobody waits for: cron finishes it."""
        known = self.host.backup_ids("main")
        self.host.ok("backup", "--immediate-checkpoint", "main", timeout=300)
        (backup,) = set(self.host.backup_ids("main")) - set(known)

        def done():
            self.cluster_.switch_wal()
            self.host.ok("cron")
            return self.host.backup_info("main", backup)["status"] == "DONE"
        wait_until(done, "cron finishes the backup", every=0.5)
        self.host.ok("check-backup", "main", backup)
        self.host.ok("verify-backup", "main", backup)
        return backup

    def step(self, number):
        self.cluster_.sql(f"INSERT INTO steps VALUES ({number})")
        name = self.cluster_.switch_wal()

        def archived():
            self.host.ok("cron")
            return name in self.archived()
        wait_until(archived, f"cron archives {name}", every=0.3)

    def archived(self):
        """The segments that are there."""
        if not self.wal_is_in_the_bucket:
            return [name for name in self.host.archived_wal("main") if len(name) == 24]
        return sorted(key.rsplit("/", 1)[1][:24] for key in self.bucket.keys("main/wals/"))

    def assert_checked(self):
        checked = self.host.ok("check", "main")
        self.assertNotIn("FAILED", checked.out)
        shown = self.host.json("show-backup", "main", "latest")
        self.assertEqual(shown["main"]["status"], "DONE")

    def assert_comes_back(self, name, options, steps):
        destination = os.path.join(self.scratch.path, name)
        self.host.ok("restore", "--no-get-wal", *options, "main", "latest", destination)
        server = self.restored(self.cluster_.version, destination, name=name)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends", timeout=90)
        self.assertEqual([int(line) for line in server.sql("SELECT step FROM steps ORDER BY 1").split()], steps)
        server.stop()

    def test_base_backups_on_the_disk_and_wal_in_the_bucket(self):
        self.wal_is_in_the_bucket = True
        self.live({"wals_directory": self.bucket.url, "compression": "zstd"})

    def test_base_backups_in_the_bucket_and_wal_on_the_disk(self):
        self.wal_is_in_the_bucket = False
        self.live({"basebackups_directory": self.bucket.url, "backup_compression": "zstd"})

    def test_both_in_the_bucket(self):
        self.wal_is_in_the_bucket = True
        self.live({"basebackups_directory": self.bucket.url, "wals_directory": self.bucket.url}, version=18)


if __name__ == "__main__":
    harness.main()
