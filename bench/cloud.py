#!/usr/bin/env python3
"""WAL and base backups into a bucket and out of it: beside the original's programs, beside curl and the disk. The bucket is
in memory (bench/object_stores.py). BARMAN_BENCH_CLOUD names the parts to measure: "wal backup restore"."""

import glob
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import measure
import bucket
import object_stores
import place

SCALE = int(os.environ.get("BARMAN_BENCH_SCALE", "135"))  # about 15 MB each
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))
WANTED = os.environ.get("BARMAN_BENCH_CLOUD", "wal backup restore").split()
JOBS = 2
PART = 100 * 2**30 // 9000  # the largest archive, divided by 9000


def together(commands, home):
    """Runs the commands, JOBS at a time, as one that is timed."""
    script = os.path.join(home, "together")
    with open(script, "w", encoding="utf-8") as file:
        file.writelines(shlex.join(map(str, command)) + "\n" for command in commands)
    return measure.timed(["xargs", "-a", place.give(script), "-d", "\\n", "-n", 1, "-P", JOBS, "sh", "-c"], home)


def random_file(path, size, begin=b""):
    with open(path, "wb") as file:
        file.write(begin)
        for left in range(size - len(begin), 0, -2**24):
            file.write(os.urandom(min(left, 2**24)))
    return place.give(path)


def wal(scene, store):
    home = scene.scratch.path
    segments = [random_file(os.path.join(home, f"{number:024X}"), 2**24, b"\x10\xd1\x07\x00\x01\x00\x00\x00") for number in range(1, 9)]
    turn = itertools.cycle(segments)
    ours = bucket.ours(scene.scratch, "barman-cloud-wal-archive")
    theirs = bucket.original("barman-cloud-wal-archive")
    curl = {path: store.putting(path, "curl/" + os.path.basename(path)) for path in segments}
    runs = measure.alternate(5 * ROUNDS,
                             curl=lambda: measure.timed(curl[next(turn)], home),
                             ours=lambda: measure.timed([ours, store.url, "main", next(turn)], home))
    original = measure.alternate(ROUNDS, theirs=lambda: measure.timed([theirs, store.url, "main", next(turn)], home))
    seconds = measure.median(runs["ours"])
    measure.ratio("cloud-wal-archive of 16 MB", seconds * 1000, "1.3 times curl's PUT and 10 ms", 1300 * measure.median(runs["curl"]) + 10, 1, "ms")
    measure.ratio("the same", seconds * 1000, "the original", measure.median(original["theirs"]) * 1000, 1 / 20, "ms")


