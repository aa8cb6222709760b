"""The scene of the tests of restore: a server with a tablespace and one finished backup."""

import os

from harness import EndToEnd, wait_until


class Restores(EndToEnd):
    def scene(self, version=15, **initdb):
        """A streaming server with a tablespace and one finished backup. Returns (cluster, barman)."""
        cluster, barman = self.streaming(version, **initdb)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); INSERT INTO steps VALUES (1); "
                    "CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there')")
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        self.archive(barman, "main", until=cluster.switch_wal())
        self.oid = cluster.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'elsewhere'")
        return cluster, barman

    def step(self, cluster, number):
        cluster.sql(f"INSERT INTO steps VALUES ({number})")

    def place(self, name="restored"):
        """A destination, and the options that send the tablespace beside it."""
        path = os.path.join(self.scratch.path, name)
        return path, ["--tablespace", f"elsewhere:{path}-ts"]

    def steps(self, server):
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends", timeout=90)
        return [int(line) for line in server.sql("SELECT step FROM steps ORDER BY 1").split()]

    def assert_refused(self, result, says):
        self.assertEqual(result.code, 1, str(result))
        self.assertRegex(result.err, f"ERROR: .*{says}", str(result))

    def stored(self, barman, *below):
        return barman.directory("main", "base", barman.backup_ids("main")[0], *below)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
