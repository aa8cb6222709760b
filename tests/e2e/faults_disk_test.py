#!/usr/bin/env python3
"""Disks that are full or may not be written: the command says so, nothing is half-written, and once there is room
again everything goes on."""

import os

import harness
from harness import EndToEnd


class FullDisk(EndToEnd):
    def scene(self, **options):
        """Everything is well so far, with the named directories of the server on small disks."""
        cluster = self.cluster(wal_segment_size=1)
        barman = self.barman().server("main", cluster, **options)
        self.stream(barman, "main", cluster)
        return cluster, barman

    def fill(self, disk):
        """Takes the room that is left; returns how to give it back."""
        path = os.path.join(disk, "filler")
        file = os.open(path, os.O_CREAT | os.O_WRONLY)
        for size in (65536, 1):
            try:
                while True:
                    os.write(file, b"\0" * size)
            except OSError:
                continue
        os.close(file)
        return lambda: os.unlink(path)

    def test_base_directory(self):
        disk = self.small_disk("base-disk", 12)
        cluster, barman = self.scene(basebackups_directory=disk)
        result = barman.run("backup", "--no-retry", "main")
        self.assert_fails(result, says="room|space")
        failed = barman.backup_ids("main")[0]
        self.assertEqual(barman.backup_info("main", failed)["status"], "FAILED")
        self.assertIn(f"main {failed} - F - FAILED", barman.ok("list-backups", "main").out)
        barman.ok("delete", "main", failed)
        self.assertEqual(barman.backup_ids("main"), [])
        self.assertEqual(os.listdir(disk), [])

    def test_wals_directory(self):
        disk = self.small_disk("wals-disk", 8)
        cluster, barman = self.scene(wals_directory=disk)
        before = barman.ok("list-backups", "main").out
        free = self.fill(disk)
        name = cluster.switch_wal()
        harness.wait_until(lambda: name in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
        result = barman.run("archive-wal", "main")
        self.assert_fails(result, says="space")
        self.assertIn(name, os.listdir(barman.directory("main", "streaming")), "a segment may not be lost")
        self.assertEqual([one for _, _, files in os.walk(disk) for one in files if one == name], [])
        free()
        barman.ok("archive-wal", "main")
        found = [one for _, _, files in os.walk(disk) for one in files if one == name]
        self.assertEqual(found, [name])
        self.assertEqual(barman.ok("list-backups", "main").out, before)

    def test_streaming_directory(self):
        disk = self.small_disk("streaming-disk", 6)
        cluster, barman = self.scene(streaming_wals_directory=disk)
        free = self.fill(disk)
        cluster.pgbench_init(1)
        receiver = barman._background[0]
        receiver.wait(60)
        self.assertEqual(receiver.process.returncode, 1, receiver.out + receiver.err)
        self.assertRegex(receiver.err, "space")
        free()
        # Nothing was confirmed that was not on disk: from here on all segments come, in order and whole.
        receiver = barman.receiver("main")
        for _ in range(40):
            last = cluster.wal_file()
            barman.run("archive-wal", "main")
            if last in barman.archived_wal("main"):
                break
            cluster.switch_wal()
        names = barman.archived_wal("main")
        self.assertEqual(len({name[8:] for name in names}), int(names[-1][16:], 16) - int(names[0][16:], 16) + 1, names)

    def test_the_home(self):
        """Metadata, locks and all on one full disk."""
        disk = self.small_disk("home-disk", 80)
        cluster, barman = self.scene(backup_directory=os.path.join(disk, "main"))
        barman.ok("backup", "--wait", "main")
        before = barman.ok("list-backups", "--minimal", "main").out
        free = self.fill(disk)
        result = barman.run("backup", "--no-retry", "main")
        self.assertEqual(result.code, 1, str(result))
        listed = barman.ok("list-backups", "--minimal", "main").out.split()
        self.assertIn(before.split()[0], listed)
        free()
        for _ in range(3):
            self.archive(barman, "main", until=None)
        barman.ok("backup", "--wait", "main")

    def test_lock_directory(self):
        disk = self.small_disk("locks-disk", 1)
        cluster = self.cluster()
        barman = self.barman().configure(barman_lock_directory=disk).server("main", cluster)
        self.fill(disk)
        for number in range(100000):  # a lock file needs a name, too: take every inode
            try:
                os.close(os.open(f"{disk}/{number}", os.O_CREAT | os.O_WRONLY))
            except OSError:
                break
        result = barman.run("archive-wal", "main")
        self.assert_fails(result)


class ReadOnly(EndToEnd):
    def test_directories_that_may_not_be_written(self):
        cluster, barman = self.streaming(15, wal_segment_size=1)
        barman.ok("backup", "--wait", "main")
        before = barman.ok("list-backups", "main").out
        for below in ("base", "meta", "wals"):
            with self.subTest(below):
                path = barman.directory("main", below)
                os.chmod(path, 0o500)
                try:
                    result = barman.run("backup", "--no-retry", "main")
                    if below != "wals":
                        self.assert_fails(result, says="permission denied")
                    self.assertIn(before.split(" - ")[0].split()[1], barman.ok("list-backups", "main").out)
                finally:
                    os.chmod(path, 0o700)
                self.assert_clean(barman)
        barman.ok("backup", "--wait", "main")

    def test_lock_directory(self):
        cluster = self.cluster()
        locks = self.scratch.folder("locks")
        barman = self.barman().configure(barman_lock_directory=locks).server("main", cluster)
        os.chmod(locks, 0o500)
        self.assert_fails(barman.run("archive-wal", "main"), says="permission denied")
        self.assert_fails(barman.run("backup", "main"))


if __name__ == "__main__":
    harness.main()
