#!/usr/bin/env python3
"""cron keeps things going: receivers start, WAL is archived, backups are promoted, lock files go."""

import fcntl
import os
import time

import harness
import place
from harness import EndToEnd, wait_until


class Cron(EndToEnd):
    def scene(self):
        cluster = self.cluster()
        return cluster, self.barman().server("main", cluster)

    def active(self, cluster):
        return cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1"

    def test_cron_starts_a_receiver_once_and_archives(self):
        cluster, barman = self.scene()
        barman.ok("cron")
        wait_until(lambda: self.active(cluster), "cron's receiver streams")
        pid = cluster.sql("SELECT active_pid FROM pg_replication_slots")
        name = cluster.switch_wal()

        def archived():
            barman.ok("cron")
            return name in barman.archived_wal("main")
        wait_until(archived, "cron archives the segment", every=0.3)
        self.assertEqual(cluster.sql("SELECT active_pid FROM pg_replication_slots"), pid)
        barman.ok("receive-wal", "--stop", "main")
        wait_until(lambda: not self.active(cluster), "the receiver has stopped")

    def test_cron_restarts_a_receiver_that_died(self):
        cluster, barman = self.scene()
        barman.ok("cron")
        wait_until(lambda: self.active(cluster), "cron's receiver streams")
        barman.end_strays()
        wait_until(lambda: not self.active(cluster), "the receiver is gone")
        barman.ok("cron")
        wait_until(lambda: self.active(cluster), "the next receiver streams")

    def test_cron_finishes_a_backup_that_waits_for_wal(self):
        cluster, barman = self.scene()
        self.stream(barman, "main", cluster)
        barman.ok("backup", "main")

        def done():
            cluster.switch_wal()
            barman.ok("cron")
            return barman.backup_info("main", barman.backup_ids("main")[0])["status"] == "DONE"
        wait_until(done, "the backup is DONE", every=0.5)

    def test_cron_goes_on_after_a_server_that_is_down(self):
        cluster, barman = self.scene()
        barman.server("aaa", conninfo="host=/nonexistent", streaming_conninfo="host=/nonexistent", backup_method="postgres",
                      streaming_archiver="on", slot_name="barman")
        barman.run("cron")
        wait_until(lambda: self.active(cluster), "the healthy server's receiver streams")

    def test_cron_sweeps_lock_files(self):
        _, barman = self.scene()
        barman.ok("archive-wal", "main")
        self.assertTrue([name for name in os.listdir(barman.home) if name.endswith(".lock")])
        barman.server("main", active="false")
        barman.ok("cron")
        self.assertEqual([name for name in os.listdir(barman.home) if name.endswith("-archive-wal.lock")], [])

    def test_a_receiver_outlives_the_server(self):
        """The server goes away and comes back: nothing is missing."""
        cluster, barman = self.scene()
        self.stream(barman, "main", cluster)
        cluster.restart()
        cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000)")

        def back():
            barman.ok("cron")
            return self.active(cluster)
        wait_until(back, "a receiver streams again", every=0.5)
        name = cluster.switch_wal()
        self.archive(barman, "main", until=name)
        names = barman.archived_wal("main")
        self.assertEqual(len(names), int(names[-1][16:], 16) - int(names[0][16:], 16) + 1, names)

    def test_cron_says_what_it_starts(self):
        """Word by word as the original does, which is asked first and started nothing that ours would repeat."""
        cluster, barman = self.scene()
        barman.server("main", streaming_archiver="off", archiver="on")
        theirs = barman.original("cron")
        harness.wait_until(lambda: barman.ok("list-processes", "main").out.startswith("No active"), "the original is done")
        ours = barman.ok("cron")
        self.assertEqual((ours.out, ours.err), (theirs.out, theirs.err))
        self.assertEqual(ours.out, "Starting WAL archiving for server main\n")

    def test_cron_ends_the_receiver_of_a_server_that_became_inactive(self):
        cluster, barman = self.scene()
        barman.ok("cron")
        wait_until(lambda: self.active(cluster), "cron's receiver streams")
        pid = barman.json("list-processes", "main")["main"][0]["pid"]
        barman.server("main", active="false")
        result = barman.ok("cron")
        self.assertEqual(result.out, f"Server 'main' is inactive: stopping receive-wal subprocess\n"
                                     f"Stopped process receive-wal({pid})\n")
        wait_until(lambda: not self.active(cluster), "the receiver is gone")
        self.assertEqual(barman.ok("cron").out, "")

    def test_cron_ends_the_receiver_when_streaming_is_switched_off(self):
        cluster, barman = self.scene()
        barman.ok("cron")
        wait_until(lambda: self.active(cluster), "cron's receiver streams")
        barman.server("main", streaming_archiver="off", archiver="on")
        self.assertIn("Stopped process receive-wal(", barman.ok("cron").out)

    def test_cron_leaves_a_server_to_the_cron_that_works_on_it(self):
        _, barman = self.scene()
        lock = os.path.join(barman.home, ".main-cron.lock")
        with open(lock, "w", encoding="utf-8") as file:
            place.give(lock)
            fcntl.flock(file, fcntl.LOCK_EX)
            result = barman.ok("cron")
            self.assertIn("Another cron process is already running on server main", result.out)
            self.assertNotIn("Starting", result.out)
            self.assertTrue(os.path.exists(lock))

    def test_cron_enforces_retention_and_keeps_what_is_needed(self):
        cluster, barman = self.scene()
        self.stream(barman, "main", cluster)
        for _ in range(3):
            barman.ok("backup", "--wait", "main")
            wait_until(lambda: int(time.time()) > int(time.mktime(time.strptime(
                barman.backup_ids("main")[-1], "%Y%m%dT%H%M%S"))), "the next second")
        first, second, third = barman.backup_ids("main")
        barman.server("main", retention_policy="REDUNDANCY 2")
        result = barman.ok("cron")
        self.assertIn(f"Enforcing retention policy: removing backup {first} for server main", result.out)
        self.assertEqual(barman.backup_ids("main"), [second, third])

    def test_cron_refuses_aloud_what_this_build_cannot_do(self):
        _, barman = self.scene()
        barman.server("main", pre_archive_script="/bin/true")
        self.assert_fails(barman.run("cron"), says="pre_archive_script = /bin/true: this build does not run hook")

    def test_cron_keeps_quiet_when_asked(self):
        _, barman = self.scene()
        self.assertEqual(barman.ok("-q", "cron").out, "")


if __name__ == "__main__":
    harness.main()
