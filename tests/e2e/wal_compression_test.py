#!/usr/bin/env python3
"""WAL that is stored compressed and encrypted: the tools of each format and the original read what we store, we read what
they stored, and what is wrong with a file or a key is said."""

import os
import re
import shutil
import subprocess

import harness
import place
from archiving import MIB, Archives
from gnupg import Keyring
from harness import wait_until

# What reads each method's files from standard input, and how they begin.
METHODS = {
    "gzip": (["gzip", "-dc"], "1f8b08"),
    "pygzip": (["gzip", "-dc"], "1f8b08"),
    "pigz": (["gzip", "-dc"], "1f8b08"),
    "bzip2": (["bzip2", "-dc"], "425a68"),
    "pybzip2": (["bzip2", "-dc"], "425a68"),
    "xz": (["xz", "-dc"], "fd377a585a00"),
    "zstd": (["zstd", "-dcq"], "28b52ffd"),
    "lz4": (["lz4", "-dcq"], "04224d18"),
    "snappy": (None, "ff060000734e61507059"),
}
CUSTOM = {"compression": "custom", "custom_compression_filter": "gzip -c | tr '\\000-\\377' '\\001-\\377\\000'",
          "custom_decompression_filter": "tr '\\001-\\377\\000' '\\000-\\377' | gzip -dc", "custom_compression_magic": "0x208c09"}


class StoredForms(Archives):
    def stored(self, barman, name):
        return barman.directory("main", "wals", name[:16], name)

    def handed_out(self, barman, name, *options, by=None):
        """The bytes that get-wal writes; `by` the original if that is its run."""
        folder = self.scratch.folder(f"out-{len(os.listdir(self.scratch.path))}")
        result = (by or barman.run)("get-wal", *options, "-o", folder, "main", name)
        self.assertEqual(result.code, 0, f"{result}\n{barman.log_tail()}")
        with open(f"{folder}/{name}", "rb") as file:
            return file.read()

    def archive_new(self, cluster, barman, count=1, by=None):
        """Archives so many new segments; returns their names."""
        names = self.segments(cluster, count)
        self.arrive(*names)
        result = (by or barman.run)("archive-wal", "main")
        self.assertEqual(result.code, 0, f"{result}\n{barman.log_tail()}")
        return names

    def original_knows(self, barman, method):
        """It needs a module or a program for some methods, which need not be installed where it is."""
        program = {"pigz": "pigz"}.get(method)
        module = {"zstd": "zstandard", "lz4": "lz4.frame", "snappy": "snappy"}.get(method)
        if program is not None:
            return shutil.which(program) is not None
        return module is None or self.has_module(barman, module)

    def has_module(self, barman, module):
        """Whether the Python that runs it has the module: told by the script that starts it."""
        with open(harness.original_barman(), encoding="utf-8") as script:
            text = script.read()
        python = re.search(r"^exec (\S*python3\S*)", text, re.MULTILINE)
        env = {**place.environment(self.scratch.path), **dict(re.findall(r"^export (PYTHON\w+)=(\S+)$", text, re.MULTILINE))}
        return python is not None and subprocess.run([python[1], "-c", f"import {module}"], capture_output=True, check=False, env=env).returncode == 0

    def read_back(self, tool, path):
        with open(path, "rb") as file:
            return subprocess.run(tool, stdin=file, capture_output=True, check=True).stdout


