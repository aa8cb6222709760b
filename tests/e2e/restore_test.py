#!/usr/bin/env python3
"""Restoring beyond the main job: targets, where WAL comes from, and that the restored tree is what the referees and the
original expect."""

import os
import re
import subprocess

import harness
import place
from harness import on_versions, original_barman, wait_until
from restoring import Restores, read, write


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class Referees(Restores):
    @on_versions(15, 17, 18)
    def test_the_restored_tree_passes_pg_verifybackup_and_pg_amcheck(self, version):
        cluster, barman = self.scene(version)
        cluster.pgbench_init(1)
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
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


class Targets(Restores):
    def test_a_time_without_a_zone_is_local_said_and_written_with_its_offset(self):
        cluster, barman = self.scene()
        self.step(cluster, 2)
        utc = cluster.now()
        self.step(cluster, 3)
        self.archive(barman, "main", until=cluster.switch_wal())
        local = cluster.sql(f"SET timezone = 'Asia/Tokyo'; SELECT to_char(timestamptz '{utc}', 'YYYY-MM-DD HH24:MI:SS.US')")
        local = local.removesuffix(".000000")
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
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
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
        place.give(write(f"{wals}/00000002.history", "1\t0/100\tearly\n"))
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
        result = barman.ok("restore", *moved, "--get-wal", "--restore-command", command, "--partial-wal", "--target-tli", "latest", "main", "latest", destination)
        self.assertIn(f"Custom restore command override: restore_command = '{command}'\n", result.out)
        self.assertIn("WARNING: --partial-wal has no effect", result.err)
        self.assertNotIn("Copying required WAL segments.", result.out)
        self.assertFalse(os.path.exists(f"{destination}/barman_wal"))
        server = self.restored(15, destination)
        self.assertEqual(self.steps(server), [1, 2])

    def test_the_generated_command_names_a_configuration_that_is_not_the_systems(self):
        cluster, barman = self.scene()
        waiting = cluster.switch_wal()
        wait_until(lambda: waiting in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
        destination, moved = self.place()
        barman.ok("restore", *moved, "--get-wal", "--skip-archive-wal", "main", "latest", destination)
        self.assertNotIn(waiting, barman.archived_wal("main"))
        self.assertTrue(self.generated_command(destination).startswith(f"barman -c {barman.config} get-wal -P main %f > %p"))
        self.assertTrue(os.path.exists(f"{destination}/recovery.signal"))

    def generated_command(self, destination):
        lines = [line for line in read(f"{destination}/postgresql.auto.conf").splitlines() if line.startswith("restore_command")]
        self.assertEqual(len(lines), 1, lines)
        return re.fullmatch("restore_command = '(.*)'", lines[0])[1]

    def test_only_wal_that_is_not_there_ends_a_recovery(self):
        """PostgreSQL goes on without it for a status up to 125, and stops for others."""
        cluster, barman = self.scene()
        destination, moved = self.place()
        barman.ok("restore", *moved, "--get-wal", "main", "latest", destination)
        command = self.generated_command(destination).replace("barman -c", f"{barman.program} -c")
        name, absent, fetched = barman.archived_wal("main")[-1], "0000000100000000000000F0", os.path.join(self.scratch.folder("wal"), "fetched")
        folder = barman.directory("main", "wals", name[:16])

        def status(wal, command=command):
            words = command.replace("%f", wal).replace("%p", fetched)
            return subprocess.run(["sh", "-c", words], env=barman._environment(None, None), cwd="/", capture_output=True, **place.as_account(), check=False).returncode

        self.assertEqual(status(name), 0)
        self.assertEqual(read_bytes(fetched), read_bytes(f"{folder}/{name}"))
        self.assertEqual([status(absent), status("00000009.history")], [1, 1])
        self.assertEqual(status(name, command.replace(" main ", " nobody ")), 255)
        self.assertEqual(status(absent, command.replace(barman.config, "/absent")), 255)
        for closed in (f"{folder}/{name}", folder):
            mode = os.stat(closed).st_mode
            os.chmod(closed, 0)
            self.assertEqual(status(name), 255, closed)
            os.chmod(closed, mode)
        barman.ok("restore", "--standby-mode", "--get-wal", "--tablespace", f"elsewhere:{destination}-2-ts", "main", "latest", destination + "-2")
        self.assertTrue(self.generated_command(destination + "-2").endswith("get-wal main %f > %p"), "a standby asks again")

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
        result = barman.ok("restore", *moved, "--partial-wal", "--restore-command", "false", "main", "latest", destination)
        self.assertIn("Copying .partial WAL files.\n", result.out)
        self.assertIn("WARNING: --restore-command has no effect without --get-wal", result.err)
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


class BesideTheOriginal(Restores):
    def test_the_same_json(self):
        original_barman()
        cluster, barman = self.scene()
        cluster.configure(archive_command="cp %p /nowhere", recovery_target_name="old", ssl_key_file="/etc/key")
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        ours, theirs = self.place("ours"), self.place("theirs")
        arguments = ("-f", "json", "restore", "--target-tli", "latest", "--get-wal")
        one = barman.ok(*arguments, *ours[1], "main", "latest", ours[0]).json
        other = barman.original(*arguments, *theirs[1], "main", "latest", theirs[0]).json
        self.assertEqual({key: type(value) for key, value in one.items()}, {key: type(value) for key, value in other.items()})
        for key in ("changes", "changes_count", "warnings", "warnings_count", "missing_files"):
            self.assertEqual(one[key], other[key])
        self.assertEqual(len(one["_WARNING"]), len(other["_WARNING"]))
        waiting = re.compile("Processing xlog|\t0000")
        self.assertEqual([line.replace("ours", "X") for line in one["_INFO"] if not waiting.match(line)],
                         [line.replace("theirs", "X") for line in other["_INFO"] if not waiting.match(line)])
        self.assertRegex(one["recovery_start_time"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+[+-]\d\d:\d\d$")

    def test_the_same_words_in_the_same_order(self):
        original_barman()
        cluster, barman = self.scene()
        cluster.configure(archive_command="cp %p /nowhere", hba_file=f"{cluster.data}/pg_hba.conf", archive_mode="on")
        self.step(cluster, 2)
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        for number, options in enumerate(([], ["--target-immediate"], ["--get-wal"], ["--standby-mode"])):
            with self.subTest(options=options):
                ours, theirs = (self.place(f"{who}-{number}") for who in ("ours", "theirs"))
                one = barman.ok("restore", *options, *ours[1], "main", "latest", ours[0])
                other = barman.original("restore", *options, *theirs[1], "main", "latest", theirs[0])
                self.assertEqual(other.code, 0, str(other))
                self.assertEqual(_plain(one.out, ours[0]), _plain(other.out, theirs[0]))
                for name in ("postgresql.conf", "postgresql.auto.conf"):
                    self.assertEqual(_plain(read(f"{ours[0]}/{name}"), ours[0]), _plain(read(f"{theirs[0]}/{name}"), theirs[0]), name)


def _plain(text, destination):
    """What may be compared: without times, places, our own words of notices and blank lines."""
    text = text.replace(destination, "DEST")
    text = re.sub(r"start time: .*?, elapsed time: .*?\)", "TIMES)", text)
    text = re.sub(r"barman -c \S+ get-wal", "barman get-wal", text)
    text = re.sub(r"get-wal +", "get-wal ", text)
    text = re.sub(r" \|\| { there=.* exit 255; }", "", text)  # what of get-wal's failures ends a recovery
    lines = [line.rstrip() for line in text.splitlines()]
    kept = re.compile(r"Starting|Destination|Doing PITR|Copying|\t|Generating|Identify|IMPORTANT|WARNING$|.* line \d+:|Restore operation|Your|"
                      r"    \S|#BARMAN#|\w+ = ")
    return [line for line in lines if kept.match(line)]


if __name__ == "__main__":
    harness.main()
