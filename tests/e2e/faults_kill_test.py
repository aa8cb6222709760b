#!/usr/bin/env python3
"""kill -9 at every named stop point of the sources. Afterwards the catalogue is in order, nothing is lost, no lock is
stuck, and the same command simply works."""

import os
import re
import shutil
import signal
import subprocess

import harness
from harness import EndToEnd, wait_until

# Not every backup or restore comes by these: incremental_test.py, archives_test.py, bucket_backup_test.py and
# delta_restore_test.py kill there.
KILLED_ELSEWHERE = {"backup-parent-linked", "delete-first-object-removed", "restore-member-applied", "restore-control-removed",
                    "backup-archive-open", "backup-archive-received", "backup-archive-stored", "backup-object-open", "backup-object-stored", "backup-files-read"}
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")


def points(prefix):
    """The stop points of that verb, from the sources, so that a new one is tested without being listed."""
    found = set()
    for folder, _, files in os.walk(SOURCES):
        for name in files:
            if name.endswith(".cc") and not name.endswith("_test.cc"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found.update(re.findall(r'fault_point\("([^"]+)"\)', file.read()))
    chosen = sorted(name for name in found if name.startswith(prefix + "-") and name not in KILLED_ELSEWHERE)
    if not chosen:
        raise AssertionError(f"no stop point of {prefix} in {SOURCES}")
    return chosen


class Killed(EndToEnd):
    def kill_at(self, point, barman, *command):
        result = barman.run(*command, fault_point=point)
        self.assertEqual(result.code, -signal.SIGKILL, f"{point} was not reached\n{result}")

    def wal_on_disk_matches_index(self, barman):
        with open(barman.directory("main", "wals", "main-xlog.db"), encoding="utf-8") as file:
            names = [line.split("\t")[0] for line in file]
        self.assertEqual(sorted(names), barman.archived_wal("main"))

    def test_backup(self):
        cluster, barman = self.streaming()
        for point in points("backup"):
            with self.subTest(point):
                self.kill_at(point, barman, "backup", "main")
                killed = barman.backup_ids("main")[-1] if barman.backup_ids("main") else None
                listed = barman.ok("list-backups", "main")
                whole = point == "backup-waiting"  # only its WAL was still to come
                if killed:
                    self.assertRegex(listed.out, f"main {killed} - F - .*({'WAITING_FOR_WALS' if whole else 'FAILED|STARTED|EMPTY'})")
                barman.ok("backup", "--wait", "main")
                if killed:
                    self.assertIn(barman.backup_info("main", killed)["status"], ("WAITING_FOR_WALS", "DONE") if whole else ("FAILED",), point)
                good = barman.backup_ids("main")[-1]
                cluster.verifybackup(barman.directory("main", "base", good, "data"))
                for one in barman.backup_ids("main"):
                    barman.ok("delete", "main", one)
                self.assertEqual(os.listdir(barman.directory("main", "base")), [])

    def test_backup_killed_while_bytes_flow(self):
        cluster, barman = self.streaming()
        cluster.fill(64)
        running = barman.start("backup", "--bwlimit", "2048", "main")
        wait_until(lambda: any(barman.backup_info("main", one)["status"] == "STARTED" for one in barman.backup_ids("main")), "the backup runs")
        running.kill()
        killed = barman.backup_ids("main")[0]
        barman.ok("list-backups", "main")
        barman.ok("backup", "--wait", "main")
        self.assertEqual(barman.backup_info("main", killed)["status"], "FAILED")

    def test_backup_interrupted_politely(self):
        cluster, barman = self.streaming()
        cluster.fill(64)
        for sig in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(sig.name):
                running = barman.start("backup", "--bwlimit", "2048", "main")
                wait_until(lambda: any(barman.backup_info("main", one)["status"] == "STARTED" for one in barman.backup_ids("main")), "the backup runs")
                running.process.send_signal(sig)
                self.assertEqual(running.wait(30), 1, running.err)
                newest = barman.backup_ids("main")[-1]
                self.assertEqual(barman.backup_info("main", newest)["status"], "FAILED")
                wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'backup'") == "0", "the connection is gone")
        barman.ok("backup", "--wait", "main")

    def test_archive_wal(self):
        cluster, barman = self.streaming(wal_segment_size=1)
        for point in points("archive"):
            with self.subTest(point):
                name = cluster.switch_wal()
                wait_until(lambda: name in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
                result = barman.run("archive-wal", "main", fault_point=point)
                if result.code != -signal.SIGKILL:
                    continue  # a point of the other archiver; the next test is its
                barman.ok("archive-wal", "main")
                self._whole(barman, name)

    def test_archive_wal_of_the_file_archiver(self):
        cluster = self.cluster(wal_segment_size=1)
        barman = self.barman().server("main", cluster, streaming_archiver="off", archiver="on", slot_name=None, create_slot=None)
        incoming = barman.directory("main", "incoming")
        barman.run("check", "main")
        cluster.sql(f"ALTER SYSTEM SET archive_command = 'cp %p {incoming}/%f'")
        cluster.sql("ALTER SYSTEM SET archive_mode = on")
        cluster.restart()
        reached = set()
        for point in points("archive"):
            with self.subTest(point):
                name = cluster.switch_wal()
                wait_until(lambda: os.path.exists(f"{incoming}/{name}") and cluster.sql("SELECT last_archived_wal FROM pg_stat_archiver") >= name,
                           "the segment is incoming")
                if barman.run("archive-wal", "main", fault_point=point).code == -signal.SIGKILL:
                    reached.add(point)
                barman.ok("archive-wal", "main")
                self._whole(barman, name)
        self.assertGreater(len(reached), 2)

    def _whole(self, barman, name):
        self.assertIn(name, barman.archived_wal("main"))
        self.wal_on_disk_matches_index(barman)
        self.assertEqual(os.path.getsize(barman.directory("main", "wals", name[:16], name)), 1 << 20)
        self.assertEqual([one for _, _, files in os.walk(barman.directory("main", "errors")) for one in files], [])
        self.assert_clean(barman)

    def test_the_index_is_rebuilt(self):
        cluster, barman = self.streaming(wal_segment_size=1)
        xlogdb = barman.directory("main", "wals", "main-xlog.db")
        os.unlink(xlogdb)
        name = cluster.switch_wal()
        wait_until(lambda: name in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
        self.kill_at("xlogdb-rebuild", barman, "archive-wal", "main")
        barman.ok("archive-wal", "main")
        self._whole(barman, name)

    def test_restore(self):
        cluster, barman = self.streaming()
        cluster.tablespace("elsewhere")
        barman.ok("backup", "--wait", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        for point in points("restore"):
            with self.subTest(point):
                destination = os.path.join(self.scratch.path, f"to-{point}")
                command = ["restore", "--tablespace", f"elsewhere:{destination}-ts", "main", "latest", destination]
                self.kill_at(point, barman, *command)
                if point != "restore-synced":  # from there on it is whole
                    self.assertNotEqual(self._starts(cluster, destination), 0, "an unfinished restore started")
                for path in (destination, f"{destination}-ts"):
                    shutil.rmtree(path, ignore_errors=True)
                barman.ok(*command)
                for path in (destination, f"{destination}-ts"):
                    shutil.rmtree(path)

    def _starts(self, cluster, destination):
        """0 when `postgres -C` is content with the directory's control file."""
        try:
            return cluster.program([f"{cluster.bin}/pg_controldata", "-D", destination], check=False, timeout=30).returncode
        except subprocess.TimeoutExpired:
            return 1

    def test_delete(self):
        cluster, barman = self.streaming(wal_segment_size=1)
        for point in points("delete") + ["xlogdb-remove"]:
            with self.subTest(point):
                barman.ok("backup", "--wait", "main")
                self.archive(barman, "main", until=cluster.switch_wal())
                barman.ok("backup", "--wait", "main")
                victim, kept = barman.backup_ids("main")
                self.kill_at(point, barman, "delete", "main", victim)
                self.assertIn(kept, barman.ok("list-backups", "main").out)
                if victim in barman.backup_ids("main"):
                    barman.ok("delete", "main", victim)
                self.assertEqual(os.listdir(barman.directory("main", "base")), [kept])
                self.archive(barman, "main", until=cluster.switch_wal())
                self.wal_on_disk_matches_index(barman)
                barman.ok("check-backup", "main", kept)
                barman.ok("delete", "main", kept)

    def test_delete_settles_what_was_interrupted(self):
        _, barman = self.streaming()
        self.kill_at("backup-started" if "backup-started" in points("backup") else points("backup")[0], barman, "backup", "main")
        barman.ok("backup", "--wait", "main")
        self.kill_at(points("backup")[0], barman, "backup", "main")
        first, good, last = barman.backup_ids("main")
        self.assertNotEqual(barman.backup_info("main", last)["status"], "FAILED")
        result = barman.ok("delete", "main", first)
        self.assertRegex(result.err, f"Backup {last} of server main was interrupted")
        self.assertEqual(barman.backup_info("main", last)["status"], "FAILED")
        barman.ok("delete", "main", "last-failed")
        self.assertEqual(barman.backup_ids("main"), [good])

    def test_receive_wal(self):
        """Killed while segments stream: the next receiver goes on without a gap, and no segment is short."""
        cluster, barman = self.streaming(wal_segment_size=1)
        cluster.sql("CREATE TABLE t (i int)")
        for _ in range(5):
            barman._background[-1].kill()
            for _ in range(3):
                cluster.sql("INSERT INTO t SELECT generate_series(1, 1000)")
                cluster.switch_wal()
            barman.receiver("main")
            wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "a receiver streams again")
        self.archive(barman, "main", until=cluster.switch_wal())
        names = barman.archived_wal("main")
        self.assertEqual(len(names), int(names[-1][16:], 16) - int(names[0][16:], 16) + 1, names)
        for name in names:
            self._whole(barman, name)
        cluster.program([f"{cluster.bin}/pg_waldump", "-q", "-p", barman.directory("main", "wals", names[0][:16]), names[0], names[-1]])


if __name__ == "__main__":
    harness.main()
