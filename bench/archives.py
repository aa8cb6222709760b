#!/usr/bin/env python3
"""Backups that are kept as archives: compressed, encrypted, restored, and a chain of them."""

import os
import shutil

import measure
from gnupg import Keyring

measure.VERSION = max(measure.VERSION, 17)  # for incremental backups
SCALE = int(os.environ.get("BARMAN_BENCH_SCALE", "67"))  # about 15 MB each
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))
INCREMENTS = 5


def main():
    with measure.Scene() as scene:
        cluster = scene.cluster(shared_buffers="256MB", summarize_wal="on")
        cluster.pgbench_init(SCALE)
        cluster.sql("CHECKPOINT")
        keyring = Keyring(scene.scratch)
        barman = scene.barman(cluster, immediate_checkpoint="true", encryption_key_id=keyring.make("open"), encryption_passphrase_command="echo none")
        scene.receiver(barman, cluster)
        plain = plain_archive(scene, cluster, barman)
        backup(scene, cluster, barman, plain)
        encryption(scene, barman, plain)
        os.unlink(plain)
        restore(scene, barman)
        chain(scene, cluster, barman)


def archive(barman, name):
    return barman.directory("main", "base", barman.backup_ids("main")[-1], "data", name)


def plain_archive(scene, cluster, barman):
    """What the server sends, to give to other programs."""
    barman.server("main", backup_compression="none")
    barman.ok("backup", "main")
    path = os.path.join(scene.scratch.path, "plain.tar")
    os.rename(archive(barman, "base.tar"), path)
    forget(barman)
    return path


def backup(scene, cluster, barman, plain):
    home = scene.scratch.path
    no_sync = measure.BUILD / "bin" / "libno_sync.so"
    streaming = cluster.conninfo("streaming_barman", None)
    copy = os.path.join(home, "copy")
    barman.server("main", backup_compression="zstd")

    def ours(preload=None):
        forget(barman)
        return measure.timed(barman.command("backup", "main"), home, preload=preload)

    def theirs():
        shutil.rmtree(copy, ignore_errors=True)
        return measure.timed([f"{cluster.bin}/pg_basebackup", "-Ft", "-Z", "client-zstd:1", "-X", "none", "-c", "fast", "-D", copy, "-d", streaming], home)

    runs = measure.alternate(
        ROUNDS,
        discard=lambda: measure.timed([measure.BUILD / "bin" / "discard_base_backup", streaming], home),
        zstd=lambda: measure.timed(["sh", "-c", f"zstd -1 -q -c {plain} > /dev/null"], home),
        unsynced=lambda: ours(no_sync),
        theirs=theirs,
        ours=ours)
    shutil.rmtree(copy, ignore_errors=True)
    size = os.path.getsize(plain) / 2**30
    name, bound = max(("read and discard", measure.median(runs["discard"])), ("zstd -1", measure.median(runs["zstd"])), key=lambda one: one[1])
    measure.ratio(f"zstd backup of {size:.1f} GiB, not synced", measure.median(runs["unsynced"]), name, bound, 1.15)
    measure.ratio(f"zstd backup of {size:.1f} GiB", measure.median(runs["ours"]), "pg_basebackup -Z client-zstd:1", measure.median(runs["theirs"]), 1 / 1.5)
    measure.below("zstd backup, peak memory", max(run.peak_mib for run in runs["ours"]), 128, "MiB")


def encryption(scene, barman, plain):
    home = scene.scratch.path
    secret = os.path.join(home, "secret")
    barman.server("main", backup_compression="none", backup_compression_format="tar", encryption="gpg")

    def ours():
        forget(barman)
        return measure.timed(barman.command("backup", "main"), home)

    def theirs():
        if os.path.exists(secret):
            os.unlink(secret)
        gpg = "gpg --batch --trust-model always --compress-algo none -r open@example.org --encrypt"
        return measure.timed(["sh", "-c", f"cat {plain} | {gpg} > {secret} && sync {secret}"], home)

    runs = measure.alternate(ROUNDS, ours=ours, theirs=theirs)
    os.unlink(secret)
    measure.ratio("encrypted backup, not compressed", measure.median(runs["ours"]), "gpg", measure.median(runs["theirs"]), 1.15)
    forget(barman)
    barman.server("main", encryption=None)


