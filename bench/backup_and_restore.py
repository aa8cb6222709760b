#!/usr/bin/env python3
"""A plain backup of a 2 GB cluster over a unix socket, and its restore."""

import itertools
import os
import shutil

import measure

SCALE = int(os.environ.get("BARMAN_BENCH_SCALE", "135"))  # about 15 MB each
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))
_numbers = itertools.count()


def main():
    with measure.Scene() as scene:
        cluster = scene.cluster(shared_buffers="256MB")
        cluster.pgbench_init(SCALE)
        cluster.sql("CHECKPOINT")
        barman = scene.barman(cluster, immediate_checkpoint="true")
        scene.receiver(barman, cluster)
        backup(scene, cluster, barman)
        barman.ok("backup", "--wait", "main")
        restore(scene, barman)


def backup(scene, cluster, barman):
    home = scene.scratch.path
    no_sync = measure.BUILD / "bin" / "libno_sync.so"
    streaming = cluster.conninfo("streaming_barman", None)
    copy = os.path.join(home, "copy")
    pg_basebackup = [f"{cluster.bin}/pg_basebackup", "-Fp", "-X", "none", "-c", "fast", "-D", copy, "-d", streaming]

    # What a run made is removed after it, and nothing waits for the disk before the next, so that all have the same memory for
    # their pages.
    trash = scene.scratch.folder("trash")

    def discard():
        os.sync()
        return measure.timed([measure.BUILD / "bin" / "discard_base_backup", streaming], home)

    def ours(preload=None):
        os.sync()
        run = measure.timed(barman.command("backup", "main"), home, preload=preload)
        empty(barman.directory("main", "base"), trash)
        forget(barman)
        return run

    def theirs():
        os.sync()
        run = measure.timed(pg_basebackup, home)
        empty(copy, trash)
        shutil.rmtree(copy)
        return run

    runs = measure.alternate(ROUNDS, discard=discard, unsynced=lambda: ours(no_sync), theirs=theirs, ours=ours)
    size = int(cluster.sql("SELECT sum(pg_database_size(oid)) FROM pg_database")) / 2**30
    measure.ratio(f"backup of {size:.1f} GiB, not synced", measure.median(runs["unsynced"]), "read and discard", measure.median(runs["discard"]), 1.25)
    measure.ratio(f"backup of {size:.1f} GiB, synced", measure.median(runs["ours"]), "pg_basebackup", measure.median(runs["theirs"]), 0.6)
    measure.below("backup, peak memory", max(run.peak_mib for run in runs["ours"]), 64, "MiB")


def restore(scene, barman):
    home = scene.scratch.path
    tree = barman.directory("main", "base", barman.backup_ids("main")[-1], "data")
    destination, copy = os.path.join(home, "restored"), os.path.join(home, "copy")

    def ours():
        shutil.rmtree(destination, ignore_errors=True)
        os.sync()
        return measure.timed(barman.command("restore", "main", "latest", destination), home)

    def theirs():
        shutil.rmtree(copy, ignore_errors=True)
        os.sync()
        return measure.timed(["sh", "-c", f"cp -a {tree} {copy} && sync -f {copy}"], home)

    runs = measure.alternate(ROUNDS, ours=ours, theirs=theirs)
    measure.ratio("restore of the same", measure.median(runs["ours"]), "cp -a and sync", measure.median(runs["theirs"]), 1.1)
    measure.below("restore, peak memory", max(run.peak_mib for run in runs["ours"]), 64, "MiB")


def empty(tree, trash):
    """Frees what the files take, but not their inodes: a file system without a journal would make the next files slowly, since
    it passes over the inodes of files removed lately."""
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            os.link(path, os.path.join(trash, str(next(_numbers))))
            os.truncate(path, 0)


def forget(barman):
    for one in barman.backup_ids("main"):
        barman.ok("delete", "main", one)


if __name__ == "__main__":
    main()
