#!/usr/bin/env python3
"""barman check-bucket and bucket-cleanup: what they say of good and bad buckets, and that they leave alone what is not theirs."""

import json
import os
import re
import signal
import socket
import time

import bucket
import harness
import place
from harness import EndToEnd, wait_until
from recorded import RECORD, segment

GOOD = ["bucket", "listing", "clock", "versioning", "object lock", "put", "get", "ranged get", "head", "listing of new objects", "encryption",
        "conditional put", "multipart upload", "multipart abort", "batch delete", "delete", "unfinished uploads"]
REFUSED = (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")


class WithABucket(EndToEnd):
    fake = False

    def setUp(self):
        super().setUp()
        if not self.fake and not bucket.REAL:
            raise place.Missing("no object gateway (scripts/dependencies.sh s3)")
        self.bucket = bucket.Bucket(fake=self.fake)
        self.addCleanup(self.bucket.close)
        self.bucket.create()

    def host(self, name="barman", **options):
        """A host that knows where the bucket is, and nothing else."""
        barman = self.barman(name)
        barman.environment = {**self.bucket.environment, "AWS_MAX_ATTEMPTS": "1"}
        return barman.server("main", description="nobody", conninfo="host=/nonexistent dbname=postgres", backup_method="postgres",
                             streaming_conninfo="host=/nonexistent", archiver="on",
                             **{"basebackups_directory": self.bucket.url, "wals_directory": self.bucket.url, **options})

    def lines(self, result, place_="base backups"):
        """What was said of the place: {label: (verdict, hint)}."""
        found, here = {}, False
        for line in result.out.splitlines():
            if line.startswith("Server "):
                here = line.startswith(f"Server main, {place_} in s3://")
            elif here:
                label, verdict, hint = re.fullmatch(r"\t([^:]+): (\w+)(?: \((.*)\))?", line).groups()
                found[label] = (verdict, hint or "")
        return found

    def uploads(self):
        """Keys of uploads that nobody finished."""
        return sorted(re.findall(r"<Key>some/path/(.*?)</Key>", self.bucket._request("GET", self.bucket.name, {"uploads": ""}).decode()))

    def parts(self):
        """Sizes of the parts of the uploads."""
        listed = self.bucket._request("GET", self.bucket.name, {"uploads": ""}).decode()
        return [int(size) for key, upload in re.findall("<Key>(.*?)</Key>.*?<UploadId>(.*?)</UploadId>", listed, re.S)
                for size in re.findall(r"<Size>(\d+)</Size>", self.bucket._request("GET", f"{self.bucket.name}/{key}", {"uploadId": upload}).decode())]

    def begin_upload(self, key):
        """As a program does that is killed then: the upload with one part."""
        path = f"{self.bucket.name}/some/path/{key}"
        begun = self.bucket._request("POST", path, {"uploads": ""}).decode()
        self.bucket._request("PUT", path, {"partNumber": "1", "uploadId": re.search("<UploadId>(.*?)</UploadId>", begun)[1]}, b"x" * 5000)

    def record(self, backup, **fields):
        fields = {**RECORD, **fields}
        self.bucket.put(f"main/base/{backup}/backup.info", "".join(f"{key}={fields[key]}\n" for key in sorted(fields)).encode())


class Probing(WithABucket):
    def test_a_good_bucket_passes_and_nothing_is_left_there(self):
        barman = self.host()
        self.bucket.put("main/base/20261101T100000/data.tar", b"of a backup")
        before = self.bucket.keys()
        checked = barman.ok("check-bucket", "main")
        self.assertIn(f"Server main, base backups in {self.bucket.url}/main/base:", checked.out)
        for place_ in ("base backups", "WAL"):
            lines = self.lines(checked, place_)
            self.assertEqual(list(lines), GOOD)
            self.assertEqual({verdict for verdict, _ in lines.values()}, {"OK"}, str(checked))
            self.assertEqual(lines["versioning"], ("OK", "off"))
        self.assertEqual((self.bucket.keys(), self.uploads()), (before, []))
        found = barman.json("check-bucket", "main")["main"]
        self.assertEqual(set(found), {"base_backups", "wal"})
        self.assertEqual(found["wal"]["url"], f"{self.bucket.url}/main/wals")
        self.assertEqual(found["wal"]["checks"]["conditional_put"], {"hint": "", "status": "OK"})

    def test_versions_and_locks_are_told(self):
        self.bucket._request("PUT", self.bucket.name, {"versioning": ""},
                             b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        lines = self.lines(self.host(wals_directory=None).ok("check-bucket", "main"))
        self.assertRegex(lines["versioning"][1], "^on: what is deleted takes room")
        self.assertEqual(lines["object lock"], ("OK", "off"))
        locked = bucket.Bucket().create(locked_for_days=1)
        lines = self.lines(self.host("other", basebackups_directory=locked.url, wals_directory=None).ok("check-bucket", "main"))
        self.assertRegex(lines["object lock"][1], r"^on, 1 day \(COMPLIANCE\) for new objects: ")

    def test_a_bucket_that_is_not_there(self):
        url = self.bucket.url.replace(self.bucket.name, "absent" + self.bucket.name)
        checked = self.host(basebackups_directory=url).run("check-bucket", "main")
        self.assertEqual(checked.code, 1)
        self.assertEqual(self.lines(checked), {"bucket": ("FAILED", "it is not there; create it or correct the URL")})
        self.assertEqual({verdict for verdict, _ in self.lines(checked, "WAL").values()}, {"OK"}, "the other is tried")
        self.assertEqual(self.host("other", basebackups_directory=url).run("-f", "json", "check-bucket", "main").json["main"]
                         ["base_backups"]["checks"]["bucket"]["status"], "FAILED")

    def test_a_wrong_key(self):
        barman = self.host(wals_directory=None)
        barman.environment["AWS_SECRET_ACCESS_KEY"] = "wrong"
        checked = barman.run("check-bucket", "main")
        self.assertEqual(checked.code, 1)
        lines = self.lines(checked)
        self.assertEqual(list(lines), ["bucket", "listing"])
        self.assertRegex(lines["listing"][1], "does not accept the credentials .*; check access key and secret key")
        self.assertNotIn("wrong", checked.out + checked.err)

    def test_a_bucket_that_may_only_be_read(self):
        actions = ["s3:PutObject", "s3:DeleteObject"]
        self.bucket._request("PUT", self.bucket.name, {"policy": ""}, json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": actions,
                                                    "Resource": f"arn:aws:s3:::{self.bucket.name}/*"}]}).encode())
        checked = self.host(wals_directory=None).run("check-bucket", "main")
        self.assertEqual(checked.code, 1)
        lines = self.lines(checked)
        for label, permission in (("put", "s3:PutObject"), ("multipart upload", "s3:PutObject"), ("batch delete", "s3:DeleteObject")):
            self.assertEqual(lines[label][0], "FAILED", str(checked))
            self.assertIn(f"the credentials need {permission}", lines[label][1])
        for label in ("bucket", "listing", "clock", "unfinished uploads"):
            self.assertEqual(lines[label][0], "OK", str(checked))
        self.assertNotIn("clean-up", lines)

    def test_servers_without_a_bucket(self):
        barman = self.host()
        barman.server("local", description="l", conninfo="host=/nonexistent", backup_method="postgres", streaming_conninfo="host=/nonexistent", archiver="on")
        self.assert_fails(barman.run("check-bucket", "local"), says="nothing of server local is in a bucket")
        self.assertIn("Skipping server 'local'", barman.ok("check-bucket", "all").out)
        self.assert_fails(barman.run("bucket-cleanup", "local"), says="nothing of server local is in a bucket")

    def test_uploads_that_are_left_over_are_no_failure_and_stay(self):
        self.begin_upload("main/base/20261101T100000/data.tar")
        lines = self.lines(self.host(wals_directory=None).ok("check-bucket", "main"))
        self.assertEqual(lines["unfinished uploads"], ("OK", ""), "they are young")
        self.assertEqual(self.uploads(), ["main/base/20261101T100000/data.tar"])


