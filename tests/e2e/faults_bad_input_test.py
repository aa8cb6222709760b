#!/usr/bin/env python3
"""What people and machines get wrong. Each gives one clear error on standard error and its exit code; nothing is
lost and nothing is left half-written."""

import os
import shutil
import socket
import threading

import harness
import place
from harness import EndToEnd, wait_until


class WithoutServer(EndToEnd):
    """Errors that need no PostgreSQL."""

    def setUp(self):
        super().setUp()
        self.tool = self.barman().server("main", conninfo="host=/nonexistent", streaming_conninfo="host=/nonexistent",
                                         backup_method="postgres", streaming_archiver="on", slot_name="barman")

    def test_unknown_server(self):
        for command in (["check", "nobody"], ["list-backups", "nobody"], ["backup", "nobody"],
                        ["restore", "nobody", "latest", "/nowhere"], ["delete", "nobody", "latest"],
                        ["show-backup", "nobody", "latest"], ["receive-wal", "nobody"], ["archive-wal", "nobody"],
                        ["get-wal", "nobody", "000000010000000000000001"], ["switch-wal", "nobody"]):
            with self.subTest(command=command[0]):
                self.assert_fails(self.tool.run(*command), says="Unknown server 'nobody'")

    def test_unknown_backup(self):
        for command in (["show-backup", "main", "20200101T000000"], ["delete", "main", "20200101T000000"],
                        ["restore", "main", "20200101T000000", "/nowhere"], ["check-backup", "main", "latest"]):
            with self.subTest(command=command[0]):
                self.assert_fails(self.tool.run(*command), says="Unknown backup '.*' for server 'main'")

    def test_backup_ids_cannot_leave_the_catalogue(self):
        outside = self.scratch.folder("outside")
        for name in ("../../outside", "..", ".", "/", "20200101T000000/../.."):
            with self.subTest(name=name):
                self.assert_fails(self.tool.run("delete", "main", name), says="Unknown backup")
        self.assertTrue(os.path.isdir(outside))

    def test_usage_errors(self):
        for arguments in (["no-such-command"], ["backup"], ["backup", "--no-such-option", "main"],
                          ["backup", "--bwlimit", "lots", "main"], ["restore", "main", "latest"]):
            with self.subTest(arguments=arguments):
                result = self.tool.run(*arguments)
                self.assertEqual(result.code, 2, str(result))
                self.assertTrue(result.err.strip(), str(result))
                self.assertEqual(result.out, "")

    def test_no_configuration_file(self):
        os.unlink(self.tool.config)
        self.assert_fails(self.tool.run("list-servers"), says="barman.conf")

    def test_a_bad_value_names_file_option_and_value(self):
        self.tool.server("main", check_timeout="soon")
        result = self.tool.run("check", "main")
        self.assertIn("check_timeout", result.err, str(result))
        self.assertIn("soon", result.err, str(result))
        self.assertNotIn("Sanitizer", result.err)

    def test_server_down(self):
        for command in (["backup", "main"], ["receive-wal", "main"], ["switch-wal", "main"]):
            with self.subTest(command=command[0]):
                self.assert_fails(self.tool.run(*command))
        result = self.tool.run("check", "main")
        self.assertEqual(result.code, 1, str(result))
        self.assertIn("PostgreSQL: FAILED", result.out)
        self.assertEqual(self.tool.backup_ids("main"), [])
        self.assert_clean(self.tool)

    def test_a_server_that_accepts_and_says_nothing(self):
        """Each check has a deadline: a silent peer cannot hold the command."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(16)
            kept = []
            thread = threading.Thread(target=lambda: _accept_all(silent, kept), daemon=True)
            thread.start()
            conninfo = f"host=127.0.0.1 port={silent.getsockname()[1]} user=barman dbname=postgres"
            self.tool.server("main", conninfo=conninfo, streaming_conninfo=conninfo, check_timeout=3)
            result = self.tool.run("check", "main", timeout=60)
            self.assertEqual(result.code, 1, str(result))
            silent.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()

    def test_a_lock_directory_that_is_missing(self):
        self.tool.configure(barman_lock_directory=os.path.join(self.scratch.path, "no-locks"))
        self.assert_fails(self.tool.run("archive-wal", "main"))

    def test_no_wal_of_that_name(self):
        self.assert_fails(self.tool.run("get-wal", "main", "not-a-wal"), code=3, says="not a valid wal file name")
        self.assert_fails(self.tool.run("get-wal", "main", "000000010000000000000001"), says="not found in server 'main'")


class WithServer(EndToEnd):
    """Errors that PostgreSQL has its part in."""

    def test_wrong_password(self):
        cluster = self.cluster(auth="scram-sha-256")
        conninfo = cluster.conninfo("barman", host="127.0.0.1", password="wrong-secret-word")
        barman = self.barman().server("main", cluster, conninfo=conninfo, streaming_conninfo=conninfo)
        for command in (["check", "main"], ["backup", "main"], ["receive-wal", "main"]):
            with self.subTest(command=command[0]):
                result = barman.run(*command)
                self.assertEqual(result.code, 1, str(result))
                self.assertNotIn("wrong-secret-word", result.out + result.err + barman.log_tail(1000))
        self.assertEqual(barman.backup_ids("main"), [])

    def test_right_password(self):
        cluster = self.cluster(auth="scram-sha-256")
        barman = self.barman().server("main", cluster,
                                      conninfo=cluster.conninfo("barman", host="127.0.0.1", password="barman"),
                                      streaming_conninfo=cluster.conninfo("streaming_barman", None, host="127.0.0.1", password="streaming_barman"))
        self.assertIn("PostgreSQL streaming: OK", barman.run("check", "main").out)

    def test_role_without_replication(self):
        cluster = self.cluster()
        cluster.sql("CREATE ROLE nobody LOGIN")
        barman = self.barman().server("main", cluster, streaming_conninfo=cluster.conninfo("nobody", None))
        result = barman.run("check", "main")
        self.assertIn("PostgreSQL streaming: FAILED", result.out, str(result))
        self.assert_fails(barman.run("receive-wal", "main"))
        self.assert_fails(barman.run("backup", "main"))
        self.assertEqual(barman.backup_ids("main"), [])

    def test_wal_level_minimal(self):
        cluster = self.cluster(settings={"wal_level": "minimal", "max_wal_senders": "0"})
        barman = self.barman().server("main", cluster)
        result = barman.run("check", "main")
        self.assertIn("wal_level: FAILED", result.out, str(result))
        self.assertEqual(result.code, 1)
        self.assert_fails(barman.run("backup", "main"))

    def test_no_free_wal_sender(self):
        cluster = self.cluster(settings={"max_wal_senders": "2"})
        barman = self.barman().server("main", cluster)
        self.stream(barman, "main", cluster)
        cluster.session("replication=database dbname=postgres").sql("IDENTIFY_SYSTEM")
        self.assert_fails(barman.run("backup", "--no-retry", "main"))
        self.assertEqual([barman.backup_info("main", one)["status"] for one in barman.backup_ids("main")
                          if barman.backup_info("main", one)["status"] not in ("FAILED",)], [])

    def test_no_free_slot(self):
        cluster = self.cluster(settings={"max_replication_slots": "1"})
        cluster.sql("SELECT pg_create_physical_replication_slot('taken')")
        barman = self.barman().server("main", cluster, create_slot="manual")
        self.assert_fails(barman.run("receive-wal", "--create-slot", "main"), says="slot")
        barman.server("main", create_slot="auto")
        self.assert_fails(barman.run("receive-wal", "main"), says="slot")

    def test_slot_missing(self):
        barman = self.barman().server("main", self.cluster(), create_slot="manual")
        self.assert_fails(barman.run("receive-wal", "main"), says="slot")
        self.assertIn("replication slot: FAILED", barman.run("check", "main").out)
        self.assert_fails(barman.run("receive-wal", "--drop-slot", "main"), says="slot")

    def test_slot_in_use(self):
        cluster, barman = self.streaming()
        other = self.barman("other").server("main", cluster)
        self.assert_fails(other.run("receive-wal", "main"), says="slot|use")
        self.assert_fails(barman.run("receive-wal", "--drop-slot", "main"), says="slot|use")

    def test_two_receivers(self):
        _, barman = self.streaming()
        result = barman.run("receive-wal", "main")
        self.assertIn("Another receive-wal process is already running", result.err + result.out, str(result))
        self.assertEqual(result.code, 1, str(result))

    def test_another_cluster_behind_the_name(self):
        cluster, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        barman.stop_all()
        barman.ok("archive-wal", "main")
        before = barman.archived_wal("main")
        stranger = self.cluster(name="stranger")
        barman.server("main", stranger)
        result = barman.run("check", "main")
        self.assertIn("systemid coherence: FAILED", result.out, str(result))
        self.assert_fails(barman.run("backup", "main"))
        receiver = barman.start("receive-wal", "main")
        try:
            stranger.switch_wal()
            stranger.switch_wal()
            barman.run("archive-wal", "main")
        finally:
            receiver.stop()
        self.assertEqual(barman.archived_wal("main"), before)
        self.assertEqual(len(barman.backup_ids("main")), 1)
        cluster.stop()

    def test_wal_is_not_arriving(self):
        """No receiver runs: a backup that could never be restored does not start."""
        barman = self.barman().server("main", self.cluster(), check_timeout=6)
        self.assert_fails(barman.run("backup", "main"), says="Impossible to start the backup")
        self.assertEqual(barman.backup_ids("main"), [])

    def test_wal_stops_arriving_during_the_wait(self):
        cluster, barman = self.streaming()
        cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000)")
        # The receiver's lock stays (it is alive), but it is stopped: what the server closes does not come.
        receiver = barman._background[0]
        receiver.process.send_signal(19)
        try:
            result = barman.run("backup", "--wait", "--wait-timeout", "3", "main", timeout=60)
        finally:
            receiver.process.send_signal(18)
        self.assert_fails(result, says="has not been received in 3 seconds")
        self.assertEqual(barman.backup_info("main", barman.backup_ids("main")[0])["status"], "WAITING_FOR_WALS")

    def test_two_backups_at_once(self):
        _, barman = self.streaming()
        first = barman.start("backup", "--bwlimit", "4096", "main")
        wait_until(lambda: any(barman.backup_info("main", one)["status"] == "STARTED" for one in barman.backup_ids("main")),
                   "the first backup runs")
        self.assert_fails(barman.run("backup", "main"), says="Another backup process is running")
        self.assertEqual(first.wait(), 0, first.err)
        self.assertEqual(len(barman.backup_ids("main")), 1)

    def test_deleting_while_a_backup_runs(self):
        _, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        old = barman.backup_ids("main")[0]
        first = barman.start("backup", "--bwlimit", "4096", "main")
        wait_until(lambda: len(barman.backup_ids("main")) == 2, "the second backup runs")
        result = barman.run("delete", "main", old)
        self.assertEqual(result.code, 1, str(result))
        self.assertIn(old, barman.backup_ids("main"))
        self.assertEqual(first.wait(), 0, first.err)


class Restoring(EndToEnd):
    """Restores that must be refused before the first byte."""

    def scene(self):
        cluster, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        return cluster, barman, os.path.join(self.scratch.path, "destination")

    def test_what_cannot_be_restored_is_said_before_the_first_byte(self):
        cluster, barman, destination = self.scene()
        backup = barman.backup_ids("main")[0]
        refused = {
            "a target before the end of the backup": ["--target-time", "2001-01-01 00:00:00+00"],
            "two targets": ["--target-time", "2030-01-01 00:00:00+00", "--target-xid", "1"],
            "an unreadable time": ["--target-time", "tomorrow-ish"],
            "an unknown tablespace": ["--tablespace", f"nobody:{destination}-ts"],
            "a tablespace rule that is none": ["--tablespace", "nobody"],
            "an action without a target": ["--target-action", "promote"],
            "an LSN before the backup": ["--target-lsn", "0/1"],
            "an LSN that is none": ["--target-lsn", "what"],
            "an unknown timeline": ["--target-tli", "77"],
        }
        for name, options in refused.items():
            with self.subTest(name):
                self.assert_fails(barman.run("restore", *options, "main", backup, destination))
                self.assertFalse(os.path.exists(destination) and os.listdir(destination), name)

    def test_a_target_in_the_future_is_refused(self):
        _, barman, destination = self.scene()
        self.assert_fails(barman.run("restore", "--target-time", "2999-01-01 00:00:00+00", "main", "latest", destination))
        self.assertFalse(os.path.exists(destination) and os.listdir(destination))

    def test_a_destination_that_is_not_empty(self):
        _, barman, destination = self.scene()
        self.scratch.folder("destination")
        for name in ("file", ".hidden"):
            kept = place.give(_write(f"{destination}/{name}", "mine"))
            self.assert_fails(barman.run("restore", "main", "latest", destination), says="empty")
            self.assertEqual(os.listdir(destination), [name])
            os.unlink(kept)

    def test_a_running_server_as_destination(self):
        cluster, barman, _ = self.scene()
        self.assert_fails(barman.run("restore", "main", "latest", cluster.data))
        self.assertTrue(cluster.running())
        self.assertEqual(cluster.sql("SELECT 1"), "1")

    def test_a_destination_without_room(self):
        _, barman, _ = self.scene()
        disk = self.small_disk("small", 8)
        result = barman.run("restore", "main", "latest", disk)
        self.assert_fails(result, says="space|room")
        self.assertEqual(os.listdir(disk), [])

    def test_a_destination_that_may_not_be_written(self):
        _, barman, _ = self.scene()
        closed = self.scratch.folder("closed")
        os.chmod(closed, 0o500)
        self.assert_fails(barman.run("restore", "main", "latest", f"{closed}/here"))

    def test_missing_wal_in_the_middle_is_named(self):
        cluster, barman, destination = self.scene()
        missing = cluster.switch_wal()
        self.archive(barman, "main", until=missing)
        self.archive(barman, "main", until=cluster.switch_wal())
        target = cluster.now()
        cluster.sql("CREATE TABLE later (i int)")
        self.archive(barman, "main", until=cluster.switch_wal())
        os.unlink(barman.directory("main", "wals", missing[:16], missing))
        for options in ([], ["--target-time", target]):
            result = barman.run("restore", *options, "main", "latest", destination)
            self.assertIn(missing, result.out + result.err, str(result))
            self.assertEqual(result.code, 1, str(result))
            self.assertFalse(os.path.exists(destination) and os.listdir(destination))


class DamagedCatalogue(EndToEnd):
    """One bad entry is named; the rest goes on."""

    def scene(self):
        cluster, barman = self.streaming()
        barman.ok("backup", "--wait", "main")
        return cluster, barman, barman.backup_ids("main")[0]

    def test_damaged_records_do_not_take_down_the_listing(self):
        _, barman, good = self.scene()
        meta = barman.directory("main", "meta")
        whole = _read(f"{meta}/{good}-backup.info")
        damaged = {
            "empty": "",
            "cut": whole[: len(whole) // 2],
            "garbage": "\0\xff\x01 not a record \n===\n",
            "unknown status": whole.replace("status=DONE", "status=PERHAPS"),
            "bad number": whole.replace("timeline=1", "timeline=eleven"),
        }
        for name, text in damaged.items():
            with self.subTest(name):
                path = place.give(_write(f"{meta}/20010101T000000-backup.info", text))
                result = barman.run("list-backups", "main")
                self.assertIn(f"main {good} - F", result.out, str(result))
                self.assertIn("20010101T000000", result.err + result.out, str(result))
                os.unlink(path)
        os.mkdir(place.give(self.scratch.folder("x")) + "/y")
        os.mkdir(f"{meta}/20010102T000000-backup.info")
        self.assertIn(f"main {good} - F", barman.run("list-backups", "main").out)

    def test_a_hostile_record_cannot_make_delete_leave_the_home(self):
        _, barman, good = self.scene()
        outside = self.scratch.folder("outside")
        place.give(_write(f"{outside}/precious", "mine"))
        meta = barman.directory("main", "meta")
        whole = _read(f"{meta}/{good}-backup.info")
        text = "\n".join("tablespaces=[('../../../outside', 1, '/x')]" if line.startswith("tablespaces=") else line
                         for line in whole.splitlines())
        place.give(_write(f"{meta}/20010101T000000-backup.info", text + "\n"))
        barman.run("delete", "main", "20010101T000000")
        self.assertEqual(_read(f"{outside}/precious"), "mine")
        barman.ok("show-backup", "main", good)

    def test_garbage_in_the_xlogdb(self):
        cluster, barman, good = self.scene()
        xlogdb = barman.directory("main", "wals", "main-xlog.db")
        whole = _read(xlogdb)
        for name, text in {"a line of garbage": whole + "garbage\n", "a cut last line": whole[:-9],
                           "binary": whole + "\0\1\2\xff\n", "empty": ""}.items():
            with self.subTest(name):
                _write(xlogdb, text)
                result = barman.run("list-backups", "main")
                self.assertIn(f"main {good} - F", result.out, str(result))
                self.archive(barman, "main", until=cluster.switch_wal())
                barman.run("show-backup", "main", good)
                _write(xlogdb, whole)

    def test_a_backup_that_does_not_match_its_manifest_is_not_restored_silently(self):
        _, barman, good = self.scene()
        victim = barman.directory("main", "base", good, "data", "global", "1262")
        with open(victim, "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        destination = os.path.join(self.scratch.path, "destination")
        result = barman.run("restore", "--verify", "main", good, destination)
        self.assert_fails(result, says="global/1262")
        self.assertFalse(os.path.exists(f"{destination}/global/pg_control"), "a bad restore must not start")

    def test_stale_and_empty_lock_files_do_not_block(self):
        _, barman, _ = self.scene()
        for text in ("", "1\n", "999999\n", "rubbish"):
            place.give(_write(f"{barman.home}/.main-backup.lock", text))
            barman.ok("backup", "--wait", "main")


def _accept_all(listener, kept):
    while True:
        try:
            kept.append(listener.accept()[0])
        except OSError:
            return


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path, text):
    with open(path, "w", encoding="latin-1") as file:
        file.write(text)
    return path


if __name__ == "__main__":
    harness.main()
