#!/usr/bin/env python3
"""Restoring from a bucket: whoever wrote the backup, whatever the bucket says, and when it makes trouble."""

import io
import json
import os
import tarfile
import threading

import bucket
import harness
import place
from gnupg import Keyring
from harness import on_versions, wait_until
from restoring import Restores, read, write

BACKUP = "20261122T120000"


class FromABucket(Restores):
    fake = False

    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket(fake=self.fake).create()
        self.addCleanup(self.bucket.close)

    def host(self, name="elsewhere", **options):
        """A host that has nothing but the configuration and the credentials."""
        barman = self.barman(name).server("main", active="false", basebackups_directory=self.bucket.url, **options)
        barman.environment = dict(self.bucket.environment)
        return barman

    def path(self, name="restored"):
        return os.path.join(self.scratch.path, name)

    def scene(self, version=17, **options):
        """A streaming server with a tablespace, whose base backups go into the bucket, and rows in both places."""
        cluster, barman = self.streaming(version, settings={"summarize_wal": "on"})
        barman.environment = self.bucket.environment
        barman.server("main", basebackups_directory=self.bucket.url, **options)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); INSERT INTO steps VALUES (1); "
                    "CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there'); "
                    "CREATE TABLE wide AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        return cluster, barman

    def next_step(self, cluster, step):
        cluster.sql(f"INSERT INTO steps VALUES ({step}); UPDATE wide SET t = 'x{step}' WHERE n % 997 = {step}")

    def assert_comes_back(self, cluster, barman, backup, *options, name="restored", manifest=True):
        """Whole, and with all that was committed; returns the directory."""
        destination, moved = self.place(name)
        barman.ok("restore", *options, *moved, "main", backup, destination)
        self.assertEqual([one for one in os.listdir(destination) if one in ("tablespace_map", ".barman-restore-incomplete")], [])
        if manifest:
            cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
        self.assertEqual(os.path.exists(f"{destination}/backup_manifest"), manifest)
        server = self.restored(cluster.version, destination, name=name)
        self.assertEqual(self.steps(server), [int(line) for line in cluster.sql("SELECT step FROM steps ORDER BY 1").split()])
        self.assertEqual(server.sql("SELECT t FROM afar"), "there")
        self.assertEqual(server.sql("SELECT count(*), sum(length(t)) FROM wide"), cluster.sql("SELECT count(*), sum(length(t)) FROM wide"))
        server.amcheck()
        server.stop()
        return destination


class OfOurs(FromABucket):
    @on_versions(17, 18)
    def test_a_chain_of_every_form_comes_back(self, version):
        cluster, barman = self.scene(version)
        keyring = Keyring(self.scratch)
        barman.server("main", encryption_passphrase_command="echo none")
        encrypted = {"encryption": "gpg", "encryption_key_id": keyring.make("open")}
        forms = ({"backup_compression": "zstd", **encrypted}, {"backup_compression": "gzip"},
                 {"backup_compression": "none", "cloud_upload_max_archive_size": "1Mi", **encrypted})
        parent = []
        for step, form in enumerate(forms, 2):
            barman.server("main", backup_compression_format="tar", **form)
            barman.ok("backup", "--wait", "--immediate-checkpoint", *parent, "main", timeout=300)
            barman.server("main", encryption=None, encryption_key_id=None)
            self.next_step(cluster, step)
            parent = ["--incremental", "last"]
        self.archive(barman, "main", until=cluster.switch_wal())
        restored = self.assert_comes_back(cluster, barman, "last")
        self.assert_a_delta_restore_mends(cluster, barman, restored)
        verified = barman.ok("verify-backup", "main", "last")
        self.assertRegex(verified.out, "backup successfully verified")

        backup = barman.backup_ids("main")[-1]
        listed = barman.ok("list-files", "--target", "data", "main", backup).out.split()
        self.assertEqual(listed, ["some/path/" + key for key in self.bucket.keys() if key.startswith(f"main/base/{backup}/")])
        self.assertTrue(any("/data_0001.tar.gpg" in key for key in listed), listed)
        self.assert_comes_on_another_host(cluster, backup)

    def assert_a_delta_restore_mends(self, cluster, barman, restored):
        """The server ran on it, so that nothing of it is as it was."""
        write(f"{restored}/base/1/99999", "a relation that the backup lacks")
        write(f"{restored}/postmaster.pid", "4194999\n")  # above the highest process id there is
        _, moved = self.place()
        barman.ok("restore", "--delta-restore", "--get-wal", *moved, "main", "last", restored)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", restored])
        for stale in ("base/1/99999", "postmaster.pid", "recovery.done"):
            self.assertFalse(os.path.exists(f"{restored}/{stale}"), stale)
        self.assertEqual(os.listdir(f"{restored}/pg_wal"), ["archive_status"])

    def assert_comes_on_another_host(self, cluster, backup):
        """Neither records nor manifests are there."""
        other = self.host(encryption_passphrase_command="echo none")
        destination, moved = self.place("on-another-host")
        other.ok("restore", "--get-wal", *moved, "main", backup, destination)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
        other.ok("verify-backup", "main", backup)


