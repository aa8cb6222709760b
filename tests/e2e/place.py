"""Where a test runs: the user of its processes, its scratch directory, ports, and where the servers' programs are.

A PostgreSQL server refuses to run as root. So when the tests run as root (a fresh machine, CI), every
process that they start runs as the user `postgres`; otherwise as ourselves.
"""

import ctypes
import fcntl
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

AM_ROOT = os.geteuid() == 0
ACCOUNT = pwd.getpwnam(os.environ.get("BARMAN_TEST_USER", "postgres")) if AM_ROOT else pwd.getpwuid(os.geteuid())
PREFIX = os.environ.get("BARMAN_TEST_PREFIX", "/opt/barman-test")
REQUIRE_ALL = os.environ.get("BARMAN_TEST_REQUIRE_ALL", "") not in ("", "0")
VERSIONS = (15, 17, 18)
SCRATCH = os.environ.get("BARMAN_TEST_TMP", "/tmp")  # where the tests' directories are


class Missing(Exception):
    """Something that a test needs is not on this machine; the test is skipped with this reason."""


def wait_until(condition, what, timeout=60.0, every=0.05):
    """Returns the first true value of condition(); fails with `what` when it takes too long."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:.0f} s in vain until {what}")
        time.sleep(every)


def server_programs(version):
    """The bin directory of that major version."""
    named = os.environ.get(f"BARMAN_TEST_PG{version}")
    places = [named, f"{named}/bin"] if named else [
        f"/usr/lib/postgresql/{version}/bin",
        f"{PREFIX}/pg{version}/usr/lib/postgresql/{version}/bin",
    ]
    for place in places:
        if os.access(f"{place}/postgres", os.X_OK):
            return place
    raise Missing(f"no PostgreSQL {version}: looked in {', '.join(places)} (scripts/provision.sh installs it)")


def original_barman():
    """The original Barman, a referee that is run and never read."""
    place = os.environ.get("BARMAN_TEST_ORIGINAL", f"{PREFIX}/original/bin.run/barman")
    if not os.access(place, os.X_OK):
        raise Missing(f"no original Barman at {place} (scripts/provision.sh installs it)")
    return place


def as_account():
    """Arguments of subprocess that start the child as the account of the tests."""
    if not AM_ROOT:
        return {}
    return {"user": ACCOUNT.pw_uid, "group": ACCOUNT.pw_gid, "extra_groups": os.getgrouplist(ACCOUNT.pw_name, ACCOUNT.pw_gid)}


def give(path):
    """Makes the path (not what is below) the account's own."""
    if AM_ROOT:
        os.chown(path, ACCOUNT.pw_uid, ACCOUNT.pw_gid)
    return path


def environment(home, **more):
    """What our children see: nothing of the caller's PG* and BARMAN_* settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "BARMAN_", "PYTHON", "LC_"))}
    env.update(HOME=str(home), USER=ACCOUNT.pw_name, LOGNAME=ACCOUNT.pw_name, LANG="C.UTF-8", TZ="UTC")
    env.update({k: str(v) for k, v in more.items()})
    return env


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sig):
    """A preexec_fn: the kernel sends `sig` when the thread that started the child ends, however it ends."""
    def prepare():
        _libc.prctl(1, sig)  # PR_SET_PDEATHSIG
    return prepare


class Ports:
    """Hands out loopback ports that no other test of this machine is using."""

    _folder = f"/tmp/barman-e2e-ports-{os.geteuid()}"
    _held = {}

    @classmethod
    def take(cls):
        os.makedirs(cls._folder, exist_ok=True)
        first = 21000 + os.getpid() * 37 % 9000
        for step in range(9000):
            port = 21000 + (first - 21000 + step) % 9000
            if port in cls._held:
                continue
            lock = os.open(f"{cls._folder}/{port}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            except OSError:
                os.close(lock)
                continue
            cls._held[port] = lock  # held until this process ends
            return port
        raise Missing("no free port between 21000 and 29999")


class Scratch:
    """A temporary directory of the account, short enough for unix sockets, removed with all mounts inside."""

    def __init__(self):
        sweep(SCRATCH)
        self.path = give(tempfile.mkdtemp(prefix=f"barman-e2e-{os.getpid()}-", dir=SCRATCH))
        self._mounts = []

    def folder(self, name):
        path = os.path.join(self.path, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return give(path)

    def small_disk(self, name, mib):
        """A file system of that size at <scratch>/<name>."""
        path = self.folder(name)
        if not AM_ROOT:
            raise Missing("a small file system can be mounted by root only")
        owner = f"size={mib}m,mode=0700,uid={ACCOUNT.pw_uid},gid={ACCOUNT.pw_gid}"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", owner, "barman-e2e", path], capture_output=True, text=True)
        if done.returncode != 0:
            raise Missing(f"cannot mount a small file system: {done.stderr.strip()}")
        self._mounts.append(path)
        return path

    def remove(self):
        for mount in reversed(self._mounts):
            subprocess.run(["umount", "--lazy", mount], check=False)
        if os.environ.get("BARMAN_TEST_KEEP"):
            print(f"kept: {self.path}")
            return
        _remove_tree(self.path)


def _remove_tree(path):
    for folder, _, _ in os.walk(path):
        if not os.access(folder, os.W_OK):
            os.chmod(folder, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def sweep(parent):
    """Removes what killed tests left behind."""
    for name in os.listdir(parent):
        match = re.fullmatch(r"barman-e2e-(\d+)-\w+", name)
        path = os.path.join(parent, name)
        if not match or os.path.exists(f"/proc/{match[1]}") or os.stat(path).st_uid != ACCOUNT.pw_uid:
            continue
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            inside = [line.split()[1] for line in mounts if line.split()[1].startswith(path + "/")]
        for mount in inside:
            subprocess.run(["umount", "--lazy", mount], check=False)
        _remove_tree(path)


def end_process(process, sig=signal.SIGTERM, patience=20):
    """Asks the process to end, then insists. Returns its exit status."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode
