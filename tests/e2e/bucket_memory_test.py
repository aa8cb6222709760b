#!/usr/bin/env python3
"""The memory that a backup into a bucket takes: what the program takes anyway, and as many parts as are sent at a time. Its own
memory and all of it are told apart: the rest is code of libraries, whose pages all programs share."""

import os
import subprocess
import time

import bucket
import harness
import place
from harness import EndToEnd

IS_SANITIZED = os.environ.get("BARMAN_TEST_SANITIZED") == "1"
WORKERS = 2
OWN_MIB, ALL_MIB = 8, 24  # besides the parts
SMALL_MIB, LARGE_MIB = 12, 28


class Memory(EndToEnd):
    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket(fake=True)
        self.addCleanup(self.bucket.close)
        self.bucket.create()

    def peaks(self, command):
        """Runs the command, which must succeed; MiB of its own and of all. (What wait4 tells includes this very process.)"""
        # Freed memory that a sanitizer keeps is not the program's.
        env = place.environment(self.scratch.path, ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=64",
                                **self.bucket.environment)
        own, all_of_it = 0, 0
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                              cwd=self.scratch.path, text=True, **place.as_account()) as process:
            name = os.path.basename(command[0])[:15]
            while process.poll() is None:
                with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
                if status["Name"] == name and "VmHWM" in status:
                    own = max(own, int(status["RssAnon"].split()[0]) / 1024)
                    all_of_it = int(status["VmHWM"].split()[0]) / 1024
                time.sleep(0.002)
            self.assertEqual(process.returncode, 0, process.stdout.read())
        return own, all_of_it

    def assert_bounded(self, backup):
        """`backup` makes the command of a backup with parts of so many MiB."""
        small_own, small_all = self.peaks(backup(SMALL_MIB))
        large_own, large_all = self.peaks(backup(LARGE_MIB))
        print(f"{self._testMethodName}: parts of {SMALL_MIB} MiB: {small_own:.1f} of its own, {small_all:.1f} in all; "
              f"of {LARGE_MIB}: {large_own:.1f} and {large_all:.1f}")
        more = WORKERS * (LARGE_MIB - SMALL_MIB)
        self.assertLess(abs(large_own - small_own - more), 8 if IS_SANITIZED else 4, "what a larger part makes of it")
        if IS_SANITIZED:
            return
        for part, own, all_of_it in ((SMALL_MIB, small_own, small_all), (LARGE_MIB, large_own, large_all)):
            self.assertLess(own, OWN_MIB + WORKERS * part)
            self.assertLess(all_of_it, ALL_MIB + WORKERS * part)

    def barman_scene(self, **options):
        cluster, barman = self.streaming()
        cluster.fill(64)
        barman.server("main", basebackups_directory=self.bucket.url, parallel_jobs=WORKERS, **options)

        def backup(part_mib):
            barman.server("main", cloud_upload_min_chunk_size=f"{part_mib}Mi")
            return barman.command("backup", "--immediate-checkpoint", "main")
        return backup

    def test_of_barman_backup(self):
        self.assert_bounded(self.barman_scene())

    def test_of_local_to_cloud(self):
        self.assert_bounded(self.barman_scene(backup_method="local-to-cloud"))

    def test_of_barman_cloud_backup(self):
        cluster = self.cluster()
        cluster.fill(64)
        program = bucket.ours(self.scratch, "barman-cloud-backup")
        self.assert_bounded(lambda part_mib: list(map(str, [
            program, "--immediate-checkpoint", "-J", WORKERS, "--min-chunk-size", f"{part_mib}MB", "-h", cluster.sockets,
            "-p", cluster.port, "-U", "barman", self.bucket.url, "main"])))


if __name__ == "__main__":
    harness.main()
