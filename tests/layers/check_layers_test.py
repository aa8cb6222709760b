#!/usr/bin/env python3
"""The layer check must find what it is there to find."""
import pathlib
import tempfile
import unittest

import check_layers

LAYERS = check_layers.read_layers("base:\nos: base\nengine: base;os\n")


def found_in(files: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_layers.problems(pathlib.Path(folder), LAYERS)


class CheckLayers(unittest.TestCase):
    def test_allows_what_is_declared(self):
        self.assertEqual([], found_in({"os/file.cc": '#include "os/file.h"\n#include "base/error.h"\n#include <vector>\n'}))

    def test_finds_an_upward_include(self):
        self.assertEqual(1, len(found_in({"base/x.h": '#include "os/file.h"\n'})))

    def test_finds_a_verb_that_includes_another(self):
        self.assertEqual(1, len(found_in({"engine/backup/b.cc": '#include "engine/restore/r.h"\n'})))
        self.assertEqual([], found_in({"engine/backup/b.cc": '#include "engine/server/home.h"\n#include "engine/events.h"\n'}))

    def test_finds_a_foreign_header_out_of_its_module(self):
        self.assertEqual(1, len(found_in({"engine/x.cc": "#include <libpq-fe.h>\n"})))

    def test_finds_an_undeclared_folder(self):
        self.assertEqual(1, len(found_in({"misc/x.cc": "\n"})))

    def test_finds_a_circle(self):
        self.assertTrue(check_layers.cycle(check_layers.read_layers("a: b\nb: a\n")))


if __name__ == "__main__":
    unittest.main()
