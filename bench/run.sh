#!/usr/bin/env bash
# Builds the release program and what it is compared with, runs the benchmarks, and prints one table.
#   bench/run.sh [backup_and_restore] [catalogue] [cloud] [compressed_backup] [restore_archives] [start_up] [wal]      (none: all)
# Needs about 12 GB of free disk below ${BARMAN_TEST_TMP:-/tmp}, which should be the kind of disk that you mean.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/dependencies.sh build demo bench
cmake --preset bench >/dev/null
cmake --build --preset bench | tail -n 1

[ $# -gt 0 ] || set -- start_up catalogue wal backup_and_restore compressed_backup restore_archives cloud
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for name in "$@"; do
  echo "running $name" >&2
  PYTHONDONTWRITEBYTECODE=1 python3 "bench/$name.py" >>"$rows"
done

python3 - "$rows" <<'TABLE'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
print("| what | ours | against | ratio | goal | met |\n|---|---|---|---|---|---|")
for row in rows:
    print("|", " | ".join([row["what"], row["ours"], row["against"], row["ratio"], row["limit"], "yes" if row["met"] else "**no**"]), "|")
sys.exit(0 if all(row["met"] for row in rows) else 1)
TABLE
