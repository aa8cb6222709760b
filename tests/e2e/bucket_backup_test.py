#!/usr/bin/env python3
"""barman backup into a bucket: the objects, taken out with plain requests, unpacked by tar and the tools of each format, are
what PostgreSQL's programs take."""

import os
import re
import shutil
import subprocess

import bucket
import harness
import place
from harness import EndToEnd, on_versions
from unpacking import READERS


class IntoABucket(EndToEnd):
    fake = False

    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket(fake=self.fake)
        self.addCleanup(self.bucket.close)
        self.bucket.create()

    def scene(self, version=15, settings=None, **options):
        """A streaming server whose base backups go into the bucket; with a tablespace."""
        cluster, barman = self.streaming(version, settings=settings)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE afar TABLESPACE elsewhere AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        barman.environment = self.bucket.environment
        barman.server("main", basebackups_directory=self.bucket.url, **options)
        return cluster, barman

    def back_up(self, barman, *more):
        barman.ok("backup", "--wait", "--immediate-checkpoint", *more, "main", timeout=300)
        return barman.backup_ids("main")[-1]

    def objects(self, backup):
        return self.bucket.keys(f"main/base/{backup}/")

    def unpacked(self, cluster, backup, keyring=None):
        """The tree that tar makes of the archives of a backup."""
        tree = os.path.join(self.scratch.path, f"tree-{backup}")
        for stem in ("data", *{name.split(".")[0].split("_")[0] for name in self.objects(backup) if name[0].isdigit()}):
            target = tree if stem == "data" else f"{tree}-{stem}"
            cluster.program(["mkdir", "-m", "700", target])
            for name in self.series(backup, stem):
                self.extract(name, self.bucket.get(f"main/base/{backup}/{name}"), target, keyring)
            if stem != "data":
                cluster.program(["ln", "-s", target, f"{tree}/pg_tblspc/{stem}"])
        return tree

    def series(self, backup, stem):
        found = {int(match[1] or 0): name for name in self.objects(backup) if (match := re.match(rf"{stem}(?:_(\d{{4}}))?\.tar", name))}
        self.assertEqual(sorted(found), list(range(len(found))), found)
        return [found[number] for number in sorted(found)]

    def extract(self, name, text, target, keyring):
        suffix = re.search(r"\.tar(\.\w+?)??(\.gpg)?$", name)
        for command, more in [*([keyring.decrypting()] if suffix[2] else []), (READERS[suffix[1] or ""], {})]:
            text = subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, **more).stdout
        self.assertEqual(len(text) % 10240, 0)
        subprocess.run(["tar", "-x", "-p", "-C", target], input=text, check=True, **place.as_account())

    def assert_whole(self, cluster, barman, backup, extension="", keyring=None, incremental=False):
        """Of a finished backup: record, layout, sizes and contents."""
        names = self.objects(backup)
        info = barman.backup_info("main", backup)
        oid = re.search(r"\('elsewhere', (\d+),", info["tablespaces"])[1]
        self.assertEqual({name for name in names if "_00" not in name},
                         {"backup.info", "backup_manifest", f"data.tar{extension}", f"{oid}.tar{extension}"})
        self.assertEqual(info["status"], "DONE")
        self.assertEqual(info["mode"], "postgres")
        archives = [name for name in names if ".tar" in name]
        self.assertEqual(int(info["size"]), sum(len(self.bucket.get(f"main/base/{backup}/{name}")) for name in archives))
        self.assertEqual(info["deduplicated_size"], info["size"])
        self.assertIn("'serialized_copy_time_per_item': {'" + oid, info["copy_stats"])
        with open(barman.directory("main", "meta", f"{backup}-backup.info"), "rb") as file:
            self.assertEqual(self.bucket.get(f"main/base/{backup}/backup.info"), file.read())
        tree = self.unpacked(cluster, backup, keyring)
        with open(f"{tree}/backup_manifest", "rb") as member, open(barman.directory("main", "meta", f"{backup}-backup_manifest"), "rb") as local:
            manifest = member.read()
            self.assertEqual(manifest, local.read())
        self.assertEqual(manifest, self.bucket.get(f"main/base/{backup}/backup_manifest"))
        self.assertFalse(os.path.lexists(f"{tree}/tablespace_map"))
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", tree])
        for kept in ("base", "wals"):
            if kept == "base":
                self.assertFalse(os.path.lexists(barman.directory("main").rstrip("/") + "/base"))
        return tree

    def forget_tree(self, tree):
        for path in [tree, *[os.path.realpath(f"{tree}/pg_tblspc/{oid}") for oid in os.listdir(f"{tree}/pg_tblspc")]]:
            shutil.rmtree(path)


class Full(IntoABucket):
    @on_versions(15, 17, 18)
    def test_uncompressed(self, version):
        cluster, barman = self.scene(version)
        done = barman.ok("backup", "--wait", "--immediate-checkpoint", "main", timeout=300)
        backup = barman.backup_ids("main")[-1]
        self.assertIn(f"Starting backup using postgres method for server main in some/path/main/base/{backup}\n", done.out)
        self.assertIn(f"Starting backup copy via pg_basebackup for {backup} to the cloud storage aws-s3: {self.bucket.url}\n", done.out)
        self.assertRegex(done.out, r"Copy done \(time: .*\)\nFinalising the backup\.\n")
        self.assertRegex(done.out, r"Backup size: [0-9.]+ MiB\nBackup end at LSN: ")
        self.assert_whole(cluster, barman, backup)
        self.assert_clean(barman)


if __name__ == "__main__":
    harness.main()
