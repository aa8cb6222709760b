#!/usr/bin/env python3
"""Restores over an earlier state of the cluster: only what differs is written, and nothing else is touched."""

import os
import re
import signal

import harness
import place
from gnupg import Keyring
from harness import on_versions
from restoring import Restores, write


def trace(path):
    """What changes when a file is replaced or written."""
    status = os.lstat(path)
    return status.st_ino, status.st_mtime_ns


def flip(path, offset=5000):
    """Changes a bit, and nothing that `ls` would show."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


class Deltas(Restores):
    def delta(self, barman, destination, backup="latest", name="restored", **more):
        _, moved = self.place(name)
        return barman.run("restore", "--delta-restore", *moved, "main", backup, destination, **more)

    def used(self, version, destination, moved_on=True):
        """A server ran on what was restored, and was stopped: it wrote, dropped and left files."""
        server = self.restored(version, destination)
        self.steps(server)
        if moved_on:
            server.sql("CREATE TABLE later AS SELECT generate_series(1, 5000) n; INSERT INTO steps VALUES (1000); DROP TABLE wide")
            server.sql("CREATE DATABASE another")
            server.sql("UPDATE afar SET t = 'changed'")
        server.stop()

    def victim(self, destination):
        """A large file that no server touches: a template's."""
        folder = f"{destination}/base/1"
        return max((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getsize)

    def untouched(self, destination, victim):
        """Another one."""
        return f"{destination}/base/1/" + ("1255" if not victim.endswith("/1255") else "1259")

    def assert_restored(self, version, cluster, destination, steps):
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
        self.assertEqual([name for name in os.listdir(destination) if name.startswith(".barman-restore")], [])
        server = self.restored(version, destination)
        self.assertEqual(self.steps(server), steps)
        self.assertEqual(server.sql("SELECT t FROM afar"), "there")
        self.assertEqual(server.sql("SELECT count(*) FROM wide"), "20000")
        self.assertEqual(server.sql("SELECT count(*) FROM pg_database WHERE datname = 'another'"), "0")
        server.amcheck()
        server.stop()

    def scene(self, version=15, **initdb):
        cluster, barman = super().scene(version, **initdb)
        cluster.sql("CREATE TABLE wide AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        return cluster, barman


class Differences(Deltas):
    @on_versions(15, 17, 18)
    def test_a_used_and_damaged_directory_becomes_the_backup_again(self, version):
        cluster, barman = self.scene(version)
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        self.used(version, destination)
        kept, damaged = (os.path.join(f"{destination}/base/1", name) for name in ("1255", "1259"))
        flip(damaged)
        self.assertEqual(os.path.getsize(self.stored_file(barman, "base/1/1255")), os.path.getsize(kept))
        before = trace(kept), trace(damaged)
        result = self.delta(barman, destination)
        self.assertEqual(result.code, 0, str(result))
        self.assertRegex(result.out, r"Delta restore: only what differs is written; \d+ files")
        self.assertEqual(trace(kept), before[0])
        self.assertNotEqual(trace(damaged), before[1])
        self.assert_restored(version, cluster, destination, [1])

    def stored_file(self, barman, path):
        return barman.directory("main", "base", barman.backup_ids("main")[-1], "data", path)

    def test_an_incremental_chain(self):
        cluster, barman = self.streaming(17, settings={"summarize_wal": "on"})
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there'); "
                    "CREATE TABLE wide AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        for step in (1, 2):
            cluster.sql(f"INSERT INTO steps VALUES ({step}); UPDATE wide SET t = 'x{step}' WHERE n % 997 = {step}")
            barman.ok("backup", "--wait", "--immediate-checkpoint", "--incremental", "latest", "main")
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        self.used(17, destination)
        victim = self.victim(destination)
        flip(victim)
        kept = self.untouched(destination, victim)
        before = trace(kept)
        self.assertEqual(self.delta(barman, destination).code, 0)
        self.assertEqual(trace(kept), before)
        self.assert_restored(17, cluster, destination, [1, 2])

    def test_compressed_and_encrypted_archives(self):
        harness.original_barman()
        cluster, barman = self.scene(17)
        keyring = Keyring(self.scratch)
        barman.server("main", backup_compression="zstd", backup_compression_format="tar", encryption="gpg",
                      encryption_key_id=keyring.make("open", ""), encryption_passphrase_command="echo none")
        done = barman.original("backup", "--wait", "main")
        self.assertEqual(done.code, 0, str(done))
        barman.server("main", backup_compression=None, backup_compression_format=None, encryption=None, encryption_key_id=None)
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        self.used(17, destination)
        victim = self.victim(destination)
        flip(victim)
        kept = self.untouched(destination, victim)
        before = trace(kept)
        self.assertEqual(self.delta(barman, destination).code, 0)
        self.assertEqual(trace(kept), before)
        self.assert_restored(17, cluster, destination, [1])

    def test_the_option_of_the_configuration(self):
        cluster, barman = self.scene()
        barman.server("main", recovery_options="delta-restore")
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)  # nothing is there: as without
        self.used(15, destination)
        self.assert_refused(barman.run("restore", "--no-delta-restore", *moved, "main", "latest", destination), "not empty")
        barman.ok("restore", *moved, "main", "latest", destination)
        self.assert_restored(15, cluster, destination, [1])

    def test_room_is_needed_for_the_differences_only(self):
        cluster, barman = self.scene()
        disk = self.small_disk("small", 160)
        destination = f"{disk}/data"
        _, moved = self.place()
        barman.ok("restore", "--get-wal", *moved, "main", "latest", destination)
        with open(f"{disk}/filler", "wb") as file:
            free = os.statvfs(disk)
            file.write(b"x" * max(0, free.f_bavail * free.f_frsize - 8 * 1024 * 1024))
        flip(self.victim(destination))
        result = barman.run("restore", "--get-wal", "--delta-restore", *moved, "main", "latest", destination)
        self.assertEqual(result.code, 0, str(result))


class Stopped(Deltas):
    def test_a_killed_one_does_not_start_and_is_done_again(self):
        cluster, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        self.used(15, destination)
        for point in ("restore-prepared", "restore-control-removed", "restore-member-applied", "restore-synced", "restore-before-control"):
            with self.subTest(point):
                killed = self.delta(barman, destination, fault_point=point)
                self.assertEqual(killed.code, -signal.SIGKILL, str(killed))
                if point == "restore-prepared":
                    continue  # nothing was changed yet
                done = cluster.program([f"{cluster.bin}/postgres", "-D", destination, "-p", str(place.Ports.take())], check=False, timeout=60)
                self.assertNotEqual(done.returncode, 0, "PostgreSQL started on an unfinished restore")
        kept = trace(self.victim(destination))
        self.assertEqual(self.delta(barman, destination).code, 0)
        self.assertEqual(trace(self.victim(destination)), kept)
        self.assert_restored(15, cluster, destination, [1])

    def test_interrupted_while_it_writes(self):
        cluster, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        self.used(15, destination)
        running = barman.start("restore", "--delta-restore", "--bwlimit", "2000", *moved, "main", "latest", destination)
        harness.wait_until(lambda: not os.path.exists(f"{destination}/global/pg_control"), "pg_control is gone")
        self.assertEqual(running.stop(signal.SIGKILL), -signal.SIGKILL)
        done = cluster.program([f"{cluster.bin}/postgres", "-D", destination, "-p", str(place.Ports.take())], check=False, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.delta(barman, destination).code, 0)
        self.assert_restored(15, cluster, destination, [1])


class Refused(Deltas):
    def test_what_is_in_use_or_somebody_elses(self):
        cluster, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        server = self.restored(15, destination)
        self.steps(server)
        self.assert_refused(self.delta(barman, destination), "a PostgreSQL server runs in")
        self.assertEqual(server.sql("SELECT step FROM steps"), "1")
        # Its own directory is free, but the tablespace is the running server's.
        fresh, _ = self.place("fresh")
        os.mkdir(fresh)
        place.give(fresh)
        place.give(write(f"{fresh}/mine", "mine"))
        self.assert_refused(self.delta(barman, fresh), "is no data directory of PostgreSQL 15")
        self.assertEqual(os.listdir(fresh), ["mine"])
        server.stop()
        other = self.cluster(15, name="other")
        other.stop()
        self.assert_refused(self.delta(barman, other.data), "belongs to another cluster")
        second, second_moved = self.place("second")
        barman.ok("restore", *second_moved, "main", "latest", second)
        wrong = barman.run("restore", "--delta-restore", *moved, "main", "latest", second)
        self.assert_refused(wrong, re.escape(f"{destination}-ts is not empty and is no tablespace of {second}"))
        self.assertTrue(os.path.exists(f"{second}/global/pg_control"))


if __name__ == "__main__":
    harness.main()
