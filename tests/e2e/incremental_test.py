#!/usr/bin/env python3
"""Block-level incremental backups: taken, listed, deleted, and restored to what pg_combinebackup makes of them."""

import datetime
import filecmp
import os
import random
import re
import shutil
import signal
import subprocess
import time

import harness
import place
from gnupg import Keyring
from harness import EndToEnd, on_versions, wait_until
from restoring import read, write
from unpacking import unpacked

# What a restore adds, edits or leaves to the server; everything else is as pg_combinebackup has it.
NOT_COMPARED = re.compile(r"(postgresql\.conf|postgresql\.auto\.conf)(\.origin)?|\.barman-recover\.info|backup_manifest.*|pg_wal(/.*)?|"
                          r"recovery\.signal|log/.*|tablespace_map")


class Chains(EndToEnd):
    def scene(self, version=17, **more):
        """A streaming server that summarizes its WAL, with a tablespace. Returns (cluster, barman)."""
        cluster, barman = self.streaming(version, settings={"summarize_wal": "on", **more})
        cluster.tablespace("elsewhere")
        cluster.sql("CREATE TABLE steps (step int); CREATE TABLE afar (n int, t text) TABLESPACE elsewhere; "
                    "CREATE TABLE wide AS SELECT n, repeat(n::text, 50) AS t FROM generate_series(1, 20000) n; "
                    "CREATE INDEX ON wide (n)")
        return cluster, barman

    def back_up(self, barman, parent=None, wait=True):
        """Returns the id."""
        barman.ok("backup", *(["--wait"] if wait else []), "--immediate-checkpoint",
                  *([f"--incremental={parent}"] if parent else []), "main", timeout=300)
        return barman.backup_ids("main")[-1]

    def chain(self, cluster, barman, length):
        """A full backup and incremental ones with a step between them; returns the ids."""
        ids = [self.back_up(barman)]
        for step in range(1, length):
            cluster.sql(f"INSERT INTO steps VALUES ({step}); UPDATE wide SET t = 'x{step}' WHERE n % 997 = {step}; "
                        f"INSERT INTO afar SELECT n, 'far' FROM generate_series(1, 500) n")
            ids.append(self.back_up(barman, parent="latest"))
        return ids

    def data(self, barman, backup, *below):
        return barman.directory("main", "base", backup, "data", *below)

    def place(self, name="restored"):
        path = os.path.join(self.scratch.path, name)
        return path, ["--tablespace", f"elsewhere:{path}-ts"]

    def combined(self, cluster, barman, ids):
        """What pg_combinebackup makes of the chain: (data directory, tablespace directory)."""
        path = os.path.join(self.scratch.path, f"referee-{ids[-1]}")
        trees = [unpacked(cluster, f"{path}-{one}", self.data(barman, one), getattr(self, "keyring", None)) for one in ids]
        links = os.path.join(trees[-1], "pg_tblspc")
        moved = [f"--tablespace-mapping={os.readlink(os.path.join(links, oid))}={path}-ts" for oid in os.listdir(links)]
        cluster.program([f"{cluster.bin}/pg_combinebackup", "--no-sync", "-o", path, *moved, *trees])
        for left in (name for name in os.listdir(self.scratch.path) if name.startswith(f"{os.path.basename(path)}-2")):
            shutil.rmtree(os.path.join(self.scratch.path, left))
        return path, f"{path}-ts"

    def assert_same_trees(self, ours, referee):
        def files(root):
            return {os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names}
        def folders(root):
            return {os.path.relpath(os.path.join(folder, name), root) for folder, names, _ in os.walk(root) for name in names}
        kept = {path for path in files(ours) if not NOT_COMPARED.fullmatch(path)}
        wanted = {path for path in files(referee) if not NOT_COMPARED.fullmatch(path)}
        self.assertEqual(kept ^ wanted, set())
        self.assertEqual({one for one in folders(ours) ^ folders(referee) if not NOT_COMPARED.fullmatch(one)}, set())
        _, different, odd = filecmp.cmpfiles(ours, referee, sorted(kept), shallow=False)
        self.assertEqual((different, odd), ([], []))

    def assert_restored_as_combined(self, cluster, barman, ids, name="restored"):
        """Restores the last of the chain, and has every referee look at it. Returns the destination."""
        destination, moved = self.place(name)
        barman.ok("restore", *moved, "main", ids[-1], destination, timeout=300)
        data, tablespace = self.combined(cluster, barman, ids)
        self.assert_same_trees(destination, data)
        self.assert_same_trees(f"{destination}-ts", tablespace)
        self.assertNotIn("INCREMENTAL", read(f"{destination}/backup_label"))
        cluster.program([f"{cluster.bin}/pg_verifybackup", "-n", "-e", destination])
        shutil.rmtree(data)
        shutil.rmtree(tablespace)
        return destination


