#!/usr/bin/env python3
"""RPO 0: with receive-wal as the synchronous standby, a server that is killed and lost has lost no commit that it
acknowledged."""

import os
import threading

import harness
from harness import EndToEnd, on_versions, wait_until


class Synchronous(EndToEnd):
    @on_versions(15, 17, 18)
    def test_every_acknowledged_commit_survives_the_loss_of_the_server(self, version):
        cluster = self.cluster(version)
        barman = self.barman().server("main", cluster, streaming_archiver_name="barman_receive_wal")
        self.stream(barman, "main", cluster)
        cluster.sql("CREATE TABLE promises (n int PRIMARY KEY)")
        barman.ok("backup", "--wait", "main")
        cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'barman_receive_wal'")
        cluster.sql("SELECT pg_reload_conf()")
        wait_until(lambda: "sync" in cluster.sql("SELECT sync_state FROM pg_stat_replication"), "the receiver is the synchronous standby")

        acknowledged = []
        stop = threading.Event()
        thread = threading.Thread(target=self._promise, args=(cluster.session(), acknowledged, stop))
        thread.start()
        wait_until(lambda: len(acknowledged) > 50, "fifty commits are acknowledged")
        cluster.kill()
        stop.set()
        thread.join()
        cluster.remove_data()
        receiver = barman._background[0]
        receiver.stop()
        barman.run("archive-wal", "main")

        destination = os.path.join(self.scratch.path, "restored")
        barman.ok("restore", "--partial", "main", "latest", destination)
        server = self.restored(version, destination)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        kept = {int(n) for n in server.sql("SELECT n FROM promises").split()}
        self.assertEqual([n for n in acknowledged if n not in kept], [])

    @staticmethod
    def _promise(session, acknowledged, stop):
        number = 0
        while not stop.is_set():
            number += 1
            try:
                if session.sql(f"INSERT INTO promises VALUES ({number}) RETURNING n").startswith(str(number)):
                    acknowledged.append(number)
            except (AssertionError, OSError, ValueError):
                return

    def test_commits_wait_for_the_receiver(self):
        cluster = self.cluster()
        barman = self.barman().server("main", cluster)
        self.stream(barman, "main", cluster)
        cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'barman_receive_wal'")
        cluster.sql("SELECT pg_reload_conf()")
        cluster.sql("CREATE TABLE t (i int)")
        barman._background[0].stop()
        commit = threading.Thread(target=cluster.sql, args=("INSERT INTO t VALUES (1)",))
        commit.start()
        wait_until(lambda: cluster.sql("SELECT wait_event FROM pg_stat_activity WHERE query LIKE 'INSERT%'") == "SyncRep", "the commit waits")
        barman.receiver("main")
        commit.join(60)
        self.assertFalse(commit.is_alive(), "the commit was not acknowledged by the next receiver")


if __name__ == "__main__":
    harness.main()
