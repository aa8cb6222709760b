#!/usr/bin/env python3
"""Restoring beyond the main job: what is checked, what is refused, what a stopped restore leaves, where WAL comes from, and
that the restored tree is what the referees expect."""

import os
import re
import shutil
import signal
import subprocess

import harness
import place
from harness import AM_ROOT, EndToEnd, Missing, on_versions, original_barman, wait_until


def flip(path, offset=50):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


class Restores(EndToEnd):
    def scene(self, version=15, **initdb):
        """A streaming server with a tablespace and one finished backup. Returns (cluster, barman)."""
        cluster, barman = self.streaming(version, **initdb)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); INSERT INTO steps VALUES (1); "
                    "CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there')")
        barman.ok("backup", "--wait", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        self.oid = cluster.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'elsewhere'")
        return cluster, barman

    def step(self, cluster, number):
        cluster.sql(f"INSERT INTO steps VALUES ({number})")

    def place(self, name="restored"):
        """A destination, and the options that send the tablespace beside it."""
        path = os.path.join(self.scratch.path, name)
        return path, ["--tablespace", f"elsewhere:{path}-ts"]

    def steps(self, server):
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends", timeout=90)
        return [int(line) for line in server.sql("SELECT step FROM steps ORDER BY 1").split()]

    def assert_refused(self, result, says):
        self.assertEqual(result.code, 1, str(result))
        self.assertRegex(result.err, f"ERROR: .*{says}", str(result))

    def stored(self, barman, *below):
        return barman.directory("main", "base", barman.backup_ids("main")[0], *below)


class Referees(Restores):
    @on_versions(15, 17, 18)
    def test_the_restored_tree_passes_pg_verifybackup_and_pg_amcheck(self, version):
        cluster, barman = self.scene(version)
        cluster.pgbench_init(1)
        barman.ok("backup", "--wait", "main")
        backup = barman.backup_ids("main")[-1]
        destination, moved = self.place()
        barman.ok("restore", *moved, "--jobs", "3", "main", backup, destination)
        done = cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-m", f"{destination}/backup_manifest.{backup}",
                                *(f"--ignore={name}" for name in (
                                    "postgresql.conf", "postgresql.conf.origin", "postgresql.auto.conf", "postgresql.auto.conf.origin",
                                    ".barman-recover.info", f"backup_manifest.{backup}")), destination], check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        server = self.restored(version, destination)
        self.assertEqual(self.steps(server), [1])
        self.assertEqual(server.sql("SELECT t FROM afar"), "there")
        server.amcheck()

    def test_modes_are_those_that_a_server_accepts(self):
        _, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        for root in (destination, f"{destination}-ts"):
            for folder, _, files in os.walk(root):
                self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700, folder)
                for name in files:
                    self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)


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
        barman.ok("backup", "--wait", "main")
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


