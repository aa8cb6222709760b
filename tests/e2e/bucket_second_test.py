#!/usr/bin/env python3
"""Another S3 server than the one that the other tests meet: s3rver, which has neither conditions nor lists of unfinished uploads."""

import os
import shutil
import socket
import subprocess

import bucket
import harness
import place
from harness import EndToEnd, Missing, wait_until

PROGRAM = f"{place.PREFIX}/s3rver/node_modules/s3rver/bin/s3rver.js"


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class AnotherServer(EndToEnd):
    def setUp(self):
        super().setUp()
        if not shutil.which("node") or not os.path.exists(PROGRAM):
            raise Missing(f"no node or no {PROGRAM} (scripts/dependencies.sh s3, scripts/provision.sh s3rver)")
        port = place.Ports.take()
        process = subprocess.Popen(["node", PROGRAM, "-d", self.scratch.folder("s3rver"), "-a", "127.0.0.1", "-p", str(port), "--no-vhost-buckets", "-s"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **place.as_account())
        self.addCleanup(place.end_process, process)
        wait_until(lambda: is_open(port), "s3rver listens")
        self.bucket = bucket.Bucket(environment={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"})
        self.bucket.create()

    def test_a_server_keeps_all_it_has_there(self):
        cluster, barman = self.streaming(17, wal_segment_size=1)
        barman.environment = self.bucket.environment
        barman.server("main", basebackups_directory=self.bucket.url, wals_directory=self.bucket.url, compression="gzip", cloud_upload_max_archive_size="6Mi")
        self.assertIn("cloud storage configuration: OK", barman.run("check", "main").out)
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main", timeout=300)
        backup = barman.backup_ids("main")[-1]
        self.assertIn(f"some/path/main/base/{backup}/data_0001.tar", barman.ok("list-files", "main", backup).out)
        cluster.sql("CREATE TABLE later AS SELECT 1 AS n")
        barman.ok("switch-wal", "--archive", "--force", "main")

        elsewhere = self.barman("elsewhere")
        elsewhere.environment = self.bucket.environment
        elsewhere.server("main", active="false", basebackups_directory=self.bucket.url, wals_directory=self.bucket.url)
        self.assertIn(backup, elsewhere.ok("list-backups", "main").out)
        target = os.path.join(self.scratch.path, "restored")
        elsewhere.ok("restore", "--no-get-wal", "main", "latest", target, timeout=300)
        server = self.restored(17, target)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(server.sql("SELECT n FROM later"), "1")
        server.stop()

        wal = barman.backup_info("main", backup)["begin_wal"]
        fetched = os.path.join(self.scratch.path, "fetched")
        elsewhere.ok("cloud-wal-restore", "main", wal, fetched)
        self.assertEqual(os.path.getsize(fetched), 1 << 20)
        self.assertEqual(elsewhere.run("cloud-wal-restore", "main", "0000000100000000000000F0", fetched).code, 1)
        # Other WAL of that name is put aside, although the server does not know how to refuse it.
        other = os.path.join(self.scratch.folder("pg_wal"), wal)
        with open(fetched, "rb") as good, open(other, "wb") as changed:
            changed.write(good.read()[:-1] + b"!")
        place.give(other)
        barman.ok("cloud-wal-archive", "main", other)
        self.assertRegex(" ".join(os.listdir(barman.directory("main", "errors"))), f"{wal}.*duplicate")
        elsewhere.ok("cloud-wal-restore", "main", wal, other)
        with open(fetched, "rb") as good, open(other, "rb") as again:
            self.assertEqual(good.read(), again.read())
        elsewhere.ok("delete", "main", backup)
        self.assertEqual(self.bucket.keys("main/base/"), [])

    def test_wal_is_stored_once(self):
        name = "000000010000000000000001"
        path = os.path.join(self.scratch.path, name)

        def archive(text):
            with open(path, "wb") as file:
                file.write(text)
            return bucket.run(bucket.ours(self.scratch, "barman-cloud-wal-archive"), "--gzip", self.bucket.url, "main", path, environment=self.bucket.environment)

        self.assertEqual(archive(b"one").returncode, 0)
        self.assertEqual(self.bucket.keys("main/wals/"), [f"0000000100000000/{name}.gz"])
        done = bucket.run(bucket.ours(self.scratch, "barman-cloud-wal-restore"), self.bucket.url, "main", name, path, environment=self.bucket.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"one")


if __name__ == "__main__":
    harness.main()