class OnAnEmptyHost(FromABucket):
    """Base backups and WAL are in the bucket, put there by the programs that know no server."""

    def cloud(self, name, *arguments, program=bucket.ours):
        options = {"user": place.ACCOUNT.pw_uid, "group": place.ACCOUNT.pw_gid, "extra_groups": []} if harness.AM_ROOT else {}
        done = bucket.run(program(self.scratch, name), *arguments, environment={**self.bucket.environment, "HOME": self.scratch.path},
                          cwd="/", **options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def archiving(self, version):
        words = " ".join(f"{name}={value}" for name, value in self.bucket.environment.items())
        program = bucket.ours(self.scratch, "barman-cloud-wal-archive")
        cluster = self.cluster(version, settings={"archive_mode": "on", "archive_command": f"{words} {program} --zstd {self.bucket.url} main %p"})
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); INSERT INTO steps VALUES (1); "
                    "CREATE TABLE afar (t text) TABLESPACE elsewhere; INSERT INTO afar VALUES ('there'); "
                    "CREATE TABLE wide AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n")
        return cluster

    def back_up(self, cluster, *options):
        self.cloud("barman-cloud-backup", *options, "--immediate-checkpoint", "-h", cluster.sockets, "-p", cluster.port, "-U", "barman",
                   self.bucket.url, "main")

    def archived(self, cluster):
        wal = cluster.switch_wal()
        wait_until(lambda: any(wal in key for key in self.bucket.keys("main/wals/")), f"{wal} is archived")

    @on_versions(15, 18)
    def test_it_comes_back_with_its_wal(self, version):
        cluster = self.archiving(version)
        self.back_up(cluster, "--gzip")
        self.next_step(cluster, 2)
        cluster.sql("SELECT pg_create_restore_point('here')")
        self.next_step(cluster, 3)
        self.archived(cluster)
        barman = self.host(wals_directory=self.bucket.url)
        backup = self.bucket.keys("main/base/")[0].split("/")[0]
        self.assert_comes_back(cluster, barman, backup, "--no-get-wal", manifest=False)
        listed = barman.ok("list-files", "--target", "full", "main", backup).out.split()
        self.assertEqual([key for key in listed if "/base/" in key], ["some/path/main/base/" + key for key in self.bucket.keys("main/base/")])
        self.assertTrue(all(key.endswith(".zst") for key in listed if "/wals/" in key), listed)

        # What arrives later is seen, though no index here is told.
        self.next_step(cluster, 4)
        self.archived(cluster)
        self.assert_comes_back(cluster, barman, backup, "--no-get-wal", name="later", manifest=False)

        destination, moved = self.place("target")
        barman.ok("restore", "--no-get-wal", "--target-name", "here", "--target-action", "promote", *moved, "main", backup, destination)
        server = self.restored(version, destination, name="target")
        self.assertEqual(self.steps(server), [1, 2])
        server.stop()

        destination, moved = self.place("fetching")
        barman.ok("restore", "--target-name", "here", "--target-action", "promote", *moved, "main", backup, destination)
        command = f"barman -c {barman.config} cloud-wal-restore main %f %p"
        settings = read(f"{destination}/postgresql.auto.conf")
        self.assertIn(f"restore_command = '{command} || exit $(( $? == 1 ? 1 : 255 ))'\n", settings)
        words = " ".join(f"{name}={value}" for name, value in self.bucket.environment.items())
        write(f"{destination}/postgresql.auto.conf", settings.replace(command, f"{words} {barman.program}{command[len('barman'):]}"))
        server = self.restored(version, destination, name="fetching")
        self.assertEqual(self.steps(server), [1, 2])
        server.stop()


