#!/usr/bin/env python3
"""Holds the tests that docs/differences.md names for each defect against those that there are: check_named_tests.py FOLDER"""

import pathlib
import re
import sys


def missing(text, unit, end_to_end):
    """The names that no test has."""
    last = ""
    for names in re.findall(r"`([^`]+)`", text):
        name = names.rsplit(" ", 1)[-1]
        if name.startswith("test_"):
            found = f"def {name}(" in end_to_end
        elif re.fullmatch(r"(\w+\.)?([A-Z]\w+|\*)", name):
            suite, _, test = name.rpartition(".")
            last = suite or last
            found = re.search(rf"TEST(_F|_P)?\({last}, {r'[A-Z]' if test == '*' else test}", unit)
        else:
            continue
        if not found:
            yield name


def main():
    top = pathlib.Path(sys.argv[1])
    table = (top / "docs/differences.md").read_text().split("\n## Defects of")[1].split("\n| P1 ")[1]
    columns = "\n".join(line.rsplit("|", 2)[1] for line in table.splitlines() if line.endswith("|"))
    unit = "".join(path.read_text() for path in (top / "src").rglob("*_test.cc"))
    end_to_end = "".join(path.read_text() for path in (top / "tests/e2e").glob("*_test.py"))
    wrong = list(missing(columns, unit, end_to_end))
    for name in wrong:
        print(f"docs/differences.md: there is no test {name}")
    rows = len(columns.splitlines())
    if rows != 23 or list(missing("`Nowhere.AtAll` `test_of_nothing`", unit, end_to_end)) != ["Nowhere.AtAll", "test_of_nothing"]:
        print(f"docs/differences.md: {rows} defects, or names are not found out")
        wrong.append("")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
