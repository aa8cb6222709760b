"""What every benchmark starts from: servers and a Barman as in the tests, runs with their time and peak memory, and rows of
figures for the table that bench/run.sh prints."""

import ctypes
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import place  # noqa: E402
from cluster import Cluster, Templates  # noqa: E402
from program import Barman  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BARMAN_BENCH_BUILD", ROOT / "build" / "bench"))
os.environ.setdefault("BARMAN_BIN", str(BUILD / "bin" / "barman"))
VERSION = int(os.environ.get("BARMAN_BENCH_PG", "15"))


class Run:
    """One finished program: seconds on the clock and of the processors, peak memory and what was written, in MiB."""

    def __init__(self, seconds, usage):
        self.seconds = seconds
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024
        self.written_mib = usage.ru_oublock / 2048


def timed(command, home, preload=None, stdout=subprocess.DEVNULL):
    """Runs the command as the account of the tests; it must succeed."""
    env = place.environment(home, **({"LD_PRELOAD": preload} if preload else {}))
    begin = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                               env=env, cwd=home, **place.as_account())
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {process.returncode}\n{said.decode(errors='replace')}")
    return Run(seconds, usage)


def adopt_orphans():
    """From now on processes whose parents end are ours to wait for."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def wait_for_orphans():
    """Returns when this process has no children."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def cpu_of_children():
    """Seconds of the processors, of all that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def median(runs):
    return statistics.median(run.seconds for run in runs)


def alternate(times, **contestants):
    """Runs each contestant in turn, `times` rounds, from synced disks; returns the runs of each."""
    runs = {name: [] for name in contestants}
    for _ in range(times):
        for name, contestant in contestants.items():
            os.sync()
            runs[name].append(contestant())
    return runs


def _row(**fields):
    print(json.dumps(fields), file=sys.__stdout__, flush=True)


def below(what, value, limit, unit):
    """A figure that may not exceed its limit."""
    _row(what=what, ours=f"{value:.3g} {unit}", against="", ratio="", limit=f"≤ {limit:g} {unit}", met=value <= limit)


def above(what, value, limit, unit):
    _row(what=what, ours=f"{value:.4g} {unit}", against="", ratio="", limit=f"≥ {limit:g} {unit}", met=value >= limit)


def ratio(what, ours, name, theirs, limit, unit="s"):
    """Our seconds against theirs."""
    _row(what=what, ours=f"{ours:.2f} {unit}", against=f"{name} {theirs:.2f} {unit}", ratio=f"{ours / theirs:.2f}", limit=f"≤ {limit:g} ×", met=ours / theirs <= limit)


class Scene:
    """A scratch directory with what a benchmark starts in it; a context manager that takes it all away."""

    def __init__(self):
        self.scratch = place.Scratch()
        self._ends = [self.scratch.remove]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in reversed(self._ends):
            end()
        Templates.remove()

    def cluster(self, name="main", version=VERSION, **settings):
        cluster = Cluster(self.scratch, version, name)
        self._ends.append(cluster.discard)
        return cluster.initdb(settings={"max_wal_size": "8GB", "checkpoint_timeout": "1h", "autovacuum": "off", **settings}).start().create_roles()

    def barman(self, cluster=None, **options):
        barman = Barman(self.scratch)
        self._ends.append(barman.stop_all)
        barman.server("main", cluster, **options)
        return barman

    def receiver(self, barman, cluster):
        """A running receive-wal with a first segment archived, so that `check` is content."""
        receiver = barman.receiver("main")
        place.wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1", "receive-wal streams")
        cluster.switch_wal()
        place.wait_until(lambda: barman.ok("archive-wal", "main") and barman.archived_wal("main"), "a segment is archived")
        return receiver


def peak_mib(pid):
    """Peak memory of a running process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
