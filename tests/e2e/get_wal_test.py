#!/usr/bin/env python3
"""get-wal: the bytes of one WAL file, exactly, wherever it has got to."""

import bz2
import gzip
import lzma
import os
import subprocess
import threading

import harness
import place
from harness import EndToEnd, on_versions, wait_until


class GetWal(EndToEnd):
    def scene(self, version=15):
        cluster, barman = self.streaming(version, wal_segment_size=1)
        name = cluster.switch_wal()
        self.archive(barman, "main", until=name)
        return cluster, barman, name

    def bytes_of(self, barman, *arguments, env=None):
        """Standard output as bytes; the command must succeed."""
        done = subprocess.run(barman.command("get-wal", *arguments), capture_output=True, env=barman._environment(None, env),
                              cwd=self.scratch.path, **place.as_account(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def archived(self, barman, name):
        return barman.directory("main", "wals", name[:16], name)

    def write(self, path, content):
        with open(path, "wb") as file:
            file.write(content)
        place.give(path)

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    @on_versions(15, 17, 18)
    def test_bytes(self, version):
        cluster, barman, name = self.scene(version)
        content = self.read(self.archived(barman, name))
        self.assertEqual(len(content), 1 << 20)
        self.assertEqual(self.bytes_of(barman, "main", name), content)
        for option in ("-z", "-x", "--gzip"):
            self.assertEqual(gzip.decompress(self.bytes_of(barman, option, "main", name)), content)
        for option in ("-j", "--bzip2"):
            self.assertEqual(bz2.decompress(self.bytes_of(barman, option, "main", name)), content)
        into = self.scratch.folder("into")
        done = barman.ok("get-wal", "-o", into, "main", name)
        self.assertEqual(done.out, f"Sending WAL '{name}' for server 'main' into '{into}/{name}' file\n")
        self.assertEqual(self.read(f"{into}/{name}"), content)
        self.assertEqual(os.listdir(into), [name])

    def test_a_partial_only_when_asked_for(self):
        cluster, barman, _ = self.scene()
        current = cluster.wal_file()
        folder = barman.directory("main", "streaming")
        wait_until(lambda: f"{current}.partial" in os.listdir(folder), "the current segment is streamed")
        self.assert_fails(barman.run("get-wal", "main", current), says=f"WAL file '{current}' not found in server 'main'")
        into = self.scratch.folder("into")
        done = barman.ok("get-wal", "-P", "-o", into, "main", current)
        self.assertIn(f"Sending WAL '{current}.partial' for server 'main' into '{into}/{current}' file", done.out)
        self.assertEqual(os.path.getsize(f"{into}/{current}"), 1 << 20)

    def test_exit_codes_and_errors(self):
        cluster, barman, name = self.scene()
        missing = "0000000100000000000000F0"
        into = os.path.join(self.scratch.path, "nowhere")
        for arguments, code, says in (
                (["main", "x"], 3, "^ERROR: 'x' is not a valid wal file name$"),
                (["-p", "2", "main", "x"], 3, "^ERROR: 'x' is not a valid wal file name$"),
                (["main", name + "x"], 3, "not a valid wal file name"),
                (["main", missing], 1, f"^ERROR: WAL file '{missing}' not found in server 'main'$"),
                (["-o", into, "main", name], 3, f"^ERROR: Unable to open '{into}/{name}' file: "),
                (["-z", "--keep-compression", "main", name], 1, "^ERROR: argument `gzip` not allowed with argument `keep-compression`$"),
                (["-j", "--keep-compression", "main", name], 1, "^ERROR: argument `bzip2` not allowed with argument `keep-compression`$"),
                (["-p", "0", "main", name], 2, "'0' is not a valid positive integer"),
                (["other", name], 1, "^ERROR: Unknown server 'other'$"),
                (["main"], 2, "required")):
            with self.subTest(" ".join(arguments)):
                result = barman.run("get-wal", *arguments)
                self.assertEqual(result.code, code, str(result))
                self.assertRegex(result.err.splitlines()[-1], says)
                self.assertEqual(result.out, "")
        remote = {"SSH_CONNECTION": "192.0.2.7 4711 192.0.2.8 22"}
        self.assertEqual(barman.run("get-wal", "main", missing, env=remote).err,
                         f"ERROR: WAL file '{missing}' not found in server 'main' (SSH host: 192.0.2.7)\n")
        self.assertEqual(barman.ok("get-wal", "-t", "main", "whatever").out, "Ready to retrieve WAL files from the server main\n")
        self.assertEqual(barman.ok("get-wal", "-p", "5", "main", missing).out, "")

    def test_what_an_older_installation_compressed(self):
        cluster, barman, name = self.scene()
        content = self.read(self.archived(barman, name))
        for compress in (gzip.compress, bz2.compress, lzma.compress):
            with self.subTest(compress.__module__):
                stored = compress(content)
                self.write(self.archived(barman, name), stored)
                self.assertEqual(self.bytes_of(barman, "--keep-compression", "main", name), stored)
                self.assertEqual(self.bytes_of(barman, "main", name), content)
                self.assertEqual(gzip.decompress(self.bytes_of(barman, "-z", "main", name)), content)
        self.write(self.archived(barman, name), gzip.compress(content)[:-20])
        into = self.scratch.folder("into")
        self.assert_fails(barman.run("get-wal", "-o", into, "main", name), says="ends too early")
        self.assertEqual(os.listdir(into), [], "nothing half-written")

    def test_only_the_exact_name(self):
        cluster, barman, name = self.scene()
        for suffix in (".00000028.backup", ".partial"):
            self.write(self.archived(barman, name) + suffix, suffix.encode())
        self.assertEqual(self.bytes_of(barman, "main", name), self.read(self.archived(barman, name)))
        os.unlink(self.archived(barman, name))
        self.assert_fails(barman.run("get-wal", "main", name), says="not found")
        self.assertEqual(self.bytes_of(barman, "main", name + ".00000028.backup"), b".00000028.backup")

    def test_a_reader_that_goes_away(self):
        cluster, barman, name = self.scene()
        with subprocess.Popen(barman.command("get-wal", "main", name), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.scratch.path,
                              env=barman._environment(None, None), **place.as_account()) as running:
            running.stdout.close()
            said = running.stderr.read()
            self.assertEqual(running.wait(20), 1, said)
        self.assertIn(b"Broken pipe", said)

    def test_an_output_without_room(self):
        cluster, barman, name = self.scene()
        disk = self.small_disk("small", 1)
        with open(f"{disk}/filler", "wb") as file:
            file.write(b"x" * 500_000)
        self.assert_fails(barman.run("get-wal", "-o", disk, "main", name), says="no space left")
        self.assertEqual(os.listdir(disk), ["filler"])

    def test_it_never_falls_between_two_folders(self):
        """A segment on its way from streaming to the archive is found at every moment."""
        cluster, barman, _ = self.scene()
        ended = threading.Event()
        failures = []

        def ask(name):
            while not ended.is_set():
                result = barman.run("get-wal", "-o", into, "main", name)
                if result.code != 0:
                    failures.append(str(result))
        into = self.scratch.folder("into")
        for _ in range(3):
            name = cluster.switch_wal()
            wait_until(lambda name=name: name in os.listdir(barman.directory("main", "streaming")), "the segment is streamed")
            ended.clear()
            asking = threading.Thread(target=ask, args=(name,))
            asking.start()
            self.archive(barman, "main", until=name)
            ended.set()
            asking.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    harness.main()
