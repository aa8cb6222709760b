#!/usr/bin/env python3
"""Commands that need no server: from start to end."""

import datetime
import os

import measure
import place


def main():
    with measure.Scene() as scene:
        barman = scene.barman(conninfo="host=/nowhere", streaming_conninfo="host=/nowhere", backup_method="postgres", streaming_archiver="on",
                              slot_name="barman")
        listing = barman.command("list-servers")
        runs = measure.alternate(40, ours=lambda: measure.timed(listing, scene.scratch.path), nothing=lambda: measure.timed(["/bin/true"], scene.scratch.path))
        measure.below("start: list-servers, all of it", (measure.median(runs["ours"]) - measure.median(runs["nothing"])) * 1000, 10, "ms")

        crowd(barman, backups=1000, segments=200_000)
        listing = barman.command("list-backups", "main")
        runs = [measure.timed(listing, scene.scratch.path) for _ in range(10)]
        measure.below("list-backups: 1,000 backups, 200,000 WAL files", measure.median(runs) * 1000, 100, "ms")

        segment = "0000000100000000000000AA"
        folder = barman.directory("main", "wals", segment[:16])
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{segment}", "wb") as file:
            file.write(b"\x10\xd1" + os.urandom((16 << 20) - 2))
        with open(os.path.join(scene.scratch.path, "out"), "wb") as out:
            runs = [measure.timed(barman.command("get-wal", "main", segment), scene.scratch.path, stdout=out) for _ in range(10)]
        measure.below("get-wal: a plain segment", measure.median(runs) * 1000, 15, "ms")


def crowd(barman, backups, segments):
    """A catalogue as it is after years."""
    meta = barman.directory("main", "meta")
    wals = barman.directory("main", "wals")
    for path in (meta, wals, barman.directory("main", "base")):
        os.makedirs(path, exist_ok=True)
    first = datetime.datetime(2023, 1, 1, tzinfo=datetime.timezone.utc)
    step = segments // backups
    for number in range(backups):
        begin = first + datetime.timedelta(days=number)
        write_record(meta, begin, number * step + 1)
    with open(f"{wals}/main-xlog.db", "w", encoding="utf-8") as file:
        for number in range(segments):
            file.write(f"{wal_name(number)}\t16777216\t{1672531200 + number * 400}.25\tNone\tNone\n")
    for folder, _, files in os.walk(barman.home):
        for path in [folder] + [os.path.join(folder, name) for name in files]:
            place.give(path)


def wal_name(number):
    return f"00000001{number // 256:08X}{number % 256:08X}"


def write_record(meta, begin, segment):
    end = begin + datetime.timedelta(minutes=10)
    lsn = f"{segment // 256:X}/{segment % 256:02X}000028"
    fields = {
        "backup_label": "None", "begin_offset": 40, "begin_time": begin.isoformat(" "), "begin_wal": wal_name(segment), "begin_xlog": lsn,
        "compression": "None", "config_file": "/data/postgresql.conf", "copy_stats": "{'copy_time': 1.5, 'total_time': 2.5}",
        "deduplicated_size": 2 << 30, "end_offset": 80, "end_time": end.isoformat(" "), "end_wal": wal_name(segment + 1),
        "end_xlog": f"{(segment + 1) // 256:X}/{(segment + 1) % 256:02X}000050", "error": "None", "hba_file": "/data/pg_hba.conf",
        "ident_file": "/data/pg_ident.conf", "included_files": "None", "mode": "postgres", "pgdata": "/data", "server_name": "main", "size": 2 << 30,
        "status": "DONE", "systemid": "7123456789012345678", "tablespaces": "None", "timeline": 1, "version": 150000, "xlog_segment_size": 16777216,
    }
    with open(f"{meta}/{begin:%Y%m%dT%H%M%S}-backup.info", "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in fields.items())


if __name__ == "__main__":
    main()
