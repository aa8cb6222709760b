"""The stores that bench/cloud.py measures with. BARMAN_BENCH_STORE chooses: "memory", a server of our own that does as little as
it can (bench/memory_s3), or "gateway", Ceph's (scripts/s3_server.sh), which takes most of the time itself."""

import hashlib
import os
import subprocess
import sys

import bucket
import measure
import place


class _Store(bucket.Bucket):
    """One bucket. What programs need to reach it is in our own environment."""

    def __init__(self, endpoint, key, secret):
        self.name, self.store = "bench", None
        self.url = f"s3://{self.name}/some/path"
        self.endpoint = endpoint
        self.key = f"{key}:{secret}"
        self.environment = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_ENDPOINT_URL": endpoint}
        os.environ.update(self.environment)
        self.create()

    def empty(self):
        """There is not memory for the backups of all runs."""
        for key in self.keys():
            self.delete(key)

    def curl(self, key, *options):
        """Signed, the body too: programs do it where the connection is not encrypted."""
        return ["curl", "-sSf", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", self.key, *options, f"{self.endpoint}/{self.name}/{key}"]

    def getting(self, key, *options):
        return self.curl(key, "-H", f"x-amz-content-sha256: {hashlib.sha256().hexdigest()}", *options)

    def putting(self, path, key):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        return self.curl(key, "-H", f"x-amz-content-sha256: {digest}", "-T", path)


class Memory(_Store):
    def __init__(self, _scratch):
        self._process = subprocess.Popen([measure.BUILD / "bin" / "memory_s3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        super().__init__(self._process.stdout.readline().strip(), "benchkey", "benchsecret")

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Gateway(_Store):
    def __init__(self, scratch):
        self._folder = os.path.join(scratch.path, "gateway")
        self._script = str(measure.ROOT / "scripts" / "s3_server.sh")
        subprocess.run([self._script, "start", self._folder], check=True, stdout=sys.stderr)
        path = os.path.join(self._folder, "environment")
        if not os.path.exists(path):
            raise place.Missing("no object gateway to measure with (scripts/dependencies.sh s3)")
        with open(path, encoding="utf-8") as file:
            values = dict(line.split("=", 1) for line in file.read().splitlines())
        super().__init__(values["BARMAN_TEST_S3"], values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"])

    def close(self):
        subprocess.run([self._script, "stop", self._folder], check=False, stdout=subprocess.DEVNULL)


def open_store(scratch):
    return {"memory": Memory, "gateway": Gateway}[os.environ.get("BARMAN_BENCH_STORE", "memory")](scratch)
