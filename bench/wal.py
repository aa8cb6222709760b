#!/usr/bin/env python3
"""WAL: archiving what waits, and receiving what streams."""

import os
import shutil
import statistics
import sys
import time

import measure
import place

WAITING = int(os.environ.get("BARMAN_BENCH_WAITING", "200"))
STREAM_MIB = int(os.environ.get("BARMAN_BENCH_STREAM_MIB", "3072"))


def main():
    with measure.Scene() as scene:
        archive(scene)
    with measure.Scene() as scene:
        archive_compressed(scene)
    with measure.Scene() as scene:
        receive(scene)


def archive(scene):
    kept = scene.scratch.folder("kept")
    cluster = scene.cluster(archive_mode="on", archive_command=f"cp %p {kept}/%f")
    barman = scene.barman(cluster, archiver="on", streaming_archiver="off", slot_name=None, create_slot=None)
    barman.run("check", "main")
    last = ""
    for _ in range(WAITING):
        last = cluster.switch_wal()
    place.wait_until(lambda: cluster.sql("SELECT last_archived_wal FROM pg_stat_archiver") >= last, "all segments are closed", timeout=300)
    cluster.stop()
    names = sorted(os.listdir(kept))[-WAITING:]
    incoming, wals, copy = barman.directory("main", "incoming"), barman.directory("main", "wals"), os.path.join(scene.scratch.path, "copy")

    def refill():
        for folder in (incoming, wals, copy):
            shutil.rmtree(folder, ignore_errors=True)
            place.give(_made(folder))
        for name in names:
            place.give(shutil.copy(f"{kept}/{name}", f"{incoming}/{name}"))
        os.sync()

    def ours():
        refill()
        run = measure.timed(barman.command("archive-wal", "main"), scene.scratch.path)
        if len(barman.archived_wal("main")) < len(names):
            raise SystemExit("archive-wal left segments behind")
        return run

    def theirs():
        refill()
        each = f"for f in {incoming}/*; do cp $f {copy}/ && sync {copy}/${{f##*/}} || exit 1; done"
        return measure.timed(["sh", "-c", each], scene.scratch.path)

    def original():
        refill()
        return measure.timed([place.original_barman(), "-c", barman.config, "archive-wal", "main"], scene.scratch.path)

    runs = measure.alternate(3, ours=ours, theirs=theirs)
    measure.ratio(f"archive-wal: {len(names)} segments", measure.median(runs["ours"]), "cp and sync", measure.median(runs["theirs"]), 1.2)
    measure.below("archive-wal, peak memory", max(run.peak_mib for run in runs["ours"]), 64, "MiB")
    try:
        measure.ratio("archive-wal: the same", measure.median(runs["ours"]), "the original", measure.median(measure.alternate(1, original=original)["original"]), 1)
    except place.Missing as why:
        print(why, file=sys.stderr)


def archive_compressed(scene):
    """Segments that pgbench filled, as a busy server does, beside the original at the same method and level."""
    kept = scene.scratch.folder("kept")
    cluster = scene.cluster(archive_mode="on", archive_command=f"cp %p {kept}/%f",
                            max_wal_size="256MB", synchronous_commit="off")
    barman = scene.barman(cluster, archiver="on", streaming_archiver="off", slot_name=None, create_slot=None)
    barman.run("check", "main")
    cluster.pgbench("-i", "-q", "-s", "50")
    before = len(os.listdir(kept))
    while len(os.listdir(kept)) < before + WAITING:
        cluster.sql("CHECKPOINT")  # whole pages follow, as on a server that is busy everywhere
        cluster.pgbench("-c", "4", "-j", "2", "-T", "5", "-n", "-M", "prepared")
    cluster.stop()
    names = sorted(os.listdir(kept))[before:before + WAITING]
    incoming, wals = barman.directory("main", "incoming"), barman.directory("main", "wals")

    def run(command):
        for folder in (incoming, wals):
            shutil.rmtree(folder, ignore_errors=True)
            place.give(_made(folder))
        for name in names:
            place.give(shutil.copy(f"{kept}/{name}", f"{incoming}/{name}"))
        os.sync()
        timed = measure.timed(command, scene.scratch.path)
        if len(barman.archived_wal("main")) < len(names):
            raise SystemExit("segments were left behind")
        return timed

    for method, level in (("zstd", 4), ("gzip", 6)):
        barman.server("main", compression=method, compression_level=level)
        runs = measure.alternate(2, ours=lambda: run(barman.command("archive-wal", "main")))["ours"]
        stored = sum(os.stat(os.path.join(wals, name[:16], name)).st_size for name in names)
        measure.below(f"archive-wal with {method}, peak memory", max(run.peak_mib for run in runs), 128, "MiB")
        what = f"archive-wal: {len(names)} segments of pgbench with {method} (to {100 * stored / (len(names) << 24):.0f} %)"
        try:
            theirs = run([place.original_barman(), "-c", barman.config, "archive-wal", "main"])
            measure.ratio(what, measure.median(runs), "the original", theirs.seconds, 1 / 3)
        except (place.Missing, SystemExit) as why:  # its module for zstd need not be installed
            measure.below(what, measure.median(runs), 1000, "s")
            print(why, file=sys.stderr)
        pushed = push(scene, cluster, kept, names, method, level)
        if pushed is not None:
            cpu = statistics.median(run.cpu_seconds for run in runs)
            measure.ratio(f"archive-wal: the same with {method}, of the processors", cpu, "pgBackRest's asynchronous push", pushed, 1, "CPU s")


