#!/usr/bin/env python3
"""The main job, whole: WAL streams in, a backup is taken, the server is lost, and the cluster comes back at the
moment that was asked for, with pg_verifybackup and pg_amcheck as referees."""

import os
import shutil

import harness
import place
from harness import EndToEnd, on_versions, wait_until


class History:
    """A server whose table `steps` grows by one numbered row at a time, each with the moments around it."""

    def __init__(self, cluster):
        self._cluster = cluster
        cluster.sql("CREATE TABLE steps (step int PRIMARY KEY)")
        self.xid = {}
        self.time_after = {}
        self.lsn_after = {}

    def step(self, number):
        self.xid[number] = self._cluster.sql(f"BEGIN; INSERT INTO steps VALUES ({number}); SELECT txid_current(); COMMIT").splitlines()[-1]
        self.time_after[number] = self._cluster.now()
        self.lsn_after[number] = self._cluster.sql("SELECT pg_current_wal_insert_lsn()")


def steps_of(cluster):
    return [int(line) for line in cluster.sql("SELECT step FROM steps ORDER BY step").split()]


class MainJob(EndToEnd):
    @on_versions(15, 17, 18)
    def test_every_kind_of_target_stops_on_its_side(self, version):
        cluster, barman = self.streaming(version)
        tablespace = cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there')")
        cluster.pgbench_init(1)
        oid = cluster.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'elsewhere'")
        history = History(cluster)
        history.step(1)

        barman.ok("backup", "--wait", "main")
        backup = barman.backup_ids("main")[0]
        self.assertEqual(barman.backup_info("main", backup)["status"], "DONE")
        cluster.verifybackup(barman.directory("main", "base", backup, "data"))
        self.assert_clean(barman)

        for number in (2, 3, 4):
            history.step(number)
        cluster.sql("SELECT pg_create_restore_point('four steps')")
        cluster.pgbench("-T", 1, "-c", 2)
        history.step(5)
        history.step(6)
        self.archive(barman, "main", until=cluster.switch_wal())
        cluster.kill()
        cluster.remove_data()
        shutil.rmtree(tablespace)

        everything = [1, 2, 3, 4, 5, 6]
        targets = {
            "time": (["--target-time", history.time_after[2]], [1, 2]),
            "lsn": (["--target-lsn", history.lsn_after[3]], [1, 2, 3]),
            "name": (["--target-name", "four steps"], [1, 2, 3, 4]),
            "xid": (["--target-xid", history.xid[5]], [1, 2, 3, 4, 5]),
            "before-xid": (["--target-xid", history.xid[5], "--exclusive"], [1, 2, 3, 4]),
            "immediate": (["--target-immediate"], [1]),
            "latest": ([], everything),
        }
        for name, (target, rows) in targets.items():
            with self.subTest(target=name):
                self._restore_and_prove(barman, version, backup, name, target, rows, oid)

    def _restore_and_prove(self, barman, version, backup, name, target, rows, oid):
        destination = os.path.join(self.scratch.path, f"to-{name}")
        afar = os.path.join(self.scratch.path, f"to-{name}-ts")
        action = ["--target-action", "promote"] if target else []
        barman.ok("restore", *target, *action, "--tablespace", f"elsewhere:{afar}", "main", backup, destination)
        self.assertEqual(os.readlink(f"{destination}/pg_tblspc/{oid}"), afar)

        server = self.restored(version, destination, name=f"server-{name}")
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", f"{name}: recovery ends", timeout=90)
        self.assertEqual(steps_of(server), rows)
        self.assertEqual(server.sql("SELECT t FROM afar"), "there")
        if name in ("time", "latest"):
            server.amcheck()
        self.assertEqual(server.sql("SHOW archive_command") in ("false", "(disabled)", ""), True)
        server.stop("immediate")
        shutil.rmtree(destination)
        shutil.rmtree(afar)

    def test_a_restored_tree_is_the_backup(self):
        cluster, barman = self.streaming(15)
        barman.ok("backup", "--wait", "main")
        destination = os.path.join(self.scratch.path, "restored")
        barman.ok("restore", "main", "latest", destination)
        # restore leaves the manifest behind: from here on the files change
        place.give(shutil.copy(barman.directory("main", "base", barman.backup_ids("main")[0], "data", "backup_manifest"), destination))
        # What restore itself edits or adds; nothing else may differ from the manifest.
        done = cluster.verifybackup(destination, check=False)
        said = [line for line in done.stderr.splitlines() if "error" in line]
        changed = (".barman-recover.info", "backup_manifest.", "postgresql.conf", "postgresql.auto.conf", "recovery.signal", "barman_wal", ".origin")
        self.assertEqual([line for line in said if not any(name in line for name in changed)], [])

    def test_the_second_restore_of_one_backup_equals_the_first(self):
        cluster, barman = self.streaming(15)
        barman.ok("backup", "--wait", "main")
        first, second = (os.path.join(self.scratch.path, name) for name in ("first", "second"))
        for destination in (first, second):
            barman.ok("restore", "main", "latest", destination)
        done = cluster.program(["diff", "-rq", "--no-dereference", "-x", "pg_wal", first, second], check=False)
        self.assertEqual(done.stdout, "")

    def test_small_segments_and_no_checksums(self):
        cluster, barman = self.streaming(15, wal_segment_size=1, checksums=False)
        history = History(cluster)
        history.step(1)
        barman.ok("backup", "--wait", "main")
        cluster.pgbench_init(1)
        history.step(2)
        self.archive(barman, "main", until=cluster.switch_wal())
        destination = os.path.join(self.scratch.path, "restored")
        barman.ok("restore", "main", "latest", destination)
        server = self.restored(15, destination)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(steps_of(server), [1, 2])

    def test_recovery_follows_a_promoted_standby(self):
        primary, barman = self.streaming(15)
        history = History(primary)
        history.step(1)
        barman.ok("backup", "--wait", "main")
        history.step(2)
        standby = self.standby(primary)
        primary.stop()
        barman.stop_all()
        standby.promote()
        barman.server("main", standby)
        self.stream(barman, "main", standby)
        standby.sql("INSERT INTO steps VALUES (3)")
        self.archive(barman, "main", until=standby.switch_wal())
        destination = os.path.join(self.scratch.path, "restored")
        barman.ok("restore", "--target-tli", "latest", "main", "latest", destination)
        server = self.restored(15, destination)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(steps_of(server), [1, 2, 3])


if __name__ == "__main__":
    harness.main()
