#!/usr/bin/env python3
"""barman-cloud-backup, -list, -show, -keep, -delete and -restore: against a bucket, and beside the original's."""

import json
import os
import subprocess

import bucket
import harness
import place
from harness import EndToEnd, on_versions, wait_until


class BackupsInABucket(EndToEnd):
    fake = False

    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket(fake=self.fake)
        self.addCleanup(self.bucket.close)
        done = self.ours("check-wal-archive", self.bucket.url, "main")
        self.assertEqual(done.returncode, 0, done.stderr)

    def as_user(self, program, *arguments, **variables):
        options = {"user": place.ACCOUNT.pw_uid, "group": place.ACCOUNT.pw_gid, "extra_groups": []} if harness.AM_ROOT else {}
        return bucket.run(program, *arguments, environment={**self.bucket.environment, "HOME": self.scratch.path, **variables}, cwd="/", **options)

    def ours(self, name, *arguments, **variables):
        return self.as_user(bucket.ours(self.scratch, "barman-cloud-" + name), *arguments, **variables)

    def theirs(self, name, *arguments):
        return self.as_user(bucket.original("barman-cloud-" + name), *arguments)

    def done(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def archiving(self, version=15, **options):
        """A server that archives into the bucket."""
        program = bucket.ours(self.scratch, "barman-cloud-wal-archive")
        words = " ".join(f"{name}={value}" for name, value in self.bucket.environment.items())
        return self.cluster(version, settings={
            "archive_mode": "on", "archive_command": f"{words} {program} --lz4 {self.bucket.url} main %p"}, **options)

    def server_options(self, cluster):
        return ["--immediate-checkpoint", "-h", cluster.sockets, "-p", cluster.port, "-U", "barman"]

    def backup(self, cluster, *options, program=None):
        result = (program or self.ours)("backup", *options, *self.server_options(cluster), self.bucket.url, "main")
        self.assertEqual(result.returncode, 0, result.stderr)

    def listed(self):
        return json.loads(self.done(self.ours("backup-list", "--format", "json", self.bucket.url, "main")))["backups_list"]

    def started(self, version, data):
        """A server over restored data, that fetches its WAL from the bucket."""
        program = bucket.ours(self.scratch, "barman-cloud-wal-restore")
        words = " ".join(f"{name}={value}" for name, value in self.bucket.environment.items())
        with open(os.path.join(data, "postgresql.auto.conf"), "a", encoding="utf-8") as file:
            file.write(f"\nrestore_command = '{words} {program} {self.bucket.url} main %f %p'\narchive_mode = off\n")
        open(os.path.join(data, "recovery.signal"), "w", encoding="utf-8").close()
        if harness.AM_ROOT:
            subprocess.run(["chown", "-R", place.ACCOUNT.pw_name, data], check=True)
        server = self.restored(version, data)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        return server


class Programs(BackupsInABucket):
    @on_versions(15, 17, 18)
    def test_a_backup_comes_back_with_what_was_written_after_it(self, version):
        cluster = self.archiving(version)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE before AS SELECT generate_series(1, 50000) i")
        cluster.sql("CREATE TABLE far TABLESPACE elsewhere AS SELECT generate_series(1, 50000) i")
        for option in ([], ["--gzip"], ["--zstd", "-S", "1MB"]):
            with self.subTest(option=option):
                self.backup(cluster, *option)
                cluster.sql("INSERT INTO before SELECT 1")
                cluster.switch_wal()
                target = os.path.join(self.scratch.path, "restored" + "".join(option[:1]))
                wait_until(lambda: cluster.sql("SELECT last_archived_wal = pg_walfile_name(pg_current_wal_lsn() - 1) "
                                               "OR pg_walfile_name(pg_current_wal_lsn()) > last_archived_wal FROM pg_stat_archiver") == "t", "WAL is archived")
                self.done(self.ours("restore", "--tablespace", f"elsewhere:{target}-ts", self.bucket.url, "main", "latest", target))
                server = self.started(version, target)
                self.assertEqual(server.sql("SELECT count(*) FROM before"), cluster.sql("SELECT count(*) FROM before"))
                self.assertEqual(server.sql("SELECT count(*) FROM far"), "50000")
                server.stop()

    def test_the_original_restores_what_we_wrote_and_lists_it_as_we_do(self):
        cluster = self.archiving()
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE far TABLESPACE elsewhere AS SELECT generate_series(1, 50000) i")
        for option in ([], ["--gzip"], ["--bzip2"], ["--snappy"], ["--zstd"], ["--lz4"]):
            with self.subTest(option=option):
                self.backup(cluster, *option, "-n", "one" + "".join(option))
                target = os.path.join(self.scratch.path, "restored" + "".join(option))
                result = self.theirs("restore", "--tablespace", f"elsewhere:{target}-ts", self.bucket.url, "main", "latest", target)
                if "Missing required python module" in result.stderr:
                    continue
                self.done(result)
                server = self.started(15, target)
                self.assertEqual(server.sql("SELECT count(*) FROM far"), "50000")
                server.stop()
        self.assertEqual(self.done(self.ours("backup-list", self.bucket.url, "main")),
                         self.done(self.theirs("backup-list", self.bucket.url, "main")))
        self.assertEqual(self.done(self.ours("backup-show", self.bucket.url, "main", "last")),
                         self.done(self.theirs("backup-show", self.bucket.url, "main", "last")))
        self.assertEqual(self.listed(), json.loads(self.done(self.theirs("backup-list", "--format", "json", self.bucket.url, "main")))["backups_list"])

    def test_we_restore_what_the_original_wrote_and_list_it_as_it_does(self):
        cluster = self.archiving()
        cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 50000) i")
        for option in ([], ["--gzip"], ["--snappy"], ["--zstd"], ["--lz4"]):
            with self.subTest(option=option):
                result = self.theirs("backup", *option, *self.server_options(cluster), self.bucket.url, "main")
                if "Missing required python module" in result.stderr:
                    continue
                self.done(result)
                target = os.path.join(self.scratch.path, "restored" + "".join(option))
                self.done(self.ours("restore", self.bucket.url, "main", "latest", target))
                server = self.started(15, target)
                self.assertEqual(server.sql("SELECT count(*) FROM t"), "50000")
                server.stop()
        for arguments in (["backup-list"], ["backup-show"], ["backup-list", "--format", "json"], ["backup-show", "--format", "json"]):
            which = ["latest"] if arguments[0] == "backup-show" else []
            ours = self.done(self.ours(*arguments, self.bucket.url, "main", *which))
            theirs = self.done(self.theirs(*arguments, self.bucket.url, "main", *which))
            if "json" in arguments:
                ours, theirs = json.loads(ours), json.loads(theirs)
            self.assertEqual(ours, theirs)

    def test_kept_backups_stay_and_obsolete_ones_go_with_their_wal(self):
        cluster = self.archiving()
        for name in ("one", "two", "three"):
            self.backup(cluster, "-n", name)
            cluster.sql("CREATE TABLE t_" + name + " AS SELECT 1")
            cluster.switch_wal()
        self.done(self.ours("backup-keep", "--target", "full", self.bucket.url, "main", "two"))
        self.assertEqual(self.done(self.ours("backup-keep", "-s", self.bucket.url, "main", "two")), "Keep: full\n")
        refused = self.ours("backup-delete", "-b", "two", self.bucket.url, "main")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("keep request", refused.stderr)
        for arguments in (["-b", "one"], ["-b", "three"], ["-r", "REDUNDANCY 1"], ["-r", "RECOVERY WINDOW OF 1 DAYS"], ["-b", "one", "-m", "3"]):
            ours = self.ours("backup-delete", "--dry-run", *arguments, self.bucket.url, "main")
            theirs = self.theirs("backup-delete", "--dry-run", *arguments, self.bucket.url, "main")
            self.assertEqual(ours.returncode, theirs.returncode, ours.stderr)
            self.assertEqual(sorted(ours.stdout), sorted(theirs.stdout), arguments)
        self.done(self.ours("backup-delete", "-r", "REDUNDANCY 1", self.bucket.url, "main"))
        self.assertEqual([one["backup_name"] for one in self.listed()], ["two", "three"])
        self.done(self.ours("backup-keep", "-r", self.bucket.url, "main", "two"))
        self.done(self.ours("backup-delete", "-b", "two", self.bucket.url, "main"))
        self.assertEqual([one["backup_name"] for one in self.listed()], ["three"])
        target = os.path.join(self.scratch.path, "restored")
        self.done(self.ours("restore", self.bucket.url, "main", "three", target))
        self.assertEqual(self.started(15, target).sql("SELECT count(*) FROM t_three"), "1")

    def test_exit_statuses(self):
        cluster = self.cluster()
        url, away = self.bucket.url, "http://127.0.0.1:1"
        full = self.scratch.folder("full")
        with open(os.path.join(full, "x"), "w", encoding="utf-8"):
            pass
        expected = [
            (["backup-list", url, "main"], 0),
            (["backup-list", "s3://absent-bucket/x", "main"], 1),
            (["backup-list", "--endpoint-url", away, url, "main"], 2),
            (["backup-list", url], 3),
            (["backup-show", url, "main", "20200101T000000"], 1),
            (["backup-show", url, "main", "nosuch"], 4),
            (["backup-keep", url, "main", "20200101T000000"], 3),
            (["backup-keep", "-s", url, "main", "20200101T000000"], 0),
            (["backup-keep", "--target", "full", url, "main", "20200101T000000"], 1),
            (["backup-delete", url, "main"], 3),
            (["backup-delete", "-m", "-1", "-b", "x", url, "main"], 3),
            (["backup-delete", "-r", "nonsense", url, "main"], 3),
            (["backup-delete", "-b", "20200101T000000", url, "main"], 0),
            (["backup-delete", "-b", "nosuch", url, "main"], 4),
            (["restore", url, "main", "20200101T000000", full + "/new"], 1),
            (["restore", "--tablespace", "bad", url, "main", "last", full + "/new"], 3),
            (["restore", url, "main", "auto", full + "/new"], 1),
            (["backup", "-h", "/nowhere", url, "main"], 1),
            (["backup", "--snapshot-instance", "x", url, "main"], 4),
            (["backup", "--tag", "a,b", "--tag", "a,c", url, "main"], 4),
            (["backup", "-S", "5M", url, "main"], 3),
            (["backup", *self.server_options(cluster), "s3://absent-bucket/x", "main"], 1),
        ]
        for (name, *arguments), code in expected:
            with self.subTest(program=name, arguments=arguments):
                result = self.ours(name, *map(str, arguments), AWS_MAX_ATTEMPTS="1")
                self.assertEqual(result.returncode, code, result.stderr)
        self.backup_into_a_full_folder(cluster, full)

    def backup_into_a_full_folder(self, cluster, full):
        self.done(self.ours("backup", *map(str, self.server_options(cluster)), self.bucket.url, "main"))
        refused = self.ours("restore", self.bucket.url, "main", "last", full)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"Destination {full} already exists and it is not empty", refused.stderr)


