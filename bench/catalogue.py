#!/usr/bin/env python3
"""Commands over a catalogue, beside the original where it is installed: it reads the index of WAL once for each backup,
so the two are compared over a smaller catalogue than the one that our goals are for (see start_up.py)."""

import shutil

import measure
import place
from start_up import crowd


def main():
    with measure.Scene() as scene:
        barman = scene.barman(description="nobody", conninfo="host=/nowhere dbname=postgres", streaming_conninfo="host=/nowhere", backup_method="postgres",
                              archiver="on", retention_policy="redundancy 1000")
        crowd(barman, backups=1000, segments=200_000)
        for command in (["list-backups", "--minimal", "main"], ["-f", "json", "list-backups", "main"], ["show-backup", "main", "latest"]):
            runs = [measure.timed(barman.command(*command), scene.scratch.path) for _ in range(10)]
            measure.below(f"{' '.join(command)}: 1,000 backups, 200,000 WAL files", measure.median(runs) * 1000, 100, "ms")

        shutil.rmtree(barman.directory("main"))
        crowd(barman, backups=50, segments=10_000)
        try:
            original = [place.original_barman(), "-c", barman.config]
        except place.Missing:
            return
        for command in (["list-servers"], ["list-backups", "main"], ["show-backup", "main", "latest"]):
            runs = measure.alternate(3, ours=lambda command=command: measure.timed(barman.command(*command), scene.scratch.path),
                                     theirs=lambda command=command: measure.timed(original + command, scene.scratch.path))
            measure.ratio(f"{command[0]}: 50 backups, 10,000 WAL files", measure.median(runs["ours"]), "the original", measure.median(runs["theirs"]), 0.1)


if __name__ == "__main__":
    main()