class OfTheOriginal(FromABucket):
    def original(self, barman, *arguments):
        done = barman.original(*arguments)
        if "No module named 'boto" in done.err:
            raise harness.Missing("the original Barman has no boto3")
        self.assertEqual(done.code, 0, str(done))

    def test_streamed_and_local_backups_come_back(self):
        cluster, barman = self.scene()
        self.original(barman, "backup", "--immediate-checkpoint", "main")
        self.next_step(cluster, 2)
        self.original(barman, "backup", "--immediate-checkpoint", "--incremental", "last", "main")
        self.next_step(cluster, 3)
        barman.server("main", backup_method="local-to-cloud")
        self.original(barman, "backup", "--immediate-checkpoint", "main")
        self.next_step(cluster, 4)
        self.archive(barman, "main", until=cluster.switch_wal())
        full, incremental, local = barman.backup_ids("main")
        self.assert_comes_back(cluster, barman, incremental, name="incremental")
        restored = self.assert_comes_back(cluster, barman, local, name="local", manifest=False)
        self.assertIn("without a manifest", barman.run("verify-backup", "main", local).err)
        barman.ok("generate-manifest", "main", local)
        barman.ok("verify-backup", "main", local)

        write(f"{restored}/base/1/99999", "a relation that the backup lacks")
        _, moved = self.place("local")
        barman.ok("restore", "--delta-restore", "--get-wal", *moved, "main", local, restored)
        self.assertFalse(os.path.exists(f"{restored}/base/1/99999"))
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", restored])
        other = self.host()
        for backup, name in ((full, "full-elsewhere"), (incremental, "incremental-elsewhere")):
            destination, moved = self.place(name)
            other.ok("restore", "--get-wal", *moved, "main", backup, destination)
            cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
            other.ok("verify-backup", "main", backup)


def tar(*members):
    """An archive as Python writes it; a member is (name, bytes), (name + "/", None), or a TarInfo."""
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.mtime = 1795000000.25
            if member[1] is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o700
            else:
                info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1] or b""))
    return text.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


