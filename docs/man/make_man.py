#!/usr/bin/env python3
"""Writes the manual page barman.1 from what the program says of itself.

usage: make_man.py BARMAN PAGE          write PAGE
       make_man.py --check BARMAN PAGE  fail if PAGE is not what would be written
"""
import difflib
import pathlib
import re
import subprocess
import sys

HEAD = r""".\" Written by docs/man/make_man.py from the program's help. Do not edit.
.TH BARMAN 1 "" "barman" "User Commands"
.SH NAME
barman \- back up PostgreSQL servers and restore them to any point in time
.SH SYNOPSIS
.B barman
[\fIoptions\fR] \fIsubcommand\fR [\fIoptions\fR] [\fIarguments\fR]
.SH DESCRIPTION
Takes base backups of PostgreSQL servers over the streaming replication protocol, receives and archives their WAL,
and restores a server to any moment since a backup. Servers are sections of the configuration file.
"""

TAIL = r""".SH FILES
.TP
.I ~/.barman.conf, /etc/barman.conf, /etc/barman/barman.conf
The configuration; the first that can be read is used, unless \fB\-c\fR or \fBBARMAN_CONFIG_FILE\fR name another.
.SH ENVIRONMENT
.TP
.B BARMAN_CONFIG_FILE
The configuration file. \fB\-c\fR goes first.
.TP
.B PGPASSFILE, PGSSLMODE, ...
PostgreSQL's own variables, as libpq reads them.
.SH EXIT STATUS
.TP
.B 0
Nothing went wrong. Warnings and skipped servers do not count.
.TP
.B 1
Something went wrong, or a check failed.
.TP
.B 2
The command line is wrong; or \fBcheck \-\-nagios\fR is in a critical state.
.TP
.B 3
\fBget\-wal\fR: no such name of a WAL file, or the output file cannot be opened.
"""


MEANINGS = 34  # the column where they begin in a help text; longer options have a line for themselves


def roff(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return r"\&" + text if text.startswith(".") else text


def said(barman: str, *arguments: str) -> str:
    answer = subprocess.run([barman, *arguments], capture_output=True, text=True, check=True)
    return answer.stdout


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """The lists of a help text: heading to (what, meaning). A meaning may begin on the next line."""
    result: dict[str, list[tuple[str, str]]] = {}
    heading = ""
    for line in text.splitlines():
        if match := re.match(r"^(\S.*):$", line):
            heading = match[1]
            result[heading] = []
        elif not line.strip() or not heading:
            continue
        elif re.match(r"^ {2}\S", line):
            if len(line) > MEANINGS and line[MEANINGS - 1] != " ":
                result[heading].append((line.strip(), ""))
                continue
            result[heading].append((line[:MEANINGS].strip(), line[MEANINGS:].strip()))
        elif line.startswith("   ") and result[heading]:
            what, meaning = result[heading][-1]
            result[heading][-1] = (what, f"{meaning} {line.strip()}".strip())
        else:
            heading = ""
    return result


def words(what: str) -> str:
    """Without CLI11's notes: a flag's value or an option's choices in braces, types, REQUIRED."""
    what = re.sub(r":?\{[^}]*\}", "", what)
    return re.sub(r" (TEXT|REQUIRED)\b", "", what).replace(",", ", ")


def entries(items: list[tuple[str, str]]) -> str:
    return "".join(f".TP\n.B {roff(words(what))}\n{roff(meaning) or '.'}\n" for what, meaning in items)


def page(barman: str) -> str:
    top = sections(said(barman, "--help"))
    text = HEAD + ".SH OPTIONS\n" + entries(top["Options"]) + ".SH SUBCOMMANDS\n"
    for name, meaning in top["Subcommands"]:
        own = sections(said(barman, name, "--help"))
        text += f".SS {roff(name)}\n{roff(meaning)}\n"
        text += entries(own.get("Positionals", []))
        text += entries([item for item in own.get("Options", []) if not item[0].startswith("-h,")])
    return text + TAIL


def main(arguments: list[str]) -> int:
    check = arguments[:1] == ["--check"]
    if len(arguments) != 2 + check:
        print(__doc__, file=sys.stderr)
        return 2
    barman, file = arguments[-2], pathlib.Path(arguments[-1])
    text = page(barman)
    if not check:
        file.write_text(text, encoding="utf-8")
        return 0
    present = file.read_text(encoding="utf-8")
    if present == text:
        return 0
    sys.stderr.writelines(
        difflib.unified_diff(present.splitlines(True), text.splitlines(True), str(file), "the program's help"))
    print(f"\n{file} does not say what the program says: run docs/man/make_man.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