class Tablespaces(BackupsInABucket):
    def test_one_below_the_data_directory_and_one_in_place_come_back(self):
        cluster = self.archiving()
        inside = os.path.join(cluster.data, "inside")
        os.makedirs(inside, mode=0o700)
        place.give(inside)
        cluster.sql(f"CREATE TABLESPACE inside LOCATION '{inside}'")
        cluster.configure(allow_in_place_tablespaces="on")  # of the restored server, too
        cluster.restart()
        cluster.sql("CREATE TABLESPACE here LOCATION ''")
        for name in ("inside", "here"):
            cluster.sql(f"CREATE TABLE in_{name} TABLESPACE {name} AS SELECT generate_series(1, 5000) i")
        self.backup(cluster)
        target = os.path.join(self.scratch.path, "restored")
        self.done(self.ours("restore", "--tablespace", f"inside:{target}-inside", self.bucket.url, "main", "latest", target))
        server = self.started(15, target)
        for name in ("inside", "here"):
            self.assertEqual(server.sql(f"SELECT count(*) FROM in_{name}"), "5000")


class Pages(BackupsInABucket):
    """Page checksums, which a backup verifies while it reads."""

    def relation(self, cluster, table):
        return os.path.join(cluster.data, cluster.sql(f"SELECT pg_relation_filepath('{table}')"))

    def flip(self, path, position):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ 0x10]))

    def refused(self, cluster):
        result = self.ours("backup", *map(str, self.server_options(cluster)), self.bucket.url, "main")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(self.listed()[-1]["status"], "FAILED")
        self.assertEqual(cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'barman_cloud_backup'"), "0")
        return result.stderr

    @on_versions(15, 18)
    def test_damaged_pages_fail_the_backup_and_are_named(self, version):
        cluster = self.cluster(version)
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE t AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 5000) i")
        cluster.sql("CREATE TABLE far TABLESPACE elsewhere AS SELECT generate_series(1, 5000) i")
        cluster.sql("CHECKPOINT")
        damage = [(self.relation(cluster, "t"), 3), (self.relation(cluster, "t"), 33), (self.relation(cluster, "far"), 1)]
        for path, block in damage:
            self.flip(path, block * 8192 + 5000)
        said = self.refused(cluster)
        self.assertIn(f"{damage[0][0]} (blocks 3, 33)", said)
        self.assertIn(f"{os.path.realpath(damage[2][0])} (block 1)", said)
        cluster.stop()
        referee = cluster.program([f"{cluster.bin}/pg_checksums", "--check", "-D", cluster.data], check=False)
        self.assertIn("3", [line.split()[-1] for line in referee.stdout.splitlines() if line.startswith("Bad checksums")])
        for path, block in damage:
            self.flip(path, block * 8192 + 5000)
        cluster.start()
        self.backup(cluster)
        self.assertEqual(self.listed()[-1]["status"], "DONE")

    def test_a_cluster_without_checksums_has_no_damaged_pages(self):
        cluster = self.cluster(checksums=False)
        cluster.sql("CREATE TABLE t AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 5000) i")
        cluster.sql("CHECKPOINT")
        self.flip(self.relation(cluster, "t"), 3 * 8192 + 5000)
        self.backup(cluster)

    def test_pages_that_are_written_meanwhile_are_not_damaged(self):
        cluster = self.cluster(settings={"bgwriter_delay": "10ms", "bgwriter_lru_maxpages": "1000", "checkpoint_timeout": "30s"})
        cluster.pgbench_init(3)
        load = subprocess.Popen([f"{cluster.bin}/pgbench", "-h", cluster.sockets, "-p", str(cluster.port), "-U", "postgres",
                                 "-c", "4", "-T", "60", "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(load.wait)
        self.addCleanup(load.terminate)
        wait_until(lambda: cluster.sql("SELECT count(*) > 100 FROM pgbench_history") == "t", "there is load")
        for number in range(2):
            cluster.sql(f"CREATE DATABASE copy_{number} TEMPLATE template1 STRATEGY {('wal_log', 'file_copy')[number]}")
            self.backup(cluster)
            cluster.sql(f"DROP DATABASE copy_{number}")


class Trouble(BackupsInABucket):
    fake = True

    def test_an_upload_that_fails_at_any_request_leaves_no_good_backup(self):
        cluster = self.cluster()
        store = self.bucket.store
        store.requests.clear()
        self.backup(cluster)
        requests = len(store.requests)
        for number in range(1, requests + 1):
            store.requests.clear()
            store.buckets[self.bucket.name].clear()
            store.trouble = lambda n, method, *_, bad=number: (403, "<Error><Code>AccessDenied</Code></Error>") if n >= bad else None
            result = self.ours("backup", *map(str, self.server_options(cluster)), self.bucket.url, "main", AWS_MAX_ATTEMPTS="1")
            self.assertNotEqual(result.returncode, 0)
            store.trouble = None
            self.assertNotIn("DONE", [one["status"] for one in self.listed()], number)
            self.assertEqual(cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'barman_cloud_backup'"), "0")

    def test_an_id_that_another_host_takes_at_the_same_moment_is_left_to_it(self):
        """It puts its record there when ours has seen that there is none."""
        cluster = self.cluster()
        store, theirs = self.bucket.store, {}

        def put_theirs(_, method, path, *__):
            if method == "PUT" and path.endswith("/backup.info") and not theirs:
                theirs[path.split("/", 1)[1]] = b"theirs"
                store.buckets[self.bucket.name].update(theirs)

        store.trouble = put_theirs
        result = self.ours("backup", *map(str, self.server_options(cluster)), self.bucket.url, "main")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, "another host began backup .* in the same second; start this one again")
        self.assertEqual(store.buckets[self.bucket.name], theirs)
        self.backup(cluster)
        self.assertEqual({key: store.buckets[self.bucket.name][key] for key in theirs}, theirs)

    def test_what_a_killed_backup_leaves_goes_with_it(self):
        cluster = self.cluster()
        cluster.sql("CREATE TABLE t AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 30000) i")
        store = self.bucket.store
        arguments = [bucket.ours(self.scratch, "barman-cloud-backup"), "-S", "5MB", *map(str, self.server_options(cluster)), self.bucket.url, "main"]
        options = {"user": place.ACCOUNT.pw_uid, "group": place.ACCOUNT.pw_gid, "extra_groups": []} if harness.AM_ROOT else {}
        running = subprocess.Popen(arguments, env={"PATH": os.environ["PATH"], **self.bucket.environment}, cwd="/", **options)
        wait_until(lambda: any(store.uploads.values()), "a part is there")
        running.kill()
        running.wait()
        self.assertTrue(store.uploads)
        self.assertEqual([one["status"] for one in self.listed()], ["STARTED"])
        self.done(self.ours("backup-delete", "-b", self.listed()[0]["backup_id"], self.bucket.url, "main"))
        self.assertEqual((self.listed(), store.uploads), ([], {}))


if __name__ == "__main__":
    harness.main()
