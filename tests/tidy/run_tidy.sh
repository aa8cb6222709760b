#!/usr/bin/env bash
# clang-tidy over the product's sources (tests excepted); silent when clean.   run_tidy.sh TIDY_BUILD
# It reads a module at a time: the unity sources of the build.
set -euo pipefail
build=${1:?build directory}
[ -f "$build/compile_commands.json" ] || { echo "no $build/compile_commands.json: run cmake --preset tidy" >&2; exit 1; }

find "$build/src" -path '*/barman_*.dir/Unity/*.cxx' -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2 |
  xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$build" 2> >(grep -v ' warnings generated' >&2) | sed "s|$PWD/||"
