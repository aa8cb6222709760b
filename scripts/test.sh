#!/usr/bin/env bash
# Sets up a fresh Debian 12 (as root or with sudo) and runs every test there is:
#   unit tests, fuzz replay and end-to-end tests under ASan and UBSan, the threaded modules under TSan, clang-tidy, gcc,
#   the layers, the installation. Ends with ctest's summary. Arguments go to ctest: scripts/test.sh -R e2e/
set -euo pipefail
cd "$(dirname "$0")/.."

root=()
[ "$(id -u)" = 0 ] || root=(sudo)

# What the tests meet is fetched while the program is built.
scenery() {
  scripts/dependencies.sh s3
  "${root[@]}" env BARMAN_TEST_PREFIX="${BARMAN_TEST_PREFIX:-/opt/barman-test}" scripts/provision.sh
}

scripts/dependencies.sh build test
"${root[@]}" true  # asks for the password now, if it has to
log=$(mktemp)
trap 'rm -f "$log"; scripts/s3_server.sh stop build/dev/s3' EXIT
(scenery) >"$log" 2>&1 &
fetched=$!

threaded=(stream os codec postgres engine)

cmake --preset dev -DBARMAN_TEST_EVERYTHING=ON "-DBARMAN_TEST_THREADED=$(IFS=';'; echo "${threaded[*]}")"
cmake --build --preset dev
cmake --preset thread
cmake --build --preset thread --target "${threaded[@]/%/_test}"
cmake --preset tidy
wait "$fetched" || { cat "$log" >&2; exit 1; }

# Scratch directories are in memory where there is plenty: on a disk half of the time goes into copying clusters.
room=$(df --output=avail -B1G /dev/shm 2>/dev/null | tail -n 1) || room=0
if [ "${room:-0}" -ge 8 ] && ! findmnt -n -o OPTIONS -T /dev/shm | grep -qw noexec; then
  export BARMAN_TEST_TMP=${BARMAN_TEST_TMP:-/dev/shm}
  export TMPDIR=$BARMAN_TEST_TMP
fi

export BARMAN_TEST_REQUIRE_ALL=${BARMAN_TEST_REQUIRE_ALL:-1}
ctest --preset dev --parallel "$(($(nproc) * 3))" "$@"  # end-to-end tests mostly wait
