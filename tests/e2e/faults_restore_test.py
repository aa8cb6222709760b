#!/usr/bin/env python3
"""Restores that go wrong: damage is named, what was stopped does not start, and nothing of anybody's is touched."""

import os
import re
import shutil
import signal
import subprocess

import harness
import place
from harness import AM_ROOT, Missing, wait_until
from restoring import Restores, write


def flip(path, offset=50):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


class Damage(Restores):
    def test_every_kind_is_named_and_nothing_starts(self):
        cluster, barman = self.scene()
        destination, moved = self.place()
        space = [os.path.join(folder, name) for folder, _, files in os.walk(self.stored(barman, self.oid)) for name in files]
        victims = {
            "a flipped bit": (self.stored(barman, "data", "global", "1262"), flip),
            "a flipped bit in a tablespace": (next(path for path in space if os.path.getsize(path)), flip),
            "a flipped bit in the control file": (self.stored(barman, "data", "global", "pg_control"), flip),
            "a file cut short": (self.stored(barman, "data", "global", "1260"), lambda path: os.truncate(path, 100)),
            "a file that is gone": (self.stored(barman, "data", "PG_VERSION"), os.unlink),
            "a damaged manifest": (self.stored(barman, "data", "backup_manifest"), flip),
        }
        for name, (victim, damage) in victims.items():
            with self.subTest(name):
                shutil.copy2(victim, f"{self.scratch.path}/kept")
                damage(victim)
                self.assert_refused(barman.run("restore", *moved, "main", "latest", destination), re.escape(victim))
                self.assertFalse(os.path.exists(f"{destination}/global/pg_control"))
                shutil.copy2(f"{self.scratch.path}/kept", victim)
                place.give(victim)
        barman.ok("restore", *moved, "main", "latest", destination)  # over what is left of the refused ones
        self.assertEqual(self.steps(self.restored(15, destination)), [1])

    def test_without_verification_what_is_there_is_restored(self):
        _, barman = self.scene()
        destination, moved = self.place()
        flip(self.stored(barman, "data", "global", "1262"))
        barman.ok("restore", "--no-verify", *moved, "main", "latest", destination)
        with open(self.stored(barman, "data", "global", "1262"), "rb") as one, open(f"{destination}/global/1262", "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_a_wal_file_that_was_cut_short_is_found_before_the_first_byte(self):
        cluster, barman = self.scene()
        name = [wal for wal in barman.archived_wal("main") if re.fullmatch("[0-9A-F]{24}", wal)][-1]
        os.truncate(barman.directory("main", "wals", name[:16], name), 5000)
        destination, moved = self.place()
        self.assert_refused(barman.run("restore", *moved, "main", "latest", destination), f"{name} has 5000 bytes")
        self.assertFalse(os.path.exists(destination))


class Stopped(Restores):
    def test_a_killed_restore_does_not_start_and_is_started_anew(self):
        cluster, barman = self.scene()
        destination, moved = self.place()
        for point in ("restore-prepared", "restore-folder-copied", "restore-synced", "restore-before-control"):
            with self.subTest(point):
                result = barman.run("restore", *moved, "main", "latest", destination, fault_point=point)
                self.assertEqual(result.code, -signal.SIGKILL, str(result))
                done = cluster.program([f"{cluster.bin}/postgres", "-D", destination, "-p", str(place.Ports.take())], check=False, timeout=60)
                self.assertNotEqual(done.returncode, 0, "PostgreSQL started on an unfinished restore")
        barman.ok("restore", *moved, "main", "latest", destination)
        self.assertEqual(self.steps(self.restored(15, destination)), [1])
        self.assertNotIn(".barman-restore-incomplete", os.listdir(destination) + os.listdir(f"{destination}-ts"))

    def test_a_finished_restore_is_never_overwritten(self):
        _, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        with open(f"{destination}/.barman-restore-incomplete", "w", encoding="utf-8"):
            pass
        self.assert_refused(barman.run("restore", *moved, "main", "latest", destination), "not empty")
        self.assertTrue(os.path.exists(f"{destination}/global/pg_control"))

    def test_an_interrupted_restore_says_so(self):
        _, barman = self.scene()
        destination, moved = self.place()
        running = barman.start("restore", "--bwlimit", "500", *moved, "main", "latest", destination)
        wait_until(lambda: os.path.exists(f"{destination}/base"), "files are copied")
        self.assertEqual(running.stop(signal.SIGINT), 1)
        self.assertIn("ERROR: ", running.err)
        self.assertFalse(os.path.exists(f"{destination}/global/pg_control"))
        barman.ok("restore", *moved, "main", "latest", destination)

    def test_a_backup_is_not_deleted_while_it_is_restored_but_restored_twice(self):
        cluster, barman = self.scene()
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        destination, moved = self.place()
        first = barman.backup_ids("main")[0]
        running = barman.start("restore", "--bwlimit", "500", *moved, "main", first, destination)
        wait_until(lambda: os.path.exists(f"{destination}/base"), "files are copied")
        self.assertNotEqual(barman.run("delete", "main", first).code, 0)
        other, aside = self.place("other")
        barman.ok("restore", *aside, "main", first, other)
        self.assertTrue(running.running())
        running.stop(signal.SIGTERM)
        barman.ok("delete", "main", first)


class Destinations(Restores):
    def test_folders_that_cannot_be(self):
        _, barman = self.scene()
        destination, moved = self.place()
        occupied = self.scratch.folder("occupied")
        place.give(write(f"{occupied}/mine", "mine"))
        cases = {
            "a colon": (["main", "latest", f"{destination}:x"], "':'"),
            "an occupied tablespace": (["--tablespace", f"elsewhere:{occupied}", "main", "latest", destination], "not empty"),
            "the tablespace where the server has it": (["main", "latest", destination], "not empty"),
            "the tablespace above the data": (["--tablespace", f"elsewhere:{self.scratch.path}", "main", "latest", destination], "."),
            "one folder for both": (["--tablespace", f"elsewhere:{destination}", "main", "latest", destination], "cannot both"),
            "occupied WAL folder": ([*moved, "--target-immediate", "--staging-wal-directory", occupied, "main", "latest", destination], "not empty"),
        }
        for name, (arguments, says) in cases.items():
            with self.subTest(name):
                self.assert_refused(barman.run("restore", *arguments), says)
                self.assertFalse(os.path.exists(destination))
        self.assertEqual(os.listdir(occupied), ["mine"])

    def test_a_mount_point(self):
        _, barman = self.scene()
        disk = self.small_disk("mounted", 400)
        os.mkdir(f"{disk}/lost+found")
        _, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", disk)
        self.assertTrue(os.path.exists(f"{disk}/lost+found"))
        self.assertEqual(self.steps(self.restored(15, disk)), [1])

    def test_another_users_directory(self):
        if not AM_ROOT:
            raise Missing("giving a directory away needs root")
        _, barman = self.scene()
        foreign = os.path.join(self.scratch.path, "foreign")
        os.mkdir(foreign, mode=0o777)
        os.chmod(foreign, 0o777)
        _, moved = self.place()
        self.assert_refused(barman.run("restore", *moved, "main", "latest", foreign), "belongs to another user")

    def test_the_disk_fills_up_on_the_way(self):
        """Somebody else takes the room after it was looked at."""
        cluster, barman = self.scene()
        disk = self.small_disk("small", 64)
        _, moved = self.place()
        running = barman.start("restore", "--bwlimit", "4000", *moved, "--target-immediate", "main", "latest", f"{disk}/data")
        wait_until(lambda: os.path.exists(f"{disk}/data/base"), "files are copied")
        subprocess.run(["dd", "if=/dev/zero", f"of={disk}/filler", "bs=1M"], capture_output=True)
        self.assertEqual(running.wait(), 1)
        self.assertIn("No space left on device", running.err)
        self.assertFalse(os.path.exists(f"{disk}/data/global/pg_control"))


if __name__ == "__main__":
    harness.main()
