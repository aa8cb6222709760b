#!/usr/bin/env python3
"""Backups that are compressed here, and encrypted, while they arrive."""

import itertools
import os
import shutil
import sys

import measure
import place
from gnupg import Keyring

SCALE = int(os.environ.get("BARMAN_BENCH_ARCHIVE_SCALE", "70"))  # about 15 MB each
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))


def main():
    with measure.Scene() as scene:
        cluster = scene.cluster(shared_buffers="256MB")
        cluster.pgbench_init(SCALE)
        cluster.sql("CHECKPOINT")
        barman = scene.barman(cluster, immediate_checkpoint="true", backup_compression_format="tar", backup_compression_location="client")
        scene.receiver(barman, cluster)
        barman.server("main", backup_compression="zstd", backup_compression_level="1")
        refused = barman.run("backup", "main", timeout=300)
        if refused.code != 0:
            raise SystemExit(str(refused))
        copies = (os.path.join(scene.scratch.path, f"copy{number}") for number in itertools.count())
        compression(scene, cluster, barman, copies)
        encryption(scene, cluster, barman, copies)


def compression(scene, cluster, barman, copies):
    home = scene.scratch.path
    streaming = cluster.conninfo("streaming_barman", None)
    pg_basebackup = [f"{cluster.bin}/pg_basebackup", "-Ft", "-X", "none", "-c", "fast", "-d", streaming]
    plain = next(copies)
    measure.timed([*pg_basebackup, "-D", plain], home)
    runs = measure.alternate(
        ROUNDS,
        read=lambda: measure.timed([measure.BUILD / "bin" / "discard_base_backup", streaming], home),
        zstd=lambda: measure.timed(["zstd", "-q", "-1", "-c", "--single-thread", f"{plain}/base.tar"], home),
        ours=lambda: measure.timed(barman.command("backup", "main"), home),
        theirs=lambda: measure.timed([*pg_basebackup, "-Z", "client-zstd:1", "-D", next(copies)], home))
    reading, zstd = measure.median(runs["read"]), measure.median(runs["zstd"])
    measure.ratio("backup with client zstd 1", measure.median(runs["ours"]), "reading" if reading > zstd else "zstd -1", max(reading, zstd), 1.15)
    measure.ratio("backup with client zstd 1", measure.median(runs["ours"]), "pg_basebackup -Ft -Z client-zstd:1", measure.median(runs["theirs"]), 1 / 1.5)
    measure.below("backup with client zstd 1, peak memory", max(run.peak_mib for run in runs["ours"]), 128, "MiB")


def encryption(scene, cluster, barman, copies):
    home = scene.scratch.path
    key = Keyring(scene.scratch).make("bench")
    barman.server("main", backup_compression="none", backup_compression_level=None, encryption="gpg", encryption_key_id=key,
                  encryption_passphrase_command="echo none")
    plain = next(copies)
    measure.timed([f"{cluster.bin}/pg_basebackup", "-Ft", "-X", "none", "-c", "fast", "-d", cluster.conninfo("streaming_barman", None), "-D", plain], home)

    def theirs():
        to = next(copies)
        gpg = "gpg --batch --quiet --trust-model always --compress-algo none --encrypt --recipient"
        return measure.timed(["sh", "-ec", f"cat {plain}/base.tar | {gpg} {key} > {to}; sync {to}"], home)

    runs = measure.alternate(ROUNDS, ours=lambda: measure.timed(barman.command("backup", "main"), home), theirs=theirs)
    measure.ratio("encrypted backup", measure.median(runs["ours"]), "gpg of the same bytes", measure.median(runs["theirs"]), 1.15)


if __name__ == "__main__":
    if not shutil.which("zstd"):
        print("no zstd (package zstd) to compare with", file=sys.stderr)
    else:
        try:
            main()
        except place.Missing as why:
            print(why, file=sys.stderr)
