#!/usr/bin/env bash
# The main job, from nothing to a restored server, on a fresh Debian 12 (as root, or as a user with sudo): installs what is
# missing, builds the program, and then does what a DBA would do, saying each command before it runs it.
# Everything happens in a temporary directory and on loopback, and is gone at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
  section "The program"
  scripts/dependencies.sh build demo
  say cmake --preset release
  cmake --preset release >/dev/null
  say cmake --build --preset release
  cmake --build --preset release | tail -n 1

  demo=$(mktemp -d /tmp/barman-demo-XXXXXX)
  trap clean_up EXIT
  chmod 755 "$demo"
  cmake --install build/release --prefix "$demo/usr" >/dev/null
  if [ "$(id -u)" = 0 ]; then # a PostgreSQL server refuses to be root
    account=postgres
    chown postgres "$demo"
  else
    account=$(id -un)
  fi
  pg=/usr/lib/postgresql/15/bin
  port=$(free_port)
  export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres
  export PATH=$demo/usr/bin:$pg:$PATH BARMAN_CONFIG_FILE=$demo/barman.conf

  a_server
  point_barman_at_it
  a_backup
  life_goes_on
  disaster
  back_to_the_moment
  section "Done: the table is back, with the rows of the moment that was asked for."
}

a_server() {
  section "A PostgreSQL 15 server, and two roles for barman"
  run initdb --no-sync --data-checksums -U postgres -A trust -D "$demo/pgdata" --locale=C.UTF-8 -E UTF8 '>/dev/null'
  as_account "cat >> $demo/pgdata/postgresql.conf" <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 64MB
CONF
  run pg_ctl -D "$demo/pgdata" -l "$demo/server.log" -w start '>/dev/null'
  run psql -qc "'CREATE ROLE barman SUPERUSER LOGIN'"
  run psql -qc "'CREATE ROLE streaming_barman REPLICATION LOGIN'"
  run pgbench -i -q -s 5 '2>&1 | tail -n 1'
}

point_barman_at_it() {
  section "A short configuration"
  as_account "mkdir $demo/home && cat > $demo/barman.conf" <<CONF
[barman]
barman_user = $account
barman_home = $demo/home
log_file = $demo/barman.log

[main]
description = The demo's server
conninfo = host=127.0.0.1 port=$port user=barman dbname=postgres
streaming_conninfo = host=127.0.0.1 port=$port user=streaming_barman
backup_method = postgres
streaming_archiver = on
slot_name = barman
create_slot = auto
CONF
  cat "$demo/barman.conf"; echo
  run barman list-servers
}

a_backup() {
  section "WAL streams in; cron starts the receiver and archives"
  run barman cron
  wait_for "the receiver streams" "psql -Atc \"SELECT count(*) FROM pg_replication_slots WHERE active\" | grep -q 1"
  run barman switch-wal --force --archive main
  run barman check main

  section "A backup"
  run barman backup --wait main
  run barman list-backups main
  run barman show-backup main latest
}

life_goes_on() {
  section "Life goes on"
  run pgbench -T 3 -c 2 '2>/dev/null | grep processed'
  run psql -qc "'CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 1000) n'"
  moment=$(as_account "psql -Atc 'SELECT clock_timestamp()'")
  sleep 1
  echo "It is $moment; there are 1000 orders."
}

disaster() {
  section "The disaster: somebody drops the table, and then the disk dies"
  run psql -qc "'DROP TABLE orders'"
  run psql -qc "'CREATE TABLE too_late AS SELECT 1'"
  run barman switch-wal --force --archive main
  run pg_ctl -D "$demo/pgdata" -m immediate stop '>/dev/null'
  run rm -rf "$demo/pgdata"
}

back_to_the_moment() {
  section "Back to the moment before"
  run barman restore --target-time "'$moment'" --target-action promote main latest "$demo/pgdata"
  run pg_ctl -D "$demo/pgdata" -l "$demo/server.log" -w start '>/dev/null'
  wait_for "recovery ends" "psql -Atc 'SELECT pg_is_in_recovery()' | grep -q f"
  run psql -Atc "\"SELECT count(*) || ' orders' FROM orders\""
  run psql -Atc "\"SELECT coalesce(to_regclass('too_late')::text, 'too_late does not exist')\""
  local orders late
  orders=$(as_account "psql -Atc 'SELECT count(*) FROM orders'")
  late=$(as_account "psql -Atc \"SELECT to_regclass('too_late') IS NULL\"")
  [ "$orders" = 1000 ] && [ "$late" = t ] || { echo "demo: the restored server has the wrong rows" >&2; exit 1; }
}

section() { printf '\n=== %s\n\n' "$*"; }
say() { echo "$ $*"; }

# run WORD...: says the command, then runs it as the demo's account; words with shell signs come quoted.
run() {
  say "$*"
  as_account "$*"
}

as_account() {
  if [ "$(id -un)" = "$account" ]; then
    (cd "$demo" && bash -c "$1")
  else
    (cd "$demo" && HOME=$demo setpriv --reuid "$account" --regid "$account" --init-groups bash -c "$1")
  fi
}

wait_for() {
  local what=$1 tries
  for tries in $(seq 300); do
    as_account "$2" 2>/dev/null && return
    sleep 0.1
  done
  echo "demo: waited in vain until $what" >&2
  tail -n 20 "$demo"/*.log >&2
  exit 1
}

free_port() {
  local port
  for port in $(seq 25432 25532); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  echo "demo: no free port" >&2
  exit 1
}

clean_up() {
  local status=$?
  [ $status = 0 ] || { echo; echo "demo: failed; the logs say:"; tail -n 15 "$demo"/*.log; } >&2
  if [ -n "${account:-}" ] && [ -f "$demo/barman.conf" ]; then
    as_account "barman receive-wal --stop main" >/dev/null 2>&1 || true
    as_account "pg_ctl -D $demo/pgdata -m immediate stop" >/dev/null 2>&1 || true
  fi
  rm -rf "$demo"
}

main "$@"
