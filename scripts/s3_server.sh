#!/usr/bin/env bash
# A real S3 server for the tests: Ceph's object gateway on loopback, with one monitor and one store, which keeps the
# objects in memory (a run of all tests puts about 2 GiB there). It encrypts with the keys barman-key and other-key of a key
# service if it is asked to (aws:kms). Takes about 15 seconds to start.
#   scripts/s3_server.sh start FOLDER    leaves FOLDER/environment behind: what programs need to reach it
#   scripts/s3_server.sh stop FOLDER     ends it and removes the folder
# Packages: scripts/dependencies.sh s3. Without them, start says so and leaves no environment; that is a failure if
# BARMAN_TEST_REQUIRE_ALL=1.
set -euo pipefail

verb=${1:?start or stop}
folder=$(realpath -m "${2:?folder}")
export CEPH_CONF=$folder/ceph.conf

main() {
  case $verb in
    start) stop; start ;;
    stop) stop ;;
    *) echo "s3_server.sh: start or stop, not $verb" >&2; exit 2 ;;
  esac
}

start() {
  if ! have_programs; then
    echo "no object gateway (scripts/dependencies.sh s3): tests of buckets use a small server of their own"
    [ "${BARMAN_TEST_REQUIRE_ALL:-0}" = 0 ]
    return
  fi
  mkdir -p "$folder"/{monitor,store,gateway}
  read -r monitor_port gateway_port < <(free_ports)
  cluster=$(new_uuid)
  configuration >"$CEPH_CONF"
  make_keys
  trap tell_failure EXIT
  { start_monitor; start_store; start_gateway; } >"$folder/log" 2>&1
  cat >"$folder/environment" <<END
BARMAN_TEST_S3=http://127.0.0.1:$gateway_port
AWS_ACCESS_KEY_ID=barmankey
AWS_SECRET_ACCESS_KEY=barmansecret
END
}

have_programs() {
  local program
  for program in ceph ceph-mon ceph-osd radosgw radosgw-admin curl; do command -v "$program" >/dev/null || return 1; done
}

tell_failure() { [ $? = 0 ] || tail -n 30 "$folder/log" "$folder"/*.log >&2; }

new_uuid() { cat /proc/sys/kernel/random/uuid; }

# Two that nobody listens at.
free_ports() {
  python3 -c 'import socket
one, other = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
print(one.getsockname()[1], other.getsockname()[1])'
}

# One copy of everything is enough, and no manager has to look after it.
configuration() {
  cat <<END
[global]
fsid = $cluster
mon initial members = a
mon host = v2:127.0.0.1:$monitor_port
mon data = $folder/monitor
mon data avail crit = 1
mon allow pool size one = true
mon max pg per osd = 1000
public network = 127.0.0.0/8
ms bind msgr1 = false
keyring = $folder/keyring
osd data = $folder/store
osd objectstore = memstore
memstore device bytes = 8G
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
rgw data = $folder/gateway
rgw frontends = beast endpoint=127.0.0.1:$gateway_port
rgw thread pool size = 64
rgw enable usage log = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = barman-key=$(test_key 1) other-key=$(test_key 2)
log file = $folder/\$name.log
pid file = $folder/\$name.pid
admin socket =
END
}

# For encryption by a key service, which is the gateway's own here: 256 bits that are no secret.
test_key() { printf '%032d' "$1" | base64; }

make_keys() {
  key mon. --create-keyring --cap mon 'allow *'
  key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  key osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
}

key() {
  local name=$1
  shift
  ceph-authtool "$folder/keyring" --gen-key -n "$name" "$@" >/dev/null
}

start_monitor() {
  monmaptool --create --addv a "[v2:127.0.0.1:$monitor_port]" --fsid "$cluster" "$folder/map"
  ceph-mon -i a --mkfs --monmap "$folder/map" --keyring "$folder/keyring"
  ceph-mon -i a
}

start_store() {
  local store
  store=$(new_uuid)
  timeout 60 ceph osd new "$store"
  ceph-osd -i 0 --mkfs --osd-uuid "$store"
  ceph-osd -i 0
}

start_gateway() {
  timeout 120 radosgw -n client.admin
  timeout 60 radosgw-admin -n client.admin user create --uid=barman --display-name=barman \
    --access-key=barmankey --secret-key=barmansecret
  # Else the first bucket, object and upload in parts have them made, while a test waits.
  local pool
  for pool in default.rgw.buckets.{index,data,non-ec}; do
    timeout 60 ceph osd pool create "$pool"
    timeout 60 ceph osd pool application enable "$pool" rgw
  done
  curl -s --retry 100 --retry-delay 1 --retry-connrefused -o /dev/null "http://127.0.0.1:$gateway_port"
}

# Nothing is worth a farewell.
stop() {
  local file pid
  for file in "$folder"/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    # Unless it ended, and the number is somebody else's now.
    if grep -qsF "$CEPH_CONF" "/proc/$pid/environ"; then kill -9 "$pid"; fi
  done
  rm -rf "$folder"
}

main