class SmallBackup(FromABucket):
    """A backup made by hand, which no server need understand."""

    fake = True
    CONTENT = bytes(range(256)) * 73728  # more than two of the ranges in which an object is fetched

    def members(self):
        return [("./", None), ("./PG_VERSION", b"17\n"), ("base/", None), ("base/1/", None), ("base/1/259", self.CONTENT),
                ("global/", None), ("global/pg_control", b"control" * 100), ("backup_label", b"START WAL LOCATION: 0/2000028\n")]

    def upload(self, *members, record=None):
        fields = {"begin_time": "2026-11-22 12:00:00.000000+00:00", "begin_wal": "000000010000000000000002", "begin_xlog": "0/2000028",
                  "cluster_size": str(len(self.CONTENT)), "end_time": "2026-11-22 12:00:05.000000+00:00",
                  "end_wal": "000000010000000000000002", "end_xlog": "0/2000100", "mode": "None", "server_name": "cloud",
                  "status": "DONE", "systemid": "7713979624783674897", "timeline": "1", "version": "170012",
                  "xlog_segment_size": "16777216", **(record or {})}
        self.bucket.put(f"main/base/{BACKUP}/backup.info", "".join(f"{key}={value}\n" for key, value in sorted(fields.items())).encode())
        self.bucket.put(f"main/base/{BACKUP}/data.tar", tar(*(members or self.members())))

    def restore(self, barman, name="restored", **more):
        to = self.path(name)
        return to, barman.run("restore", "--get-wal", "main", BACKUP, to, **more)

    def assert_restored(self, to, result):
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(read_bytes(f"{to}/base/1/259"), self.CONTENT)
        self.assertTrue(os.path.exists(f"{to}/global/pg_control"))

    def assert_unusable(self, to, result, says):
        self.assert_fails(result, says=says)
        self.assertFalse(os.path.exists(f"{to}/global/pg_control"), "PostgreSQL could be started on it")