class Backups(Chains):
    @on_versions(17, 18)
    def test_a_chain_is_taken_listed_and_restored(self, version):
        cluster, barman = self.scene(version)
        ids = self.chain(cluster, barman, 3)
        for parent, child in zip(ids, ids[1:]):
            self.assertEqual(barman.backup_info("main", child)["parent_backup_id"], parent)
            self.assertEqual(barman.backup_info("main", parent)["children_backup_ids"], child)
        self.assertEqual(barman.backup_info("main", ids[-1])["children_backup_ids"], "None")
        sizes = [int(barman.backup_info("main", one)["size"]) for one in ids]
        self.assertLess(sizes[1], sizes[0] / 2)
        lines = barman.ok("list-backups", "main").out.splitlines()
        self.assertEqual([re.match(r"main (\S+) - (.) - ", line).groups() for line in lines],
                         [(ids[2], "I"), (ids[1], "I"), (ids[0], "F")])
        shown = barman.ok("show-backup", "main", ids[2]).out
        for line in ("Backup Type          : incremental", f"Root Backup          : {ids[0]}", f"Parent Backup        : {ids[1]}",
                     "Backup chain size    : 3"):
            self.assertIn(line, shown)
        self.assertRegex(shown, r"Resources saved      : .* \(\d+\.\d\d%\)")
        self.assertIn(f"Children Backup(s)   : {ids[1]}", barman.ok("show-backup", "main", ids[0]).out)
        destination = self.assert_restored_as_combined(cluster, barman, ids)
        server = self.restored(version, destination)
        self.assertEqual(server.sql("SELECT string_agg(step::text, ' ' ORDER BY step) FROM steps"), "1 2")
        self.assertEqual(server.sql("SELECT count(*) FROM afar"), "1000")
        server.amcheck()

    def test_words_choose_the_parent(self):
        cluster, barman = self.scene()
        barman.ok("backup", "--immediate-checkpoint", "--name", "sunday", "main")
        full = barman.backup_ids("main")[0]
        first = self.back_up(barman, parent="sunday", wait=False)
        second = self.back_up(barman, parent="last-full", wait=False)
        third = self.back_up(barman, parent="last", wait=False)
        parents = [barman.backup_info("main", one)["parent_backup_id"] for one in (first, second, third)]
        self.assertEqual(parents, [full, full, second])
        self.assertEqual(barman.backup_info("main", full)["children_backup_ids"], f"{first},{second}")

    def test_deleting_a_parent_deletes_what_is_built_on_it(self):
        cluster, barman = self.scene()
        ids = self.chain(cluster, barman, 3)
        other = self.back_up(barman)
        result = barman.ok("delete", "main", ids[0])
        self.assertIn(f"Deleting all backups in the tree: {ids[2]}, {ids[1]}, {ids[0]}", result.err)
        self.assertEqual(re.findall(r"Deleting backup (\S+)", result.out), [ids[2], ids[1], ids[0]])
        self.assertEqual(barman.backup_ids("main"), [other])

    def test_deleting_an_incremental_releases_its_parent(self):
        cluster, barman = self.scene()
        ids = self.chain(cluster, barman, 2)
        barman.ok("delete", "main", ids[1])
        self.assertEqual(barman.backup_info("main", ids[0])["children_backup_ids"], "None")