class Targets(Restores):
    def test_a_time_without_a_zone_is_local_said_and_written_with_its_offset(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        utc = cluster.now()
        self.step(cluster, 3)
        self.archive(barman, "main", until=cluster.switch_wal())
        local = cluster.sql(f"SET timezone = 'Asia/Tokyo'; SELECT timestamptz '{utc}'").removesuffix("+09")
        destination, moved = self.place()
        result = barman.ok("restore", *moved, "--target-time", local, "--target-action", "promote", "main", "latest", destination,
                           env={"TZ": "Asia/Tokyo"})
        self.assertRegex(result.err, r"WARNING: .*time zone.*\+09:00")
        self.assertIn(f"Doing PITR. Recovery target time: '{local}+09:00'", result.out)
        with open(f"{destination}/postgresql.auto.conf", encoding="utf-8") as file:
            self.assertIn(f"recovery_target_time = '{local}+09:00'\n", file.read())
        self.assertEqual(self.steps(self.restored(15, destination)), [1, 2])

    def test_auto_takes_the_newest_backup_before_the_target(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        between, lsn = cluster.now(), cluster.lsn()
        self.step(cluster, 3)
        barman.ok("backup", "--wait", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        first, second = barman.backup_ids("main")
        for target, expected in {("--target-time", between): first, ("--target-lsn", lsn): first, (): second}.items():
            with self.subTest(target):
                destination, moved = self.place(f"to-{len(target)}-{expected}{target[:1]}")
                result = barman.ok("restore", *moved, *target, "main", "auto", destination)
                self.assertIn(f"using backup {expected}\n", result.out)
        for target in (["--target-xid", "800"], ["--target-name", "x"], ["--target-immediate"]):
            self.assertEqual(barman.run("restore", *target, "main", "auto", "/nowhere").code, 1)
        self.assert_refused(barman.run("restore", "--target-lsn", "0/100", "main", "auto", "/nowhere"),
                            "Cannot find any candidate backup for recovery")

    def test_another_branch_of_history_does_not_lead_recovery_astray(self):
        """A second cluster's promotion before the end of the backup: its timeline is newer, and unreachable."""
        cluster, barman = self.scene()
        self.step(cluster, 2)
        self.archive(barman, "main", until=cluster.switch_wal())
        wals = barman.directory("main", "wals")
        place.give(_write(f"{wals}/00000002.history", "1\t0/100\tearly\n"))
        with open(f"{wals}/main-xlog.db", "a", encoding="utf-8") as file:
            file.write("00000002.history\t14\t1.0\tNone\tNone\n")
        for number, target in enumerate((["--target-immediate"], ["--target-name", "none such"], ["--target-tli", "current"])):
            destination, moved = self.place(f"to-{number}")
            barman.ok("restore", *moved, *target, "--target-action", "promote", "main", "latest", destination)
            server = self.restored(15, destination, name=f"server-{number}", start=False)
            server.start(wait=False)
            wait_until(lambda s=server: not s.running() or "consistent recovery state reached" in s.log_tail(60)
                       or s.sql("SELECT 1", check=False) == "1", "recovery gets going", timeout=60)
            self.assertNotIn("not a child of this server's history", server.log_tail(60))
            server.stop("immediate")
        self.assert_refused(barman.run("restore", "--target-tli", "2", "main", "latest", "/nowhere"), "timeline 2 cannot be reached")


class SourcesOfWal(Restores):
    def test_a_server_fetches_wal_while_it_recovers(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        self.archive(barman, "main", until=cluster.switch_wal())
        destination, moved = self.place()
        command = f"{barman.program} -c {barman.config} get-wal -P main %f > %p"
        result = barman.ok("restore", *moved, "--get-wal", "--restore-command", command, "--target-tli", "latest", "main", "latest", destination)
        self.assertNotIn("Copying required WAL segments.", result.out)
        self.assertFalse(os.path.exists(f"{destination}/barman_wal"))
        server = self.restored(15, destination)
        self.assertEqual(self.steps(server), [1, 2])

    def test_the_generated_command_names_a_configuration_that_is_not_the_systems(self):
        _, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "--get-wal", "main", "latest", destination)
        with open(f"{destination}/postgresql.auto.conf", encoding="utf-8") as file:
            self.assertIn(f"restore_command = 'barman -c {barman.config} get-wal -P main %f > %p'\n", file.read())
        self.assertTrue(os.path.exists(f"{destination}/recovery.signal"))

    def test_a_standby_finds_the_wal_of_its_target(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        self.archive(barman, "main", until=cluster.switch_wal())
        destination, moved = self.place()
        barman.ok("restore", *moved, "--standby-mode", "--target-tli", "latest", "main", "latest", destination)
        self.assertTrue(os.path.exists(f"{destination}/standby.signal"))
        self.assertFalse(os.path.exists(f"{destination}/recovery.signal"))
        server = self.restored(15, destination)
        wait_until(lambda: server.sql("SELECT count(*) FROM steps", check=False) == "2", "the standby has all that is archived")
        self.assertEqual(server.sql("SELECT pg_is_in_recovery()"), "t")

    def test_the_streamed_segment_comes_along_when_asked_for(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        partial = cluster.wal_file()
        flushed = cluster.lsn()
        wait_until(lambda: cluster.sql(f"SELECT flush_lsn >= '{flushed}' FROM pg_stat_replication") == "t", "the receiver has it")
        destination, moved = self.place()
        barman.ok("restore", *moved, "main", "latest", destination)
        self.assertEqual(self.steps(self.restored(15, destination)), [1])
        destination, moved = self.place("with-partial")
        result = barman.ok("restore", *moved, "--partial-wal", "main", "latest", destination)
        self.assertIn("Copying .partial WAL files.\n", result.out)
        self.assertIn(partial, os.listdir(f"{destination}/pg_wal"))
        self.assertEqual(self.steps(self.restored(15, destination, name="with-partial-server")), [1, 2])

    def test_folders_with_blanks_and_quotes(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        self.archive(barman, "main", until=cluster.switch_wal())
        destination, moved = self.place("it's 100% mine")
        barman.ok("restore", *moved, "--target-tli", "latest", "main", "latest", destination)
        self.assertEqual(self.steps(self.restored(15, destination, name="it's 100% mine")), [1, 2])
        self.assertFalse(os.path.exists(f"{destination}/barman_wal"), "recovery_end_command removes it")

    def test_waiting_wal_that_cannot_be_archived_does_not_stop_a_restore(self):
        cluster, barman = self.scene()
        name = cluster.switch_wal()
        wait_until(lambda: name in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
        closed = barman.directory("main", "wals", name[:16])
        os.chmod(closed, 0o500)
        destination, moved = self.place()
        result = barman.ok("restore", *moved, "main", "latest", destination)
        self.assertRegex(result.err, "WARNING: .*could not be archived")
        os.chmod(closed, 0o700)
        self.assertEqual(self.steps(self.restored(15, destination)), [1])


class Destinations(Restores):
    def test_folders_that_cannot_be(self):
        _, barman = self.scene()
        destination, moved = self.place()
        occupied = self.scratch.folder("occupied")
        place.give(_write(f"{occupied}/mine", "mine"))
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


class BesideTheOriginal(Restores):
    def test_the_same_words_in_the_same_order(self):
        original_barman()
        cluster, barman = self.scene()
        cluster.configure(archive_command="cp %p /nowhere", hba_file=f"{cluster.data}/pg_hba.conf", archive_mode="on")
        self.step(cluster, 2)
        barman.ok("backup", "--wait", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        for number, options in enumerate(([], ["--target-immediate"], ["--get-wal"], ["--standby-mode"])):
            with self.subTest(options=options):
                ours, theirs = (self.place(f"{who}-{number}") for who in ("ours", "theirs"))
                one = barman.ok("restore", *options, *ours[1], "main", "latest", ours[0])
                other = barman.original("restore", *options, *theirs[1], "main", "latest", theirs[0])
                self.assertEqual(other.code, 0, str(other))
                self.assertEqual(_plain(one.out, ours[0]), _plain(other.out, theirs[0]))
                for name in ("postgresql.conf", "postgresql.auto.conf"):
                    self.assertEqual(_plain(_read(f"{ours[0]}/{name}"), ours[0]), _plain(_read(f"{theirs[0]}/{name}"), theirs[0]), name)


def _plain(text, destination):
    """What may be compared: without times, places, our own words of notices and blank lines."""
    text = text.replace(destination, "DEST")
    text = re.sub(r"start time: .*?, elapsed time: .*?\)", "TIMES)", text)
    text = re.sub(r"barman -c \S+ get-wal", "barman get-wal", text)
    text = re.sub(r"get-wal +", "get-wal ", text)
    lines = [line.rstrip() for line in text.splitlines()]
    kept = re.compile(r"Starting|Destination|Doing PITR|Copying|\t|Generating|Identify|IMPORTANT|WARNING$|.* line \d+:|Restore operation|Your|"
                      r"    \S|#BARMAN#|\w+ = ")
    return [line for line in lines if kept.match(line)]


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


if __name__ == "__main__":
    harness.main()
