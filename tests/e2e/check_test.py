#!/usr/bin/env python3
"""check: what it finds, how it says so, and that it always ends in time. The original is the referee for the lines."""

import os
import re
import signal
import time

import harness
from harness import EndToEnd, on_versions


def labels(text):
    """The labels and results of a report, without hints."""
    return re.findall(r"^\t([^\t].*?): (OK|FAILED)", text, re.MULTILINE)


class Check(EndToEnd):
    @on_versions(15, 17, 18)
    def test_a_streaming_server_in_order_passes(self, version):
        _, barman = self.streaming(version)
        result = barman.ok("check", "main")
        self.assertNotIn("FAILED", result.out)
        self.assertEqual([label for label, _ in labels(result.out)], [
            "PostgreSQL", "superuser or standard user with backup privileges", "PostgreSQL streaming", "wal_level",
            "replication slot", "directories", "retention policy settings", "backup maximum age", "backup minimum size",
            "wal maximum age", "wal size", "compression settings", "failed backups", "minimum redundancy requirements",
            "pg_basebackup", "pg_basebackup compatible", "pg_basebackup supports tablespaces mapping",
            "systemid coherence", "pg_receivexlog", "pg_receivexlog compatible", "receive-wal running", "archiver errors"])
        value = barman.json("check", "main")["main"]
        self.assertEqual({entry["status"] for entry in value.values()}, {"OK"})
        self.assertIn("receive_wal_running", value)

    def test_nagios_gets_one_line(self):
        _, barman = self.streaming()
        result = barman.ok("check", "--nagios", "main")
        self.assertRegex(result.out, r"\ABARMAN OK - Ready to serve the Espresso backup for main\|main=0B main_wals=\d+B\n\Z")
        barman.server("main", minimum_redundancy=2)
        result = barman.run("check", "--nagios", "main")
        self.assertEqual(result.code, 2)
        self.assertRegex(result.out, r"\ABARMAN CRITICAL - server main has issues \* main FAILED: minimum redundancy "
                                     r"requirements\|main=0B main_wals=\d+B\nmain\.minimum redundancy requirements: FAILED "
                                     r"\(have 0 non-incremental backups, expected at least 2\)\n\Z")
        result = barman.run("check", "--nagios", "nobody")
        self.assertEqual((result.code, result.out), (2, "BARMAN CRITICAL - Global configuration errors\n"))

    def test_the_first_wal_is_fetched_by_the_check_itself(self):
        cluster = self.cluster()
        barman = self.barman().server("main", cluster)
        barman.receiver("main")
        harness.wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1",
                           "receive-wal streams")
        barman.ok("check", "main")
        self.assertTrue(barman.archived_wal("main"))

    def test_without_a_receiver_the_check_fails_at_once(self):
        cluster = self.cluster()
        barman = self.barman().server("main", cluster)
        began = time.monotonic()
        result = barman.run("check", "main")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(result.code, 1)
        failed = [label for label, state in labels(result.out) if state == "FAILED"]
        self.assertEqual(failed, ["WAL archive", "replication slot", "receive-wal running"])

    def test_a_server_that_is_down_fails_with_its_reason(self):
        cluster, barman = self.streaming()
        cluster.stop()
        result = barman.run("check", "main")
        self.assertEqual(result.code, 1)
        self.assertRegex(result.out, r"\tPostgreSQL: FAILED \(.+\)\n")
        self.assertIn("\tdirectories: OK\n", result.out)
        self.assertIn("\tarchiver errors: OK\n", result.out)

    def test_a_hanging_server_costs_the_time_limit_and_no_more(self):
        hanging = self.cluster(name="hanging")
        healthy, barman = self.streaming(server="healthy")
        barman.server("hanging", hanging)
        os.kill(hanging.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, hanging.process.pid, signal.SIGCONT)
        began = time.monotonic()
        result = barman.run("check", "--check-timeout", "3", "all")
        self.assertLess(time.monotonic() - began, 8)
        self.assertEqual(result.code, 1)
        ill, well = re.search(r"Server hanging:\n(.*)Server healthy:\n(.*)", result.out, re.DOTALL).groups()
        self.assertRegex(ill, r"\tPostgreSQL: FAILED \(no answer within \d+ seconds\)\n")
        self.assertIn("\tdirectories: OK\n", ill)
        self.assertIn("\tcheck timeout: FAILED (barman check command timed out)\n", ill)
        self.assertNotIn("FAILED", well)

    def test_a_check_can_be_interrupted(self):
        hanging = self.cluster()
        barman = self.barman().server("main", hanging)
        os.kill(hanging.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, hanging.process.pid, signal.SIGCONT)
        running = barman.start("check", "--check-timeout", "0", "main")
        time.sleep(1)
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(10), 1)
        self.assertEqual(running.err, "ERROR: Process interrupted by user (KeyboardInterrupt)\n")

    def test_a_wrong_password_and_a_role_without_rights_are_told_apart(self):
        cluster = self.cluster(auth="scram-sha-256")
        barman = self.barman().server("main", cluster,
                                      conninfo=cluster.conninfo("barman", host="127.0.0.1", password="wrong"),
                                      streaming_conninfo=cluster.conninfo("poor", dbname=None))
        cluster.sql("CREATE ROLE poor LOGIN")
        result = barman.run("check", "main")
        self.assertRegex(result.out, r"\tPostgreSQL: FAILED \(.*password authentication failed")
        barman.server("main", conninfo=cluster.conninfo("poor"))
        result = barman.run("check", "main")
        self.assertIn("\tno access to backup functions: FAILED (privileges for PostgreSQL backup functions are required "
                      "(see documentation))\n", result.out)
        self.assertRegex(result.out, r"\tPostgreSQL streaming: FAILED \(.*replication")

    def test_another_cluster_under_the_same_name_is_found_out(self):
        cluster, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        other = self.cluster(name="other")
        barman.server("main", conninfo=other.conninfo("barman"), streaming_conninfo=other.conninfo("streaming_barman", dbname=None))
        self.assertRegex(barman.run("check", "main").out, r"\tsystemid coherence: FAILED \(.+\)\n")

    def test_an_inactive_server_may_fail(self):
        cluster, barman = self.streaming()
        barman.server("main", active="false", minimum_redundancy=3)
        result = barman.ok("check", "main")
        self.assertTrue(result.out.startswith("Server main (inactive):\n"))
        self.assertIn("\tminimum redundancy requirements: FAILED", result.out)
        self.assertEqual(barman.ok("check", "--nagios", "main").out, "BARMAN OK - No server configured * IGNORING: main\n")

    def test_a_damaged_record_does_not_hide_the_rest(self):
        _, barman = self.streaming()
        os.makedirs(barman.directory("main", "meta"), exist_ok=True)
        with open(barman.directory("main", "meta", "20260101T000000-backup.info"), "wb") as file:
            file.write(b"\xff\x00 not a record")
        result = barman.run("check", "main")
        self.assertRegex(result.out, r"\tfailed backups: FAILED \(.*20260101T000000-backup\.info")
        self.assertIn("\tarchiver errors: OK\n", result.out)