class Compression(StoredForms):
    def test_each_method_is_read_by_its_tool_by_the_original_and_by_us(self):
        cluster, barman = self.scene()
        for method, (tool, magic) in METHODS.items():
            with self.subTest(method):
                barman.server("main", compression=method)
                name, = self.archive_new(cluster, barman)
                with open(self.stored(barman, name), "rb") as file:
                    content = file.read()
                self.assertTrue(content.hex().startswith(magic), content[:16])
                self.assertLess(len(content), MIB / 4)
                self.assertEqual(self.index(barman)[-1][0::3], [name, method])
                self.assertEqual(self.index(barman)[-1][1], str(len(content)))
                if tool is not None:
                    self.assertEqual(self.read_back(tool, self.stored(barman, name)), self.kept_bytes(name))
                self.assertEqual(self.handed_out(barman, name), self.kept_bytes(name))
                self.assertEqual(self.handed_out(barman, name, "--keep-compression"), content)
                if method == "pigz" or self.original_knows(barman, method):  # it reads pigz as gzip
                    self.assertEqual(self.handed_out(barman, name, by=barman.original), self.kept_bytes(name))
        self.assert_clean(barman)
        self.assertEqual(os.listdir(self.errors), [])

    def test_what_the_original_stored_is_read(self):
        cluster, barman = self.scene()
        for method in METHODS:
            barman.server("main", compression=method)
            if not self.original_knows(barman, method):
                continue
            with self.subTest(method):
                name, = self.archive_new(cluster, barman, by=barman.original)
                self.assertEqual(self.index(barman)[-1][0::3], [name, method])
                self.assertEqual(self.handed_out(barman, name), self.kept_bytes(name))

    def test_levels_are_words_or_numbers(self):
        cluster, barman = self.scene(compression="zstd")
        name, = self.segments(cluster, 1)
        sizes = {}
        for level in ("-22", "low", "medium", "high", "22", "99"):
            barman.server("main", compression_level=level)
            self.arrive(name)
            barman.ok("archive-wal", "main")
            sizes[level] = os.stat(self.stored(barman, name)).st_size
            os.unlink(self.stored(barman, name))
        self.assertGreater(sizes["-22"], sizes["low"])
        self.assertGreaterEqual(sizes["low"], sizes["high"])
        self.assertEqual(sizes["22"], sizes["99"])

    def test_many_segments_mode_and_time_are_kept(self):
        cluster, barman = self.scene(compression="zstd")
        names = self.segments(cluster, 20)
        self.arrive(*names)
        before = {name: os.stat(f"{self.incoming}/{name}") for name in names}
        result = barman.ok("archive-wal", "main")
        self.assertEqual(result.out.splitlines()[1:], ["\t" + name for name in names])
        self.assertEqual([line[0] for line in self.index(barman)], names)
        for name in names:
            after = os.stat(self.stored(barman, name))
            self.assertEqual((after.st_mode, after.st_mtime_ns), (before[name].st_mode, before[name].st_mtime_ns))
            self.assertEqual(self.handed_out(barman, name), self.kept_bytes(name))

    def test_what_arrives_compressed_stays_as_it_is(self):
        cluster, barman = self.scene(compression="zstd")
        name, = self.segments(cluster, 1)
        self.arrive(name)
        place.give(f"{self.incoming}/{name}")
        subprocess.run(["bzip2", f"{self.incoming}/{name}"], check=True)
        os.rename(f"{self.incoming}/{name}.bz2", f"{self.incoming}/{name}")
        place.give(f"{self.incoming}/{name}")
        barman.ok("archive-wal", "main")
        self.assertEqual(self.index(barman)[-1][3], "bzip2")
        self.assertEqual(self.handed_out(barman, name), self.kept_bytes(name))

    def test_a_second_copy_is_recognised_whatever_the_method_is_now(self):
        cluster, barman = self.scene(compression="gzip")
        name, = self.archive_new(cluster, barman)
        barman.server("main", compression="xz")
        self.arrive(name)
        barman.ok("archive-wal", "main")
        self.assertEqual(os.listdir(self.incoming) + os.listdir(self.errors), [])
        self.assertEqual([line[3] for line in self.index(barman)], ["gzip"])

    def test_custom_filters_work_with_a_warning_and_stay_readable(self):
        cluster, barman = self.scene(**CUSTOM)
        one, = self.archive_new(cluster, barman)
        self.assertEqual(self.index(barman)[-1][3], "custom")
        self.assertIn("compression = custom is deprecated", barman.log_tail())
        self.assertEqual(self.handed_out(barman, one), self.kept_bytes(one))
        barman.server("main", compression="zstd")
        two, = self.archive_new(cluster, barman)
        for name in (one, two):
            self.assertEqual(self.handed_out(barman, name), self.kept_bytes(name))

    def test_custom_without_its_filters_is_refused_before_anything_moves(self):
        cluster, barman = self.scene()
        name, = self.segments(cluster, 1)
        self.arrive(name)
        barman.server("main", compression="custom")
        self.assert_fails(barman.run("archive-wal", "main"), says="needs custom_compression_filter")
        self.assertEqual(os.listdir(self.incoming), [name])
        self.assertRegex(barman.run("check", "main").out, r"compression settings: FAILED \(compression = custom needs")

    def test_damaged_files_are_named_and_nothing_is_handed_out(self):
        cluster, barman = self.scene()
        for method in METHODS:
            barman.server("main", compression=method, compression_level="low")
            name, = self.archive_new(cluster, barman)
            path = self.stored(barman, name)
            with open(path, "rb") as file:
                whole = file.read()
            middle = len(whole) // 2
            cuts = {"cut": whole[:middle], "one byte less": whole[:-1], "flipped": whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1:]}
            for kind, damaged in cuts.items():
                with self.subTest(f"{method} {kind}"):
                    self.write(path, damaged)
                    output = f"{self.scratch.path}/{name}"
                    result = barman.run("get-wal", "-o", self.scratch.path, "main", name)
                    if kind == "flipped" and result.code == 0:  # in long runs of zeroes a bit may make no difference
                        with open(output, "rb") as file:
                            self.assertEqual(file.read(), self.kept_bytes(name))
                        os.unlink(output)
                        continue
                    self.assert_fails(result, says=name)
                    self.assertFalse(os.path.exists(output))

    def test_an_archive_of_every_kind_is_restored(self):
        cluster, barman = self.streaming(settings={"wal_level": "replica"})
        keyring = Keyring(self.scratch)
        key = keyring.make("locked", keyring.passphrase)
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main")
        cluster.sql("CREATE TABLE t (i int)")
        kinds = [*({"compression": method} for method in METHODS), {"compression": None},
                 {"encryption": "gpg", "encryption_key_id": key, "encryption_passphrase_command": f"echo {keyring.passphrase}"},
                 {"compression": "lz4"}]
        for number, kind in enumerate(kinds):
            barman.server("main", **kind)
            cluster.sql(f"INSERT INTO t VALUES ({number})")
            self.archive(barman, "main", until=cluster.switch_wal())
        destination = os.path.join(self.scratch.path, "restored")
        keyring.forget_passphrases()
        barman.ok("restore", "main", "latest", destination)
        server = self.restored(15, destination)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(server.sql("SELECT count(*), max(i) FROM t"), f"{len(kinds)}|{len(kinds) - 1}")

        fetched = os.path.join(self.scratch.path, "fetched")
        barman.ok("restore", "--get-wal", "--target-immediate", "main", "latest", fetched)
        barman.ok("rebuild-xlogdb", "main")
        last = barman.archived_wal("main")[-1]
        self.assertEqual(len(self.handed_out(barman, last)), 16 * MIB)


