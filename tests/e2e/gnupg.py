"""A keyring of the test's own in the home of the account, where gpg looks by itself."""

import os
import shutil
import subprocess

import place


class Keyring:
    """Keys by name: "open" without a passphrase, "locked" with one, "old" that has expired."""

    passphrase = "correct horse battery"

    def __init__(self, scratch):
        if shutil.which("gpg") is None:
            raise place.Missing("no gpg (package gnupg)")
        self._scratch = scratch
        self.home = scratch.folder(".gnupg")
        os.chmod(self.home, 0o700)
        with open(os.path.join(self.home, "gpg-agent.conf"), "w", encoding="utf-8") as file:
            file.write("s2k-count 65536\n")  # otherwise an agent measures for seconds how slow it can be with a passphrase

    def make(self, name, passphrase="", expired=False):
        clock = ["--faked-system-time", "20200101T000000"] if expired else []
        self.gpg(*clock, "--passphrase", passphrase, "--quick-gen-key", f"{name} <{name}@example.org>", "future-default", "default",
                 "1d" if expired else "0")
        return f"{name}@example.org"

    def forget(self, key):
        """Removes the secret part; the public one stays."""
        listed = self.gpg("--with-colons", "--fingerprint", key).stdout.decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        self.gpg("--yes", "--delete-secret-keys", fingerprint)

    def decrypt(self, path):
        self.forget_passphrases()
        return self.gpg("--pinentry-mode", "loopback", "--passphrase", self.passphrase, "-d", path).stdout

    def decrypting(self):
        """A command that decrypts its input, and how to start it."""
        self.forget_passphrases()
        return (["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", self.passphrase, "-d"],
                {"env": place.environment(self._scratch.path), "cwd": self._scratch.path, **place.as_account()})

    def forget_passphrases(self):
        """Ends the agent, which remembers them."""
        self._run(["gpgconf", "--kill", "all"])

    def gpg(self, *arguments):
        return self._run(["gpg", "--batch", "--quiet", *arguments])

    def _run(self, command):
        return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, env=place.environment(self._scratch.path),
                              cwd=self._scratch.path, **place.as_account())
