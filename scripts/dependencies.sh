#!/usr/bin/env bash
# Every Debian 12 package that the project needs, in one place; installs those that are missing.
#   scripts/dependencies.sh build demo test s3 bench     (any of them; none: the first three)
set -euo pipefail

build=(g++ cmake ninja-build pkg-config libpq-dev libssl-dev zlib1g-dev libdeflate-dev libbz2-dev
       liblzma-dev libzstd-dev liblz4-dev libsnappy-dev
       libfmt-dev libspdlog-dev nlohmann-json3-dev libcli11-dev
       libcurl4-openssl-dev libpugixml-dev)
demo=(postgresql-15)
bench=(zstd pgbackrest)  # what the benchmarks compare with
test=(libgtest-dev libgmock-dev ccache mold clang libclang-rt-dev clang-tidy python3 postgresql-15 procps
      patchelf file gnupg rsync openssl)
s3=(ceph-mon ceph-osd radosgw ceph-common curl)  # an S3 server for the tests, see s3_server.sh
command -v npm >/dev/null || s3+=(nodejs npm)    # for another one, see provision.sh

[ $# -gt 0 ] || set -- build demo test
wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    s3) wanted+=("${s3[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *) echo "dependencies.sh: no group called $group; there are build, demo, test, s3, bench" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "dependencies.sh: run me as root or install sudo; missing: ${missing[*]}" >&2; exit 1; }
  root=(sudo)
fi
echo "installing: ${missing[*]}"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
