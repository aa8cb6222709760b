"""A catalogue written by hand, without any server: what both programs say of it can be compared."""

import os

import place
from harness import EndToEnd


def segment(number, timeline=1):
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


RECORD = {
    "backup_label": r"""'START WAL LOCATION: 0/5000028\nLABEL: it\'s "x" \u200b\xa0é\n'""",
    "begin_offset": "40", "begin_time": "2026-11-01 10:00:00.412345+01:00", "begin_wal": segment(5), "begin_xlog": "0/5000028",
    "children_backup_ids": "None", "cluster_size": "30000000", "compression": "None", "config_file": "/etc/postgresql.conf",
    "copy_stats": "{'copy_time': 12.5, 'total_time': 12.5}", "data_checksums": "on", "deduplicated_size": "25000000",
    "encryption": "None", "end_offset": "256", "end_time": "2026-11-01 10:00:20+01:00", "end_wal": segment(6),
    "end_xlog": "0/6000100", "error": "None", "hba_file": "/etc/hba", "ident_file": "/etc/ident",
    "included_files": """['/etc/a', "/etc/b'c"]""", "mode": "postgres", "parent_backup_id": "None", "pgdata": "/data",
    "server_name": "main", "size": "25000000", "status": "DONE", "summarize_wal": "None", "systemid": "7123456789012345678",
    "tablespaces": "[('ts1', 16388, '/srv/ts1')]", "timeline": "1", "version": "170002", "xlog_segment_size": "16777216",
}
FULL, INCREMENTAL, FAILED, RSYNC, LATEST = (f"202611{day:02}T100000" for day in (1, 2, 3, 4, 5))


class RecordedCatalogue(EndToEnd):
    """`ours` is a Barman with the catalogue of scene()."""

    def setUp(self):
        super().setUp()
        self.ours = self.scene("barman")

    def scene(self, name):
        """Five backups: a full one, an incremental on it, a failed one, one by rsync, one that waits; 20 segments."""
        barman = self.barman(name)
        barman.server("main", description="nobody", conninfo="host=/nonexistent dbname=postgres", backup_method="postgres",
                      streaming_conninfo="host=/nonexistent", archiver="on")
        self.record(barman, FULL, backup_name="first one", children_backup_ids=INCREMENTAL, deduplicated_size="7000000")
        self.record(barman, INCREMENTAL, parent_backup_id=FULL, begin_wal=segment(8), end_wal=segment(9), deduplicated_size="900")
        self.record(barman, FAILED, status="FAILED", error="failure copying files (boom = bang)", begin_wal=segment(9), end_wal="None")
        self.record(barman, RSYNC, mode="rsync-concurrent", begin_wal=segment(12), end_wal=segment(12), tablespaces="None",
                    cluster_size="None", end_time="2026-11-04 22:00:00.5-07:00", data_checksums="None",
                    copy_stats="{'analysis_time': 3661.2, 'copy_time': 90000.75, 'number_of_workers': 4, 'total_time': 1e5}")
        self.record(barman, LATEST, status="WAITING_FOR_WALS", begin_wal=segment(15), end_wal=segment(16), end_time="2026-11-05 10:00:00")
        self.archive_files(barman, range(3, 21))
        return barman

    def write(self, barman, text, *below):
        path = barman.directory("main", *below)
        self.folder(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        place.give(path)

    def folder(self, path):
        if not os.path.isdir(path):
            self.folder(os.path.dirname(path))
            os.mkdir(path)
            place.give(path)

    def record(self, barman, backup, **fields):
        fields = {**RECORD, **fields}
        self.write(barman, "".join(f"{key}={fields[key]}\n" for key in sorted(fields)), "meta", f"{backup}-backup.info")
        self.write(barman, "x", "base", backup, "data", "PG_VERSION")
        self.write(barman, "x", "base", backup, "16388", "file")

    def archive_files(self, barman, numbers):
        lines = []
        for i in numbers:
            name = segment(i)
            self.write(barman, "x" * i, "wals", name[:16], name)
            lines.append(f"{name}\t{4000000 + i * 1000}\t{1793527200 + i * 1000 + i / 4}\tgzip\tNone\n")
        self.write(barman, "".join(lines), "wals", "main-xlog.db")

    def state(self, barman):
        """The catalogue as a value: every file of meta and the index with its text, the names of the rest."""
        top, found = barman.directory("main"), {}
        for folder, _, files in os.walk(top):
            for name in files:
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, top)] = file.read()
        return found

    def assert_same(self, barman, *arguments):
        theirs, ours = barman.original(*arguments), barman.run(*arguments)
        self.assertEqual((ours.code, ours.out, ours.err), (theirs.code, theirs.out, theirs.err), f"{ours}\n{theirs}")