def backup(scene, store, cluster):
    """Of the server's files by barman-cloud-backup and by local-to-cloud, and of what the server sends."""
    home = scene.scratch.path
    size = sum(os.path.getsize(path) for path in glob.glob(f"{cluster.data}/base/*/*"))
    puts = [store.putting(random_file(os.path.join(home, "part"), PART), "parts/0")] * max(1, size // PART)
    streaming = cluster.conninfo("streaming_barman", None)
    limits = measure.alternate(
        ROUNDS,
        put=lambda: together(puts, home),
        read=lambda: measure.timed(["sh", "-c", f"tar -C {cluster.data} -cf - base | cat > /dev/null"], home),
        stream=lambda: measure.timed([measure.BUILD / "bin" / "discard_base_backup", streaming], home))
    limits = {name: measure.median(runs) for name, runs in limits.items()}

    options = ["--immediate-checkpoint", "-J", JOBS, "-h", cluster.sockets, "-p", cluster.port, "-U", "barman", store.url]
    ours, theirs = bucket.ours(scene.scratch, "barman-cloud-backup"), bucket.original("barman-cloud-backup")
    compare(f"barman-cloud-backup of {size / 2**30:.1f} GiB", "reading", max(limits["read"], limits["put"]),
            lambda: measure.timed([ours, *options, "main"], home), lambda: measure.timed([theirs, *options, "main"], home), store.empty)

    barman = scene.barman(cluster, immediate_checkpoint="true", basebackups_directory=store.url, parallel_jobs=JOBS,
                          cloud_staging_directory=scene.scratch.folder("staging"))
    barman.environment = store.environment
    scene.receiver(barman, cluster)
    original = [place.original_barman(), "-c", barman.config, "backup", "main"]
    for method, what, limit in (("local-to-cloud", "reading", limits["read"]), ("postgres", "the stream", limits["stream"])):
        barman.server("main", backup_method=method)
        compare(f"barman backup, {method}", what, max(limit, limits["put"]),
                lambda: measure.timed(barman.command("backup", "main"), home), lambda: measure.timed(original, home), lambda: forget(barman))


def forget(barman):
    for one in barman.backup_ids("main"):
        barman.ok("delete", "main", one)


def compare(what, source, limit, ours, theirs, forget_it):
    def once(contestant):
        run = contestant()
        forget_it()
        return run

    once(ours)  # the store gets its memory
    runs = measure.alternate(ROUNDS, ours=lambda: once(ours), theirs=lambda: once(theirs))
    seconds = measure.median(runs["ours"])
    measure.ratio(what, seconds, f"{source}, or parallel PUTs", limit, 1 / 0.8)
    measure.ratio("the same", seconds, "the original", measure.median(runs["theirs"]), 1 / 4)
    measure.below("the same, peak memory", max(run.peak_mib for run in runs["ours"]), 16 + JOBS * PART / 2**20, "MiB")


def restore(scene, store, cluster):
    home = scene.scratch.path
    to = os.path.join(home, "restored")
    program = bucket.ours(scene.scratch, "barman-cloud-backup")
    measure.timed([program, "--immediate-checkpoint", "-h", cluster.sockets, "-p", cluster.port, "-U", "barman", store.url, "ours"], home)
    ours, theirs = bucket.ours(scene.scratch, "barman-cloud-restore"), bucket.original("barman-cloud-restore")
    run = lambda *command: subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout  # noqa: E731
    backups = json.loads(run(bucket.ours(scene.scratch, "barman-cloud-backup-list"), "--format", "json", store.url, "ours"))["backups_list"]
    key = f"some/path/ours/base/{backups[-1]['backup_id']}/data.tar"
    size = int(re.search(r"(?i)content-range: bytes 0-0/(\d+)", run(*store.getting(key, "-r", "0-0", "-D", "-", "-o", "/dev/null")))[1])
    ranges = [store.getting(key, "-r", f"{at}-{min(at + 2**23, size) - 1}") for at in range(0, size, 2**23)]

    def restored(program):
        shutil.rmtree(to, ignore_errors=True)
        os.sync()
        return measure.timed([program, store.url, "ours", "last", to], home)

    runs = measure.alternate(
        ROUNDS,
        get=lambda: together(ranges, home),
        disk=lambda: measure.timed(["dd", "if=/dev/zero", f"of={home}/zeroes", "bs=1M", f"count={size >> 20}", "conv=fsync", "status=none"], home),
        ours=lambda: restored(ours),
        theirs=lambda: restored(theirs))
    limit, seconds = max(measure.median(runs["get"]), measure.median(runs["disk"])), measure.median(runs["ours"])
    measure.ratio("restore of the same", seconds, "parallel GETs, or the disk", limit, 1 / 0.8)
    measure.ratio("the same", seconds, "the original", measure.median(runs["theirs"]), 1 / 4)
    measure.below("the same, peak memory", max(run.peak_mib for run in runs["ours"]), 96, "MiB")


def main():
    with measure.Scene() as scene:
        store = object_stores.open_store(scene.scratch)
        try:
            if "wal" in WANTED:
                wal(scene, store)
            if {"backup", "restore"} & set(WANTED):
                cluster = scene.cluster(shared_buffers="256MB")
                cluster.pgbench_init(SCALE)
                cluster.sql("CHECKPOINT")
            if "backup" in WANTED:
                backup(scene, store, cluster)
            if "restore" in WANTED:
                restore(scene, store, cluster)
        finally:
            store.close()


if __name__ == "__main__":
    try:
        main()
    except place.Missing as why:
        print(why, file=sys.stderr)
