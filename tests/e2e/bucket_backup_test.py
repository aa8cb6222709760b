#!/usr/bin/env python3
"""barman backup into a bucket: the objects, taken out with plain requests, unpacked by tar and the tools of each format, are
what PostgreSQL's programs take."""

import os
import re
import shutil
import signal
import subprocess

import bucket
import harness
import place
from gnupg import Keyring
from harness import EndToEnd, on_versions, wait_until
from unpacking import FORMATS, READERS


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
            cluster.program(["mkdir", target])
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

    def assert_whole(self, cluster, barman, backup, extension="", keyring=None):
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
        self.assertFalse(os.path.lexists(barman.directory("main") + "/base"))
        return tree

    def encrypted(self, barman, **options):
        keyring = Keyring(self.scratch)
        barman.server("main", encryption="gpg", encryption_key_id=keyring.make("locked", Keyring.passphrase),
                      encryption_passphrase_command=f"echo '{Keyring.passphrase}'", **options)
        return keyring


    def assert_comes_back(self, cluster, tree):
        """A server starts from the tree, with WAL from the archive of this host."""
        with open(f"{tree}/postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.write("restore_command = 'cp " + self.scratch.path + "/barman/main/wals/$(echo %f | cut -c1-16)/%f %p'\narchive_mode = off\n")
        cluster.program(["touch", f"{tree}/recovery.signal"])
        server = self.restored(cluster.version, tree, name=os.path.basename(tree))
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        sums = "SELECT count(*), sum(hashtext(t)) FROM afar"
        self.assertEqual(server.sql(sums), cluster.sql(sums))
        server.stop()


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
        tree = self.assert_whole(cluster, barman, backup)
        self.assertEqual(barman.backup_info("main", backup)["compression"], "None")
        self.assert_comes_back(cluster, tree)
        self.assert_clean(barman)

    def test_archives_end_where_they_are_full(self):
        cluster, barman = self.scene(cloud_upload_max_archive_size="3Mi", parallel_jobs=3)
        for options, extension in (({}, ""), ({"backup_compression": "zstd"}, ".zst")):
            barman.server("main", **options)
            backup = self.back_up(barman)
            self.assert_whole(cluster, barman, backup, extension)
            series = self.series(backup, "data")
            sizes = [len(self.bucket.get(f"main/base/{backup}/{name}")) for name in series]
            if not extension:
                self.assertGreater(len(series), 3)
                self.assertGreater(min(sizes[:-1]), 3 << 20)
            self.assertIn("'number_of_workers': 3", barman.backup_info("main", backup)["copy_stats"])

    def test_every_compression_on_either_side(self):
        cluster, barman = self.scene()
        for location in ("client", "server"):
            for name in ("gzip", "lz4", "zstd") if location == "server" else ("none", "gzip", "lz4", "zstd", "bzip2", "xz"):
                with self.subTest(location=location, name=name):
                    barman.server("main", backup_compression=name, backup_compression_location=location)
                    backup = self.back_up(barman)
                    shutil.rmtree(self.assert_whole(cluster, barman, backup, FORMATS[name][0]))
                    self.assertEqual(barman.backup_info("main", backup)["compression"], {"none": "None"}.get(name, name))
        barman.server("main", backup_compression_format="plain", backup_compression="zstd")
        self.assert_whole(cluster, barman, self.back_up(barman), "")

    def test_encrypted(self):
        cluster, barman = self.scene()
        keyring = self.encrypted(barman)
        self.assert_whole(cluster, barman, self.back_up(barman), ".gpg", keyring)
        barman.server("main", backup_compression="zstd")
        backup = self.back_up(barman)
        self.assert_whole(cluster, barman, backup, ".zst.gpg", keyring)
        self.assertEqual(barman.backup_info("main", backup)["encryption"], "gpg")

    def test_options_for_staging_are_checked_and_not_needed(self):
        cluster, barman = self.scene()
        barman.ok("backup", "--cloud-staging-directory", "/nowhere/at/all", "--cloud-staging-max-size", "10Gi", "main")
        self.assertEqual(barman.log_tail(200).count("nothing is staged on the way into a bucket"), 1)
        for option, value in (("--cloud-staging-directory", "here"), ("--cloud-staging-max-size", "10g")):
            refused = barman.run("backup", option, value, "main")
            self.assertEqual(refused.code, 2, str(refused))
            self.assertIn(f"'{value}'", refused.err)


class Chains(IntoABucket):
    def changed(self, cluster, step):
        cluster.sql(f"UPDATE afar SET t = 'x{step}' WHERE n % 997 = {step}; CREATE TABLE step_{step} AS SELECT {step} n")

    @on_versions(17, 18)
    def test_a_chain_is_what_pg_combinebackup_takes(self, version):
        cluster, barman = self.scene(version, settings={"summarize_wal": "on"})
        ids = [self.back_up(barman)]
        trees = [self.assert_whole(cluster, barman, ids[0])]
        self.changed(cluster, 1)
        barman.server("main", backup_compression="zstd")
        ids.append(self.back_up(barman, "--incremental=latest"))
        trees.append(self.assert_whole(cluster, barman, ids[1], ".zst"))
        self.changed(cluster, 2)
        keyring = self.encrypted(barman)
        os.unlink(barman.directory("main", "meta", f"{ids[1]}-backup_manifest"))  # as on another host
        ids.append(self.back_up(barman, "--incremental=latest"))
        trees.append(self.assert_whole(cluster, barman, ids[2], ".zst.gpg", keyring))
        for parent, child in zip(ids, ids[1:]):
            self.assertEqual(barman.backup_info("main", child)["parent_backup_id"], parent)
            record = self.bucket.get(f"main/base/{parent}/backup.info").decode()
            self.assertIn(f"children_backup_ids={child}\n", record)
        combined = os.path.join(self.scratch.path, "combined")
        oid = os.listdir(f"{trees[0]}/pg_tblspc")[0]
        moves = [f"--tablespace-mapping={os.path.realpath(f'{tree}/pg_tblspc/{oid}')}={combined}-ts" for tree in trees[-1:]]
        cluster.program([f"{cluster.bin}/pg_combinebackup", *moves, *trees, "-o", combined])
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", combined])

    def test_a_parent_that_is_not_all_there_is_refused(self):
        cluster, barman = self.scene(17, settings={"summarize_wal": "on"}, cloud_upload_max_archive_size="3Mi")
        full = self.back_up(barman)
        first = self.bucket.get(f"main/base/{full}/data.tar")
        self.bucket.delete(f"main/base/{full}/data.tar")
        self.assert_fails(barman.run("backup", "--incremental=latest", "main"), says="data.tar.* is missing in the bucket.*take a full backup")
        self.bucket.put(f"main/base/{full}/data.tar", first)
        os.unlink(barman.directory("main", "meta", f"{full}-backup_manifest"))
        self.bucket.delete(f"main/base/{full}/backup_manifest")
        self.assertEqual(barman.backup_ids("main"), [full])
        self.back_up(barman, "--incremental=latest")  # the manifest in the archive is left


class LocalToCloud(IntoABucket):
    def assert_restored(self, cluster, barman, backup):
        """Restored by ours, it starts and holds what the source does."""
        target = os.path.join(self.scratch.path, f"restored-{backup}")
        barman.ok("restore", "--no-get-wal", "--tablespace", f"elsewhere:{target}-ts", "main", backup, target)
        server = self.restored(cluster.version, target, name=f"restored-{backup}")
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        sums = "SELECT count(*), sum(hashtext(t)) FROM afar"
        self.assertEqual(server.sql(sums), cluster.sql(sums))
        server.stop()

    @on_versions(15, 17, 18)
    def test_a_backup_comes_back(self, version):
        cluster, barman = self.scene(version, backup_method="local-to-cloud", cloud_upload_max_archive_size="6Mi")
        done = barman.ok("backup", "--wait", "--immediate-checkpoint", "-j", "2", "main", timeout=300)
        backup = barman.backup_ids("main")[-1]
        lines = [line for line in done.out.splitlines() if not line.startswith(("Processing xlog", "\t", "Waiting for", "WAL segments"))]
        for line, says in zip(lines, (f"Starting backup using local-to-cloud-concurrent method for server main in some/path/main/base/{backup}$",
                                      "This is the first backup for server main$", r"Backup size: [0-9.]+ MiB$",
                                      r"Backup end at LSN: [0-9A-F]+/[0-9A-F]+ \([0-9A-F]{24}, [0-9A-F]{8}\)$", r"Backup completed \(start time: ")):
            self.assertRegex(line, says)
        info = barman.backup_info("main", backup)
        self.assertEqual((info["status"], info["mode"], info["compression"]), ("DONE", "local-to-cloud-concurrent", "None"))
        archives = [name for name in self.objects(backup) if ".tar" in name]
        self.assertEqual(int(info["size"]), sum(len(self.bucket.get(f"main/base/{backup}/{name}")) for name in archives))
        self.assertIn("data_0001.tar", archives)
        self.assertIn("'number_of_workers': 2", info["copy_stats"])
        self.assertIn(f"LABEL: Barman backup main {backup}", info["backup_label"])
        with open(barman.directory("main", "meta", f"{backup}-backup.info"), "rb") as file:
            self.assertEqual(self.bucket.get(f"main/base/{backup}/backup.info"), file.read())
        self.assert_restored(cluster, barman, backup)
        self.assert_clean(barman)

    def test_with_wal_in_the_bucket_too(self):
        cluster, barman = self.scene(backup_method="local-to-cloud", wals_directory=self.bucket.url)
        for method in ("local-to-cloud", "postgres"):
            barman.server("main", backup_method=method)
            backup = self.back_up(barman)
            self.assertIn(f"main/wals/0000000100000000/{barman.backup_info('main', backup)['begin_wal']}", ["main/" + key for key in self.bucket.keys("main/")])
            self.assert_restored(cluster, barman, backup)

    def test_compressed_and_encrypted(self):
        cluster, barman = self.scene(backup_method="local-to-cloud", backup_compression="zstd")
        self.encrypted(barman)
        backup = self.back_up(barman)
        self.assertEqual({name for name in self.objects(backup) if ".tar" in name and not name[0].isdigit()}, {"data.tar.zst.gpg"})
        info = barman.backup_info("main", backup)
        self.assertEqual((info["compression"], info["encryption"]), ("zstd", "gpg"))
        self.assert_restored(cluster, barman, backup)

    def test_what_cannot_be_is_refused_and_what_breaks_is_taken_back(self):
        cluster, barman = self.scene(backup_method="local-to-cloud")
        barman.server("main", basebackups_directory=None)
        self.assert_fails(barman.run("backup", "main"), says="Impossible to start the backup")
        self.assertIn("needs basebackups_directory = s3://", barman.run("check", "main").out)
        barman.server("main", basebackups_directory=self.bucket.url)
        for options, arguments, says in (({}, ["--incremental=latest"], "takes full backups only"),
                                         ({"backup_compression": "zstd", "backup_compression_location": "server"}, [], "compression_location = client")):
            with self.subTest(says):
                barman.server("main", **options)
                self.assert_fails(barman.run("backup", *arguments, "main"), says=says)
                barman.server("main", **dict.fromkeys(options))
        self.assertEqual(barman.backup_ids("main"), [])
        for point in ("backup-started", "backup-files-read", "backup-synced"):
            result = barman.run("backup", "--immediate-checkpoint", "main", fault_point=point)
            self.assertEqual(result.code, -signal.SIGKILL, f"{point} was not reached\n{result}")
            killed = barman.backup_ids("main")[-1]
            self.back_up(barman)
            self.assertEqual(barman.backup_info("main", killed)["status"], "FAILED")
            self.assertEqual(self.objects(killed), ["backup.info"])
        running = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "1000", "main")
        wait_until(lambda: barman.backup_info("main", barman.backup_ids("main")[-1])["status"] == "STARTED", "the backup runs")
        running.process.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(30), 1, running.err)
        stopped = barman.backup_ids("main")[-1]
        self.assertEqual(barman.backup_info("main", stopped)["status"], "FAILED")
        self.assertEqual(self.objects(stopped), ["backup.info"])


