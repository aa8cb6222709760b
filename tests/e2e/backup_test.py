#!/usr/bin/env python3
"""barman backup over streaming replication: what it prints, what it records, and that the result is a backup."""

import json
import os
import pty
import re
import subprocess
import time

import harness
from archiving import Archives
from harness import EndToEnd, on_versions, wait_until

POSITION = r"[0-9A-F]+/[0-9A-F]+ \([0-9A-F]{24}, [0-9A-F]{8}\)"


class Taking(EndToEnd):
    @on_versions(15, 17, 18)
    def test_console_lines_record_and_files(self, version):
        cluster, barman = self.streaming(version)
        place = cluster.tablespace("space_one")
        cluster.sql("CREATE TABLE t TABLESPACE space_one AS SELECT generate_series(1, 100000) AS i")
        result = barman.ok("backup", "--wait", "--name", "golden", "main")
        backup = barman.backup_ids("main")[0]
        expected = [
            rf"Starting backup using postgres method for server main in {barman.directory('main', 'base', backup)}",
            rf"Backup start at LSN: {POSITION}",
            rf"Starting backup copy via pg_basebackup for {backup}",
            r"Copy done \(time: .+\)",
            r"Finalising the backup\.",
            r"This is the first backup for server main",
            r"Backup size: [\d.]+ MiB",
            rf"Backup end at LSN: {POSITION}",
            r"Backup completed \(start time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}, elapsed time: .+\)",
            r"Waiting for the WAL file [0-9A-F]{24} from server 'main'",
        ]
        lines = iter(result.out.splitlines())
        for pattern in expected:
            self.assertTrue(any(re.fullmatch(pattern, line) for line in lines), f"{pattern} is missing, or in the wrong place\n{result}")
        self.assertEqual(result.err, "")

        info = barman.backup_info("main", backup)
        self.assertEqual(info["status"], "DONE")
        self.assertEqual(info["backup_name"], "golden")
        self.assertEqual(info["mode"], "postgres")
        self.assertEqual(info["systemid"], cluster.system_identifier())
        self.assertEqual(info["pgdata"], cluster.data)
        self.assertEqual(info["version"][:2], str(version))
        self.assertEqual(info["begin_wal"][:8], "00000001")
        self.assertLessEqual(info["begin_wal"], info["end_wal"])
        oid = cluster.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'space_one'")
        self.assertEqual(info["tablespaces"], f"[('space_one', {oid}, '{place}')]")
        data = barman.directory("main", "base", backup, "data")
        self.assertEqual(os.readlink(f"{data}/pg_tblspc/{oid}"), barman.directory("main", "base", backup, oid))
        self.assertEqual(os.stat(data).st_mode & 0o777, 0o700)
        cluster.verifybackup(data)

        with open(f"{data}/backup_label", encoding="utf-8") as file:
            label = file.read()
        start = re.search(r"START WAL LOCATION: (\S+) \(file (\S+)\)", label)
        self.assertEqual((info["begin_xlog"], info["begin_wal"]), start.groups())
        self.assert_clean(barman)

    def test_json_is_the_record(self):
        cluster, barman = self.streaming()
        result = barman.ok("-f", "json", "backup", "--wait", "main")
        record = json.loads(result.out)
        backup = barman.backup_ids("main")[0]
        self.assertEqual(record["backup_id"], backup)
        self.assertEqual(record["status"], "DONE")
        self.assertEqual(record["server_name"], "main")
        self.assertEqual(record["begin_xlog"], barman.backup_info("main", backup)["begin_xlog"])
        self.assertIn("Starting backup copy via pg_basebackup for " + backup, record["_INFO"])

    def test_the_original_reads_it(self):
        cluster, barman = self.streaming()
        cluster.tablespace("ts")
        barman.ok("backup", "--wait", "main")
        backup = barman.backup_ids("main")[0]
        shown = barman.original("show-backup", "main", backup)
        self.assertIn("DONE", shown.out, str(shown))
        self.assertIn("Backup Method        : postgres", shown.out)

    def test_several_servers(self):
        cluster, barman = self.streaming()
        barman.server("down", conninfo="host=/nonexistent user=x", streaming_conninfo="host=/nonexistent user=x", backup_method="postgres",
                      check_timeout="3")
        result = barman.run("backup", "all", "--wait")
        self.assertEqual(result.code, 1, str(result))
        self.assertIn("ERROR: Impossible to start the backup. Check the log for more details, or run 'barman check down'", result.err)
        self.assertEqual(barman.backup_info("main", barman.backup_ids("main")[0])["status"], "DONE")

    def test_older_wal_goes_with_the_first_backup_only(self):
        cluster, barman = self.streaming()
        older = barman.archived_wal("main")
        first = barman.ok("backup", "--wait", "main")
        for name in older:
            self.assertIn(f"\t{name} from server main has been removed", first.out.splitlines())
        kept = barman.archived_wal("main")
        self.assertFalse(set(older) & set(kept))
        second = barman.ok("backup", "--wait", "main")
        self.assertNotIn("first backup", second.out)
        self.assertTrue(set(kept) <= set(barman.archived_wal("main")))

    def test_without_wait_it_says_that_wal_is_missing(self):
        cluster, barman = self.streaming()
        cluster.sql("CREATE TABLE t AS SELECT 1")
        barman._background[0].process.send_signal(19)  # the receiver: nothing arrives
        try:
            result = barman.ok("backup", "main")
        finally:
            barman._background[0].process.send_signal(18)
        self.assertIn("WARNING: IMPORTANT: this backup is classified as WAITING_FOR_WALS", result.err)
        self.assertEqual(barman.backup_info("main", barman.backup_ids("main")[0])["status"], "WAITING_FOR_WALS")


