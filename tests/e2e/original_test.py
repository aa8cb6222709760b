#!/usr/bin/env python3
"""The original Barman beside ours in the same home: what one writes the other reads, and locks hold both ways."""

import os
import re

import harness
from harness import EndToEnd, on_versions, wait_until


def lines_about(text, *words):
    return [line.rstrip() for line in text.splitlines() if any(word in line for word in words)]


class SharedHome(EndToEnd):
    def setUp(self):
        super().setUp()
        harness.original_barman()

    @on_versions(15, 17, 18)
    def test_the_original_reads_what_we_wrote(self, version):
        cluster, barman = self.streaming(version)
        cluster.tablespace("elsewhere")
        barman.ok("backup", "--wait", "--name", "ours", "main")
        backup = barman.backup_ids("main")[0]
        self.archive(barman, "main", until=cluster.switch_wal())

        self.assertEqual(barman.original("list-backups", "main").out, barman.ok("list-backups", "main").out)
        theirs = barman.original("show-backup", "main", backup)
        self.assertEqual(theirs.code, 0, str(theirs))
        self.assertEqual(theirs.out, barman.ok("show-backup", "main", backup).out)
        self.assertEqual(barman.original("check-backup", "main", backup).code, 0)
        verdict = barman.original("check", "main")
        self.assertEqual(verdict.code, 0, str(verdict))
        self.assertEqual(barman.original("verify-backup", "main", backup).code, 0)

        destination = os.path.join(self.scratch.path, "restored")
        done = barman.original("restore", "--tablespace", f"elsewhere:{destination}-ts", "main", "ours", destination)
        self.assertEqual(done.code, 0, str(done))
        server = self.restored(version, destination)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")

    @on_versions(15, 17, 18)
    def test_we_read_what_the_original_wrote(self, version):
        cluster, barman = self.streaming(version)
        done = barman.original("backup", "--wait", "--name", "theirs", "main")
        self.assertEqual(done.code, 0, str(done))
        cluster.sql("CREATE TABLE t AS SELECT 1")
        self.archive(barman, "main", until=cluster.switch_wal())
        self.assertEqual(barman.ok("list-backups", "main").out, barman.original("list-backups", "main").out)
        self.assertEqual(barman.ok("show-backup", "main", "theirs").out, barman.original("show-backup", "main", "theirs").out)
        destination = os.path.join(self.scratch.path, "restored")
        barman.ok("restore", "main", "theirs", destination)
        server = self.restored(version, destination)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(server.sql("SELECT count(*) FROM t"), "1")
        barman.ok("delete", "main", "theirs")
        self.assertEqual(barman.original("list-backups", "--minimal", "main").out, "")

    def test_both_say_the_same_of_the_same_server(self):
        cluster, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        for command in (["list-servers"], ["list-backups", "main"], ["list-backups", "--minimal", "main"],
                        ["show-backup", "main", "latest"], ["-f", "json", "list-backups", "main"],
                        ["-f", "json", "show-backup", "main", "latest"], ["check", "main"], ["check", "--nagios", "main"],
                        ["get-wal", "-p", "3", "main", barman.archived_wal("main")[0]]):
            with self.subTest(command=" ".join(command)):
                theirs, ours = barman.original(*command), barman.run(*command)
                self.assertEqual(ours.code, theirs.code, f"{ours}\n{theirs}")
                if command[:2] == ["-f", "json"]:
                    self.assertEqual(_without_ages(ours.json), _without_ages(theirs.json))
                else:
                    self.assertEqual(_without_ages(ours.out), _without_ages(theirs.out))

    def test_bytes_of_a_segment_are_the_same(self):
        cluster, barman = self.streaming()
        name = barman.archived_wal("main")[0]
        folders = {"ours": self.scratch.folder("ours"), "theirs": self.scratch.folder("theirs")}
        barman.ok("get-wal", "-o", folders["ours"], "main", name)
        self.assertEqual(barman.original("get-wal", "-o", folders["theirs"], "main", name).code, 0)
        contents = []
        for folder in folders.values():
            with open(os.path.join(folder, name), "rb") as file:
                contents.append(file.read())
        self.assertEqual(contents[0], contents[1])

    def test_the_original_archives_beside_us(self):
        cluster, barman = self.streaming()
        for turn in range(4):
            name = cluster.switch_wal()
            wait_until(lambda name=name: name in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
            if turn % 2:
                barman.ok("archive-wal", "main")
            else:
                self.assertEqual(barman.original("archive-wal", "main").code, 0)
            self.assertIn(name, barman.archived_wal("main"))
        with open(barman.directory("main", "wals", "main-xlog.db"), encoding="utf-8") as file:
            names = [line.split("\t")[0] for line in file]
        self.assertEqual(sorted(names), barman.archived_wal("main"))

    def test_our_backup_lock_holds_the_original(self):
        cluster, barman = self.streaming()
        cluster.fill(64)
        running = barman.start("backup", "--bwlimit", "4096", "main")
        wait_until(lambda: any(barman.backup_info("main", one)["status"] == "STARTED" for one in barman.backup_ids("main")), "our backup runs")
        theirs = barman.original("backup", "main")
        self.assertIn("Another backup process is running", theirs.out + theirs.err, str(theirs))
        self.assertEqual(running.wait(), 0, running.err)

    def test_our_receiver_lock_holds_the_original(self):
        _, barman = self.streaming()
        theirs = barman.original("receive-wal", "main")
        self.assertIn("Another receive-wal process is already running", theirs.out + theirs.err, str(theirs))


def _without_ages(value):
    """What depends on the second in which it was asked."""
    if isinstance(value, dict):
        return {key: _without_ages(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_ages(one) for one in value]
    if isinstance(value, str):
        return re.sub(r"\d+ (second|minute)s?(, \d+ seconds?)?|less than one second", "AGE", value)
    return value


if __name__ == "__main__":
    harness.main()