class TheOriginal(IntoABucket):
    def theirs(self, name, *arguments):
        program = bucket.original("barman-cloud-" + name)
        if not os.access(program, os.X_OK):
            raise harness.Missing(f"no {program}")
        options = {"user": place.ACCOUNT.pw_uid, "group": place.ACCOUNT.pw_gid, "extra_groups": []} if harness.AM_ROOT else {}
        done = bucket.run(program, *arguments, environment={**self.bucket.environment, "HOME": self.scratch.path}, cwd="/", **options)
        if "No module named" in done.stderr or "Missing required python module" in done.stderr:
            raise harness.Missing(done.stderr.strip().splitlines()[-1])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_its_clients_list_show_and_restore_what_is_in_the_bucket(self):
        cluster, barman = self.scene()
        ids = [self.back_up(barman)]
        for options in ({"backup_compression": "gzip"}, {"backup_compression": "zstd"}, {"backup_compression": None, "backup_method": "local-to-cloud"}):
            barman.server("main", **options)
            ids.append(self.back_up(barman))
        listed = self.theirs("backup-list", self.bucket.url, "main")
        for backup in ids:
            self.assertIn(backup, listed)
            self.assertIn(f"Backup {backup}", self.theirs("backup-show", self.bucket.url, "main", backup))
            target = os.path.join(self.scratch.path, f"theirs-{backup}")
            try:
                self.theirs("restore", "--tablespace", f"elsewhere:{target}-ts", self.bucket.url, "main", backup, target)
            except harness.Missing:  # it was installed without a library for this compression
                continue
            if os.path.exists(f"{target}/backup_manifest"):
                cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", target])
            self.assert_comes_back(cluster, target)

    def test_itself_takes_our_bucket_for_its_own(self):
        cluster, barman = self.scene(17, settings={"summarize_wal": "on"})
        ids = [self.back_up(barman)]
        cluster.sql("UPDATE afar SET t = 'x' WHERE n % 997 = 1")
        ids.append(self.back_up(barman, "--incremental=latest"))
        listed = barman.original("list-backups", "main")
        if "boto" in listed.err:
            raise harness.Missing("the original Barman has no boto3")
        self.assertEqual(listed.out, barman.ok("list-backups", "main").out)
        target = os.path.join(self.scratch.path, "theirs")
        done = barman.original("restore", "--tablespace", f"elsewhere:{target}-ts", "main", ids[1], target)
        self.assertEqual(done.code, 0, str(done))
        server = self.restored(17, target)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertEqual(server.sql("SELECT count(*), sum(hashtext(t)) FROM afar"), cluster.sql("SELECT count(*), sum(hashtext(t)) FROM afar"))


