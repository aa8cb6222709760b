#!/usr/bin/env python3
"""receive-wal beside pg_receivewal: both catch up with the same WAL, waiting on the server, over loopback TCP."""

import os
import signal
import subprocess
import time

import measure
import place

WAITING_MIB = int(os.environ.get("BARMAN_BENCH_CATCH_UP_MIB", "2048"))
ROUNDS = int(os.environ.get("BARMAN_BENCH_ROUNDS", "3"))


def main():
    with measure.Scene() as scene:
        cluster = scene.cluster(max_wal_size="16GB")
        contestants = {name: cluster.conninfo("streaming_barman", dbname=None, host="127.0.0.1", application_name=name)
                       for name in ("ours", "theirs")}
        cluster.switch_wal()
        for name in contestants:
            cluster.sql(f"SELECT pg_create_physical_replication_slot('{name}', true)")
        cluster.sql("SELECT count(pg_logical_emit_message(false, 'bench', repeat('wal!', 262144))) "
                    f"FROM generate_series(1, {WAITING_MIB})")
        cluster.switch_wal()
        end = cluster.lsn()

        def ours():
            barman = measure.Barman(scene.scratch, f"barman{time.monotonic_ns()}")
            barman.server("main", cluster, streaming_conninfo=contestants["ours"], slot_name="ours")
            return catch_up(cluster, "ours", end, barman.command("receive-wal", "main"))

        def theirs():
            folder = scene.scratch.folder(f"theirs{time.monotonic_ns()}")
            return catch_up(cluster, "theirs", end, [f"{cluster.bin}/pg_receivewal", "-D", folder, "-S", "theirs", "--synchronous",
                                                     "--no-loop", "-d", contestants["theirs"]])

        # The slots keep their WAL: a physical slot's position would move ahead, so each round copies it anew.
        runs = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            for name, contestant in (("ours", ours), ("theirs", theirs)):
                cluster.sql(f"SELECT pg_copy_physical_replication_slot('{name}', 'kept_{name}')")
                os.sync()
                runs[name].append(contestant())
                cluster.sql(f"SELECT pg_drop_replication_slot('{name}')")
                cluster.sql(f"SELECT pg_copy_physical_replication_slot('kept_{name}', '{name}')")
                cluster.sql(f"SELECT pg_drop_replication_slot('kept_{name}')")
        measure.ratio(f"receive-wal catches up with {WAITING_MIB} MiB", measure.median(runs["ours"]),
                      "pg_receivewal --synchronous", measure.median(runs["theirs"]), 1.1)
        measure.above("receive-wal, rate of catching up", WAITING_MIB / measure.median(runs["ours"]), 200, "MiB/s")
        measure.below("receive-wal, peak memory", max(run.peak_mib for run in runs["ours"]), 64, "MiB")


def catch_up(cluster, name, end, command):
    """Runs the receiver until it has confirmed all up to `end`."""
    begin = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=cluster.scratch.path,
                               env=place.environment(cluster.scratch.path), **place.as_account())
    session = cluster.session()
    place.wait_until(lambda: session.sql(f"SELECT flush_lsn >= '{end}' FROM pg_stat_replication WHERE application_name = '{name}'") == "t",
                     f"{name} has it all", timeout=300, every=0.01)
    seconds = time.monotonic() - begin
    process.send_signal(signal.SIGINT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    place.wait_until(lambda: session.sql(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{name}'") == "f", "the slot is free")
    return measure.Run(seconds, usage)


if __name__ == "__main__":
    main()