def push(scene, cluster, kept, names, method, level):
    """Seconds of the processors that pgBackRest takes to archive the segments; nothing where it is not installed."""
    if not shutil.which("pgbackrest"):
        print("no pgbackrest (package pgbackrest) to compare with", file=sys.stderr)
        return None
    base = scene.scratch.folder(f"pgbackrest-{method}")
    settings = {"repo1-path": f"{base}/repo", "spool-path": f"{base}/spool", "lock-path": f"{base}/lock", "log-level-file": "off",
                "log-level-console": "error", "compress-type": {"zstd": "zst", "gzip": "gz"}[method], "compress-level": level,
                "process-max": os.cpu_count(), "archive-async": "y", "archive-timeout": 120}
    config = f"{base}/pgbackrest.conf"
    with open(config, "w", encoding="utf-8") as file:
        file.write("[global]\n" + "".join(f"{name}={value}\n" for name, value in settings.items()))
        file.write(f"[main]\npg1-path={cluster.data}\n")
    place.give(config)
    program = ["pgbackrest", f"--config={config}", "--stanza=main"]
    measure.timed([*program, "--no-online", "stanza-create"], base)
    wal = f"{cluster.data}/pg_wal"
    for name in os.listdir(f"{wal}/archive_status"):
        os.unlink(f"{wal}/archive_status/{name}")
    for name in names:
        place.give(shutil.copy(f"{kept}/{name}", f"{wal}/{name}"))
        open(f"{wal}/archive_status/{name}.ready", "w", encoding="utf-8").close()
        place.give(f"{wal}/archive_status/{name}.ready")
    os.sync()
    measure.adopt_orphans()  # it pushes on in the background
    before = measure.cpu_of_children()
    measure.timed([*program, "archive-push", f"{wal}/{names[0]}"], base)
    measure.wait_for_orphans()
    stored = sum(name[:24] in names for _, _, files in os.walk(f"{base}/repo") for name in files)
    if stored < len(names):
        raise SystemExit(f"pgBackRest stored {stored} of {len(names)} segments")
    return measure.cpu_of_children() - before


def _made(folder):
    os.makedirs(folder)
    return folder


def receive(scene):
    cluster = scene.cluster(max_wal_size="16GB", wal_keep_size="8GB")
    barman = scene.barman(cluster)
    receiver = scene.receiver(barman, cluster)
    begin_lsn = cluster.lsn()
    begin = time.monotonic()
    cluster.sql(f"SELECT count(pg_logical_emit_message(false, 'bench', repeat('wal!', 262144))) FROM generate_series(1, {STREAM_MIB})")
    written = time.monotonic()
    end_lsn = cluster.lsn()
    place.wait_until(lambda: cluster.sql(f"SELECT flush_lsn >= '{end_lsn}' FROM pg_stat_replication") == "t", "all is received", timeout=300, every=0.01)
    received = time.monotonic()
    mib = int(cluster.sql(f"SELECT pg_wal_lsn_diff('{end_lsn}', '{begin_lsn}')::bigint")) / 2**20
    measure.above(f"receive-wal: {mib:.0f} MiB, flushed (server wrote {mib / (written - begin):.0f} MiB/s)", mib / (received - begin), 200, "MiB/s")
    measure.below("receive-wal, peak memory", measure.peak_mib(receiver.process.pid), 64, "MiB")


if __name__ == "__main__":
    main()
