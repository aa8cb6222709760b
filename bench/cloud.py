#!/usr/bin/env python3
"""WAL and base backups into a bucket and out of it: beside the original's programs, beside curl and the disk. The bucket is
in memory, on a gateway of Ceph that this starts (scripts/s3_server.sh)."""

import glob
import hashlib
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
import place

SCALE = int(os.environ.get("BARMAN_BENCH_SCALE", "135"))  # about 15 MB each
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))
JOBS = 2
PART_MIB = 100 * 1024 / 5000  # the largest archive, divided by 5000
URL = "s3://bench/path"


class Gateway:
    """The server, and what programs need to reach it in our own environment."""

    def __init__(self, scratch):
        self.folder = os.path.join(scratch.path, "gateway")
        self.script = str(measure.ROOT / "scripts" / "s3_server.sh")
        subprocess.run([self.script, "start", self.folder], check=True, stdout=sys.stderr)
        path = os.path.join(self.folder, "environment")
        if not os.path.exists(path):
            raise place.Missing("no object gateway to measure with (scripts/dependencies.sh s3)")
        with open(path, encoding="utf-8") as file:
            values = dict(line.split("=", 1) for line in file.read().splitlines())
        self.endpoint = values.pop("BARMAN_TEST_S3")
        self.key = f"{values['AWS_ACCESS_KEY_ID']}:{values['AWS_SECRET_ACCESS_KEY']}"
        os.environ.update(values, AWS_ENDPOINT_URL=self.endpoint)

    def close(self):
        subprocess.run([self.script, "stop", self.folder], check=False, stdout=subprocess.DEVNULL)

    def curl(self, key, *options):
        """Signed, the body too: programs do it where the connection is not encrypted."""
        return ["curl", "-sSf", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", self.key, *options, f"{self.endpoint}/bench/{key}"]

    def get(self, key, *options):
        return self.curl(key, "-H", f"x-amz-content-sha256: {hashlib.sha256().hexdigest()}", *options)

    def put(self, path, key):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        return self.curl(key, "-H", f"x-amz-content-sha256: {digest}", "-T", path)


def together(commands, home):
    """Runs the commands, JOBS at a time, as one that is timed."""
    script = os.path.join(home, "together")
    with open(script, "w", encoding="utf-8") as file:
        file.writelines(shlex.join(map(str, command)) + "\n" for command in commands)
    return measure.timed(["xargs", "-a", place.give(script), "-d", "\\n", "-n", 1, "-P", JOBS, "sh", "-c"], home)


def wal(scene, gateway):
    home = scene.scratch.path
    segments = []
    for number in range(1, 9):
        path = os.path.join(home, f"{number:024X}")
        with open(path, "wb") as file:
            file.write(b"\x10\xd1\x07\x00\x01\x00\x00\x00" + os.urandom(2**24 - 8))
        segments.append(place.give(path))
    turn = itertools.cycle(segments)
    ours = bucket.ours(scene.scratch, "barman-cloud-wal-archive")
    theirs = bucket.original("barman-cloud-wal-archive")
    curl = {path: gateway.put(path, "curl/" + os.path.basename(path)) for path in segments}
    runs = measure.alternate(3 * ROUNDS,
                             curl=lambda: measure.timed(curl[next(turn)], home),
                             ours=lambda: measure.timed([ours, URL, "main", next(turn)], home))
    original = measure.alternate(ROUNDS, theirs=lambda: measure.timed([theirs, URL, "main", next(turn)], home))
    seconds = measure.median(runs["ours"])
    measure.ratio("cloud-wal-archive of 16 MB", seconds * 1000, "1.3 times curl's PUT and 10 ms", 1300 * measure.median(runs["curl"]) + 10, 1, "ms")
    measure.ratio("the same", seconds * 1000, "the original", measure.median(original["theirs"]) * 1000, 1 / 20, "ms")


def backup(scene, gateway, cluster):
    home = scene.scratch.path
    options = ["--immediate-checkpoint", "-J", JOBS, "-h", cluster.sockets, "-p", cluster.port, "-U", "barman", URL]
    part = os.path.join(home, "part")
    with open(part, "wb") as file:
        file.write(os.urandom(int(PART_MIB * 2**20)))
    place.give(part)
    size = sum(os.path.getsize(path) for path in glob.glob(f"{cluster.data}/base/*/*"))
    count = max(1, size // int(PART_MIB * 2**20))
    puts = [gateway.put(part, "parts/0")] * count
    names = (f"server{number}" for number in itertools.count())
    ours, theirs = bucket.ours(scene.scratch, "barman-cloud-backup"), bucket.original("barman-cloud-backup")
    runs = measure.alternate(
        ROUNDS,
        read=lambda: measure.timed(["sh", "-c", f"tar -C {cluster.data} -cf - base | cat > /dev/null"], home),
        put=lambda: together(puts, home),
        ours=lambda: measure.timed([ours, *options, "ours"], home),
        theirs=lambda: measure.timed([theirs, *options, next(names)], home))
    limit, seconds = max(measure.median(runs["read"]), measure.median(runs["put"])), measure.median(runs["ours"])
    measure.ratio(f"backup of {size / 2**30:.1f} GiB into a bucket", seconds, "reading, or parallel PUTs", limit, 1 / 0.8)
    measure.ratio("the same", seconds, "the original", measure.median(runs["theirs"]), 1 / 4)
    measure.below("the same, peak memory", max(run.peak_mib for run in runs["ours"]), 16 + JOBS * PART_MIB, "MiB")


def restore(scene, gateway):
    home = scene.scratch.path
    to = os.path.join(home, "restored")
    ours, theirs = bucket.ours(scene.scratch, "barman-cloud-restore"), bucket.original("barman-cloud-restore")
    run = lambda *command: subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout  # noqa: E731
    backups = json.loads(run(bucket.ours(scene.scratch, "barman-cloud-backup-list"), "--format", "json", URL, "ours"))["backups_list"]
    key = f"path/ours/base/{backups[-1]['backup_id']}/data.tar"
    size = int(re.search(r"(?i)content-range: bytes 0-0/(\d+)", run(*gateway.get(key, "-r", "0-0", "-D", "-", "-o", "/dev/null")))[1])
    ranges = [gateway.get(key, "-r", f"{at}-{min(at + 2**23, size) - 1}") for at in range(0, size, 2**23)]

    def restored(program):
        shutil.rmtree(to, ignore_errors=True)
        os.sync()
        return measure.timed([program, URL, "ours", "last", to], home)

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
        gateway = Gateway(scene.scratch)
        try:
            subprocess.run([bucket.ours(scene.scratch, "barman-cloud-check-wal-archive"), URL, "main"], check=True)
            wal(scene, gateway)
            cluster = scene.cluster(shared_buffers="256MB")
            cluster.pgbench_init(SCALE)
            cluster.sql("CHECKPOINT")
            backup(scene, gateway, cluster)
            restore(scene, gateway)
        finally:
            gateway.close()


if __name__ == "__main__":
    try:
        main()
    except place.Missing as why:
        print(why, file=sys.stderr)
