"""The program under test with a home and a configuration of its own."""

import dataclasses
import json
import os
import re
import shutil
import signal
import stat
import subprocess

import place

ALARMS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error: |"
                    r"terminate called|Traceback \(most recent")


@dataclasses.dataclass
class Result:
    """How one run of the program ended."""

    arguments: tuple
    code: int
    out: str
    err: str

    def __str__(self):
        return f"barman {' '.join(self.arguments)}: exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}---"

    @property
    def json(self):
        return json.loads(self.out)


class Barman:
    """A scratch barman_home and its configuration file. Runs as the servers' own user."""

    def __init__(self, scratch, name="barman"):
        self.scratch = scratch
        self.program = _reachable_program(scratch)
        self.home = scratch.folder(name)
        self.config = os.path.join(scratch.path, f"{name}.conf")
        self._sections = {"barman": {
            "barman_user": place.ACCOUNT.pw_name,
            "barman_home": self.home,
            "log_file": os.path.join(scratch.path, f"{name}.log"),
            "log_level": "INFO",
        }}
        self.environment = {}  # what the program sees besides: how to reach a bucket
        self._background = []
        self._write()

    # -- configuration --------------------------------------------------------------------------------

    def configure(self, **options):
        """Options of [barman]; None takes one away."""
        self._merge("barman", options)
        return self

    def server(self, name, cluster=None, **options):
        """Adds the server or changes its options; with a cluster it streams from that cluster."""
        if cluster is not None:
            self._merge(name, {
                "description": f"PostgreSQL {cluster.version}",
                "conninfo": cluster.conninfo("barman"),
                "streaming_conninfo": cluster.conninfo("streaming_barman", dbname=None),
                "backup_method": "postgres",
                "streaming_archiver": "on",
                "slot_name": "barman",
                "create_slot": "auto",
                "path_prefix": cluster.bin,
            })
        self._merge(name, options)
        return self

    def _merge(self, section, options):
        kept = self._sections.setdefault(section, {})
        for name, value in options.items():
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = str(value)
        self._write()

    def _write(self):
        with open(self.config, "w", encoding="utf-8") as file:
            for section, options in self._sections.items():
                file.write(f"[{section}]\n")
                file.writelines(f"{name} = {value}\n" for name, value in options.items())
                file.write("\n")
        place.give(self.config)

    # -- running --------------------------------------------------------------------------------------

    def command(self, *arguments):
        return [self.program, "-c", self.config, *map(str, arguments)]

    def run(self, *arguments, timeout=120, fault_point=None, stdin=None, env=None):
        """Runs the program to its end. A sanitizer's report or a stack trace is a failure of the test at once."""
        done = self._run(self.command(*arguments), timeout, self._environment(fault_point, env), stdin)
        result = Result(tuple(map(str, arguments)), *done)
        if ALARMS.search(result.err) or ALARMS.search(result.out):
            raise AssertionError(str(result))
        return result

    def ok(self, *arguments, **more):
        """run(), and it must succeed."""
        result = self.run(*arguments, **more)
        if result.code != 0:
            raise AssertionError(f"{result}\n{self.log_tail()}")
        return result

    def json(self, *arguments, **more):
        """What the successful command says with -f json, as a value."""
        return self.ok("-f", "json", *arguments, **more).json

    def original(self, *arguments, timeout=180):
        """The original Barman over the same home and configuration."""
        command = [place.original_barman(), "-c", self.config, *map(str, arguments)]
        return Result(tuple(map(str, arguments)), *self._run(command, timeout, self._environment(None, None), None))

    def start(self, *arguments, fault_point=None, env=None):
        """Starts the program and leaves it running; the end of the test ends it."""
        running = Background(self, self.command(*arguments), self._environment(fault_point, env))
        self._background.append(running)
        return running

    def receiver(self, server):
        """A running `receive-wal`, streaming: its slot is active."""
        return self.start("receive-wal", server)

    def stop_all(self):
        for running in self._background:
            running.stop()
        self._background.clear()
        self.end_strays()

    def end_strays(self):
        """Ends the processes that the program itself left in the background (cron's) with our configuration."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                if os.fsencode(self.config) in words and int(pid) != os.getpid():
                    os.kill(int(pid), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue

    def _environment(self, fault_point, more):
        env = place.environment(self.scratch.path, **{**self.environment, **(more or {})})
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            env[name] = os.environ.get(name, "") + ":exitcode=97:print_stacktrace=1"
        if fault_point:
            if os.environ.get("BARMAN_TEST_FAULT_POINTS") == "0":
                raise place.Missing("this build has no stop points")
            env["BARMAN_FAULT_POINT"] = fault_point
        return env

    def _run(self, command, timeout, env, stdin):
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout, env=env, cwd=self.scratch.path,
                                  **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
                                  **place.as_account())
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"") + (late.stderr or b"")
            raise AssertionError(f"{' '.join(command)}: no end after {timeout} s\n{said.decode(errors='replace')}\n"
                                 f"{self.log_tail()}") from None
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    # -- the catalogue --------------------------------------------------------------------------------

    def directory(self, server, *below):
        """A path in the server's part of the home: directory("main", "wals", ...). Configured places are respected."""
        options = self._sections.get(server, {})
        top = options.get("backup_directory", os.path.join(self.home, server))
        if below:
            moved = {"base": "basebackups_directory", "wals": "wals_directory", "streaming": "streaming_wals_directory",
                     "incoming": "incoming_wals_directory", "errors": "errors_directory"}.get(below[0])
            if moved in options:
                return os.path.join(options[moved], *below[1:])
        return os.path.join(top, *below)

    def backup_ids(self, server):
        """The ids in the catalogue, oldest first."""
        meta = self.directory(server, "meta")
        names = os.listdir(meta) if os.path.isdir(meta) else []
        return sorted(match[1] for match in (re.fullmatch(r"(\d{8}T\d{6})-backup\.info", name) for name in names) if match)

    def backup_info(self, server, backup_id):
        """The fields of a backup.info as texts."""
        with open(self.directory(server, "meta", f"{backup_id}-backup.info"), encoding="utf-8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)

    def archived_wal(self, server):
        """The names in wals/, in order, without the xlogdb."""
        found = []
        for _, _, files in os.walk(self.directory(server, "wals")):
            found += [name for name in files if re.match(r"[0-9A-F]{8}", name)]
        return sorted(found)

    def leftovers(self):
        """Files in the home that only a write in progress may have: temporary names."""
        return [os.path.join(folder, name) for folder, _, files in os.walk(self.home) for name in files
                if name.endswith((".tmp", "~")) or ".tmp." in name]

    def log_tail(self, lines=40):
        path = self._sections["barman"].get("log_file", "")
        if not os.path.exists(path):
            return "(no log file)"
        with open(path, encoding="utf-8", errors="replace") as file:
            return "--- log\n" + "".join(file.readlines()[-lines:])


class Background:
    """A running program; what it says goes to files."""

    def __init__(self, barman, command, env):
        self._name = " ".join(command)
        self._paths = [os.path.join(barman.scratch.path, f"background-{len(os.listdir(barman.scratch.path))}.{kind}") for kind in ("out", "err")]
        with open(self._paths[0], "wb") as out, open(self._paths[1], "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=barman.scratch.path,
                                            preexec_fn=place.die_with_parent(signal.SIGTERM), **place.as_account())

    @property
    def out(self):
        return _text(self._paths[0])

    @property
    def err(self):
        return _text(self._paths[1])

    def running(self):
        return self.process.poll() is None

    def wait(self, timeout=120):
        """The exit status, once it ended by itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._name}: no end after {timeout} s\n{self.out}{self.err}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, sig=signal.SIGTERM):
        code = place.end_process(self.process, sig)
        if ALARMS.search(self.err):
            raise AssertionError(f"{self._name}: exit {code}\n{self.out}{self.err}")
        return code


def _text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _reachable_program(scratch):
    """The program of $BARMAN_BIN; a copy of it when the account cannot enter the directory of the build."""
    program = os.path.abspath(os.environ.get("BARMAN_BIN") or shutil.which("barman") or "barman")
    if not os.access(program, os.X_OK):
        raise RuntimeError(f"no program to test: BARMAN_BIN={program}")
    if not place.AM_ROOT or _open_to_all(program):
        return program
    copy = os.path.join(scratch.path, "barman-program")
    if not os.path.exists(copy):
        shutil.copy(program, copy)
        os.chmod(copy, 0o755)
    return copy


def _open_to_all(path):
    while path != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        path = os.path.dirname(path)
    return True
