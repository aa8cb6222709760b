#!/usr/bin/env python3
"""Restores of what is kept as tar archives compressed with zstd: one backup, and a chain of incremental ones."""

import itertools
import os
import shutil
import sys

import measure
import place

SCALE = int(os.environ.get("BARMAN_BENCH_CHAIN_SCALE", "50"))  # about 15 MB each
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))
LENGTH = 6
ONE_CORE = ["taskset", "-c", "0"]


def main():
    with measure.Scene() as scene:
        cluster = scene.cluster(version=17, shared_buffers="256MB", summarize_wal="on")
        cluster.pgbench_init(SCALE)
        barman = scene.barman(cluster, immediate_checkpoint="true", backup_compression="zstd", backup_compression_level="1",
                              backup_compression_format="tar", backup_compression_location="client")
        scene.receiver(barman, cluster)
        ids = [take(barman)]
        single(scene, barman, ids[0])
        while len(ids) < LENGTH:
            cluster.pgbench("-c", "4", "-j", "2", "-T", "4", "-n", "-M", "prepared")
            ids.append(take(barman, ids[-1]))
        chain(scene, cluster, barman, ids)


def take(barman, parent=None):
    """The id of a new backup. A program that cannot take it yet has the original do it."""
    command = ["backup", *([f"--incremental={parent}"] if parent else []), "main"]
    done = barman.run(*command, timeout=300)
    if "this build does not" in done.err:
        done = barman.original(*command)
    if done.code != 0:
        raise SystemExit(str(done))
    return barman.backup_ids("main")[-1]


def data(barman, backup, *below):
    return barman.directory("main", "base", backup, "data", *below)


class Destinations:
    """A new directory each time: removing the old one would be part of the next run."""

    def __init__(self, scene, barman):
        self._scene, self._barman, self._numbers = scene, barman, itertools.count()

    def new(self):
        self.last = os.path.join(self._scene.scratch.path, f"to{next(self._numbers)}")
        return self.last

    def ours(self, backup, before=()):
        # WAL is fetched later by either side.
        return measure.timed([*before, *self._barman.command("restore", "--get-wal", "main", backup, self.new())], self._scene.scratch.path)

    def theirs(self, script, before=()):
        self.new()
        return measure.timed([*before, "sh", "-ec", script.replace("@", self.last)], self._scene.scratch.path)

    def clear(self):
        for number in range(next(self._numbers)):
            for suffix in ("", "-members"):
                shutil.rmtree(os.path.join(self._scene.scratch.path, f"to{number}{suffix}"), ignore_errors=True)


def single(scene, barman, backup):
    places = Destinations(scene, barman)
    untar = f"mkdir @; zstd -qdc {data(barman, backup, 'base.tar.zst')} | tar -x -C @; sync -f @"
    runs = measure.alternate(
        ROUNDS,
        ours_one=lambda: places.ours(backup, ONE_CORE),
        theirs_one=lambda: places.theirs(untar, ONE_CORE),
        ours=lambda: places.ours(backup),
        theirs=lambda: places.theirs(untar))
    measure.ratio("restore of one zstd tar, one core", measure.median(runs["ours_one"]), "zstd, tar and sync", measure.median(runs["theirs_one"]), 1.1)
    measure.ratio("restore of one zstd tar, all cores", measure.median(runs["ours"]), "zstd, tar and sync", measure.median(runs["theirs"]), 1.1)
    measure.below("restore of one zstd tar, peak memory", max(run.peak_mib for run in runs["ours"]), 128, "MiB")
    places.clear()


def chain(scene, cluster, barman, ids):
    places = Destinations(scene, barman)
    script = "mkdir @-members\n"
    for backup in ids:
        script += (f"mkdir @-members/{backup}; zstd -qdc {data(barman, backup, 'base.tar.zst')} | tar -x -C @-members/{backup}\n"
                   f"cp {data(barman, backup, 'backup_manifest')} @-members/{backup}/\n")
    script += f"{cluster.bin}/pg_combinebackup -o @ " + " ".join(f"@-members/{backup}" for backup in ids)
    runs = measure.alternate(ROUNDS, ours=lambda: places.ours(ids[-1]), theirs=lambda: places.theirs(script))
    measure.ratio(f"restore of a full and {LENGTH - 1} incremental backups, zstd", measure.median(runs["ours"]),
                  "unpacking and pg_combinebackup", measure.median(runs["theirs"]), 0.5)
    measure.below("restore of the chain, peak memory", max(run.peak_mib for run in runs["ours"]), 128, "MiB")
    os.sync()
    last = places.ours(ids[-1])
    size = sum(os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(places.last) for name in names) / 2**20
    measure.below(f"restore of the chain: written, beside {size:.0f} MiB that are there at the end", last.written_mib / size, 1.05, "×")
    places.clear()


if __name__ == "__main__":
    if not shutil.which("zstd"):
        print("no zstd (package zstd) to compare with", file=sys.stderr)
    else:
        try:
            main()
        except place.Missing as why:
            print(why, file=sys.stderr)
