#!/usr/bin/env python3
"""The catalogue without any server: listing, showing, checking and deleting backups, with the original as referee."""

import fcntl
import os
import re

import harness
import place
from recorded import FAILED, FULL, INCREMENTAL, LATEST, RSYNC, RecordedCatalogue, segment


class Catalogue(RecordedCatalogue):
    # -- as the original says -------------------------------------------------------------------------

    def assert_all_same(self, barman):
        for form in ([], ["-f", "json"]):
            self.assert_same(barman, *form, "list-backups", "main")
            self.assert_same(barman, *form, "list-backups", "--minimal", "main")
            for backup in barman.backup_ids("main"):
                self.assert_same(barman, *form, "show-backup", "main", backup)

    def test_listing_and_showing_are_the_original_s(self):
        harness.original_barman()
        self.assert_all_same(self.ours)
        for word in ("first one", "latest-full", "nothing"):
            self.assert_same(self.ours, "show-backup", "main", word)

    def test_retention_is_the_original_s(self):
        harness.original_barman()
        for policy, minimum, keep in (("redundancy 1", 0, None), ("redundancy 1", 2, "full"), ("redundancy 1", 0, "standalone"),
                                      ("recovery window of 1 month", 0, "full"), ("RECOVERY WINDOW OF 2 DAYS", 3, "standalone"),
                                      ("RECOVERY WINDOW OF 2 DAYS", 3, None)):
            with self.subTest(policy=policy, minimum=minimum, keep=keep):
                self.ours.server("main", retention_policy=policy, minimum_redundancy=minimum)
                path = self.ours.directory("main", "meta", f"{FULL}-keep")
                if keep:
                    self.write(self.ours, keep, "meta", f"{FULL}-keep")
                elif os.path.exists(path):
                    os.remove(path)
                self.assert_same(self.ours, "list-backups", "main")

    def test_other_timelines_are_shown_as_the_original_does(self):
        harness.original_barman()
        self.write(self.ours, "1\t0/6500000\tno recovery target specified\n", "wals", "00000002.history")
        self.write(self.ours, "1\t0/6500000\tx\n2\t0/7500000\ty\n", "wals", "00000003.history")
        self.assert_same(self.ours, "show-backup", "main", FULL)
        self.assert_same(self.ours, "-f", "json", "show-backup", "main", INCREMENTAL)

    def test_a_record_that_we_rewrote_is_byte_for_byte_the_original_s(self):
        harness.original_barman()
        other = self.scene("other")
        for barman, check in ((self.ours, self.ours.run), (other, other.original)):
            self.assertEqual(check("check-backup", "main", LATEST).code, 0)
        self.assertEqual(self.state(self.ours), self.state(other))
        self.assertEqual(self.ours.backup_info("main", LATEST)["status"], "DONE")

    def test_a_missing_segment_fails_a_backup_as_with_the_original(self):
        harness.original_barman()
        other = self.scene("other")
        for barman, check in ((self.ours, self.ours.run), (other, other.original)):
            os.remove(barman.directory("main", "wals", segment(16)[:16], segment(16)))
            result = check("check-backup", "main", LATEST)
            self.assert_fails(result, says=f"first missing WAL file is {segment(16)}")
            self.assert_fails(check("check-backup", "main", LATEST), says="validity of a failed backup cannot be checked")
        self.assertEqual(self.state(self.ours), self.state(other))

    def test_what_delete_leaves_is_what_the_original_leaves(self):
        harness.original_barman()
        for number, words in enumerate(([FULL], [INCREMENTAL], [FAILED], ["oldest", "oldest"], ["latest"], [FULL, FAILED, LATEST],
                                        [FULL, FAILED, "latest", "latest"])):
            with self.subTest(words=words):
                ours, other = self.scene(f"ours{number}"), self.scene(f"other{number}")
                for barman in (ours, other):
                    self.write(barman, "1\t0/6500000\tx\n", "wals", "00000002.history")
                    self.write(barman, "label", "wals", segment(1)[:16], f"{segment(1)}.00000028.backup")
                    with open(barman.directory("main", "wals", "main-xlog.db"), "a", encoding="utf-8") as file:
                        file.write(f"00000002.history\t15\t1793527200.0\tNone\tNone\n{segment(1)}.00000028.backup\t300\t1.5\tNone\tNone\n")
                for word in words:
                    mine, theirs = ours.ok("delete", "main", word), other.original("delete", "main", word)
                    self.assertEqual(theirs.code, 0, str(theirs))
                    self.assertEqual(_without_times(mine.out), _without_times(theirs.out))
                    self.assertEqual(re.sub("(in the tree): .*", r"\1", mine.err), theirs.err)  # ours names them
                self.assertEqual(self.state(ours), self.state(other))

    # -- rules ------------------------------------------------------------------------------------------

    def test_a_backup_that_is_kept_or_needed_is_not_deleted(self):
        before = self.state(self.ours)
        self.ours.server("main", minimum_redundancy=2)
        self.assert_fails(self.ours.run("delete", "main", FULL), says="minimum redundancy = 2, current redundancy = 2")
        self.ours.server("main", minimum_redundancy=0)
        self.write(self.ours, "full", "meta", f"{FULL}-keep")
        self.assert_fails(self.ours.run("delete", "main", FULL), says="keep request")
        os.remove(self.ours.directory("main", "meta", f"{FULL}-keep"))
        self.assertEqual(self.state(self.ours), before)

    def test_only_whole_words_stand_for_backups(self):
        for word in ("fail", "l", "-"):
            self.assert_fails(self.ours.run("delete", "main", "--", word), says="Unknown backup")
        self.assertEqual(len(self.ours.backup_ids("main")), 5)

    def test_a_damaged_record_is_named_and_the_rest_is_shown(self):
        for text in ("", "status=DONE\n", "colour=blue\n", "\0" * 4096, "status=DONE\nxlog_segment"):
            with self.subTest(text=text[:20]):
                self.write(self.ours, text, "meta", f"{RSYNC}-backup.info")
                result = self.ours.ok("list-backups", "main")
                self.assertEqual([line.split()[1] for line in result.out.splitlines()], [LATEST, FAILED, INCREMENTAL, FULL])
                self.assertIn(f"{RSYNC}-backup.info", result.err)
                self.ours.ok("show-backup", "main", FULL)
                self.assert_fails(self.ours.run("show-backup", "main", RSYNC), says=RSYNC)
                self.assert_fails(self.ours.run("delete", "main", RSYNC), says=RSYNC)

    def test_garbage_in_the_index_is_reported_and_skipped(self):
        wanted = self.ours.ok("list-backups", "main").out
        with open(self.ours.directory("main", "wals", "main-xlog.db"), "a", encoding="latin-1") as file:
            file.write("not a line\n\xff\xfe\0\n")
        result = self.ours.ok("list-backups", "main")
        self.assertEqual(result.out, wanted)
        self.assertIn("main-xlog.db", result.err)

    def test_a_deletion_that_was_killed_is_finished_by_the_next(self):
        for number, point in enumerate(("delete-marked", "purge-file", "xlogdb-remove", "delete-wal-removed", "delete-files-removed",
                                        "delete-parent-released")):
            with self.subTest(point=point):
                clean, barman = self.scene(f"clean{number}"), self.scene(f"killed{number}")
                clean.ok("delete", "main", FULL)
                killed = barman.run("delete", "main", FULL, fault_point=point)
                self.assertNotEqual(killed.code, 0, str(killed))
                barman.ok("list-backups", "main")
                barman.ok("delete", "main", FULL)
                self.assertEqual(self.state(barman), self.state(clean))
                self.assert_clean(barman)

    def test_another_process_s_locks_are_heeded(self):
        for name, says in ((".main-backup.lock", "running"), (f".main-{FULL}.lock", "in use")):
            path = os.path.join(self.ours.home, name)
            with open(path, "w", encoding="utf-8") as lock:
                place.give(path)
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.assert_fails(self.ours.run("delete", "main", FULL), says=says)
            os.remove(path)
        self.assertIn(FULL, self.ours.backup_ids("main"))


def _without_times(text):
    return [line.split(" (start time")[0] for line in text.splitlines()]


if __name__ == "__main__":
    harness.main()