class Interrupted(Chains):
    def test_a_backup_that_was_killed_is_known_to_its_parent(self):
        cluster, barman = self.scene()
        full = self.back_up(barman)
        for point in ("backup-recorded", "backup-parent-linked", "backup-manifest", "backup-synced"):
            result = barman.run("backup", "--immediate-checkpoint", "--incremental=latest", "main", fault_point=point)
            self.assertNotEqual(result.code, 0, str(result))
            killed = barman.backup_ids("main")[-1]
            self.assertEqual(barman.backup_info("main", killed)["parent_backup_id"], full)
        ids = [full, self.back_up(barman, parent="latest")]
        self.assertEqual([barman.backup_info("main", one)["status"] for one in barman.backup_ids("main")],
                         ["DONE", *["FAILED"] * 4, "DONE"])
        self.assert_restored_as_combined(cluster, barman, ids)
        barman.ok("delete", "main", full)
        self.assertEqual(barman.backup_ids("main"), [])
        self.assert_clean(barman)

    def test_a_failed_parent_of_a_failed_backup_does_not_stop_the_next(self):
        cluster, barman = self.scene()
        ids = self.chain(cluster, barman, 2)
        barman.run("backup", "--immediate-checkpoint", f"--incremental={ids[1]}", "main", fault_point="backup-manifest")
        ids.append(self.back_up(barman, parent="latest"))
        self.assertEqual(barman.backup_info("main", ids[2])["parent_backup_id"], ids[1])
        self.assert_restored_as_combined(cluster, barman, ids)


class Refusals(Chains):
    def refused(self, barman, parent, says):
        before = barman.backup_ids("main")
        self.assert_fails(barman.run("backup", "--immediate-checkpoint", f"--incremental={parent}", "main"), says=says)
        self.assertEqual(barman.backup_ids("main"), before)

    def test_15_takes_none(self):
        cluster, barman = self.streaming(15)
        barman.ok("backup", "--immediate-checkpoint", "main")
        self.refused(barman, "latest", "incremental backups need PostgreSQL 17")

    def test_the_server_has_to_summarize_its_wal(self):
        cluster, barman = self.streaming(17)
        self.back_up(barman)
        self.refused(barman, "latest", "need summarize_wal = on")
        cluster.sql("ALTER SYSTEM SET summarize_wal = on")
        cluster.sql("SELECT pg_reload_conf()")
        harness.wait_until(lambda: cluster.sql("SHOW summarize_wal") == "on", "the server summarizes")
        self.refused(barman, "latest", "summarize_wal was not on when it was taken")

    def test_the_parent_has_to_be_there_and_complete(self):
        cluster, barman = self.scene()
        self.refused(barman, "latest", "Unknown backup 'latest' for server 'main'")
        self.refused(barman, "20200101T000000", "Unknown backup '20200101T000000'")
        self.refused(barman, "", "Unknown backup '' for server 'main'")  # a script's empty variable
        full = self.back_up(barman)
        info = barman.directory("main", "meta", f"{full}-backup.info")
        text = read(info)
        write(info, text.replace("status=DONE", "status=FAILED"))
        self.refused(barman, full, "its status is FAILED")
        write(info, text)
        manifest = self.data(barman, full, "backup_manifest")
        flipped = read(manifest).replace("CRC32C", "CRC32D", 1)
        os.rename(manifest, f"{manifest}.away")
        self.refused(barman, full, "its manifest .* is missing; take a full backup")
        write(manifest, flipped)
        self.refused(barman, full, "unknown Checksum-Algorithm|its own checksum is wrong")
        place.give(manifest)

    def test_expired_summaries_are_named(self):
        cluster, barman = self.scene()
        self.back_up(barman)
        cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) n")
        cluster.sql("CHECKPOINT")
        summaries = os.path.join(cluster.data, "pg_wal", "summaries")
        start = barman.backup_info("main", barman.backup_ids("main")[0])["begin_xlog"]
        harness.wait_until(lambda: cluster.sql(
            f"SELECT count(*) > 0 FROM pg_available_wal_summaries() WHERE end_lsn > '{start}'") == "t", "there is a summary")
        for name in os.listdir(summaries):
            os.unlink(os.path.join(summaries, name))
        cluster.sql("INSERT INTO t VALUES (1)")
        cluster.sql("CHECKPOINT")
        harness.wait_until(lambda: cluster.sql("SELECT count(*) > 0 FROM pg_available_wal_summaries()") == "t", "there is another summary")
        self.refused(barman, "latest", "the server has no WAL summaries from .* wal_summary_keep_time")

    def test_another_cluster_is_no_place_to_go_on(self):
        cluster, barman = self.scene()
        self.back_up(barman)
        other = self.cluster(17, name="other", settings={"summarize_wal": "on"})
        barman.server("main", other)
        result = barman.run("backup", "--immediate-checkpoint", "--incremental=latest", "main")
        self.assertEqual(result.code, 1, str(result))