def restore(scene, barman):
    home = scene.scratch.path
    destination, copy = os.path.join(home, "restored"), os.path.join(home, "copy")
    barman.server("main", backup_compression="zstd")
    barman.ok("backup", "main")
    packed = archive(barman, "base.tar.zst")

    def ours(*options):
        shutil.rmtree(destination, ignore_errors=True)
        os.sync()
        return measure.timed([*options, *barman.command("restore", "main", "latest", destination)], home)

    def theirs(*options):
        shutil.rmtree(copy, ignore_errors=True)
        os.sync()
        return measure.timed([*options, "sh", "-c", f"mkdir {copy} && zstd -qdc {packed} | tar -x -C {copy} && sync -f {copy}"], home)

    one_core = ["taskset", "-c", "0"]
    runs = measure.alternate(ROUNDS, ours=ours, theirs=theirs, ours_on_one=lambda: ours(*one_core), theirs_on_one=lambda: theirs(*one_core))
    shutil.rmtree(destination)
    shutil.rmtree(copy)
    measure.ratio("restore of it, one core", measure.median(runs["ours_on_one"]), "zstd -d | tar x, sync", measure.median(runs["theirs_on_one"]), 1.1)
    measure.ratio("restore of it", measure.median(runs["ours"]), "zstd -d | tar x, sync", measure.median(runs["theirs"]), 1.1)
    measure.below("restore of it, peak memory", max(run.peak_mib for run in runs["ours"]), 128, "MiB")
    forget(barman)


def chain(scene, cluster, barman):
    home = scene.scratch.path
    destination, copy, staging = (os.path.join(home, name) for name in ("restored", "copy", "staging"))
    barman.ok("backup", "main")
    for _ in range(INCREMENTS):
        cluster.pgbench("-t", "2000", "-c", "2", "-n")
        barman.ok("backup", "--incremental=latest", "main", timeout=600)
    ids = barman.backup_ids("main")
    datas = [barman.directory("main", "base", one, "data") for one in ids]

    def ours():
        shutil.rmtree(destination, ignore_errors=True)
        os.sync()
        return measure.timed(barman.command("restore", "main", "latest", destination), home)

    def theirs():
        shutil.rmtree(copy, ignore_errors=True)
        os.sync()
        unpack = [f"mkdir -p {staging}/{i} && zstd -qdc {data}/base.tar.zst | tar -x -C {staging}/{i} && cp {data}/backup_manifest {staging}/{i}"
                  for i, data in enumerate(datas)]
        members = " ".join(f"{staging}/{i}" for i in range(len(datas)))
        return measure.timed(["sh", "-c", " && ".join([*unpack, f"{cluster.bin}/pg_combinebackup -o {copy} {members}", f"rm -r {staging}"])], home)

    runs = measure.alternate(ROUNDS, ours=ours, theirs=theirs)
    size = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(destination) for name in names)
    measure.ratio(f"restore of full and {INCREMENTS} incrementals", measure.median(runs["ours"]), "tar, zstd, pg_combinebackup", measure.median(runs["theirs"]), 0.5)
    measure.below("the same, written to disk, of the final size", max(run.written for run in runs["ours"]) / size, 1.05, "×")
    measure.below("the same, peak memory", max(run.peak_mib for run in runs["ours"]), 128, "MiB")


def forget(barman):
    """One backup at a time: the disk is not what is measured."""
    for one in barman.backup_ids("main"):
        barman.ok("delete", "main", one)


if __name__ == "__main__":
    main()
