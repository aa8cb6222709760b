#!/usr/bin/env python3
"""The command line: start-up, the grammar, output and exit statuses that every command shares."""

import json
import os
import pty
import re
import subprocess
import unittest

import harness
import place
from harness import EndToEnd


class CommandLine(EndToEnd):
    def setUp(self):
        super().setUp()
        self.program = self.barman().server("main", conninfo="host=/nonexistent", streaming_conninfo="host=/nonexistent",
                                            backup_method="postgres", streaming_archiver="on", slot_name="barman")

    def bare(self, *arguments, env=None):
        """Runs the program without our -c."""
        done = subprocess.run([self.program.program, *arguments], capture_output=True, text=True, cwd=self.scratch.path,
                              stdin=subprocess.DEVNULL, env=place.environment(self.scratch.path, **(env or {})),
                              **place.as_account())
        return harness.Result(arguments, done.returncode, done.stdout, done.stderr)

    def test_the_version_is_the_first_word_and_needs_no_configuration(self):
        for option in ("-v", "--version", "--vers"):
            result = self.bare(option)
            self.assertEqual((result.code, result.out.split()[0]), (0, "3.20.1"), str(result))

    def test_help_needs_no_configuration(self):
        result = self.bare("--help")
        self.assertEqual(result.code, 0)
        self.assertIn("list-backups", result.out)
        result = self.bare("check", "-h")
        self.assertEqual(result.code, 0)
        self.assertTrue(result.out.lower().find("usage: barman check") >= 0, str(result))

    def test_without_a_command_the_help_is_shown(self):
        result = self.program.ok()
        self.assertIn("usage: barman", result.out)
        self.assertEqual(result.out, self.program.ok("help").out)

    def test_usage_errors_come_before_the_configuration(self):
        for arguments, says in (
                (["no-such-command"], "barman: error: argument command: invalid choice: 'no-such-command'"),
                (["check"], "barman check: error: the following arguments are required: server_name"),
                (["check", "main", "-q"], "barman check: error: unrecognized arguments: -q"),
                (["check", "--check-timeout", "-1", "main"], "barman check: error: "),
                (["check", "--check-timeout", "soon", "main"],
                 "barman check: error: argument --check-timeout: 'soon' is not a valid non negative integer"),
                (["--format", "nagios", "check", "main"], "barman: error: argument --format: invalid choice: 'nagios'"),
                (["--log-level", "loud", "check", "main"], "barman: error: argument --log-level: invalid choice"),
                (["--nonsense"], "barman: error: unrecognized arguments: --nonsense"),
        ):
            result = self.bare("-c", "/nonexistent/barman.conf", *arguments)
            self.assertEqual(result.code, 2, str(result))
            self.assertTrue(result.err.startswith("usage: barman"), str(result))
            self.assertIn(says, result.err)
            self.assertEqual(result.out, "")

    def test_commands_that_come_later_say_so(self):
        for command in ("sync-info", "config-switch", "status", "put-wal"):
            self.assert_fails(self.program.run(command, "main"), says=f"does not have the command '{command}' yet")

    def test_the_configuration_is_found_by_option_then_variable_then_home(self):
        config = self.program.config
        self.assertIn("main", self.bare("list-servers", env={"BARMAN_CONFIG_FILE": config}).out)
        home = os.path.join(self.scratch.path, ".barman.conf")
        os.symlink(config, home)
        self.assertIn("main", self.bare("list-servers").out)
        missing = self.bare("-c", "/nonexistent/x.conf", "list-servers")
        self.assert_fails(missing, says="/nonexistent/x.conf")
        os.unlink(home)

    def test_no_configuration_is_one_clear_error(self):
        if any(os.path.exists(path) for path in ("/etc/barman.conf", "/etc/barman/barman.conf")):
            self.skipTest("this machine has a configuration of its own")
        self.assert_fails(self.bare("list-servers"), says="configuration")

    @unittest.skipUnless(place.AM_ROOT, "needs root")
    def test_root_becomes_the_configured_user(self):
        done = subprocess.run(self.program.command("-q", "check", "main"), capture_output=True, text=True,
                              env=place.environment("/root"))
        self.assertEqual(done.returncode, 1, done.stderr)
        owner = os.stat(self.program.directory("main", "base")).st_uid
        self.assertEqual(owner, place.ACCOUNT.pw_uid)

    def test_another_user_is_told_whom_to_be(self):
        self.program.configure(barman_user="root")
        self.assert_fails(self.program.run("list-servers"), says="please run barman as 'root' user")
        self.program.configure(barman_user="no_such_user_here")
        self.assert_fails(self.program.run("list-servers"), says="no_such_user_here")

    def test_json_is_one_sorted_object_without_newline(self):
        result = self.program.run("-f", "json", "check", "main")
        self.assertEqual((result.code, result.err), (1, ""), str(result))
        value = json.loads(result.out)
        self.assertEqual(result.out, json.dumps(value, sort_keys=True))
        self.assertEqual(value["main"]["postgresql"]["status"], "FAILED")
        unknown = self.program.run("-f", "json", "check", "nobody")
        self.assertEqual((unknown.code, unknown.out), (1, '{"_ERROR": ["Unknown server \'nobody\'"]}'))

    def test_quiet_drops_standard_output_only(self):
        result = self.program.run("-q", "check", "main", "nobody")
        self.assertEqual((result.code, result.out, result.err), (1, "", "ERROR: Unknown server 'nobody'\n"))
        self.assertEqual(self.program.run("-q", "-f", "json", "check", "nobody").out, "")

    def test_debug_messages_go_to_standard_error(self):
        result = self.program.run("-d", "list-servers")
        self.assertEqual([line for line in result.err.splitlines() if not line.startswith("DEBUG: ")], [], str(result))

    def test_colours_are_asked_for_or_for_terminals(self):
        self.assertNotIn("\033", self.program.run("check", "main").out)
        coloured = self.program.run("--color=always", "check", "main", "nobody")
        self.assertIn("\tPostgreSQL: \033[31mFAILED\033[0m (", coloured.out)
        self.assertIn("\tdirectories: \033[32mOK\033[0m\n", coloured.out)
        self.assertIn("\033[31mERROR: Unknown server 'nobody'\033[0m\n", coloured.err)
        self.assertIn("\033[32mOK", self._on_terminal("check", "main"))
        self.assertNotIn("\033", self._on_terminal("--colour", "never", "check", "main"))

    def _on_terminal(self, *arguments):
        ours, theirs = pty.openpty()
        child = subprocess.Popen(self.program.command(*arguments), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                 env=place.environment(self.scratch.path), **place.as_account())
        os.close(theirs)
        heard = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            heard += part
        os.close(ours)
        child.wait()
        return heard.decode()

    def test_a_reader_who_left_is_an_error(self):
        child = subprocess.Popen(self.program.command("help"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=place.environment(self.scratch.path),
                                 **place.as_account())
        child.stdout.close()
        heard = child.stderr.read()
        child.stderr.close()
        self.assertEqual(child.wait(), 1, heard)
        self.assertIn("Broken pipe", heard)

    def test_log_lines_have_the_known_form(self):
        self.program.run("check", "nobody")
        with open(os.path.join(self.scratch.path, "barman.log"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        form = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[\d+\] barman\.[a-z_]+ ERROR: Unknown server 'nobody'")
        self.assertTrue(form.fullmatch(lines[-1]), lines[-1])

    def test_a_log_file_that_cannot_be_opened_stops_nothing(self):
        self.program.configure(log_file="/proc/nowhere/barman.log")
        result = self.program.run("check", "nobody")
        self.assertEqual(result.code, 1)
        self.assertIn("WARNING: ", result.err)
        self.assertIn("Unknown server 'nobody'", result.err)

    def test_secrets_of_connection_strings_are_told_to_nobody(self):
        secret = "s3cr3t-w0rd"
        self.program.server("main", conninfo=f"host=/nonexistent user=barman password={secret}",
                            streaming_conninfo=f"postgres://barman:{secret}@localhost:1/db")
        for arguments in (["check", "main"], ["-f", "json", "check", "main"], ["check", "--nagios", "main"],
                          ["-d", "check", "main"], ["show-servers", "main"], ["-f", "json", "show-servers", "main"],
                          ["receive-wal", "main"], ["backup", "main"], ["switch-wal", "main"], ["cron"]):
            result = self.program.run(*arguments)
            self.assertNotIn(secret, result.out + result.err, str(result))
        self.assertNotIn(secret, self.program.log_tail(100000))

    def test_background_work_is_listed_and_ended(self):
        self.assertEqual(self.program.ok("list-processes", "main").out, "No active subprocesses found for server main.\n")
        self.assertEqual(self.program.ok("-f", "json", "list-processes", "main").out, '{"main": []}')
        self.assert_fails(self.program.run("terminate-process", "main", "receive-wal"),
                          says="Termination of receive-wal failed: no such process for server main")

    def test_a_running_receiver_is_listed_and_ended(self):
        cluster = self.cluster()
        self.program.server("main", cluster)
        receiver = self.program.receiver("main")
        harness.wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1",
                           "receive-wal streams")
        pid = receiver.process.pid
        self.assertEqual(self.program.ok("list-processes", "main").out,
                         f"Active subprocesses for server main:\n{pid} receive-wal\n")
        self.assertEqual(self.program.json("list-processes", "main"), {"main": [{"name": "receive-wal", "pid": pid}]})
        ended = self.program.start("terminate-process", "main", "receive-wal")
        receiver.wait()  # we are its parent: until somebody takes notice of its end, it is still a process
        self.assertEqual(ended.wait(), 0, ended.err)
        self.assertEqual(ended.out, f"Stopped process receive-wal({pid})\n")

    def test_lock_files_are_cleaned_up_on_request(self):
        lock = os.path.join(self.program.home, ".main-archive-wal.lock")
        other = os.path.join(self.program.home, "notes.lock")
        for path in (lock, other):
            with open(path, "w", encoding="utf-8") as file:
                file.write("1\n")
            place.give(path)
        self.assertEqual(self.program.ok("lock-directory-cleanup").out, "")
        self.assertEqual((os.path.exists(lock), os.path.exists(other)), (False, True))


if __name__ == "__main__":
    harness.main()