class BadChains(Chains):
    def restore(self, barman, backup, *options):
        destination, moved = self.place()
        return barman.run("restore", *moved, *options, "main", backup, destination), destination

    def refused_untouched(self, barman, backup, says):
        result, destination = self.restore(barman, backup)
        self.assert_fails(result, says=says)
        self.assertFalse(os.path.exists(destination))

    def test_what_is_wrong_with_a_member_is_named_before_anything_is_written(self):
        cluster, barman = self.scene()
        ids = self.chain(cluster, barman, 3)
        info = barman.directory("main", "meta", f"{ids[1]}-backup.info")
        text = read(info)
        write(info, text.replace("status=DONE", "status=FAILED"))
        self.refused_untouched(barman, ids[2], f"{ids[1]}, whose status is FAILED")
        write(info, re.sub("systemid=.*", "systemid=42", text))
        self.refused_untouched(barman, ids[2], "another cluster: system identifier 42")
        write(info, re.sub("begin_xlog=.*", "begin_xlog=0/28", text))
        self.refused_untouched(barman, ids[2], f"built on backup {ids[1]}, which begins at 0/28")
        os.rename(info, f"{info}.away")
        self.refused_untouched(barman, ids[2], f"{ids[1]}, which is missing")
        os.rename(f"{info}.away", info)
        write(info, text)
        manifest = self.data(barman, ids[1], "backup_manifest")
        os.rename(manifest, f"{manifest}.away")
        self.refused_untouched(barman, ids[2], f"backup {ids[1]} has no manifest")
        shutil.copy(self.data(barman, ids[2], "backup_manifest"), manifest)
        place.give(manifest)
        result, destination = self.restore(barman, ids[2])
        self.assertEqual(result.code, 1, str(result))
        self.assertFalse(os.path.exists(destination))
        os.rename(f"{manifest}.away", manifest)
        victim = self.incremental_file(barman, ids[1])
        os.rename(victim, f"{victim}.away")
        self.refused_untouched(barman, ids[2], f"{re.escape(victim)} is missing")
        os.rename(f"{victim}.away", victim)
        with open(victim, "ab") as file:
            file.write(b"x")
        self.refused_untouched(barman, ids[2], f"{os.path.basename(victim)} of backup {ids[1]} is damaged: it has")

    def incremental_file(self, barman, backup, smallest=9000):
        """A file that has changed blocks."""
        for folder, _, names in os.walk(self.data(barman, backup, "base")):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.startswith("INCREMENTAL.") and os.path.getsize(path) > smallest:
                    return path
        raise AssertionError("no file has changed")

    def test_one_flipped_bit_is_named_and_nothing_starts(self):
        cluster, barman = self.scene()
        ids = self.chain(cluster, barman, 3)
        for backup in ids[1:]:
            victim = self.incremental_file(barman, backup)
            with open(victim, "rb") as file:
                good = file.read()
            for at in (0, 4, 8, 12, len(good) - 5000):
                bad = bytearray(good)
                bad[at] ^= 1
                with open(victim, "wb") as file:
                    file.write(bad)
                result, destination = self.restore(barman, ids[2])
                self.assert_fails(result, says=os.path.basename(victim))
                self.assertFalse(os.path.exists(f"{destination}/global/pg_control"))
                shutil.rmtree(destination, ignore_errors=True)
                shutil.rmtree(f"{destination}-ts", ignore_errors=True)
            with open(victim, "wb") as file:
                file.write(good)
        result, _ = self.restore(barman, ids[2])
        self.assertEqual(result.code, 0, str(result))

    def test_a_restore_that_was_killed_can_be_done_again(self):
        cluster, barman = self.scene()
        ids = self.chain(cluster, barman, 3)
        destination, moved = self.place()
        result = barman.run("restore", *moved, "main", ids[2], destination, fault_point="restore-member-applied")
        self.assertNotEqual(result.code, 0, str(result))
        self.assertFalse(os.path.exists(f"{destination}/global/pg_control"))
        self.assert_restored_as_combined(cluster, barman, ids)


