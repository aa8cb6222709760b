#!/usr/bin/env python3
"""receive-wal: what it says, where it starts and goes on, what it does about gaps, slots, timelines and strangers."""

import os
import re
import signal

import harness
from harness import EndToEnd, on_versions, wait_until


class ReceiveWal(EndToEnd):
    def streaming_files(self, barman, server="main"):
        return sorted(os.listdir(barman.directory(server, "streaming")))

    def gapless(self, names):
        numbers = [int(name[8:16], 16) * 256 + int(name[16:24], 16) for name in names if len(name) == 24]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))), names)

    @on_versions(15, 17, 18)
    def test_what_it_says_and_leaves(self, version):
        cluster = self.cluster(version)
        barman = self.barman().server("main", cluster)
        receiver = barman.receiver("main")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "it streams")
        name = cluster.switch_wal()
        wait_until(lambda: name in self.streaming_files(barman), "the segment is complete")
        self.assertEqual(cluster.sql("SELECT application_name FROM pg_stat_replication"), "barman_receive_wal")
        self.assertEqual(receiver.stop(signal.SIGINT), 0)
        lines = receiver.out.splitlines()
        self.assertEqual(lines[0], "Starting receive-wal for server main")
        self.assertEqual(lines[-1], "SIGINT received. Terminate gracefully.")
        self.assertIn(f"main: finished segment {name}", lines)
        self.assertEqual(receiver.err, "")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "0", "the slot is free")
        # A complete segment can be archived at once: the next file marks the place.
        barman.ok("archive-wal", "main")
        self.assertIn(name, barman.archived_wal("main"))
        waldump = cluster.program([f"{cluster.bin}/pg_waldump", "-q", barman.directory("main", "wals", name[:16], name)], check=False)
        self.assertNotRegex(waldump.stderr, "invalid|could not")

    def test_slot_options(self):
        cluster = self.cluster()
        barman = self.barman().server("main", cluster, create_slot="manual")
        self.assert_fails(barman.run("receive-wal", "main"), says="receive-wal --create-slot main")
        created = barman.ok("receive-wal", "--create-slot", "main").out
        self.assertEqual(created, "Creating physical replication slot 'barman' on server 'main'\nReplication slot 'barman' created\n")
        self.assert_fails(barman.run("receive-wal", "--create-slot", "main"), says="already exists")
        barman.ok("receive-wal", "--create-slot", "--if-not-exists", "main")
        dropped = barman.ok("receive-wal", "--drop-slot", "main").out
        self.assertEqual(dropped, "Dropping physical replication slot 'barman' on server 'main'\nReplication slot 'barman' dropped\n")
        self.assert_fails(barman.run("receive-wal", "--drop-slot", "main"), says="does not exist")
        barman.ok("receive-wal", "--drop-slot", "--if-exists", "main")
        self.assert_fails(barman.run("receive-wal", "--stop", "--reset", "main"), says="--stop and --reset options are not compatible")

    def test_stop(self):
        _, barman = self.streaming()
        receiver = barman._background[0]
        stopped = barman.ok("receive-wal", "--stop", "main")
        self.assertEqual(stopped.out, f"Stopped process receive-wal({receiver.process.pid})\n")
        self.assertEqual(receiver.wait(20), 0)
        self.assert_fails(barman.run("receive-wal", "--stop", "main"), says="no such process for server main")

    @on_versions(15, 18)
    def test_the_server_restarts_and_crashes_under_it(self, version):
        cluster, barman = self.streaming(version)
        receiver = barman._background[0]
        for end in (cluster.stop, cluster.kill):
            cluster.sql("CREATE TABLE IF NOT EXISTS t (i int)")
            cluster.sql("INSERT INTO t SELECT generate_series(1, 10000)")
            end()
            cluster.start()
            wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "it streams again")
            self.archive(barman, "main", until=cluster.switch_wal())
        self.assertTrue(receiver.running())
        self.assertIn("Connecting again in", receiver.err)
        self.gapless(barman.archived_wal("main"))

    def test_a_gap_is_named_and_only_crossed_on_request(self):
        cluster = self.cluster()
        barman = self.barman().server("main", cluster)
        self.stream(barman, "main", cluster)
        barman._background[0].stop()
        barman.ok("receive-wal", "--drop-slot", "main")
        cluster.sql("ALTER SYSTEM SET wal_keep_size = 0")
        for _ in range(4):
            cluster.switch_wal()
            cluster.sql("CHECKPOINT")
        result = barman.run("receive-wal", "main")
        self.assert_fails(result, says="WAL is missing: segment [0-9A-F]{24} comes next.*--reset main.*new backup")
        missing = re.search("segment ([0-9A-F]{24}) comes next", result.err)[1]
        self.assertIn(f"{missing}.partial", self.streaming_files(barman))
        reset = barman.ok("receive-wal", "--reset", "main").out.splitlines()
        self.assertEqual(reset[0], "Resetting receive-wal directory status")
        self.assertRegex(reset[1], "^Creating status file .*[0-9A-F]{24}.partial$")
        self.assertEqual(barman.ok("receive-wal", "--reset", "main").out, "Nothing to do. Position of receive-wal is aligned.\n")
        barman.receiver("main")
        self.archive(barman, "main", until=cluster.switch_wal())
        self.assertNotIn(missing, barman.archived_wal("main"))

    def test_an_emptied_folder_does_not_hide_a_gap(self):
        """No slot, nothing in the streaming directory: the archive still knows what comes next."""
        cluster = self.cluster()
        barman = self.barman().server("main", cluster, slot_name=None, archiver="on")
        receiver = barman.receiver("main")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_stat_replication") == "1", "it streams")
        self.archive(barman, "main", until=cluster.switch_wal())
        receiver.stop()
        for name in self.streaming_files(barman):
            os.unlink(barman.directory("main", "streaming", name))
        cluster.switch_wal()
        barman.receiver("main")
        self.archive(barman, "main", until=cluster.switch_wal())
        self.gapless(barman.archived_wal("main"))

    @on_versions(15, 18)
    def test_a_promoted_standby_is_followed_to_its_timeline(self, version):
        cluster = self.cluster(version)
        standby = self.standby(cluster)
        barman = self.barman().server("main", standby)
        receiver = barman.receiver("main")
        wait_until(lambda: standby.sql("SELECT count(*) FROM pg_stat_replication") == "1", "it streams from the standby")
        cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000)")
        first = cluster.switch_wal()
        cluster.sql("INSERT INTO t VALUES (0)")
        wait_until(lambda: standby.sql("SELECT count(*) FROM t WHERE generate_series = 0") == "1", "the standby has it all")
        standby.promote()
        standby.sql("INSERT INTO t VALUES (1)")
        second = standby.switch_wal()
        wait_until(lambda: second in self.streaming_files(barman), "the new timeline arrives")
        files = self.streaming_files(barman)
        self.assertEqual(second[:8], "00000002")
        self.assertIn("00000002.history", files)
        self.assertIn(first, files)
        # What the old timeline wrote of the segment in which it ended stays, by the name of a part.
        self.assertIn(f"00000001{second[8:]}.partial", files)
        self.assertTrue(receiver.running())
        # The same when nobody received at that moment.
        receiver.stop()
        barman.receiver("main")
        self.archive(barman, "main", until=standby.switch_wal())
        self.assertIn("00000002.history", barman.archived_wal("main"))

    def test_a_promotion_that_nobody_saw(self):
        """The receiver had WAL of the old primary beyond the point at which the new one left: it follows the new one."""
        cluster = self.cluster()
        standby = self.standby(cluster)
        barman = self.barman().server("main", cluster, slot_name=None, archiver="on")
        receiver = barman.receiver("main")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_stat_replication") == "2", "both stream")
        standby.promote()
        for _ in range(3):
            last = cluster.switch_wal()
        wait_until(lambda: last in self.streaming_files(barman), "WAL beyond the promotion has come")
        receiver.stop()
        cluster.stop()
        barman.server("main", standby, slot_name=None, archiver="on")
        receiver = barman.receiver("main")
        name = standby.switch_wal()
        wait_until(lambda: name in self.streaming_files(barman), "the new primary's WAL comes")
        self.assertIn("the server left timeline 1 at", receiver.err)
        self.assertIn("00000002.history", self.streaming_files(barman))

    @staticmethod
    def has_begun(barman, name):
        with open(barman.directory("main", "streaming", name), "rb") as file:
            return any(file.read(40))

    def test_another_cluster_behind_the_same_name(self):
        cluster, barman = self.streaming()
        cluster.sql("SELECT pg_logical_emit_message(true, 'e2e', 'the next segment begins')")
        wait_until(lambda: any(self.has_begun(barman, name) for name in self.streaming_files(barman)), "the first bytes of a segment are there")
        barman._background[0].stop()
        other = self.cluster(name="other")
        barman.server("main", other)
        self.assert_fails(barman.run("receive-wal", "main"), says="is of the PostgreSQL cluster [0-9]+, but the server is the cluster")

    def test_a_server_that_does_not_let_us(self):
        cluster = self.cluster()
        barman = self.barman().server("main", cluster)
        cluster.sql("ALTER ROLE streaming_barman NOREPLICATION")
        for options in ([], ["--create-slot"]):
            self.assert_fails(barman.run("receive-wal", *options, "main"), says=r"replication role.*ALTER ROLE \.\.\. REPLICATION")
        cluster.sql("ALTER ROLE streaming_barman REPLICATION")
        cluster.sql("ALTER SYSTEM SET wal_level = minimal")
        cluster.sql("ALTER SYSTEM SET max_wal_senders = 0")
        cluster.restart()
        self.assert_fails(barman.run("receive-wal", "main"), says="set wal_level = replica and max_wal_senders")
        self.assertEqual(self.streaming_files(barman), [])

    def test_segment_sizes(self):
        for size in (1, 64):
            with self.subTest(size=size):
                cluster = self.cluster(name=f"size{size}", wal_segment_size=size)
                barman = self.barman(f"barman{size}").server("main", cluster)
                self.stream(barman, "main", cluster)
                cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 200000)")
                self.archive(barman, "main", until=cluster.switch_wal())
                names = barman.archived_wal("main")
                self.gapless(names) if size == 1 else None
                for name in names:
                    path = barman.directory("main", "wals", name[:16], name)
                    self.assertEqual(os.path.getsize(path), size << 20)
                barman.stop_all()

    def test_killed_at_every_dangerous_place(self):
        cluster = self.cluster(wal_segment_size=1)
        barman = self.barman().server("main", cluster)
        cluster.sql("CREATE TABLE t (i int)")
        for point in ("receive-wal-created", "receive-wal-written", "receive-wal-synced", "receive-wal-complete", "receive-wal-renamed"):
            receiver = barman.start("receive-wal", "main", fault_point=point)
            for _ in range(2):
                cluster.sql("INSERT INTO t SELECT generate_series(1, 3000)")
                cluster.switch_wal()
            receiver.wait(30)
        barman.receiver("main")
        self.archive(barman, "main", until=cluster.switch_wal())
        names = barman.archived_wal("main")
        self.gapless(names)
        for name in names:
            self.assertEqual(os.path.getsize(barman.directory("main", "wals", name[:16], name)), 1 << 20)
        cluster.program([f"{cluster.bin}/pg_waldump", "-q", "-p", barman.directory("main", "wals", names[0][:16]), names[0], names[-1]])


if __name__ == "__main__":
    harness.main()
