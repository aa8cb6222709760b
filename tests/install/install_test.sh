#!/usr/bin/env bash
# cmake --install puts a program into place that runs from there.   install_test.sh BUILD_DIRECTORY
set -euo pipefail
build=${1:?build directory}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage cmake --install "$build" >"$stage/log" || { cat "$stage/log"; exit 1; }
program=$(find "$stage" -type f -path '*/bin/barman')
[ -n "$program" ] || { echo "no barman among:"; cat "$stage/log"; exit 1; }
version=$("$program" --version)
echo "$version"
case $version in
  *[0-9].[0-9]*) ;;
  *) echo "that is no version"; exit 1 ;;
esac