class AgainstTheOriginal(EndToEnd):
    """Line by line what the original prints over the same home; hints where they are not ours to choose."""

    def same(self, barman, *arguments):
        theirs, ours = barman.original(*arguments), barman.run(*arguments)
        self.assertEqual((ours.out, ours.code), (theirs.out, theirs.code), f"{ours}\n{theirs}")

    def same_labels(self, barman):
        theirs, ours = barman.original("check", "main"), barman.run("check", "main")
        self.assertEqual((labels(ours.out), ours.code), (labels(theirs.out), theirs.code), f"{ours}\n{theirs}")

    def test_streaming(self):
        _, barman = self.streaming()
        self.same(barman, "check", "main")
        self.same(barman, "-f", "json", "check", "main")
        self.same(barman, "check", "--nagios", "main")
        barman.server("main", archiver="on", minimum_redundancy=1, last_backup_maximum_age="1 day",
                      last_backup_minimum_size="1k", last_wal_maximum_age="1 hour", retention_policy="garbage")
        self.same(barman, "check", "main")
        self.same(barman, "check", "--nagios", "main")

    def test_after_a_backup(self):
        _, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        barman.server("main", last_backup_minimum_size="1k", minimum_redundancy=1)
        self.same(barman, "check", "main")
        self.same(barman, "check", "--nagios", "main")

    def test_inactive_and_other_wal_connections(self):
        cluster, barman = self.streaming()
        barman.server("main", wal_conninfo=cluster.conninfo("barman") + " connect_timeout=5",
                      wal_streaming_conninfo=cluster.conninfo("streaming_barman", dbname=None))
        self.same(barman, "check", "main")
        barman.server("main", active="false")
        self.same(barman, "check", "main")
        self.same(barman, "check", "--nagios", "main")

    def test_standby(self):
        cluster, barman = self.streaming()
        standby = self.standby(cluster)
        barman.server("main", conninfo=standby.conninfo("barman"), primary_conninfo=cluster.conninfo("barman"),
                      streaming_archiver="off", archiver="on")
        self.same_labels(barman)

    def test_down(self):
        cluster, barman = self.streaming()
        cluster.stop()
        self.same_labels(barman)


if __name__ == "__main__":
    harness.main()
