"""A scratch PostgreSQL server: initdb, start, stop, kill, promote, standby, SQL."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time

import place

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "wal_level": "replica",
    "hot_standby": "on",
    "fsync": "off",  # a killed process loses nothing that it wrote; only a power cut would
    "log_min_messages": "warning",
    "logging_collector": "off",
    "checkpoint_completion_target": "0",  # a backup's checkpoint is not spread over seconds
    "timezone": "UTC",
}


class Templates:
    """Data directories as initdb makes them. The tests of one build share them, and ctest removes them at the end (CMakeLists.txt);
    a test that is run alone has its own."""

    shared = os.environ.get("BARMAN_TEST_SHARED_CLUSTERS")  # a name that no other build has
    _folder = None

    @classmethod
    def folder(cls):
        if cls._folder is None:
            cls._folder = os.path.join(place.SCRATCH, f"barman-e2e-clusters-{cls.shared or os.getpid()}")
            os.makedirs(cls._folder, mode=0o700, exist_ok=True)
            place.give(cls._folder)
        return cls._folder

    @classmethod
    def find(cls, command, make):
        """The directory for this initdb command; make(path) makes it if nobody has yet."""
        words = "\0".join(word for word in command if not word.startswith("--pwfile="))
        path = os.path.join(cls.folder(), hashlib.sha256(words.encode()).hexdigest()[:16])
        with open(f"{path}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(path):
                shutil.rmtree(f"{path}.new", ignore_errors=True)
                make(f"{path}.new")
                os.rename(f"{path}.new", path)
        return path

    @classmethod
    def remove(cls, even_shared=False):
        if even_shared or not cls.shared:
            shutil.rmtree(cls.folder(), ignore_errors=True)


class Cluster:
    """One server. `data` is its data directory; it belongs to the scratch directory, which outlives it."""

    def __init__(self, scratch, version, name="main"):
        self.scratch = scratch
        self.version = version
        self.name = name
        self.bin = place.server_programs(version)
        self.port = place.Ports.take()
        self.data = os.path.join(scratch.path, name)
        self.sockets = scratch.folder("s")
        self.log = os.path.join(scratch.path, f"{name}.log")
        self.process = None
        self._sessions = []

    # -- making one -----------------------------------------------------------------------------------

    def initdb(self, wal_segment_size=None, checksums=True, auth="trust", settings=None):
        """auth is what a password connection over loopback meets; the unix socket always trusts."""
        command = [f"{self.bin}/initdb", "--no-sync", "-U", "postgres", "--auth-local=trust",
                   f"--auth-host={auth}", "-E", "UTF8", "--locale=C.UTF-8"]
        if auth != "trust":
            secret = os.path.join(self.scratch.path, "superuser-password")
            with open(secret, "w", encoding="utf-8") as file:
                file.write("postgres\n")
            place.give(secret)
            command.append(f"--pwfile={secret}")
        if wal_segment_size:
            command.append(f"--wal-segsize={wal_segment_size}")
        if checksums:
            command.append("--data-checksums")
        elif self.version >= 18:
            command.append("--no-data-checksums")
        self._make(command)
        self.configure(**{**SETTINGS, **(settings or {})})
        return self

    def _make(self, command):
        """The first cluster of a test is a copy of one that was made before; others have an identity of their own."""
        if os.path.exists(f"{self.scratch.path}/.cluster-made"):
            self.program([*command, "-D", self.data])
            return
        open(f"{self.scratch.path}/.cluster-made", "w", encoding="utf-8").close()
        def make(template):
            self.program([*command, "-D", template])
            self._slim(template)
        self.program(["cp", "-a", Templates.find(command, make), self.data])

    def _slim(self, data):
        """Takes template0 out, a third of a new cluster: what every backup, restore and comparison would handle as well."""
        self.program([f"{self.bin}/postgres", "--single", "-D", data, "template1"],
                     input="UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'\nDROP DATABASE template0\n")

    def configure(self, **settings):
        """Adds lines to postgresql.conf; the last one of a name counts."""
        with open(f"{self.data}/postgresql.conf", "a", encoding="utf-8") as file:
            for name, value in settings.items():
                file.write(f"{name} = '{value}'\n")

    def hba(self, text):
        """Replaces pg_hba.conf."""
        with open(f"{self.data}/pg_hba.conf", "w", encoding="utf-8") as file:
            file.write(text)

    def create_roles(self):
        """The two roles of the documentation, each with its name as password."""
        self.sql("CREATE ROLE barman SUPERUSER LOGIN PASSWORD 'barman'")
        self.sql("CREATE ROLE streaming_barman REPLICATION LOGIN PASSWORD 'streaming_barman'")
        return self

    # -- running --------------------------------------------------------------------------------------

    def start(self, wait=True, **settings):
        """Starts the server. With wait, returns when it answers queries; throws when it refuses to start."""
        options = {"port": self.port, "unix_socket_directories": self.sockets, "listen_addresses": "127.0.0.1",
                   "fsync": "off", **settings}
        command = [f"{self.bin}/postgres", "-D", self.data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.scratch.path,
                env=place.environment(self.scratch.path), start_new_session=True,
                preexec_fn=place.die_with_parent(signal.SIGQUIT), **place.as_account())
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=90):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server {self.name} ended at start ({self.process.returncode}):\n{self.log_tail()}")
            return self.program([f"{self.bin}/pg_isready", "-q", *self.address(), "-d", "postgres"], check=False).returncode == 0
        place.wait_until(ready, f"the server {self.name} is ready", timeout)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, mode="fast"):
        sig = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        self._close_sessions()
        if self.process is not None:
            place.end_process(self.process, sig, patience=60)
            self.process = None

    def kill(self):
        """kill -9 of the whole server, as the machine's power button would."""
        self._close_sessions()
        children = self._children()
        self.process.kill()
        self.process.wait()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        place.wait_until(lambda: not any(_alive(child) for child in children), "the killed server's processes are gone")
        self.process = None

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def promote(self):
        self.sql("SELECT pg_promote(true, 60)")

    def standby(self, name="standby"):
        """A started hot standby of this server."""
        other = Cluster(self.scratch, self.version, name)
        self.program([f"{self.bin}/pg_basebackup", "-D", other.data, "-c", "fast", "-R", "-X", "stream", "-N",
                      "-d", self.conninfo("postgres", dbname=None)])
        other.start()
        return other

    def discard(self):
        self.stop("immediate")
        if self.process is None and os.path.exists(self.data) and os.path.islink(self.data):
            os.unlink(self.data)

    def remove_data(self):
        """The disaster."""
        shutil.rmtree(self.data)

    def _children(self):
        done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in done.stdout.split()]

    def _close_sessions(self):
        for session in self._sessions:
            session.close()
        self._sessions.clear()

    def log_tail(self, lines=30):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    # -- talking --------------------------------------------------------------------------------------

    def address(self):
        return ["-h", self.sockets, "-p", str(self.port), "-U", "postgres"]

    def conninfo(self, user="barman", dbname="postgres", host=None, **more):
        """A connection string; over the unix socket unless `host` says otherwise."""
        words = {"host": host or self.sockets, "port": self.port, "user": user, **({"dbname": dbname} if dbname else {}), **more}
        return " ".join(f"{k}={v}" for k, v in words.items())

    def program(self, command, check=True, timeout=300, **more):
        """Runs one of the server's programs as the account; throws with what it said."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=self.scratch.path,
                              env=place.environment(self.scratch.path), **place.as_account(), **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def sql(self, text, database="postgres", check=True):
        """Runs the statements; returns the output without its last newline (columns by '|')."""
        done = self.program([f"{self.bin}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *self.address(), "-d", database, "-c", text], check=check)
        return done.stdout.rstrip("\n")

    def session(self, database="postgres"):
        """A connection that stays: for open transactions and many small statements."""
        session = Session(self, database)
        self._sessions.append(session)
        return session

    def pgbench(self, *arguments, database="postgres", timeout=300):
        return self.program([f"{self.bin}/pgbench", *self.address(), *map(str, arguments), database], timeout=timeout)

    def pgbench_init(self, scale=1, database="postgres"):
        return self.pgbench("-i", "-q", "-s", scale, "-I", "dtgp", database=database)

    def fill(self, mib):
        """A table of that size, far cheaper than pgbench's of as much."""
        self.sql(f"CREATE TABLE bulk AS SELECT i, repeat(md5(i::text), 61) AS filler FROM generate_series(1, {mib * 512}) AS i")

    def tablespace(self, name):
        """Creates a tablespace in a directory of its own; returns the directory."""
        path = self.scratch.folder(f"{self.name}-ts-{name}")
        self.sql(f"CREATE TABLESPACE {name} LOCATION '{path}'")
        return path

    # -- facts ----------------------------------------------------------------------------------------

    def lsn(self):
        return self.sql("SELECT pg_current_wal_lsn()")

    def now(self):
        """The server's clock with its zone, after what was committed before and before what comes next."""
        text = self.sql("SELECT clock_timestamp()")
        time.sleep(0.02)
        return text

    def wal_file(self, expression="pg_current_wal_lsn()"):
        return self.sql(f"SELECT pg_walfile_name({expression})")

    def switch_wal(self):
        """Closes the current segment (one with something in it) and returns its name."""
        return self.sql("SELECT pg_logical_emit_message(true, 'e2e', 'fill'); "
                        "SELECT pg_walfile_name(pg_switch_wal())").splitlines()[-1]

    def system_identifier(self):
        return self.sql("SELECT system_identifier FROM pg_control_system()")

    # -- referees -------------------------------------------------------------------------------------

    def verifybackup(self, data, tablespaces=None, check=True):
        """pg_verifybackup of this version over a plain backup. `tablespaces` maps an oid to its directory when
        the backup keeps them beside `data` instead of linked below pg_tblspc."""
        target = data
        if tablespaces:
            target = os.path.join(self.scratch.path, f"verify-{time.monotonic_ns()}")
            self.program(["cp", "-al", data, target])
            os.makedirs(f"{target}/pg_tblspc", exist_ok=True)
            for oid, path in tablespaces.items():
                link = f"{target}/pg_tblspc/{oid}"
                if not os.path.lexists(link):
                    os.symlink(path, link)
        return self.program([f"{self.bin}/pg_verifybackup", "-n", target], check=check)

    def amcheck(self):
        """Every table and index of every database, heaps against their indexes."""
        self.program([f"{self.bin}/pg_amcheck", *self.address(), "--all", "--install-missing", "--heapallindexed",
                      "--exclude-database=template0", "-j", "2"])

    def dump(self, database="postgres"):
        return self.program([f"{self.bin}/pg_dump", *self.address(), "-d", database]).stdout


class Session:
    """A psql that stays open. One statement list at a time; an SQL error throws."""

    def __init__(self, cluster, database):
        self._process = subprocess.Popen(
            [f"{cluster.bin}/psql", "-XAtq", *cluster.address(), "-d", database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
            env=place.environment(cluster.scratch.path), cwd=cluster.scratch.path, **place.as_account())

    def sql(self, text):
        mark = f"--done-{time.monotonic_ns()}--"
        self._process.stdin.write(f"{text.rstrip().rstrip(';')};\n\\echo {mark}\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line.rstrip("\n") == mark:
                answer = "\n".join(lines)
                if any(one.startswith(("ERROR:", "FATAL:", "PANIC:")) for one in lines):
                    raise AssertionError(f"{text}: {answer}")
                return answer
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the session ended at: {text}\n" + "\n".join(lines))

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        try:
            self._process.stdin.close()
        except BrokenPipeError:  # a statement was on its way when the server was killed
            pass
        self._process.stdout.close()


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    Templates.remove(even_shared=True)
