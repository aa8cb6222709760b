#!/usr/bin/env python3
"""The harness itself: servers start, answer, die and go away."""

import os
import signal
import unittest

import harness
from harness import EndToEnd, on_versions


class Servers(EndToEnd):
    @on_versions()
    def test_a_server_starts_answers_and_leaves_nothing(self, version):
        cluster = self.cluster(version)
        self.assertEqual(cluster.sql("SHOW server_version_num")[:2], str(version))
        self.assertEqual(cluster.sql("SELECT rolreplication FROM pg_roles WHERE rolname = 'streaming_barman'"), "t")
        cluster.stop()
        self.assertFalse(os.path.exists(f"{cluster.data}/postmaster.pid"))

    def test_a_session_keeps_its_transaction(self):
        session = self.cluster().session()
        session.sql("BEGIN")
        session.sql("CREATE TABLE t (i int)")
        self.assertEqual(session.sql("SELECT count(*) FROM t"), "0")
        with self.assertRaises(AssertionError):
            session.sql("SELECT nonsense")

    def test_options_of_initdb_reach_the_server(self):
        cluster = self.cluster(wal_segment_size=1, checksums=False)
        self.assertEqual(cluster.sql("SHOW wal_segment_size"), "1MB")
        self.assertEqual(cluster.sql("SHOW data_checksums"), "off")

    def test_a_killed_server_recovers(self):
        cluster = self.cluster()
        cluster.sql("CREATE TABLE t AS SELECT 1")
        cluster.kill()
        cluster.start()
        self.assertEqual(cluster.sql("SELECT count(*) FROM t"), "1")

    def test_a_standby_follows_and_is_promoted(self):
        primary = self.cluster()
        standby = self.standby(primary)
        primary.sql("CREATE TABLE t AS SELECT 1")
        harness.wait_until(lambda: standby.sql("SELECT to_regclass('t')"), "the standby has the table")
        standby.promote()
        self.assertEqual(standby.sql("SELECT pg_is_in_recovery()"), "f")

    def test_the_referees_see_damage(self):
        cluster = self.cluster()
        copy = os.path.join(self.scratch.path, "copy")
        cluster.program([f"{cluster.bin}/pg_basebackup", "-D", copy, "-c", "fast", "-d", cluster.conninfo("postgres", None)])
        cluster.verifybackup(copy)
        with open(f"{copy}/PG_VERSION", "w", encoding="utf-8") as file:
            file.write("99\n")
        self.assertNotEqual(cluster.verifybackup(copy, check=False).returncode, 0)
        cluster.amcheck()


class Rooms(EndToEnd):
    def test_a_small_disk_is_small(self):
        disk = self.small_disk("disk", 1)
        with self.assertRaises(OSError):
            with open(f"{disk}/file", "wb") as file:
                file.write(b"x" * 2_000_000)

    def test_what_a_killed_test_left_is_swept(self):
        import place
        left = f"/tmp/barman-e2e-{2**22 + 1}-abc"
        os.makedirs(left)
        place.give(left)
        place.sweep("/tmp")
        self.assertFalse(os.path.exists(left))

    def test_missing_things_skip_with_a_reason(self):
        with self.assertRaises(unittest.SkipTest):
            harness._skipping(lambda: harness.server_programs(7))()


class Programs(EndToEnd):
    def test_the_configuration_is_written(self):
        barman = self.barman().configure(log_level="DEBUG").server("main", self.cluster(), slot_name="other")
        with open(barman.config, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("[main]", text)
        self.assertIn("slot_name = other", text)
        self.assertIn("log_level = DEBUG", text)

    def test_a_background_program_is_ended(self):
        barman = self.barman()
        running = harness.Background(barman, ["sleep", "100"], {})
        self.assertTrue(running.running())
        self.assertEqual(running.stop(), -signal.SIGTERM)


if __name__ == "__main__":
    harness.main()
