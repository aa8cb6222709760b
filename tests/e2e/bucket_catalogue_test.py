#!/usr/bin/env python3
"""The catalogue of servers whose base backups are in a bucket: listed, kept, checked and deleted, beside the original's."""

import os
import re
import socket
import time

import bucket
import harness
from harness import wait_until
from recorded import FAILED, FULL, INCREMENTAL, LATEST, RECORD, RecordedCatalogue, segment

REFUSED = (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")


class Recorded(RecordedCatalogue):
    """Backups written by hand into a bucket in memory and the meta of the host that made them; WAL is on its disk."""

    def setUp(self):
        self.bucket = bucket.Bucket(fake=True)
        self.addCleanup(self.bucket.close)
        self.store = self.bucket.store
        self.objects = self.store.buckets.setdefault(self.bucket.name, {})
        super().setUp()

    def scene(self, name):
        barman = self.host(name)
        self.record(barman, FULL, backup_name="first one", children_backup_ids=INCREMENTAL)
        self.record(barman, INCREMENTAL, parent_backup_id=FULL, begin_wal=segment(8), end_wal=segment(9))
        self.record(barman, FAILED, status="FAILED", error="failure copying files (boom = bang)", begin_wal=segment(9), end_wal="None")
        self.record(barman, LATEST, status="WAITING_FOR_WALS", begin_wal=segment(15), end_wal=segment(16), mode="local-to-cloud-concurrent")
        self.archive_files(barman, range(3, 21))
        return barman

    def host(self, name, **options):
        """A host that knows where the bucket is, and nothing else."""
        barman = self.barman(name)
        barman.environment = {**self.bucket.environment, "AWS_MAX_ATTEMPTS": "1"}
        return barman.server("main", description="nobody", conninfo="host=/nonexistent dbname=postgres", backup_method="postgres",
                             streaming_conninfo="host=/nonexistent", archiver="on", basebackups_directory=self.bucket.url, **options)

    def record(self, barman, backup, **fields):
        fields = {**RECORD, **fields}
        text = "".join(f"{key}={fields[key]}\n" for key in sorted(fields))
        self.write(barman, text, "meta", f"{backup}-backup.info")
        self.put(f"{backup}/backup.info", text)
        for name in ("data.tar", "data_0001.tar", "16388.tar"):
            self.put(f"{backup}/{name}", name)

    def put(self, name, text):
        self.objects[f"some/path/main/base/{name}"] = text.encode()

    def in_bucket(self, backup=""):
        """The names of objects below base/, or of one backup."""
        top = f"some/path/main/base/{backup}"
        return sorted(key.removeprefix("some/path/main/base/") for key in self.objects if key.startswith(top))

    def status_in_bucket(self, backup):
        return re.search("^status=(.*)", self.objects[f"some/path/main/base/{backup}/backup.info"].decode(), re.M)[1]

    def requests(self, barman, *arguments):
        """What a command asks of the bucket: methods and paths."""
        self.store.requests.clear()
        barman.ok(*arguments)
        return [f"{method} {path}" for method, path, *_ in self.store.requests]

    def refuse(self, *methods):
        """From now on requests of these methods are refused."""
        self.store.trouble = lambda number, method, path, query: REFUSED if method in methods else None


class Showing(Recorded):
    def test_the_host_that_made_them_shows_what_the_original_shows_and_asks_nobody(self):
        harness.original_barman()
        for words in (["list-backups", "main"], ["show-backup", "main", FULL], ["-f", "json", "show-backup", "main", LATEST]):
            self.assert_same(self.ours, *words)
            self.assertEqual(self.requests(self.ours, *words), [])

    def test_an_empty_host_shows_what_the_bucket_has(self):
        harness.original_barman()
        self.put(f"{FULL}/annotations/keep", "full")
        self.put("20261106T100000/data.tar", "of a backup whose record is gone")
        other = self.host("other", active="false", retention_policy="REDUNDANCY 1")
        self.assert_same(other, "list-backups", "--minimal", "main")
        self.assertIn(f"main {FULL} 'first one' - F - ", other.ok("list-backups", "main").out)
        self.assertIn("KEEP", other.ok("list-backups", "main").out)
        self.assertEqual(other.ok("keep", "--status", "main", FULL).out, "Server main:\n\tKeep: full\n")
        self.assertEqual({line.split()[0] for line in self.requests(other, "list-backups", "main")}, {"GET"})
        self.assertEqual(other.backup_ids("main"), [])

    def test_a_host_that_lost_its_records_reads_those_of_the_bucket_and_takes_them_in(self):
        self.put(f"{FULL}/annotations/keep", "standalone")
        new = self.host("new")
        listed = new.ok("list-backups", "--minimal", "main")
        self.assertEqual(listed.out.split(), [LATEST, FAILED, INCREMENTAL, FULL])
        self.assertIn("read from the bucket", listed.err)
        said = new.ok("cron")
        self.assertIn(f"Backup {FULL} of server main was found in the bucket", said.out)
        new.end_strays()
        self.assertEqual(new.backup_ids("main"), [FULL, INCREMENTAL, FAILED, LATEST])
        self.assertEqual(new.ok("list-backups", "--minimal", "main").err, "")
        self.assertEqual(new.ok("keep", "--status", "main", FULL).out, "Server main:\n\tKeep: standalone\n")

    def test_a_bucket_that_is_away_is_said_and_hinders_only_who_needs_it(self):
        new = self.host("new", retention_policy="REDUNDANCY 1")
        self.store.trouble = lambda *_: "drop"
        for words in (["list-backups", "main"], ["list-backups", "--minimal", "main"]):
            listed = new.ok(*words)
            self.assertEqual(listed.out, "")
            self.assertRegex(listed.err, "WARNING: .*only the bucket has a record of are left out: .*127.0.0.1")
        self.assertEqual(self.ours.ok("list-backups", "main").err, "")
        self.assert_fails(self.host("other", active="false").run("list-backups", "main"), says="127.0.0.1")
        self.store.trouble = None
        self.assertIn(FULL, new.ok("list-backups", "main").out)

    def test_records_of_barman_cloud_backup_are_good_everywhere(self):
        theirs = "20261107T100000"
        self.record(self.ours, theirs, mode="None", server_name="cloud", size="None", deduplicated_size="None", cluster_size="None", copy_stats="None")
        for barman in (self.ours, self.host("other", active="false")):
            self.assertIn(f"main {theirs} - F - ", barman.ok("list-backups", "main").out)
            barman.ok("show-backup", "main", theirs)
            barman.ok("-f", "json", "show-backup", "main", theirs)
            barman.run("check", "main")
            self.assertIn(theirs, barman.ok("diagnose").out)
        self.ours.server("main", retention_policy="REDUNDANCY 1")
        self.ours.ok("cron")
        self.ours.end_strays()
        self.assertEqual(self.ours.backup_ids("main"), [FAILED, LATEST, theirs])
        self.ours.ok("delete", "main", theirs)
        self.assertEqual(self.in_bucket(theirs), [])

    def test_what_cannot_be_read_is_named_and_the_rest_is_shown(self):
        self.put(f"{INCREMENTAL}/backup.info", "status=DONE\n")
        other = self.host("other", active="false")
        listed = other.ok("list-backups", "--minimal", "main")
        self.assertEqual(listed.out.split(), [LATEST, FAILED, FULL])
        self.assertIn(INCREMENTAL, listed.err)

    def test_an_unusable_bucket_hinders_only_its_own_server(self):
        key = self.scratch.folder("key") + "/absent"
        self.ours.server("broken", description="b", conninfo="host=/nonexistent", backup_method="postgres", streaming_conninfo="host=/nonexistent",
                         archiver="on", basebackups_directory=self.bucket.url, aws_sse_customer_key=f"file://{key}")
        self.assertIn("broken", self.ours.ok("list-servers").out)
        self.ours.ok("list-backups", "main")
        self.ours.ok("show-servers", "all")
        self.assertIn(FULL, self.ours.ok("diagnose").out)
        listed = self.ours.run("list-backups", "all")
        self.assertIn(FULL, listed.out)
        self.assert_fails(listed, says=f"ERROR: .*{key}")
        ran = self.ours.run("cron")
        self.ours.end_strays()
        self.assert_fails(ran, says=f"ERROR: .*{key}")
        self.assertIn("Starting WAL archiving for server main", ran.out)
        self.assertIn(f"Starting check-backup for backup {LATEST} of server main", ran.out)

    def test_a_copy_that_the_bucket_did_not_take_is_sent_by_the_next_command(self):
        self.refuse("PUT")
        self.assert_fails(self.ours.run("check-backup", "main", LATEST), says=f"{LATEST} of server main is recorded here, but not yet in s3")
        self.assertEqual(self.ours.backup_info("main", LATEST)["status"], "DONE")
        self.assertEqual(self.status_in_bucket(LATEST), "WAITING_FOR_WALS")
        self.assert_fails(self.ours.run("cron"), says="AccessDenied")
        self.ours.end_strays()
        self.store.trouble = None
        self.ours.ok("cron")
        self.ours.end_strays()
        self.assertEqual(self.status_in_bucket(LATEST), "DONE")


class Deleting(Recorded):
    def test_a_tree_goes_from_bucket_and_meta(self):
        self.write(self.ours, "{}", "meta", f"{INCREMENTAL}-backup_manifest")
        others = self.in_bucket(LATEST)
        self.ours.ok("delete", "main", FULL)
        self.assertEqual(self.ours.backup_ids("main"), [FAILED, LATEST])
        self.assertEqual(self.in_bucket(), sorted(self.in_bucket(FAILED) + others))
        self.assertEqual([name for name in os.listdir(self.ours.directory("main", "meta")) if name.startswith(("20261101", "20261102"))], [])
        self.assertEqual(self.ours.archived_wal("main")[0], segment(15))

    def test_both_delete_with_the_same_words(self):
        harness.original_barman()
        theirs = self.ours.original("delete", "main", INCREMENTAL)
        self.assertEqual(theirs.code, 0, str(theirs))
        self.assertEqual(self.in_bucket(INCREMENTAL), [])
        self.record(self.ours, FULL, backup_name="first one", children_backup_ids=INCREMENTAL)
        self.record(self.ours, INCREMENTAL, parent_backup_id=FULL, begin_wal=segment(8), end_wal=segment(9))
        ours = self.ours.ok("delete", "main", INCREMENTAL)
        without_times = re.compile(r"\(start time: .*\)")
        self.assertEqual(without_times.sub("", ours.out), without_times.sub("", theirs.out))
        self.assertEqual(self.in_bucket(INCREMENTAL), [])
        self.assertIn("children_backup_ids=None", self.objects[f"some/path/main/base/{FULL}/backup.info"].decode())

    def test_marks_of_another_host_count(self):
        other = self.host("other", active="false")
        other.ok("keep", "--target", "full", "main", FULL)
        self.assertIn(f"{FULL}/annotations/keep", self.in_bucket(FULL))
        self.assert_fails(self.ours.run("delete", "main", FULL), says="keep request")
        other.ok("keep", "--release", "main", FULL)
        self.assertNotIn(f"{FULL}/annotations/keep", self.in_bucket(FULL))
        self.assert_fails(other.run("delete", "main", "20200101T000000"), says="Unknown backup")
        other.ok("delete", "main", INCREMENTAL)
        self.assertEqual(self.in_bucket(INCREMENTAL), [])

    def test_killed_anywhere_it_is_finished_by_doing_it_again(self):
        other = self.host("other", active="false")
        for point in ("delete-marked", "delete-first-object-removed", "delete-files-removed", "delete-wal-removed", "delete-parent-released"):
            with self.subTest(point=point):
                self.record(self.ours, INCREMENTAL, parent_backup_id=FULL, begin_wal=segment(8), end_wal=segment(9))
                self.assertEqual(self.ours.run("delete", "main", INCREMENTAL, fault_point=point).code, -9)
                self.assertIn(f"main {INCREMENTAL} - I - FAILED", self.ours.ok("list-backups", "main").out)
                if point != "delete-marked":
                    self.assertIn(f"main {INCREMENTAL} - I - FAILED", other.ok("list-backups", "main").out)
                self.ours.ok("delete", "main", INCREMENTAL)
                self.assertEqual(self.in_bucket(INCREMENTAL), [])
                self.assertNotIn(INCREMENTAL, self.ours.backup_ids("main"))

    def test_what_may_not_be_deleted_stays_as_it_is(self):
        before = self.in_bucket()
        self.refuse("POST", "DELETE")
        self.assert_fails(self.ours.run("delete", "main", INCREMENTAL), says="AccessDenied")
        self.assertEqual(self.in_bucket(), before)
        self.assertIn(f"main {INCREMENTAL} - I - Sun Nov  1", self.ours.ok("list-backups", "main").out)

    def test_retention_works_in_batches(self):
        self.ours.server("main", retention_policy="REDUNDANCY 1", cloud_delete_batch_size=2)
        self.store.requests.clear()
        self.ours.ok("cron")
        wait_until(lambda: self.ours.backup_info("main", LATEST)["status"] == "DONE", "the latest is checked")
        self.ours.ok("cron")
        self.ours.end_strays()
        self.assertEqual(self.ours.backup_ids("main"), [FAILED, LATEST])
        self.assertEqual({name[:15] for name in self.in_bucket()}, {FAILED, LATEST})


class Checking(Recorded):
    def cloud_line(self, barman, *options):
        return next(line.strip() for line in barman.run("check", *options, "main").out.splitlines() if "cloud storage configuration" in line)

    def test_the_bucket_is_tested_by_using_it(self):
        before = self.in_bucket()
        self.assertEqual(self.cloud_line(self.ours), "cloud storage configuration: OK")
        self.assertEqual(self.in_bucket(), before)
        self.refuse("PUT")
        self.assertRegex(self.cloud_line(self.ours), "cloud storage configuration: FAILED .*AccessDenied")
        self.refuse("DELETE")
        self.assertRegex(self.cloud_line(self.ours), "cloud storage configuration: OK .what is stored cannot be removed: .*AccessDenied")
        self.store.trouble = None
        del self.store.buckets[self.bucket.name]
        self.assertRegex(self.cloud_line(self.ours), "cloud storage configuration: FAILED .*there is no bucket for s3://")
        self.ours.server("main", worm_mode="on")
        self.assertRegex(self.cloud_line(self.ours), "cloud storage configuration: FAILED .worm_mode")

    def test_an_inactive_server_is_checked_as_the_original_checks_it_and_only_read(self):
        harness.original_barman()
        other = self.host("other", active="false")
        self.assert_same(other, "check", "main")
        self.assertEqual({line.split()[0] for line in self.requests(other, "check", "main")}, {"HEAD", "GET"})

    def test_a_store_that_is_silent_is_not_waited_for(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            self.ours.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
            began = time.monotonic()
            checked = self.ours.run("check", "--check-timeout", "2", "main")
            self.assertLess(time.monotonic() - began, 20)
            self.assertIn("cloud storage configuration: FAILED (no answer in time)", checked.out)
            self.assertIn("check timeout: FAILED", checked.out)


if __name__ == "__main__":
    harness.main()
