"""What the tools of each format make of a backup that is kept as archives: the tree that PostgreSQL's programs take."""

import os
import re
import shutil
import subprocess

import place

# The suffix of an archive, and what reads it.
FORMATS = {"none": ("", ["cat"]), "gzip": (".gz", ["gzip", "-dc"]), "lz4": (".lz4", ["lz4", "-dc"]), "zstd": (".zst", ["zstd", "-qdc"]),
           "bzip2": (".bz2", ["bzip2", "-dc"]), "xz": (".xz", ["xz", "-dc"])}
READERS = dict(FORMATS.values())


def unpacked(cluster, folder, data, keyring=None):
    """The data directory: `data` itself if that is plain, otherwise one made in the new `folder`, whose tablespaces are links to
    folders beside it."""
    archives = [name for name in sorted(os.listdir(data)) if ".tar" in name]
    if not archives:
        return data
    for name in sorted(archives, key=lambda name: not name.startswith("base.")):  # base.tar makes pg_tblspc
        stem, suffix, encrypted = re.fullmatch(r"(base|\d+)\.tar(\.[a-z0-9]+?)??(\.gpg)?", name).groups()
        target = folder if stem == "base" else f"{folder}-{stem}"
        _make(cluster, target)
        _extract(os.path.join(data, name), READERS[suffix or ""], target, keyring if encrypted else None)
        if stem != "base":
            _put_in_place(cluster, folder, stem, target)
    shutil.copy(os.path.join(data, "backup_manifest"), folder)
    place.give(os.path.join(folder, "backup_manifest"))
    return folder


def _make(cluster, folder):
    cluster.program(["mkdir", "-m", "700", folder])


def _put_in_place(cluster, folder, oid, target):
    link = os.path.join(folder, "pg_tblspc", oid)
    if os.path.isdir(link):  # a tablespace in place: a folder, which the base archive has empty
        os.rmdir(link)
        os.rename(target, link)
    else:
        cluster.program(["ln", "-s", target, link])


def _extract(archive, reader, folder, keyring):
    commands = [(reader, {}), (["tar", "-x", "-p", "-C", folder], place.as_account())]
    if keyring:
        commands.insert(0, keyring.decrypting())
    running = []
    source = open(archive, "rb")
    for command, more in commands:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, **more)
        source.close()
        source = process.stdout
        running.append(process)
    source.read()
    source.close()
    for process in running:
        if process.wait() != 0:
            raise AssertionError(f"{archive}: {process.args} ended with {process.returncode}")