class LostWal(Archives):
    def test_a_backup_whose_wal_was_lost_is_an_error(self):
        cluster, barman = self.scene()
        self.arrive(*self.segments(cluster, 1))
        barman.ok("archive-wal", "main")
        running = barman.start("backup", "--immediate-checkpoint", "--wait", "--wait-timeout", "8", "main")

        def status():
            return [barman.backup_info("main", backup)["status"] for backup in barman.backup_ids("main")]

        wait_until(lambda: status() == ["WAITING_FOR_WALS"], "the backup waits for its WAL")
        self.arrive(*self.segments(cluster, 1))  # younger than what it needs, which never comes
        self.assertEqual(running.wait(), 1)
        self.assertEqual(status(), ["FAILED"])
        lost = barman.backup_info("main", barman.backup_ids("main")[0])["begin_wal"]
        self.assertIn("ERROR: This backup has been marked as FAILED due to the following reason: "
                      f"At least one WAL file is missing. The first missing WAL file is {lost}", running.err)


class Limits(EndToEnd):
    def test_the_rate_is_kept(self):
        cluster, barman = self.streaming()
        began = time.monotonic()
        barman.ok("backup", "--immediate-checkpoint", "--bwlimit", "8192", "main")
        took = time.monotonic() - began
        size = int(barman.backup_info("main", barman.backup_ids("main")[0])["size"])
        self.assertGreater(took, 0.8 * size / (8192 * 1024))

    def test_a_rate_that_the_server_refuses(self):
        cluster, barman = self.streaming()
        for rate in ("31", "1048577"):
            self.assert_fails(barman.run("backup", "--bwlimit", rate, "main"), says="32 to 1048576")
        self.assertEqual(barman.run("backup", "--bwlimit", "-1", "main").code, 2)
        self.assertEqual(barman.backup_ids("main"), [])

    def test_what_this_build_does_not_do_is_refused(self):
        cluster, barman = self.streaming()
        for options in ({"pre_backup_script": "/bin/true"}, {"post_backup_script": "/bin/true"}):
            with self.subTest(options):
                barman.server("main", **options)
                result = barman.run("backup", "main")
                self.assertEqual(result.code, 1, str(result))
                self.assertIn("this build does not", result.err, str(result))
                barman.server("main", **{name: None for name in options})
        self.assert_fails(barman.run("backup", "--incremental", "latest", "main"), says="incremental")
        self.assertEqual(barman.backup_ids("main"), [])


class Talking(EndToEnd):
    def test_no_progress_line_on_a_pipe(self):
        cluster, barman = self.streaming()
        result = barman.ok("backup", "--wait", "main")
        self.assertNotIn("\r", result.out + result.err)

    def test_a_progress_line_on_a_terminal(self):
        cluster, barman = self.streaming()
        cluster.fill(40)
        shown = b""
        leader, follower = pty.openpty()
        running = subprocess.Popen(barman.command("backup", "--bwlimit", "16384", "--immediate-checkpoint", "main"), stdout=subprocess.DEVNULL,
                                   stderr=follower, **harness_arguments())
        os.close(follower)
        try:
            while chunk := os.read(leader, 65536):
                shown += chunk
        except OSError:
            pass  # the last writer closed it
        self.assertEqual(running.wait(), 0, shown)
        self.assertRegex(shown.decode(), r"copying +\d+%")

    def test_external_configuration_files_are_warned_of(self):
        cluster, barman = self.streaming()
        outside = self.scratch.folder("outside")
        with open(f"{outside}/more.conf", "w", encoding="utf-8") as file:
            file.write("work_mem = '5MB'\n")
        with open(f"{cluster.data}/postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"include = '{outside}/more.conf'\n")
        cluster.sql("SELECT pg_reload_conf()")
        wait_until(lambda: cluster.sql("SHOW work_mem") == "5MB", "the file is read")
        result = barman.ok("backup", "--wait", "main")
        self.assertIn(f"{outside}/more.conf", result.err)
        self.assertIn("WARNING", result.err)
        barman.server("main", backup_options="concurrent_backup,external_configuration")
        self.assertNotIn(outside, barman.ok("backup", "--wait", "main").err)


class Standby(EndToEnd):
    @on_versions(15, 18)
    def test_a_backup_from_a_standby(self, version):
        primary = self.cluster(version)
        primary.fill(10)
        standby = self.standby(primary)
        barman = self.barman().server("main", standby, primary_conninfo=primary.conninfo("barman"))
        barman.receiver("main")
        wait_until(lambda: standby.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "receive-wal streams")
        self.archive(barman, "main", until=primary.switch_wal())
        # A backup of a standby begins at a checkpoint of the primary: one whose WAL the receiver has seen.
        primary.sql("CHECKPOINT")
        position = primary.lsn()
        wait_until(lambda: standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == "t", "the standby has caught up")
        result = barman.ok("backup", "--wait", "--immediate-checkpoint", "main", timeout=180)
        self.assertRegex(result.out, r"Backup start at LSN: [0-9A-F]+/[0-9A-F]+\n")
        backup = barman.backup_ids("main")[0]
        info = barman.backup_info("main", backup)
        self.assertEqual((info["status"], info["error"]), ("DONE", "None"))
        standby.verifybackup(barman.directory("main", "base", backup, "data"))


def harness_arguments():
    """The account of the tests, for a child that the harness did not start."""
    import place
    return place.as_account()


if __name__ == "__main__":
    harness.main()