class Interchange(Chains):
    """A chain whose members were taken by ours and by the original in turn."""

    def setUp(self):
        super().setUp()
        harness.original_barman()

    @on_versions(17, 18)
    def test_each_builds_on_restores_and_deletes_what_the_other_took(self, version):
        cluster, barman = self.scene(version)
        ids = [self.back_up(barman)]
        for step in (1, 2, 3):
            cluster.sql(f"INSERT INTO steps VALUES ({step}); UPDATE wide SET t = 'x' WHERE n % 997 = {step}")
            if step == 2:
                ids.append(self.back_up(barman, parent="latest"))
                continue
            # Of two backups in one second it makes one.
            wait_until(lambda: datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S") > ids[-1], "the next second")
            done = barman.original("backup", "--wait", "--immediate-checkpoint", "--incremental", ids[-1], "main")
            self.assertEqual(done.code, 0, str(done))
            ids.append(barman.backup_ids("main")[-1])
        self.assertEqual(barman.ok("list-backups", "main").out, barman.original("list-backups", "main").out)
        for one in ids:
            self.assertEqual(barman.ok("show-backup", "main", one).out, barman.original("show-backup", "main", one).out)
        ours = self.assert_restored_as_combined(cluster, barman, ids)
        theirs, moved = self.place("theirs")
        done = barman.original("restore", *moved, "main", ids[-1], theirs)
        self.assertEqual(done.code, 0, str(done))
        self.assert_same_trees(ours, theirs)
        done = barman.original("delete", "main", ids[2])
        self.assertEqual(done.code, 0, str(done))
        self.assertEqual(barman.backup_ids("main"), ids[:2])
        self.assertIn("Children Backup(s)   : " + ids[1], barman.ok("show-backup", "main", ids[0]).out)
        barman.ok("delete", "main", ids[0])
        self.assertEqual(barman.backup_ids("main"), [])


class RandomWorkloads(Chains):
    """Referee: pg_combinebackup. Each member of a chain is kept in another form. BARMAN_TEST_SEED repeats a run."""

    PLAIN = {"backup_compression": None, "backup_compression_format": None, "backup_compression_location": None, "encryption": None}
    FORMS = [{}, {}, {"backup_compression": "none"}, {"backup_compression": "zstd"}, {"backup_compression": "bzip2"},
             {"backup_compression": "lz4", "backup_compression_location": "server"},
             {"backup_compression": "gzip", "backup_compression_location": "server", "backup_compression_format": "plain"},
             {"backup_compression": "zstd", "backup_compression_format": "tar", "encryption": "gpg"}]

    STEPS = [
        "INSERT INTO wide SELECT n, repeat('i', 80) FROM generate_series(1, {n}) n",
        "UPDATE wide SET t = t || 'u' WHERE n % {small} = 0",
        "DELETE FROM wide WHERE n % {small} = 1",
        "VACUUM wide",
        "VACUUM FULL wide",
        "TRUNCATE afar",
        "INSERT INTO afar SELECT n, repeat('f', 100) FROM generate_series(1, {n}) n",
        "DELETE FROM afar WHERE ctid > '(3,0)'; VACUUM (TRUNCATE) afar",
        "CREATE TABLE made_{step} (n int PRIMARY KEY, t text) {place}; INSERT INTO made_{step} SELECT n, 'm' FROM generate_series(1, {n}) n",
        "DROP TABLE IF EXISTS made_{earlier}",
        "CREATE INDEX made_index_{step} ON wide (t)",
        "DROP INDEX IF EXISTS made_index_{earlier}",
        "REINDEX TABLE wide",
        "CREATE DATABASE db_{step} STRATEGY {strategy}",
        "DROP DATABASE IF EXISTS db_{earlier}",
        "ALTER TABLE afar SET TABLESPACE pg_default",
        "ALTER TABLE afar SET TABLESPACE elsewhere",
        "CREATE UNLOGGED TABLE IF NOT EXISTS unlogged AS SELECT generate_series(1, {n}) n",
        "COPY wide FROM PROGRAM 'seq 1 {n} | sed \"s/$/\\tcopied/\"'",
        "CHECKPOINT",
    ]

    def work(self, cluster, random_, step):
        for _ in range(random_.randint(1, 6)):
            statement = random_.choice(self.STEPS).format(
                step=f"{step}_{random_.randrange(10**6)}", earlier=step - 1, n=random_.choice([1, 50, 3000, 20000]),
                small=random_.choice([2, 13, 997]), place=random_.choice(["", "TABLESPACE elsewhere"]),
                strategy=random_.choice(["wal_log", "file_copy"]))
            for one in statement.split("; "):
                cluster.sql(one)

    def background_pgbench(self, cluster):
        """pgbench until the test stops it."""
        running = subprocess.Popen([f"{cluster.bin}/pgbench", *cluster.address(), "-T", "3000", "-c", "2", "-R", "60", "-n", "postgres"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.scratch.path,
                                   env=place.environment(self.scratch.path), preexec_fn=place.die_with_parent(signal.SIGTERM),
                                   **place.as_account())
        self.addCleanup(place.end_process, running)
        return running

    def dump(self, cluster):
        text = cluster.program([f"{cluster.bin}/pg_dump", *cluster.address(), "-d", "postgres", "--no-unlogged-table-data"]).stdout
        return re.sub(r"(?m)^\\(un)?restrict .*$", "", text)  # a word that is new in each dump

    def run_chain(self, version, length, seed):
        random_ = random.Random(seed)
        cluster, barman = self.scene(version)
        cluster.pgbench_init(1)
        self.keyring = Keyring(self.scratch)
        barman.server("main", encryption_key_id=self.keyring.make("open"), encryption_passphrase_command="echo none")
        pgbench = self.background_pgbench(cluster)
        barman.server("main", **random_.choice(self.FORMS))
        ids = [self.back_up(barman)]
        for step in range(1, length + 1):
            self.work(cluster, random_, step)
            barman.server("main", **{**self.PLAIN, **random_.choice(self.FORMS)})
            # On top of any member: chains branch.
            parent = random_.randrange(max(0, len(ids) - 2), len(ids)) if random_.random() < 0.2 else len(ids) - 1
            ids = ids[:parent + 1]
            ids.append(self.back_up(barman, parent=ids[-1]))
        self.assertIsNone(pgbench.poll(), "pgbench runs throughout")
        place.end_process(pgbench)
        cluster.sql("SELECT pg_stat_clear_snapshot()")
        harness.wait_until(lambda: cluster.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'") == "0", "pgbench is gone")
        dump = self.dump(cluster)
        self.archive(barman, "main", until=cluster.switch_wal())
        destination = self.assert_restored_as_combined(cluster, barman, ids)
        server = self.restored(version, destination)
        harness.wait_until(lambda: server.sql("SELECT pg_is_in_recovery()") == "f", "recovery ends")
        self.assertTrue(self.dump(server) == dump, "the restored server holds what the source did")
        server.amcheck()

    @on_versions(17, 18)
    def test_a_long_chain_equals_what_pg_combinebackup_makes(self, version):
        seed = int(os.environ.get("BARMAN_TEST_SEED", time.time_ns() % 10**6))
        print(f"BARMAN_TEST_SEED={seed}")
        self.run_chain(version, int(os.environ.get("BARMAN_TEST_CHAIN", 8)), seed)


if __name__ == "__main__":
    harness.main()
