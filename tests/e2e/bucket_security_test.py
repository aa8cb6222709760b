#!/usr/bin/env python3
"""How a bucket is reached and guarded: keys of the customer's and of a key service, locks, certificates of one's own, proxies, and
the programs for buckets as containers run them."""

import base64
import hashlib
import json
import os
import subprocess
import urllib.parse

import bucket
import harness
import place
import relays
from harness import EndToEnd, Missing, wait_until

AWAY = "http://127.0.0.1:1"


class Guarded(EndToEnd):
    """A server with all it has in a bucket of the real gateway: those of our own take no notice of keys and locks."""

    locked_for_days = 0

    def setUp(self):
        super().setUp()
        if not bucket.REAL:
            raise Missing("no object gateway (scripts/dependencies.sh s3)")
        self.bucket = bucket.Bucket()
        self.addCleanup(self.bucket.close)
        self.bucket.create(self.locked_for_days)

    def scene(self, **options):
        cluster, barman = self.streaming(15, wal_segment_size=1)
        barman.environment = {**self.bucket.environment, "AWS_MAX_ATTEMPTS": "1"}
        barman.server("main", basebackups_directory=self.bucket.url, wals_directory=self.bucket.url, **options)
        return cluster, barman

    def back_up(self, barman):
        barman.ok("backup", "--wait", "--immediate-checkpoint", "main", timeout=300)
        return barman.backup_ids("main")[-1]

    def assert_comes_back(self, barman, name):
        target = os.path.join(self.scratch.path, name)
        barman.ok("restore", "--no-get-wal", "main", "latest", target, timeout=300)
        server = self.restored(15, target, name)
        wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        server.stop()


