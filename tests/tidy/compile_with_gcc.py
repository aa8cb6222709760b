#!/usr/bin/env python3
"""The product's sources (tests excepted) pass gcc without a warning: the compiler of what is installed, where the tests' builds
are clang's. A module at a time, and nothing is written.   compile_with_gcc.py TIDY_BUILD"""

import concurrent.futures
import json
import os
import shlex
import subprocess
import sys


def commands(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries:
        if "/src/CMakeFiles/barman_" not in entry["file"]:
            continue
        words = shlex.split(entry["command"])
        yield os.path.getsize(entry["file"]), [*words[:words.index("-o")], "-Werror", "-fsyntax-only", entry["file"]], entry["directory"]


def compile_one(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def main(build):
    largest_first = sorted(commands(build), key=lambda one: -one[0])
    if not largest_first:
        sys.exit(f"nothing to compile in {build}: run cmake --preset tidy")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda one: compile_one(*one[1:]), largest_first))
    for result in results:
        sys.stderr.write(result.stderr)
    return any(result.returncode != 0 for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