class Encryption(StoredForms):
    def encrypted_scene(self, key="open", passphrase="", **options):
        self.keyring = Keyring(self.scratch)
        key = self.keyring.make(key, passphrase)
        cluster, barman = self.scene(compression="zstd", **options)
        barman.server("main", encryption="gpg", encryption_key_id=key)
        return cluster, barman

    def test_gpg_alone_and_the_original_read_it(self):
        cluster, barman = self.encrypted_scene("locked", Keyring.passphrase)
        names = self.archive_new(cluster, barman, 3)
        barman.server("main", encryption_passphrase_command=f"echo '{Keyring.passphrase}'")
        for name, line in zip(names, self.index(barman)):
            self.assertEqual(line[3:], ["zstd", "gpg"])
            with open(f"{self.scratch.path}/plain", "wb") as file:
                file.write(self.keyring.decrypt(self.stored(barman, name)))
            self.assertEqual(self.read_back(["zstd", "-dcq"], f"{self.scratch.path}/plain"), self.kept_bytes(name))
            self.keyring.forget_passphrases()
            self.assertEqual(self.handed_out(barman, name), self.kept_bytes(name))
        self.assert_clean(barman)

    def test_what_the_original_encrypted_is_read_and_the_reverse(self):
        self.keyring = Keyring(self.scratch)
        self.keyring._run(["gpg", "--batch", "--passphrase", "", "--quick-gen-key", "rsa <rsa@example.org>", "rsa2048", "encr,sign", "0"])
        cluster, barman = self.scene(compression="gzip")
        barman.server("main", encryption="gpg", encryption_key_id="rsa@example.org", encryption_passphrase_command="echo unused")
        theirs, = self.archive_new(cluster, barman, by=barman.original)
        ours = self.archive_new(cluster, barman, 3)
        self.assertEqual([line[3:] for line in self.index(barman)], [["gzip", "gpg"]] * 4)
        self.assertEqual(self.handed_out(barman, theirs), self.kept_bytes(theirs))
        # It knows them by the length of an encrypted number, which now and then begins with zeroes and is shorter.
        known = [name for name in ours if self.archived_bytes(barman, name).startswith(b"\x85\x01\x0c")]
        self.assertTrue(known)
        for name in known:
            self.assertEqual(self.handed_out(barman, name, by=barman.original), self.kept_bytes(name))

    def test_no_plain_byte_and_no_passphrase_is_left_anywhere(self):
        cluster, barman = self.encrypted_scene("locked", Keyring.passphrase)
        barman.configure(log_level="DEBUG").server("main", compression=None, encryption_passphrase_command=f"echo '{Keyring.passphrase}'")
        cluster.sql("CREATE TABLE secrets AS SELECT 'the plain truth'")
        name, = self.archive_new(cluster, barman)
        self.assertIn(b"the plain truth", self.kept_bytes(name))
        self.keyring.forget_passphrases()
        self.handed_out(barman, name)
        barman.run("show-servers", "main")
        barman.run("diagnose")
        for folder, _, files in os.walk(barman.home):
            for file in files:
                with open(os.path.join(folder, file), "rb") as content:
                    self.assertNotIn(b"the plain truth", content.read(), file)
        with open(os.path.join(self.scratch.path, "barman.log"), encoding="utf-8") as log:
            self.assertNotIn(Keyring.passphrase, log.read())

    def test_what_is_wrong_with_the_key_or_the_passphrase_is_said(self):
        cluster, barman = self.encrypted_scene("locked", Keyring.passphrase)
        name, = self.archive_new(cluster, barman)
        for command, says in ((None, "needs a passphrase"), ("echo wrong", "passphrase for the secret key is wrong"),
                              ("exit 3", "encryption_passphrase_command failed"), ("true", "encryption_passphrase_command printed nothing")):
            with self.subTest(command):
                barman.server("main", encryption_passphrase_command=command)
                self.keyring.forget_passphrases()
                result = barman.run("get-wal", "-o", self.scratch.path, "main", name)
                self.assert_fails(result, says=says)
                self.assertIn(name, result.err)
                self.assertFalse(os.path.exists(f"{self.scratch.path}/{name}"))
        barman.server("main", encryption_passphrase_command=f"echo '{Keyring.passphrase}'")
        self.keyring.forget("locked@example.org")
        self.assert_fails(barman.run("get-wal", "-o", self.scratch.path, "main", name), says="secret part is not in the keyring")

    def test_a_key_that_cannot_be_used_leaves_the_wal_where_it_is(self):
        cluster, barman = self.encrypted_scene()
        expired = self.keyring.make("old", expired=True)
        name, = self.segments(cluster, 1)
        self.arrive(name)
        for key, says in (("nobody@example.org", "'nobody@example.org' is not in the keyring"), (expired, "has expired"),
                          (None, "needs encryption_key_id")):
            with self.subTest(key):
                barman.server("main", encryption_key_id=key)
                self.assert_fails(barman.run("archive-wal", "main"), says=says)
                self.assertEqual(os.listdir(self.incoming), [name])
                self.assertEqual(barman.archived_wal("main"), [])
                self.assert_clean(barman)

    def test_without_gpg_it_is_said_what_to_install(self):
        cluster, barman = self.encrypted_scene()
        name, = self.segments(cluster, 1)
        self.arrive(name)
        bare = self.scratch.folder("bare-path")
        result = barman.run("archive-wal", "main", env={"PATH": bare})
        self.assert_fails(result, says="cannot start gpg: .*install it")
        barman.server("main", path_prefix=os.path.dirname(shutil.which("gpg")))
        barman.ok("archive-wal", "main", env={"PATH": bare})

    def test_damage_is_told_for_what_it_is(self):
        cluster, barman = self.encrypted_scene()
        name, = self.archive_new(cluster, barman)
        path = self.stored(barman, name)
        with open(path, "rb") as file:
            whole = file.read()
        middle = len(whole) // 2
        for damaged, says in ((whole[:middle], "is cut"), (whole[:-1], "is cut"),
                              (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:], "was changed or is damaged")):
            self.write(path, damaged)
            self.assert_fails(barman.run("get-wal", "-o", self.scratch.path, "main", name), says=says)
            self.assertFalse(os.path.exists(f"{self.scratch.path}/{name}"))

    def test_killed_at_any_point_the_next_run_finishes_without_the_secret_key(self):
        cluster, barman = self.encrypted_scene()
        self.keyring.forget("open@example.org")
        archived = []
        for point in ("archive-copied", "archive-renamed", "archive-stored", "archive-indexed", "archive-removed"):
            with self.subTest(point):
                names = self.segments(cluster, 3)
                self.arrive(*names)
                self.assertLess(barman.run("archive-wal", "main", fault_point=point).code, 0)
                barman.ok("archive-wal", "main")
                archived += names
                self.assertEqual(os.listdir(self.incoming), [])
                self.assertEqual(sorted(line[0] for line in self.index(barman)), archived)
                # What was stored cannot be read, so what arrived is not known to be the same, and is kept.
                kept = {name.split(".")[0] for name in os.listdir(self.errors) if name.endswith(".duplicate")}
                self.assertEqual(len(kept), len(os.listdir(self.errors)))
                self.assertLessEqual(kept, set(archived))
                self.assert_clean(barman)

    def test_check_tries_the_key(self):
        _, barman = self.encrypted_scene()
        self.assertRegex(barman.run("check", "main").out, r"encryption: FAILED \(backup_compression is not set")
        barman.server("main", backup_compression="gzip", backup_compression_format="tar", encryption_key_id="nobody@example.org")
        self.assertRegex(barman.run("check", "main").out, r"encryption: FAILED \(.*(keyring|not encrypt)")


if __name__ == "__main__":
    harness.main()