class Trouble(WithABucket):
    fake = True

    def test_an_inactive_server_only_reads(self):
        checked = self.host(active="false").ok("check-bucket", "main")
        self.assertEqual(self.lines(checked)["get"], ("OK", "there is nothing to read yet"))
        self.assertEqual({method for method, *_ in self.bucket.store.requests}, {"PUT", "GET", "HEAD"})
        self.assertEqual([path for method, path, *_ in self.bucket.store.requests if method == "PUT"], [self.bucket.name], "the test's own")

    def test_a_store_that_is_silent_is_not_waited_for(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            barman = self.host()
            barman.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
            began = time.monotonic()
            checked = barman.run("check-bucket", "--check-timeout", "2", "main")
            self.assertLess(time.monotonic() - began, 20)
            self.assertEqual(checked.code, 1)
            self.assertRegex(self.lines(checked)["bucket"][1], "^no answer in time; .*--check-timeout")

    def test_interrupted_anywhere_it_takes_away_what_it_put(self):
        barman = self.host(wals_directory=None)
        barman.ok("check-bucket", "main")
        count = len(self.bucket.store.requests)
        store = self.bucket.store
        for number in range(3, count + 1, 3):
            running = []

            def interrupt(seen, *_, number=number, running=running):
                if seen == number:
                    wait_until(lambda: running, "it was started")
                    running[0].process.send_signal(signal.SIGINT)
                    time.sleep(0.3)
                return None
            store.requests.clear()
            store.trouble = interrupt
            running.append(barman.start("check-bucket", "main"))
            code = running[0].wait(30)
            store.trouble = None
            self.assertEqual((store.buckets[self.bucket.name], store.uploads), ({}, {}), number)
            if len(store.requests) < count:
                self.assertEqual(code, 1, running[0].err)
                self.assertIn("interrupted", running[0].err)

    def test_a_clock_that_is_wrong(self):
        self.bucket.store.date = "Sun, 22 Nov 2020 13:38:18 GMT"
        lines = self.lines(self.host(wals_directory=None).run("check-bucket", "main"))
        self.assertEqual(lines["clock"][0], "FAILED")
        self.assertRegex(lines["clock"][1], "ahead of the store's; set it right")


class CleaningUp(WithABucket):
    DEAD, DONE, FAILED, KEPT = (f"202611{day:02}T100000" for day in (1, 2, 3, 4))

    def scene(self):
        """Something of everything, all of it just written."""
        for backup in (self.DEAD, self.DONE, self.FAILED, self.KEPT):
            self.bucket.put(f"main/base/{backup}/data.tar", b"data")
        self.record(self.DONE)
        self.record(self.FAILED, status="FAILED")
        self.bucket.put(f"main/base/{self.KEPT}/annotations/keep", b"full")
        self.bucket.put("main/base/.barman-check-1", b"made by barman check")
        self.bucket.put("main/wals/.barman-check-1-2-object", b"made by barman check")
        for key in ("main/base/notes", f"main/wals/{segment(1)[:16]}/{segment(1)}", "other/base/.barman-check-1", f"other/base/{self.DEAD}/data.tar"):
            self.bucket.put(key, b"not ours to remove")
        for key in (f"main/base/{self.DEAD}/16385.tar", f"main/base/{self.DONE}/16385.tar", f"main/wals/{segment(2)[:16]}/{segment(2)}",
                    f"other/base/{self.DEAD}/16385.tar"):
            self.begin_upload(key)
        return self.host()

    def test_left_overs_go_and_nothing_else(self):
        barman = self.scene()
        before = self.bucket.keys(), self.uploads()
        self.assertIn("nothing is left over", barman.ok("bucket-cleanup", "main").out, "all is young")
        self.assertEqual((self.bucket.keys(), self.uploads()), before)
        planned = barman.ok("bucket-cleanup", "--dry-run", "--older-than", "0", "main")
        self.assertEqual(planned.out.count("Would remove: "), 6, str(planned))
        self.assertRegex(planned.out, rf"unfinished upload of some/path/main/base/{self.DONE}/16385.tar \(4.9 KiB, begun .* ago\)")
        self.assertRegex(planned.out, rf"1 object in some/path/main/base/{self.DEAD}/ of a backup that has no record \(4 B, the newest .* old\)")
        self.assertIn(f"Backup {self.KEPT} of server main has no record, but stays as it is: it is kept", planned.err)
        self.assertEqual((self.bucket.keys(), self.uploads()), before, "a dry run changes nothing")
        found = barman.json("bucket-cleanup", "--dry-run", "--older-than", "0", "main")["main"]["would_remove"]
        self.assertEqual(sorted(one["kind"] for one in found), ["backup", "check", "check", "upload", "upload", "upload"])
        self.assertEqual(next(one for one in found if one["kind"] == "backup")["bytes"], 4)
        done = barman.ok("bucket-cleanup", "--older-than", "0", "main")
        self.assertEqual(done.out.count("Removed: "), 6, str(done))
        gone = {f"main/base/{self.DEAD}/data.tar", "main/base/.barman-check-1", "main/wals/.barman-check-1-2-object"}
        self.assertEqual(self.bucket.keys(), sorted(set(before[0]) - gone))
        self.assertEqual(self.uploads(), [f"other/base/{self.DEAD}/16385.tar"])

    def test_what_a_killed_backup_leaves(self):
        cluster, barman = self.streaming()
        cluster.fill(40)
        barman.environment = self.bucket.environment
        barman.server("main", basebackups_directory=self.bucket.url)
        running = barman.start("backup", "--immediate-checkpoint", "--bwlimit", "16384", "main")
        wait_until(self.parts, "a part is there")
        self.assert_fails(barman.run("bucket-cleanup", "--older-than", "0", "main"), says="A backup or a deletion is running")
        running.kill()
        killed = barman.backup_ids("main")[0]
        self.assertEqual(self.uploads(), [f"main/base/{killed}/data.tar"])
        objects = self.bucket.keys()
        self.assertIn("nothing is left over", barman.ok("bucket-cleanup", "main").out)
        done = barman.ok("bucket-cleanup", "--older-than", "0", "main")
        self.assertRegex(done.out, rf"Removed: unfinished upload of some/path/main/base/{killed}/data.tar \([1-9].* MiB, begun .* ago\)")
        self.assertEqual((self.uploads(), self.bucket.keys()), ([], objects), "what has a record is for barman delete")

    def test_what_is_refused(self):
        self.bucket.put("main/base/.barman-check-1", b"x")
        barman = self.host(active="false")
        self.assert_fails(barman.run("bucket-cleanup", "--older-than", "0", "main"), says="Inactive server: main")
        self.assert_fails(barman.run("bucket-cleanup", "--older-than", "-1", "main"), code=2)
        self.assert_fails(barman.run("bucket-cleanup", "--older-than", "1000000", "main"), code=2)
        self.assertEqual(self.bucket.keys(), ["main/base/.barman-check-1"])


class CleaningUpTrouble(WithABucket):
    fake = True

    def test_what_cannot_be_removed_is_named_and_the_status_says_so(self):
        self.begin_upload("main/base/20261101T100000/data.tar")
        self.bucket.put("main/base/.barman-check-1", b"x")
        self.bucket.store.trouble = lambda number, method, path, query: REFUSED if method == "DELETE" else None
        barman = self.host()
        done = barman.run("bucket-cleanup", "--older-than", "0", "main")
        self.assert_fails(done, says=r"Not removed: unfinished upload of some/path/main/base/20261101T100000/data.tar .*AccessDenied")
        self.assertEqual(self.bucket.keys(), [], "the rest went")
        found = barman.run("-f", "json", "bucket-cleanup", "--older-than", "0", "main")
        self.assertEqual(found.code, 1)
        self.assertIn("AccessDenied", found.json["main"]["not_removed"][0]["reason"])


class LostIndex(WithABucket):
    """WAL in a bucket whose index here was lost: it is removed all the same."""
    fake = True
    FIRST, SECOND = "20261101T100000", "20261105T100000"

    def scene(self, **options):
        barman = self.host(**options)
        for backup, wal in ((self.FIRST, 5), (self.SECOND, 15)):
            self.record(backup, begin_wal=segment(wal), end_wal=segment(wal + 1), end_time="2026-11-05 10:00:00")
            self.bucket.put(f"main/base/{backup}/data.tar", b"data")
        for number in range(3, 21):
            self.bucket.put(f"main/wals/{segment(number)[:16]}/{segment(number)}.gz", b"x")
        return barman

    def archived(self):
        return [name.split("/")[-1][:24] for name in self.bucket.keys("main/wals/")]

    def test_missing_or_empty_it_is_made_anew_by_listing(self):
        for name, empty in (("missing", False), ("empty", True)):
            with self.subTest(name):
                barman = self.scene()
                barman.ok("cron")
                barman.end_strays()
                index = barman.directory("main", "meta", "main-xlog.db")
                if os.path.exists(index):
                    os.remove(index)
                if empty:
                    with open(index, "w", encoding="utf-8"):
                        pass
                    place.give(index)
                deleted = barman.ok("delete", "main", self.FIRST)
                self.assertRegex(deleted.err, rf"WARNING: the index of archived WAL .*main-xlog.db was {name}, although the bucket holds WAL: made anew")
                self.assertEqual(self.archived(), [segment(number) for number in range(15, 21)])
                barman.end_strays()
                self.remove(barman.home)

    def test_retention_removes_it_in_batches(self):
        barman = self.scene(retention_policy="REDUNDANCY 1", cloud_delete_batch_size=5)
        barman.ok("rebuild-xlogdb", "main")
        self.bucket.store.requests.clear()
        barman.ok("cron")
        barman.end_strays()
        self.assertEqual(self.archived(), [segment(number) for number in range(15, 21)])
        batches = [path for method, path, query, _ in self.bucket.store.requests if method == "POST" and "delete" in query]
        self.assertEqual(len(batches), 1 + 3, "the data of the backup, and twelve segments")


if __name__ == "__main__":
    harness.main()