class Trouble(IntoABucket):
    fake = True

    def records(self, barman):
        """The status of each backup, here and in the bucket."""
        return [(barman.backup_info("main", one)["status"], re.search("^status=(.*)$", self.bucket.get(f"main/base/{one}/backup.info").decode(), re.M)[1])
                for one in barman.backup_ids("main")]

    def assert_taken_back(self, barman, backup):
        self.assertEqual(self.objects(backup), ["backup.info"])
        self.assertEqual(self.bucket.store.uploads, {})
        self.assertFalse(os.path.exists(barman.directory("main", "meta", f"{backup}-backup_manifest")))

    def test_a_request_that_fails_fails_the_backup_and_leaves_nothing(self):
        cluster, barman = self.scene(cloud_upload_max_archive_size="6Mi")
        store = self.bucket.store
        store.requests.clear()
        barman.ok("backup", "--immediate-checkpoint", "main")
        count = len(store.requests)
        self.assertGreater(count, 12)
        refused = (403, "<Error><Code>AccessDenied</Code></Error>")
        for bad in range(1, count + 1, 3):  # all of them: engine/backup/bucket_faults_test.cc
            with self.subTest(request=bad):
                store.requests.clear()
                known = barman.backup_ids("main")
                store.trouble = lambda n, *_, bad=bad: refused if n == bad else None
                done = barman.run("backup", "--immediate-checkpoint", "main", env={"AWS_MAX_ATTEMPTS": "1"})
                store.trouble = None
                new = [one for one in barman.backup_ids("main") if one not in known]
                for backup in new:
                    status = barman.backup_info("main", backup)["status"]
                    if status == "FAILED":
                        self.assertEqual(done.code, 1, str(done))
                        self.assert_taken_back(barman, backup)
                    else:  # all was done but to tell the bucket
                        self.assertIn(status, ("WAITING_FOR_WALS", "DONE"))

    def test_killed_at_every_point(self):
        cluster, barman = self.scene()
        for point in ("backup-recorded", "backup-started", "backup-object-open", "backup-object-stored", "backup-manifest", "backup-synced", "backup-waiting"):
            with self.subTest(point):
                result = barman.run("backup", "--immediate-checkpoint", "main", fault_point=point)
                self.assertEqual(result.code, -signal.SIGKILL, f"{point} was not reached\n{result}")
                killed = barman.backup_ids("main")[-1]
                good = self.back_up(barman)
                if point == "backup-waiting":  # only its WAL was to come
                    self.assertIn(barman.backup_info("main", killed)["status"], ("WAITING_FOR_WALS", "DONE"))
                    continue
                self.assertEqual(self.records(barman)[-2:], [("FAILED", "FAILED"), ("DONE", "DONE")])
                self.assertEqual(self.objects(killed), ["backup.info"])
                self.assertEqual(self.bucket.store.uploads, {})
        shutil.rmtree(self.assert_whole(cluster, barman, good))

    def test_uploads_of_a_killed_backup_are_withdrawn_by_the_next(self):
        cluster, barman = self.scene()
        cluster.fill(64)
        running = barman.start("backup", "--immediate-checkpoint", "main")
        store = self.bucket.store
        wait_until(lambda: any(store.uploads.values()), "a part is there")
        running.kill()
        self.assertTrue(store.uploads)
        self.back_up(barman)
        self.assertEqual(store.uploads, {})
        self.assertEqual(self.records(barman), [("FAILED", "FAILED"), ("DONE", "DONE")])

    def test_stopped_politely_it_takes_back_what_was_sent(self):
        cluster, barman = self.scene()
        cluster.fill(64)
        for sig in (signal.SIGINT, signal.SIGTERM):
            running = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "32768", "main")
            wait_until(lambda: any(self.bucket.store.uploads.values()), "a part is there")
            running.process.send_signal(sig)
            self.assertEqual(running.wait(30), 1, running.err)
            self.assertEqual(self.records(barman)[-1], ("FAILED", "FAILED"))
            self.assert_taken_back(barman, barman.backup_ids("main")[-1])
            wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'backup'") == "0", "the connection is gone")

    def test_a_bucket_that_cannot_be_used_is_named_and_nothing_recorded(self):
        cluster, barman = self.scene()
        for options, env, says in (({"basebackups_directory": "s3://absent-bucket/x"}, {}, "s3://absent-bucket/x does not exist|absent-bucket"),
                                   ({}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot reach http://127.0.0.1:1"),
                                   ({}, {"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch|403|denied|signature")):
            with self.subTest(says):
                barman.server("main", **{"basebackups_directory": self.bucket.url, **options})
                done = barman.run("backup", "main", env={"AWS_MAX_ATTEMPTS": "1", **env})
                self.assertEqual(done.code, 1, str(done))
                self.assertRegex(done.err + barman.log_tail(), says)
                self.assertEqual(barman.backup_ids("main"), [])
        self.assertEqual(list(self.bucket.store.buckets), [self.bucket.name])


if __name__ == "__main__":
    harness.main()