class KeysOfTheCustomer(Guarded):
    def key(self, name):
        """The path of a new key, and what must never be shown of it."""
        key = os.urandom(32)
        path = os.path.join(self.scratch.path, name)
        with open(path, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
        place.give(path)
        return f"file://{path}", [base64.b64encode(key).decode(), key.hex(), base64.b64encode(hashlib.md5(key).digest()).decode()]

    def test_what_was_stored_with_a_key_comes_back_with_it_only(self):
        url, secrets = self.key("key")
        other, more = self.key("other")
        _, barman = self.scene(aws_sse_customer_key=url, compression="gzip")
        backup = self.back_up(barman)
        for name in self.bucket.keys("main/"):
            with self.assertRaisesRegex(AssertionError, "400", msg=name):
                self.bucket.get("main/" + name)
        self.assert_comes_back(barman, "restored")
        wal = barman.backup_info("main", backup)["end_wal"]
        elsewhere = self.barman("elsewhere")
        elsewhere.environment = barman.environment
        for key in (other, None):
            with self.subTest(key=key):
                elsewhere.server("main", active="false", basebackups_directory=self.bucket.url, wals_directory=self.bucket.url, aws_sse_customer_key=key)
                barman.server("main", aws_sse_customer_key=key)
                target = os.path.join(self.scratch.path, "target")
                said = [barman.run("restore", "--no-get-wal", "main", backup, target), barman.run("cloud-wal-restore", "main", wal, target),
                        elsewhere.run("list-backups", "main")]
                self.assertEqual([one.code for one in said[:2]], [1, 2], said)
                self.assertFalse(os.path.exists(os.path.join(target, "global/pg_control")))
                self.assertNotIn(backup, said[2].out)
                for one in said:
                    self.assertRegex(one.err, "(?i)customer provided key|customer key|hash of the key", str(one))
                shown = "".join(map(str, said)) + barman.log_tail(1000) + elsewhere.log_tail(1000)
                self.assertEqual([secret for secret in secrets + more if secret in shown], [])
        barman.server("main", aws_sse_customer_key=url)
        barman.ok("delete", "main", backup)
        self.assertEqual(self.bucket.keys("main/base/"), [])


class KeysOfAService(Guarded):
    key = "barman-key"  # scripts/s3_server.sh

    def assert_encrypted(self, below, backup):
        """Every object, by the store's own word: those of the backup, and WAL."""
        names = self.bucket.keys(below)
        for wanted in (f"base/{backup}/backup.info", f"base/{backup}/data.tar", "wals/"):
            self.assertTrue([name for name in names if name.startswith(wanted)], names)
        for name in names:
            said = self.bucket.head(below + name)
            self.assertEqual([said.get("x-amz-server-side-encryption" + of) for of in ("", "-aws-kms-key-id")], ["aws:kms", self.key], name)

    def test_a_server_that_encrypts_with_one(self):
        _, barman = self.scene(aws_encryption="aws:kms", aws_sse_kms_key_id=self.key, compression="gzip")
        self.assertEqual(barman.ok("check-bucket", "main").out.count("\tencryption: OK (aws:kms)\n"), 2)
        backup = self.back_up(barman)
        self.assert_encrypted("main/", backup)
        self.assertRegex(self.bucket.head(f"main/base/{backup}/data.tar")["etag"], "-[0-9]+", "in parts")
        self.assertIn(backup, barman.ok("list-backups", "main").out)
        self.assertIn("DONE", barman.ok("show-backup", "main", backup).out)
        barman.ok("verify-backup", "main", backup)
        self.assert_comes_back(barman, "restored")
        elsewhere = self.barman("elsewhere")
        elsewhere.environment = barman.environment
        elsewhere.server("main", active="false", basebackups_directory=self.bucket.url, wals_directory=self.bucket.url)
        self.assertIn(backup, elsewhere.ok("list-backups", "main").out, "reading needs no option")

    def test_the_programs_for_buckets(self):
        cluster = self.cluster(15, wal_segment_size=1)
        encrypted, url, back = ["-e", "aws:kms", "--sse-kms-key-id", self.key], self.bucket.url, os.path.join(self.scratch.path, "back")
        self.program("backup", *encrypted, "--immediate-checkpoint", "-h", cluster.sockets, "-p", cluster.port, "-U", "barman", url, "main")
        folder = os.path.join(cluster.data, "pg_wal")
        wal = cluster.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
        cluster.switch_wal()
        self.program("wal-archive", *encrypted, url, "main", os.path.join(folder, wal))
        backup = json.loads(self.program("backup-list", "--format", "json", url, "main"))["backups_list"][0]["backup_id"]
        self.assert_encrypted("main/", backup)
        self.assertIn(backup, self.program("backup-show", url, "main", backup))
        self.program("restore", url, "main", backup, back)
        self.assertTrue(os.path.getsize(f"{back}/global/pg_control"))
        self.program("wal-restore", url, "main", wal, f"{back}/fetched")
        with open(os.path.join(folder, wal), "rb") as one, open(f"{back}/fetched", "rb") as other:
            self.assertEqual(one.read(), other.read())

    def program(self, name, *arguments):
        options = {"user": place.ACCOUNT.pw_uid, "group": place.ACCOUNT.pw_gid, "extra_groups": []} if harness.AM_ROOT else {}
        done = bucket.run(bucket.ours(self.scratch, "barman-cloud-" + name), *arguments, cwd="/",
                          environment={**self.bucket.environment, "HOME": self.scratch.path}, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_one_that_the_service_does_not_have_is_refused_and_nothing_is_believed(self):
        _, barman = self.scene(aws_encryption="aws:kms", aws_sse_kms_key_id="some-key")
        done = barman.run("backup", "--immediate-checkpoint", "main")
        self.assertEqual(done.code, 1, str(done))
        self.assertRegex(str(done) + barman.log_tail(), "cannot store .* in bucket .*: the store does not get the key .*kms-keyid: some-key.*check aws_sse_kms_key_id")
        self.assertEqual([name for name in self.bucket.keys("main/base/") if ".tar" in name], [])
        self.assertNotIn("DONE", [barman.backup_info("main", one)["status"] for one in barman.backup_ids("main")])


class Locked(Guarded):
    locked_for_days = 1

    def test_what_is_locked_is_not_deleted_and_stays_listed(self):
        _, barman = self.scene(aws_check_object_lock="on", minimum_redundancy="0")
        backup = self.back_up(barman)
        before = self.bucket.keys("main/base/")
        self.assert_fails(barman.run("delete", "main", backup), says="data.tar.*lock")
        self.assertEqual(self.bucket.keys("main/base/"), before)
        self.assertIn(backup, barman.ok("list-backups", "main").out)
        self.assertEqual(barman.backup_info("main", backup)["status"], "DONE")
        self.assert_comes_back(barman, "restored")
        barman.server("main", retention_policy="RECOVERY WINDOW OF 1 DAYS")
        self.back_up(barman)


class WrongCredentials(Guarded):
    def test_they_are_named_and_not_shown(self):
        _, barman = self.scene()
        wal = "000000010000000000000001"
        barman.environment["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
        for words, code in ((["backup", "main"], 1), (["cloud-wal-restore", "main", wal, os.path.join(self.scratch.path, wal)], 2)):
            done = barman.run(*words)
            self.assertEqual(done.code, code, str(done))
            said = str(done) + barman.log_tail()
            self.assertRegex(said, r"check access key and secret key|permission denied \(403\)")
            self.assertNotIn("not-the-secret", said)
        self.assertEqual(barman.backup_ids("main"), [])


class OnTheWay(EndToEnd):
    """barman-cloud-wal-archive and -wal-restore through what stands in between."""

    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket(fake=True)
        self.addCleanup(self.bucket.close)
        self.bucket.create()
        self.address = ("127.0.0.1", urllib.parse.urlsplit(self.bucket.environment["AWS_ENDPOINT_URL"]).port)
        self.wal = os.path.join(self.scratch.path, "000000010000000000000001")
        with open(self.wal, "wb") as file:
            file.write(os.urandom(1000))

    def relay(self, made):
        self.addCleanup(made.close)
        return made

    def there_and_back(self, *codes, **environment):
        """Stores a file and fetches it; returns what was said. Both succeed unless other codes are given."""
        codes = codes or (0, 0)
        environment = {**self.bucket.environment, "AWS_MAX_ATTEMPTS": "1", **environment}
        target = os.path.join(self.scratch.path, "back")
        stored = bucket.run(bucket.ours(self.scratch, "barman-cloud-wal-archive"), self.bucket.url, "main", self.wal, environment=environment)
        fetched = bucket.run(bucket.ours(self.scratch, "barman-cloud-wal-restore"), self.bucket.url, "main", os.path.basename(self.wal), target, environment=environment)
        self.assertEqual((stored.returncode, fetched.returncode), codes, stored.stderr + fetched.stderr)
        if codes == (0, 0):
            with open(self.wal, "rb") as sent, open(target, "rb") as back:
                self.assertEqual(sent.read(), back.read())
        return stored.stderr + fetched.stderr

    def test_a_certificate_of_ones_own_has_to_be_made_known(self):
        pair, authority = relays.certificate(self.scratch.folder("tls"), "IP:127.0.0.1")
        tls = self.relay(relays.Tls(self.address, pair))
        endpoint = f"https://127.0.0.1:{tls.port}"
        self.there_and_back(AWS_ENDPOINT_URL=endpoint, AWS_CA_BUNDLE=authority)
        profile = os.path.join(self.scratch.path, "aws-config")
        with open(profile, "w", encoding="utf-8") as file:
            file.write(f"[default]\nca_bundle = {authority}\n")
        self.there_and_back(AWS_ENDPOINT_URL=endpoint, AWS_CONFIG_FILE=profile)
        count = len(self.bucket.store.requests)
        self.assertIn("set AWS_CA_BUNDLE", self.there_and_back(4, 4, AWS_ENDPOINT_URL=endpoint))
        self.assertIn("/absent", self.there_and_back(4, 4, AWS_ENDPOINT_URL=endpoint, AWS_CA_BUNDLE="/absent"))
        # The right authority, but of somebody else's name.
        self.assertIn("localhost", self.there_and_back(4, 4, AWS_ENDPOINT_URL=f"https://localhost:{tls.port}", AWS_CA_BUNDLE=authority))
        self.assertEqual(len(self.bucket.store.requests), count)

    def test_proxies_are_used_and_passed_by_as_the_environment_says(self):
        """Nobody but the proxy knows the host."""
        proxy = self.relay(relays.Proxy(self.address))
        there = {"AWS_ENDPOINT_URL": "http://s3.invalid"}
        url = f"http://user:proxy-secret@127.0.0.1:{proxy.port}"
        for name in ("http_proxy", "HTTP_PROXY"):
            self.there_and_back(**there, **{name: url})
        self.assertTrue(all(line.split()[1].startswith(f"http://s3.invalid/{self.bucket.name}/") for line in proxy.asked), proxy.asked)
        self.assertEqual(proxy.passwords, {base64.b64encode(b"user:proxy-secret").decode()})
        self.assertIn("s3.invalid", self.there_and_back(4, 2, **there, http_proxy=url, no_proxy="s3.invalid"))
        said = self.there_and_back(4, 2, **there, http_proxy="http://user:proxy-secret@127.0.0.1:1")
        self.assertNotIn("proxy-secret", said)

    def test_proxies_pass_tls_on(self):
        pair, authority = relays.certificate(self.scratch.folder("tls"), "DNS:s3.invalid")
        tls = self.relay(relays.Tls(self.address, pair))
        proxy = self.relay(relays.Proxy(("127.0.0.1", tls.port)))
        for name in ("https_proxy", "HTTPS_PROXY"):
            self.there_and_back(AWS_ENDPOINT_URL="https://s3.invalid", AWS_CA_BUNDLE=authority, **{name: f"http://127.0.0.1:{proxy.port}"})
        self.assertEqual({line.split()[:2][1] for line in proxy.asked}, {"s3.invalid:443"})


# Everything can be read only, but for the folder $1; then the words that follow run as the user $2 (number).
READ_ONLY = r"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
awk '{print $5}' /proc/self/mountinfo | while read -r place; do
  case $place in "$1"|/proc*|/sys*|/dev/pts*|/dev/mqueue*|/dev/hugepages*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done
for place in / /tmp /var/tmp /dev/shm; do
  if touch "$place/.barman-test-$$" 2>/dev/null; then rm "$place/.barman-test-$$"; echo "$place can be written to" >&2; exit 99; fi
done
cd /
user=$2
shift 2
exec setpriv --reuid="$user" --regid="$user" --clear-groups env -i "$@"
"""


class AsInAContainer(EndToEnd):
    """The programs for buckets with a read-only root, no home folder, no temporary one, and nothing in the environment but the keys."""

    def setUp(self):
        super().setUp()
        self.bucket = bucket.Bucket()
        self.addCleanup(self.bucket.close)
        self.bucket.create()
        self.volume = self.scratch.folder("volume")

    def contained(self, name, *arguments, user=None, **environment):
        """One of the programs; returns how it ended."""
        if not harness.AM_ROOT or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
            raise Missing("a read-only root needs a root that may mount")
        program = bucket.ours(self.scratch, "barman-cloud-" + name)
        words = [f"{key}={value}" for key, value in {**self.bucket.environment, "AWS_MAX_ATTEMPTS": "1", **environment}.items()]
        done = subprocess.run(["unshare", "-m", "sh", "-c", READ_ONLY, "sh", self.volume, str(user or place.ACCOUNT.pw_uid), *words, program, *map(str, arguments)],
                              capture_output=True, text=True, timeout=240, check=False)
        self.assertNotEqual(done.returncode, 99, done.stderr)
        return done

    def expect(self, code, name, *arguments, **more):
        done = self.contained(name, *arguments, **more)
        self.assertEqual(done.returncode, code, f"{name} {arguments}: {done.stderr}")
        self.assertTrue(code == 0 or done.stderr, "it says why")
        return done

    def test_a_cluster_is_archived_backed_up_and_brought_back(self):
        cluster = self.cluster(17)
        server = ["--immediate-checkpoint", "-h", cluster.sockets, "-p", cluster.port, "-U", "barman", "-d", "postgres"]
        url, back = self.bucket.url, os.path.join(self.volume, "back")
        self.expect(0, "check-wal-archive", url, "main")
        self.expect(0, "backup", *server, "--gzip", url, "main", AWS_MAX_ATTEMPTS="5")
        cluster.sql("CREATE TABLE later AS SELECT 1 AS n")
        cluster.switch_wal()
        cluster.stop()
        folder = os.path.join(cluster.data, "pg_wal")
        segments = sorted(name for name in os.listdir(folder) if len(name) == 24)
        for name in segments:
            self.expect(0, "wal-archive", "--gzip", url, "main", os.path.join(folder, name))
        self.expect(0, "backup-list", url, "main")
        self.expect(0, "restore", url, "main", "last", back)
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", back] if os.path.exists(f"{back}/backup_manifest") else ["test", "-s", f"{back}/global/pg_control"])
        fetched = os.path.join(self.volume, "wal")
        for name in segments:
            self.expect(0, "wal-restore", url, "main", name, fetched)
            with open(os.path.join(folder, name), "rb") as one, open(fetched, "rb") as other:
                self.assertEqual(one.read(), other.read())
        os.unlink(fetched)
        self.expect(0, "backup-delete", "-r", "REDUNDANCY 1", url, "main")

    def test_exit_statuses_are_exact(self):
        wal = os.path.join(self.volume, "000000010000000000000001")
        with open(wal, "wb") as file:
            file.write(bytes(1000))
        url, name, target = self.bucket.url, os.path.basename(wal), os.path.join(self.volume, "target")
        self.expect(0, "wal-archive", url, "main", wal)
        for code, words, more in ((0, ["wal-archive", url, "main", wal], {}),
                                  (3, ["wal-archive", url, "main", "/etc/passwd"], {}),
                                  (4, ["wal-archive", "s3://absent-bucket/x", "main", wal], {}),
                                  (4, ["wal-archive", url, "main", wal], {"AWS_SECRET_ACCESS_KEY": "wrong"}),
                                  (2, ["wal-archive", "-t", url, "main", wal], {"AWS_ENDPOINT_URL": AWAY}),
                                  (1, ["wal-restore", url, "main", "000000010000000000000002", target], {}),
                                  (2, ["wal-restore", url, "main", name, target], {"AWS_ENDPOINT_URL": AWAY}),
                                  (3, ["wal-restore", url, "main", "junk", target], {}),
                                  (4, ["wal-restore", url, "main", name, "/read-only"], {}),
                                  (1, ["restore", url, "main", "20200101T000000", target], {}),
                                  (1, ["backup", "-h", "/nowhere", url, "main"], {}),
                                  (0, ["backup-list", url, "main"], {})):
            with self.subTest(words=words, **more):
                self.expect(code, *words, **more)
                self.assertFalse(os.path.exists(target))
        # The file that follows waits in a folder, if there is one.
        other = os.path.join(self.volume, "000000010000000000000002")
        os.rename(wal, other)
        self.expect(0, "wal-archive", url, "main", other)
        self.expect(2, "wal-restore", "-p", "2", url, "main", name, target)
        self.expect(0, "wal-restore", "-p", "2", "--spool-dir", os.path.join(self.volume, "spool"), url, "main", name, target)
        os.rename(other, wal)
        os.unlink(target)
        # A user that nobody has heard of.
        os.chmod(self.volume, 0o777)
        os.chmod(self.scratch.path, 0o711)
        self.expect(0, "wal-archive", url, "other", wal, user=54321)
        self.expect(0, "wal-restore", url, "other", name, target, user=54321)


if __name__ == "__main__":
    harness.main()
