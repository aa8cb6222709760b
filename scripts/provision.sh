#!/usr/bin/env bash
# Puts what Debian 12 does not have, and the tests need, into folders of its own: PostgreSQL 17 (from trixie),
# PostgreSQL 18 (from sid) and the original Barman (from sid, a referee that the tests run beside ours).
# The system stays as it is: packages are unpacked, not installed, and their programs are pointed at
# the loader and the libraries that were unpacked with them.
# Besides, s3rver from npm: a second S3 server.
#   scripts/provision.sh [pg17] [pg18] [original] [s3rver]      into ${BARMAN_TEST_PREFIX:-/opt/barman-test}/<name>
# What is there already is left alone. Needs apt, patchelf and file (scripts/dependencies.sh test), and for s3rver npm
# (scripts/dependencies.sh s3); without it, or its registry, s3rver is left out, and its test says so.
set -euo pipefail

prefix=${BARMAN_TEST_PREFIX:-/opt/barman-test}

main() {
  [ $# -gt 0 ] || set -- pg17 pg18 original s3rver
  mkdir -p "$prefix"
  exec 9>"$prefix/.lock"
  flock 9
  for what in "$@"; do
    case $what in
      pg17) put "$what" trixie postgresql-17 ;;
      pg18) put "$what" sid postgresql-18 ;;
      # with the modules that its programs for buckets and its compressions need; python3-snappy crashes under this Python
      original) put "$what" sid barman barman-cli barman-cli-cloud python3-boto3 python3-lz4 python3-zstandard ;;
      s3rver) put_s3rver s3rver@3.7.1 ;;
      *) echo "provision.sh: nothing is called $what; there are pg17, pg18, original, s3rver" >&2; exit 2 ;;
    esac
  done
}

# put NAME SUITE PACKAGE...: them in a folder of that name, unless exactly these are there.
put() {
  local folder=$prefix/$1
  shift
  [ "$(cat "$folder/.provisioned" 2>/dev/null)" != "$*" ] || return 0
  echo "provisioning $folder"
  rm -rf "${folder:?}"
  unpack "$1" "$folder" "${@:2}"
  [ ! -e "$folder/usr/bin/barman" ] || wrap_python_programs "$folder"
  echo "$*" >"$folder/.provisioned"
}

put_s3rver() {
  local folder=$prefix/s3rver
  [ "$(cat "$folder/.provisioned" 2>/dev/null)" != "$1" ] || return 0
  echo "provisioning $folder"
  rm -rf "$folder"
  mkdir -p "$folder"
  if npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error "$1" >/dev/null; then
    echo "$1" >"$folder/.provisioned"
  else
    echo "provision.sh: npm does not give $1" >&2
  fi
}

# unpack SUITE FOLDER PACKAGE...: the packages and all that they depend on.
unpack() {
  local suite=$1 folder=$2 apt
  shift 2
  apt=$(mktemp -d)
  private_apt "$suite" "$apt"
  APT_CONFIG=$apt/apt.conf apt-get -qq update
  APT_CONFIG=$apt/apt.conf apt-get -qq -y --no-install-recommends --download-only install "$@" >/dev/null
  mkdir -p "$folder"
  local package
  for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done
  rm -rf "$apt"
  join_usr "$folder"
  point_at_own_libraries "$folder"
}

# An apt that knows one suite and no installed package.
private_apt() {
  local suite=$1 place=$2
  mkdir -p "$place"/{lists/partial,cache/archives/partial}
  : >"$place/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$place/sources.list"
  cat >"$place/apt.conf" <<CONF
Dir::State "$place";
Dir::State::lists "$place/lists";
Dir::State::status "$place/status";
Dir::Cache "$place/cache";
Dir::Etc::sourcelist "$place/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
}

# The mirror that this machine uses already.
mirror() {
  local found
  found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^#' | grep -oE '[a-z+]+://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
  echo "${found:-http://deb.debian.org/debian}"
}

# Older packages still place files in /bin and /lib.
join_usr() {
  local folder=$1 name
  for name in bin sbin lib lib64; do
    if [ -d "$folder/$name" ] && [ ! -L "$folder/$name" ]; then
      mkdir -p "$folder/usr/$name"
      cp -a "$folder/$name/." "$folder/usr/$name/"
      rm -rf "${folder:?}/$name"
    fi
    [ -L "$folder/$name" ] || ln -s "usr/$name" "$folder/$name"
  done
}

point_at_own_libraries() {
  local folder=$1 loader libraries program
  loader=$(find "$folder/usr" -name 'ld-linux-x86-64.so.2' | head -n 1)
  [ -n "$loader" ] || { echo "provision.sh: no loader among the packages of $folder" >&2; exit 1; }
  libraries=$folder/usr/lib/x86_64-linux-gnu
  while read -r program; do
    case $(file -b "$program") in
      *ELF*interpreter*) patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$program" ;;
    esac
  done < <(find "$folder/usr/bin" "$folder/usr/sbin" "$folder"/usr/lib/postgresql/*/bin -type f -perm -u+x 2>/dev/null)
}

# Python looks for its library beside itself only when told to.
wrap_python_programs() {
  local folder=$1 program wrapper
  mkdir -p "$folder/bin.run"
  for program in "$folder"/usr/bin/barman*; do
    wrapper=$folder/bin.run/${program##*/}
    printf '#!/bin/sh\nPYTHONHOME=%s exec %s %s "$@"\n' "$folder/usr" "$folder/usr/bin/python3" "$program" >"$wrapper"
    chmod 755 "$wrapper"
  done
}

main "$@"
