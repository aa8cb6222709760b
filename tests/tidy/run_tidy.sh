#!/usr/bin/env bash
# clang-tidy over the product's sources (tests excepted); silent when clean.   run_tidy.sh SOURCE TIDY_BUILD
# A file whose own text, headers and settings did not change since it was found clean is not read again.
set -euo pipefail
source=${1:?source directory} build=${2:?build directory}
[ -f "$build/compile_commands.json" ] || { echo "no $build/compile_commands.json: run cmake --preset tidy" >&2; exit 1; }
clean=$build/clean
mkdir -p "$clean"

# Headers are few; any change of one makes everything worth a new look.
common=$(cat "$source/.clang-tidy" $(find "$source/src" -name '*.h' | sort) | sha256sum | cut -c 1-16)
todo=()
while read -r file; do
  stamp=$clean/$(echo "$common $file $(sha256sum <"$file")" | sha256sum | cut -c 1-32)
  [ -e "$stamp" ] || todo+=("$stamp $file")
done < <(find "$source/src" -name '*.cc' ! -name '*_test.cc' | sort)

[ ${#todo[@]} -gt 0 ] || { echo "clean"; exit 0; }
printf '%s\n' "${todo[@]}" | BUILD=$build xargs -P "$(nproc)" -L 1 bash -c '
  if said=$(clang-tidy --quiet -p "$BUILD" "$1" 2>&1); then touch "$0"; else echo "$said"; exit 1; fi'