class Trouble(SmallBackup):
    def test_an_error_at_any_request_is_overcome(self):
        self.upload()
        barman = self.host()
        store = self.bucket.store
        to, result = self.restore(barman, "calm")
        first = len(store.requests)
        self.restore(barman, "counted")
        count = len(store.requests) - first
        self.assertGreaterEqual(count, 3)
        for wanted in range(1, count + 1):
            trouble = ((503, "busy"), "drop", "cut")[wanted % 3]
            with self.subTest(trouble=trouble, request=wanted):
                first = len(store.requests)
                store.trouble = lambda number, *_: trouble if number == first + wanted else None
                to, result = self.restore(barman, f"restored{wanted}")
                self.assert_restored(to, result)

    def test_trouble_without_end_is_told_and_leaves_nothing_that_starts(self):
        self.upload()
        barman = self.host()
        barman.environment["AWS_MAX_ATTEMPTS"] = "2"
        self.bucket.store.trouble = lambda number, method, path, query: (500, "no") if path.endswith("data.tar") and method == "GET" else None
        self.assert_unusable(*self.restore(barman), says="data.tar.*500")

    def test_a_connection_that_breaks_again_and_again_is_taken_up_where_it_broke(self):
        self.upload()
        store = self.bucket.store
        store.trouble = lambda number, method, path, query: "cut" if path.endswith("data.tar") and number % 2 else None
        self.assert_restored(*self.restore(self.host()))

    def test_an_object_that_is_replaced_meanwhile_is_noticed(self):
        self.upload()
        store = self.bucket.store

        def replace(number, method, path, query):
            if not path.endswith("data.tar") or method != "GET" or store.trouble.done:
                return None
            store.trouble.done = True
            data = store.buckets[self.bucket.name]
            key = path.partition("/")[2]
            threading.Timer(0, lambda: data.__setitem__(key, data[key][:-10240] + b"\0" * 10240 + data[key][-10240:])).start()
            return "cut"
        replace.done = False
        store.trouble = replace
        self.assert_unusable(*self.restore(self.host()), says="data.tar.*replaced")

    def test_a_slow_server_is_waited_for(self):
        self.upload()
        self.bucket.store.trouble = lambda number, method, path, query: "slow" if path.endswith("data.tar") else None
        self.assert_restored(*self.restore(self.host()))

    def test_credentials_that_expire_half_way_are_asked_for_anew(self):
        self.upload()
        store = self.bucket.store
        answer = self.path("credentials.json")

        def issue(key):
            store.key = key
            write(answer, json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": store.secret,
                                      "SessionToken": "token", "Expiration": "2099-01-01T00:00:00Z"}))
        issue("early")
        config = write(self.path("aws-config"), f"[default]\ncredential_process = cat {answer}\n")
        barman = self.host()
        barman.environment = {"AWS_ENDPOINT_URL": store.endpoint, "AWS_CONFIG_FILE": config}

        def expire(number, method, path, query):
            if path.endswith("data.tar") and method == "GET" and not store.cut:
                store.cut = True
                return "cut"
            if store.cut and store.key == "early":
                issue("late")
            if store.key == "late" and any("Credential=early/" in value for value in store.requests[-1][3].values()):
                return 400, "<Error><Code>ExpiredToken</Code></Error>"
            return None
        store.cut, store.trouble = False, expire
        self.assert_restored(*self.restore(barman))
        self.assertEqual(store.key, "late")

    def test_nothing_is_written_to_the_bucket(self):
        self.upload()
        before = len(self.bucket.store.requests)
        self.assert_restored(*self.restore(self.host()))
        self.assertEqual({method for method, *_ in self.bucket.store.requests[before:]}, {"GET", "HEAD"})

    def test_what_is_missing_or_short_is_named(self):
        self.upload()
        barman = self.host()
        objects = self.bucket.store.buckets[self.bucket.name]
        key = f"some/path/main/base/{BACKUP}/data.tar"
        whole = objects[key]
        for size in (0, 100, 1536, len(whole) // 2, len(whole) - 20480):
            with self.subTest(size=size):
                objects[key] = whole[:size]
                self.assert_unusable(*self.restore(barman), says="data.tar")
        objects[key] = tar(*self.members()[:-1])
        self.assert_unusable(*self.restore(barman), says="backup_label of backup .* is missing")
        objects[key.replace("data", "data_0002")] = whole
        self.assert_unusable(*self.restore(barman), says="data_0001.tar.* is missing in the bucket")
        del objects[key]  # a deletion begins so
        self.assert_unusable(*self.restore(barman), says="status is not DONE")


class HostileArchives(SmallBackup):
    def test_nothing_outside_the_destination_is_written(self):
        outside = write(self.path("outside"), "as it was")
        barman = self.host()
        for members, says in {
                "parent": ([("../outside", b"evil")], "unsafe name"),
                "absolute": ([(outside, b"evil")], "unsafe name"),
                "through": ([("base/1/../../../outside", b"evil")], "unsafe name"),
                "device": ([special("dev", tarfile.CHRTYPE)], "of a kind that does not belong here"),
                "hard link": ([special("base/link", tarfile.LNKTYPE, outside)], "of a kind that does not belong here"),
                "pipe": ([special("base/pipe", tarfile.FIFOTYPE)], "of a kind that does not belong here"),
                "file as folder": ([("base/1", b"a file"), ("base/1/259", b"below it")], "base/1"),
        }.values():
            with self.subTest(says=says, members=members):
                self.upload(*self.members()[:2], *members, *self.members()[2:])
                self.assert_unusable(*self.restore(barman), says=says)
                self.assertEqual(read(outside), "as it was")

    def test_a_link_is_not_followed(self):
        outside = write(self.path("outside"), "as it was")
        self.upload(special("base/1/259", tarfile.SYMTYPE, outside), special("base/2", tarfile.SYMTYPE, self.scratch.path),
                    ("base/2/outside", b"evil"), *self.members())
        self.assert_restored(*self.restore(self.host()))
        self.assertEqual(read(outside), "as it was")
        self.assertFalse(os.path.islink(self.path("restored/base/2")))

    def test_a_record_cannot_name_a_place_outside_either(self):
        outside = self.path("outside")
        self.upload(record={"tablespaces": f"[('ts', 16384, '{outside}')]"})
        self.bucket.put(f"main/base/{BACKUP}/16384.tar", tar(("PG_17_202406281/5/1", b"x")))
        barman = self.host()
        to = self.path()
        result = barman.run("restore", "--get-wal", "--tablespace", f"ts:{to}-ts", "main", BACKUP, to)
        self.assert_restored(to, result)
        self.assertFalse(os.path.exists(outside))
        self.assertEqual(os.readlink(f"{to}/pg_tblspc/16384"), f"{to}-ts")


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    harness.main()
