"""What tests of the WAL archive start from: a server whose segments a test hands to the archiver one by one."""

import os
import shutil
import time

import place
from harness import EndToEnd, wait_until


MIB = 1 << 20


class Archives(EndToEnd):
    def scene(self, version=15, wal_segment_size=1, **options):
        """A server that archives by cp into a folder of the test's, and a Barman without a receiver."""
        cluster = self.cluster(version, wal_segment_size=wal_segment_size, start=False)
        self.kept = self.scratch.folder("kept")
        cluster.configure(archive_mode="on", archive_command=f"cp %p {self.kept}/%f")
        cluster.start().create_roles()
        barman = self.barman().server("main", cluster, archiver="on", streaming_archiver="off", slot_name=None, create_slot=None, **options)
        barman.run("check", "--check-timeout", "3", "main")  # makes the directories; WAL need not arrive
        self.incoming = barman.directory("main", "incoming")
        self.errors = barman.directory("main", "errors")
        return cluster, barman

    def segments(self, cluster, count):
        """Closes so many segments; returns their names once the server has archived them."""
        first = cluster.wal_file()
        known = os.listdir(self.kept)  # at a boundary the server names the segment before
        cluster.sql(f"DO $$ BEGIN FOR i IN 1..{count} LOOP PERFORM pg_logical_emit_message(false, 'e2e', 'x'); PERFORM pg_switch_wal(); END LOOP; END $$")

        def names():
            return [name for name in sorted(os.listdir(self.kept)) if name >= first and len(name) == 24 and name not in known]
        wait_until(lambda: len(names()) >= count, f"{count} segments are archived by the server")
        time.sleep(0.05)  # cp of the last one ends
        wait_until(lambda: cluster.sql("SELECT last_archived_wal FROM pg_stat_archiver") >= names()[count - 1], "the last one too")
        return names()[:count]

    def arrive(self, *names, into=None):
        for name in names:
            place.give(shutil.copy(f"{self.kept}/{name}", f"{into or self.incoming}/{name}"))

    def write(self, path, content):
        with open(path, "wb") as file:
            file.write(content)
        place.give(path)

    def kept_bytes(self, name):
        with open(f"{self.kept}/{name}", "rb") as file:
            return file.read()

    def archived_bytes(self, barman, name):
        with open(barman.directory("main", "wals", name[:16], name), "rb") as file:
            return file.read()

    def index(self, barman):
        with open(barman.directory("main", "wals", "main-xlog.db"), encoding="utf-8") as file:
            return [line.split("\t") for line in file.read().splitlines()]

    def assert_archived(self, barman, names):
        """Each is there, as the server wrote it, and counted once; nothing else lies about."""
        self.assertEqual(sorted(line[0] for line in self.index(barman)), barman.archived_wal("main"))
        for name in names:
            self.assertEqual(self.archived_bytes(barman, name), self.kept_bytes(name), name)
        self.assertEqual(os.listdir(self.errors), [])
        self.assert_clean(barman)
