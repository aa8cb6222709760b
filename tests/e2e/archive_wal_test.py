#!/usr/bin/env python3
"""archive-wal: what arrives gets into the archive once, whole, and only if it belongs there."""

import fcntl
import os
import random
import shutil
import signal
import time

import harness
import place
from archiving import Archives
from harness import EndToEnd, on_versions, wait_until

MIB = 1 << 20


class FileArchiver(Archives):
    @on_versions(15, 17, 18)
    def test_real_segments(self, version):
        cluster, barman = self.scene(version)
        names = self.segments(cluster, 5)
        self.arrive(*names)
        result = barman.ok("archive-wal", "main")
        self.assertEqual(result.out.splitlines(), ["Processing xlog segments from file archival for main", *("\t" + name for name in names)])
        self.assert_archived(barman, names)
        self.assertEqual(os.listdir(self.incoming), [])
        for name, line in zip(names, self.index(barman)):
            stored = os.stat(barman.directory("main", "wals", name[:16], name))
            self.assertEqual(line, [name, str(MIB), repr(stored.st_mtime), "None", "None"])

    def test_large_segments(self):
        cluster, barman = self.scene(wal_segment_size=64)
        names = self.segments(cluster, 2)
        self.arrive(*names)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, names)
        self.assertEqual(barman.ok("get-wal", "-p", "9", "main", names[0]).out.split(), names)

    def test_the_original_agrees_about_the_archive(self):
        harness.original_barman()
        cluster, barman = self.scene()
        names = self.segments(cluster, 6)
        self.write(f"{self.kept}/{names[1]}.00000028.backup", b"START WAL LOCATION: 0/1\n")
        self.write(f"{self.kept}/00000002.history", b"1\t0/300000\tno recovery target specified\n")
        for number, name in enumerate([*names, f"{names[1]}.00000028.backup", "00000002.history"]):
            self.arrive(name)
            done = barman.original("archive-wal", "main") if number % 2 else barman.ok("archive-wal", "main")
            self.assertEqual(done.code, 0, str(done))
            self.assertIn("\t" + name, done.out)
        ours = sorted(self.index(barman))
        done = barman.original("rebuild-xlogdb", "main")
        self.assertEqual(done.code, 0, str(done))
        self.assertEqual(sorted(self.index(barman)), ours)
        self.assertEqual(barman.ok("rebuild-xlogdb", "main").out, done.out)
        self.assertEqual(sorted(self.index(barman)), ours)
        self.assertEqual(barman.original("get-wal", "-p", "9", "main", names[0]).out, barman.ok("get-wal", "-p", "9", "main", names[0]).out)

    def test_the_same_segment_twice(self):
        cluster, barman = self.scene()
        one, other = self.segments(cluster, 2)
        self.arrive(one)
        barman.ok("archive-wal", "main")
        self.arrive(one)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, [one])

        # As large and as old, one byte differs at the end: the archived one stays, the other is kept for a person.
        changed = self.kept_bytes(one)[:-1] + b"\xff"
        self.write(f"{self.incoming}/{one}", changed)
        stored = os.stat(barman.directory("main", "wals", one[:16], one))
        os.utime(f"{self.incoming}/{one}", ns=(stored.st_atime_ns, stored.st_mtime_ns))
        self.arrive(other)
        result = barman.ok("archive-wal", "main")
        self.assertIn(f"\tError: {one} is already present in server main. File moved to errors directory.\n", result.out)
        self.assertRegex(" ".join(os.listdir(self.errors)), rf"^{one}\.\d{{8}}T\d{{6}}Z\.duplicate$")
        self.assertEqual(self.archived_bytes(barman, one), self.kept_bytes(one))
        self.assertEqual(self.archived_bytes(barman, other), self.kept_bytes(other), "the batch went on")
        self.assertIn("archiver errors: FAILED", barman.run("check", "main").out)

    def test_wal_of_another_cluster(self):
        cluster, barman = self.scene()
        other = self.cluster(name="other", wal_segment_size=1)
        self.write(barman.directory("main", "identity.json"),
                   f'{{\n    "systemid": "{cluster.system_identifier()}",\n    "version": "15"\n}}\n'.encode())
        mine = self.segments(cluster, 1)[0]
        self.arrive(mine)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, [mine])
        foreign = other.switch_wal()
        while foreign <= mine:
            foreign = other.switch_wal()
        place.give(shutil.copy(f"{other.data}/pg_wal/{foreign}", f"{self.incoming}/{foreign}"))
        result = barman.run("archive-wal", "main")
        self.assert_fails(result, says=other.system_identifier())
        self.assertRegex(" ".join(os.listdir(self.errors)), rf"^{foreign}\.\d{{8}}T\d{{6}}Z\.foreign$")
        self.assertEqual(os.listdir(self.incoming), [])

    def test_a_segment_under_the_name_of_another(self):
        cluster, barman = self.scene()
        one, other = self.segments(cluster, 2)
        place.give(shutil.copy(f"{self.kept}/{one}", f"{self.incoming}/{other}"))
        self.assert_fails(barman.run("archive-wal", "main"), says=f"{other} holds the WAL of {one}")
        self.assertRegex(" ".join(os.listdir(self.errors)), r"\.misplaced$")
        self.assertNotIn(other, barman.archived_wal("main"))

    def test_a_segment_that_is_still_being_written(self):
        cluster, barman = self.scene()
        one, other = self.segments(cluster, 2)
        self.write(f"{self.incoming}/{one}", self.kept_bytes(one)[:300_000])
        self.arrive(other)
        result = barman.ok("archive-wal", "main")
        self.assertIn("WARNING:", result.err)
        self.assertIn(one, result.err)
        self.assertEqual(os.listdir(self.incoming), [one])
        self.assertNotEqual(barman.run("get-wal", "main", one).code, 0, "half a segment is not handed out")
        self.arrive(one)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, [one, other])

    def test_junk_does_not_starve_wal(self):
        cluster, barman = self.scene(archiver_batch_size=2)
        names = self.segments(cluster, 3)
        for number in range(20):
            self.write(f"{self.incoming}/.{number}.dot", b"")
            self.write(f"{self.incoming}/0{number:02}.tmp", b"")
        self.write(f"{self.incoming}/0-junk", b"?")
        self.arrive(*names)
        first = barman.ok("archive-wal", "main")
        self.assertEqual(first.out.splitlines(), [
            "Processing xlog segments from file archival for main (batch size: 2)", "\t" + names[0], "\t" + names[1],
            "Some unknown objects have been found while processing xlog segments for main. Objects moved to errors directory:", "\t0-junk"])
        barman.ok("archive-wal", "main")
        self.assertEqual([one for one in names if one not in barman.archived_wal("main")], [])
        self.assertEqual(len(os.listdir(self.incoming)), 40)

    def test_five_hundred_at_once(self):
        cluster, barman = self.scene()
        names = self.segments(cluster, 500)
        self.arrive(*names)
        self.assertEqual(len(barman.ok("archive-wal", "main").out.splitlines()), 501)
        self.assert_archived(barman, random.sample(names, 20))
        self.assertEqual(os.listdir(self.incoming), [])

    def test_killed_at_any_moment(self):
        cluster, barman = self.scene()
        names = self.segments(cluster, 150)
        self.arrive(*names)
        kills = 0
        for _ in range(12):
            running = barman.start("archive-wal", "main")
            time.sleep(random.uniform(0, 0.06))
            kills += running.running()
            running.kill()
        barman.ok("archive-wal", "main")
        self.assertGreater(kills, 0)
        self.assert_archived(barman, names)
        self.assertEqual(os.listdir(self.incoming), [])

    def test_another_file_system(self):
        cluster, barman = self.scene()
        disk = self.small_disk("incoming-disk", 8)
        barman.server("main", incoming_wals_directory=disk)
        names = self.segments(cluster, 7)
        for point, name in zip(["archive-copied", "archive-renamed", "archive-stored", "archive-indexed", "archive-removed"], names):
            with self.subTest(point):
                self.arrive(name, into=disk)
                before = os.stat(f"{disk}/{name}")
                self.assertEqual(barman.run("archive-wal", "main", fault_point=point).code, -signal.SIGKILL)
                barman.ok("archive-wal", "main")
                self.assert_archived(barman, [name])
                after = os.stat(barman.directory("main", "wals", name[:16], name))
                self.assertEqual((after.st_mtime_ns, after.st_mode), (before.st_mtime_ns, before.st_mode))
                self.assertEqual(os.listdir(disk), [])
        self.arrive(*names[5:], into=disk)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, names)

    def test_an_archive_without_room(self):
        cluster, barman = self.scene()
        disk = self.small_disk("wals-disk", 3)
        barman.server("main", wals_directory=disk, xlogdb_directory=barman.directory("main", "index"))
        barman.run("check", "main")
        names = self.segments(cluster, 5)
        self.arrive(*names)
        self.assert_fails(barman.run("archive-wal", "main"), says="no space left")
        stored = sorted(name for _, _, files in os.walk(disk) for name in files)
        self.assertGreater(len(stored), 0)
        self.assertEqual(sorted([*stored, *os.listdir(self.incoming)]), names, "each file is in one place, and whole")
        with open(barman.directory("main", "index", "main-xlog.db"), encoding="utf-8") as file:
            self.assertEqual(sorted(line.split("\t")[0] for line in file), stored)
        for name in stored:
            os.unlink(f"{disk}/{name[:16]}/{name}")
        barman.ok("archive-wal", "main")
        self.assertEqual(os.listdir(self.incoming), [])

    def test_an_archive_that_may_not_be_written(self):
        cluster, barman = self.scene()
        names = self.segments(cluster, 2)
        self.arrive(names[0])
        barman.ok("archive-wal", "main")
        self.arrive(names[1])
        folder = barman.directory("main", "wals", names[0][:16])
        os.chmod(folder, 0o500)
        self.assert_fails(barman.run("archive-wal", "main"), says="permission denied")
        self.assertEqual(os.listdir(self.incoming), [names[1]])
        os.chmod(folder, 0o700)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, names)

    def test_files_of_another_owner(self):
        if not harness.AM_ROOT:
            self.skipTest("only root can give files away")
        cluster, barman = self.scene()
        name = self.segments(cluster, 1)[0]
        shutil.copy(f"{self.kept}/{name}", f"{self.incoming}/{name}")
        os.chown(f"{self.incoming}/{name}", 0, 0)
        os.chmod(f"{self.incoming}/{name}", 0o644)
        barman.ok("archive-wal", "main")
        self.assert_archived(barman, [name])
        self.assertEqual(os.listdir(self.incoming), [])

    def test_busy(self):
        cluster, barman = self.scene()
        self.arrive(*self.segments(cluster, 1))
        with open(os.path.join(barman.home, ".main-archive-wal.lock"), "a+", encoding="utf-8") as lock:
            place.give(lock.name)
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertEqual(barman.ok("archive-wal", "main").out,
                             "Another archive-wal process is already running on server main. Skipping to the next server\n")
        self.assertEqual(len(os.listdir(self.incoming)), 1)

    def test_what_this_build_cannot_do_is_refused_before_anything_is_done(self):
        cluster, barman = self.scene(pre_archive_script="/bin/true")
        self.arrive(*self.segments(cluster, 1))
        self.assert_fails(barman.run("archive-wal", "main"), says="pre_archive_script = /bin/true: this build does not run hook scripts")
        self.assertEqual(len(os.listdir(self.incoming)), 1)
        self.assertEqual(barman.archived_wal("main"), [])


class StreamingArchiver(EndToEnd):
    @on_versions(15, 17, 18)
    def test_streamed_segments(self, version):
        cluster, barman = self.streaming(version, wal_segment_size=1)
        closed = [cluster.switch_wal() for _ in range(4)]
        self.archive(barman, "main", until=closed[-1])
        self.assertEqual([name for name in closed if name not in barman.archived_wal("main")], [])
        self.assertRegex(" ".join(os.listdir(barman.directory("main", "streaming"))), r"^[0-9A-F]{24}\.partial$")

    def test_the_position_of_a_stopped_receiver_stays(self):
        cluster, barman = self.streaming(wal_segment_size=1)
        folder = barman.directory("main", "streaming")
        for running in list(barman._background):
            running.stop()
        partial = [name for name in os.listdir(folder) if name.endswith(".partial")][0]
        name = partial.removesuffix(".partial")
        os.rename(f"{folder}/{partial}", f"{folder}/{name}")
        self.assertIn("\tno file found", barman.ok("archive-wal", "main").out)
        self.assertEqual(os.listdir(folder), [name])


if __name__ == "__main__":
    harness.main()
