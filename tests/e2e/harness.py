"""What every end-to-end test starts from: servers, a Barman, and expectations, all gone when the test ends.

    import harness
    from harness import EndToEnd, on_versions

    class Restoring(EndToEnd):
        @on_versions(15, 17, 18)
        def test_a_backup_comes_back(self, version):
            cluster = self.cluster(version)
            barman = self.barman().server("main", cluster)
            barman.ok("backup", "main")

    if __name__ == "__main__":
        harness.main()

Standard library only. A test that misses something skips with its reason; with BARMAN_TEST_REQUIRE_ALL=1
a skip is a failure. BARMAN_TEST_KEEP=1 keeps the scratch directories.
"""

import os
import re
import shutil
import sys
import time
import unittest

from cluster import Cluster, Templates
from place import AM_ROOT, REQUIRE_ALL, VERSIONS, Missing, Scratch, original_barman, server_programs, wait_until
from program import Background, Barman, Result

__all__ = ["AM_ROOT", "Background", "Barman", "Cluster", "EndToEnd", "Missing", "Result", "VERSIONS", "main",
           "on_versions", "original_barman", "wait_until"]


def on_versions(*versions):
    """Makes one test of each version; the method receives the version."""
    def mark(method):
        method.versions = versions or VERSIONS
        return method
    return mark


class EndToEnd(unittest.TestCase):
    maxDiff = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, method in list(vars(cls).items()):
            for version in getattr(method, "versions", ()):
                def run(self, method=method, version=version):
                    method(self, version)
                run.__doc__ = method.__doc__
                setattr(cls, f"{name}_pg{version}", run)
            if hasattr(method, "versions"):
                delattr(cls, name)

    def setUp(self):
        self.scratch = Scratch()
        self.addCleanup(self.scratch.remove)

    def run(self, result=None):
        # Missing may come from setUp, the test or a fixture: everywhere it means the same.
        for name in ("setUp", self._testMethodName):
            setattr(self, name, _skipping(getattr(self, name)))
        return super().run(result)

    # -- fixtures -------------------------------------------------------------------------------------

    def cluster(self, version=VERSIONS[0], name="main", settings=None, start=True, **initdb):
        """A started server with the roles `barman` (superuser) and `streaming_barman`."""
        cluster = Cluster(self.scratch, version, name)
        self.addCleanup(cluster.discard)
        cluster.initdb(settings=settings, **initdb)
        if start:
            cluster.start().create_roles()
        return cluster

    def standby(self, primary, name="standby"):
        other = primary.standby(name)
        self.addCleanup(other.discard)
        return other

    def restored(self, version, data, name="restored", start=True, **settings):
        """A server over a data directory that exists, e.g. a restored one."""
        cluster = Cluster(self.scratch, version, name)
        cluster.data = str(data)
        self.addCleanup(cluster.discard)
        if start:
            cluster.start(**settings)
        return cluster

    def barman(self, name="barman"):
        barman = Barman(self.scratch, name)
        self.addCleanup(barman.stop_all)
        return barman

    def streaming(self, version=VERSIONS[0], server="main", **initdb):
        """The usual scene: a server, a Barman that knows it, its receiver running. Returns (cluster, barman)."""
        cluster = self.cluster(version, **initdb)
        barman = self.barman().server(server, cluster)
        self.stream(barman, server, cluster)
        return cluster, barman

    def stream(self, barman, server, cluster):
        """Starts the receiver and makes the first segment arrive, so that `check` is content."""
        receiver = barman.receiver(server)

        def streaming():
            if not receiver.running():
                raise AssertionError(f"receive-wal ended ({receiver.process.returncode}):\n{receiver.out}{receiver.err}{barman.log_tail()}")
            return cluster.sql("SELECT count(*) FROM pg_replication_slots WHERE active") != "0"
        wait_until(streaming, "receive-wal streams")
        cluster.switch_wal()
        self.archive(barman, server)
        return receiver

    def archive(self, barman, server, until=None):
        """Runs archive-wal until something (or the named segment) is in the archive."""
        def arrived():
            barman.ok("archive-wal", server)
            names = barman.archived_wal(server)
            return until in names if until else names
        wait_until(arrived, f"{until or 'a segment'} is archived", every=0.2)

    def small_disk(self, name, mib):
        return self.scratch.small_disk(name, mib)

    def remove(self, path):
        shutil.rmtree(path)

    # -- expectations ---------------------------------------------------------------------------------

    def assert_fails(self, result, code=1, says=None):
        """The command failed as a good program does: that exit code, one clear line on standard error."""
        self.assertEqual(result.code, code, str(result))
        errors = [line for line in result.err.splitlines() if line.startswith(("ERROR:", "EXCEPTION:"))]
        if code == 1:
            self.assertEqual(len(errors), 1, f"exactly one line of error is wanted\n{result}")
        if says is not None:
            self.assertRegex(result.err, re.compile(says, re.IGNORECASE), str(result))

    def assert_clean(self, barman):
        """Nothing half-written is lying about in the home."""
        self.assertEqual(barman.leftovers(), [])


def _skipping(call):
    def wrapped(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except Missing as why:
            raise unittest.SkipTest(str(why)) from None
    return wrapped


class _Timed(unittest.TextTestResult):
    """Says how long each test took: slow ones are worth a look."""

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self._began:.1f} s")


def main():
    runner = unittest.TextTestRunner(verbosity=2, resultclass=_Timed)
    program = unittest.main(testRunner=runner, exit=False, module="__main__")
    Templates.remove()
    for test, why in program.result.skipped:
        print(f"SKIPPED {test.id()}: {why}", file=sys.stderr)
    failed = not program.result.wasSuccessful() or (REQUIRE_ALL and program.result.skipped)
    if program.result.testsRun == 0:
        print("no test was run", file=sys.stderr)
        failed = True
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # threads of a failed test must not keep us
