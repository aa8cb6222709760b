#!/usr/bin/env python3
"""What goes on in the server while a backup is taken, and what can go wrong there: the backup restores and is sound, or it
has failed and says so."""

import os
import subprocess

import harness
from harness import EndToEnd, on_versions, wait_until


class WhileCopying(EndToEnd):
    def slow_backup(self, barman, kib_per_second=8192):
        """A backup that is under way, slow enough for something to happen meanwhile."""
        running = barman.start("backup", "--wait", "--no-retry", "--immediate-checkpoint", "--bwlimit", str(kib_per_second), "main")

        def copying():
            self.assertTrue(running.running(), running.out + running.err)
            base = barman.directory("main", "base")
            return any("global" in folders for _, folders, _ in os.walk(base)) if os.path.isdir(base) else False
        wait_until(copying, "the copy has begun", every=0.01)
        return running

    def restore_and_check(self, version, barman, name="restored"):
        destination = os.path.join(self.scratch.path, name)
        barman.ok("restore", "main", "latest", destination)
        server = self.restored(version, destination, name=f"server-{name}")
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends", timeout=90)
        server.amcheck()
        return server

    @on_versions(15, 17, 18)
    def test_tables_databases_and_tablespaces_come_and_go(self, version):
        cluster, barman = self.streaming(version)
        cluster.pgbench_init(3)
        cluster.sql("CREATE TABLE doomed AS SELECT generate_series(1, 100000) AS i")
        cluster.sql("CREATE TABLE shrinking AS SELECT generate_series(1, 100000) AS i")
        cluster.sql("CREATE DATABASE doomed_database")
        cluster.tablespace("doomed_space")
        running = self.slow_backup(barman)
        cluster.sql("DROP TABLE doomed")
        cluster.sql("TRUNCATE shrinking")
        cluster.sql("INSERT INTO shrinking SELECT generate_series(1, 200000)")
        cluster.sql("DROP DATABASE doomed_database")
        cluster.sql("CREATE DATABASE fresh_log STRATEGY wal_log")
        cluster.sql("CREATE DATABASE fresh_copy STRATEGY file_copy")
        cluster.sql("DROP TABLESPACE doomed_space")
        cluster.pgbench("-T", 1, "-c", 2)
        self.assertEqual(running.wait(180), 0, running.out + running.err)
        accounts = cluster.sql("SELECT sum(abalance) FROM pgbench_accounts")
        self.archive(barman, "main", until=cluster.switch_wal())

        server = self.restore_and_check(version, barman)
        self.assertEqual(server.sql("SELECT count(*) FROM shrinking"), "200000")
        self.assertEqual(server.sql("SELECT to_regclass('doomed')"), "")
        self.assertEqual(server.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'fresh%'"), "2")
        self.assertEqual(server.sql("SELECT sum(abalance) FROM pgbench_accounts"), accounts)

    def test_a_connection_that_is_cut(self):
        cluster, barman = self.streaming()
        cluster.fill(64)
        running = self.slow_backup(barman, 4096)
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE state = 'backup'")
        self.assertEqual(running.wait(), 1, running.out)
        failed = barman.backup_ids("main")[0]
        self.assertEqual(barman.backup_info("main", failed)["status"], "FAILED")
        self.assertEqual(cluster.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'backup'"), "0")
        barman.ok("backup", "--wait", "main")

    def test_a_cut_connection_is_tried_again(self):
        cluster, barman = self.streaming()
        cluster.fill(64)
        running = barman.start("backup", "--wait", "--retry-times", "2", "--retry-sleep", "1", "--bwlimit", "4096", "main")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'backup'") == "1", "the copy has begun")
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE state = 'backup'")
        self.assertEqual(running.wait(180), 0, running.out + running.err)
        done = barman.backup_ids("main")[-1]
        self.assertEqual(barman.backup_info("main", done)["status"], "DONE")
        cluster.verifybackup(barman.directory("main", "base", done, "data"))

    def test_a_server_that_dies(self):
        cluster, barman = self.streaming()
        cluster.fill(64)
        running = self.slow_backup(barman, 4096)
        cluster.kill()
        self.assertEqual(running.wait(), 1, running.out)
        self.assertEqual(barman.backup_info("main", barman.backup_ids("main")[0])["status"], "FAILED")
        self.assertEqual(len([line for line in running.err.splitlines() if line.startswith("ERROR")]), 1, running.err)

    def test_a_standby_that_is_promoted(self):
        primary = self.cluster()
        primary.fill(64)
        standby = self.standby(primary)
        barman = self.barman().server("main", standby, primary_conninfo=primary.conninfo("barman"))
        barman.receiver("main")
        wait_until(lambda: standby.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "receive-wal streams")
        primary.switch_wal()
        self.archive(barman, "main")
        running = self.slow_backup(barman, 4096)
        standby.promote()
        self.assertEqual(running.wait(180), 1, running.out)
        self.assertEqual(barman.backup_info("main", barman.backup_ids("main")[0])["status"], "FAILED")

    def test_broken_pages_are_found_and_the_file_is_named(self):
        cluster, barman = self.streaming()
        cluster.sql("CREATE TABLE broken AS SELECT generate_series(1, 10000) AS i")
        path = cluster.sql("SELECT pg_relation_filepath('broken')")
        cluster.sql("CHECKPOINT")
        with open(f"{cluster.data}/{path}", "r+b") as file:
            file.seek(8192 * 3 + 5000)
            file.write(b"rotten")
        result = barman.run("backup", "--no-retry", "main")
        self.assert_fails(result, says="checksum")
        self.assertIn(path, result.err + result.out, str(result))
        self.assertEqual(barman.backup_info("main", barman.backup_ids("main")[0])["status"], "FAILED")


class Unfriendly(EndToEnd):
    def test_the_documented_privileges_are_enough(self):
        cluster = self.cluster()
        cluster.sql("CREATE ROLE modest LOGIN; GRANT pg_monitor TO modest; GRANT pg_checkpoint TO modest")
        for function in ("pg_backup_start(text, boolean)", "pg_backup_stop(boolean)", "pg_switch_wal()", "pg_create_restore_point(text)"):
            cluster.sql(f"GRANT EXECUTE ON FUNCTION {function} TO modest")
        barman = self.barman().server("main", cluster, conninfo=cluster.conninfo("modest"))
        self.stream(barman, "main", cluster)
        barman.ok("check", "main")
        barman.ok("switch-wal", "--force", "main")
        barman.ok("backup", "--wait", "main")

    def test_a_missing_privilege_is_named_before_the_backup(self):
        cluster, barman = self.streaming()
        cluster.sql("CREATE ROLE modest LOGIN; GRANT pg_monitor TO modest")
        barman.server("main", conninfo=cluster.conninfo("modest"))
        result = barman.run("check", "main")
        self.assertIn("no access to backup functions: FAILED", result.out, str(result))
        self.assert_fails(barman.run("backup", "main"))

    def test_settings_of_the_role_do_not_mislead_us(self):
        cluster, barman = self.streaming()
        cluster.sql("CREATE SCHEMA hostile; CREATE FUNCTION hostile.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
        cluster.sql("CREATE FUNCTION hostile.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''nonsense''::text'")
        cluster.sql("ALTER ROLE barman SET search_path = hostile, pg_catalog")
        cluster.sql("ALTER ROLE barman SET default_transaction_read_only = on")
        cluster.sql("ALTER ROLE barman SET datestyle = 'German, DMY'")
        cluster.sql("ALTER ROLE barman SET intervalstyle = 'iso_8601'")
        cluster.sql("ALTER ROLE barman SET timezone = 'Asia/Kathmandu'")
        barman.ok("check", "main")
        barman.ok("backup", "--wait", "main")

    def test_a_server_that_is_frozen_does_not_hold_check(self):
        cluster, barman = self.streaming()
        barman.server("main", check_timeout=5)
        # Every process of the server stops answering, as with a hung disk; connections are still accepted.
        session = subprocess.run(["ps", "-o", "pid=", "--ppid", str(cluster.process.pid)], capture_output=True, text=True, check=True)
        pids = [int(pid) for pid in session.stdout.split()] + [cluster.process.pid]
        for pid in pids:
            os.kill(pid, 19)
        try:
            result = barman.run("check", "main", timeout=60)
        finally:
            for pid in pids:
                os.kill(pid, 18)
        self.assertEqual(result.code, 1, str(result))


if __name__ == "__main__":
    harness.main()
