"""An S3 server for tests: a real one if BARMAN_TEST_S3 names it (http://host:port, with AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY set) or scripts/s3_server.sh left the same in the file $BARMAN_TEST_S3_FILE (ctest does that), else
a small one of our own that checks the signature of every request and makes trouble on request: it drops the connection
("drop") or cuts it in the middle of the answer's body ("cut"), sends the body slowly ("slow"), or gives another answer
(status, body, headers)."""

import base64
import datetime
import hashlib
import hmac
import http.client
import http.server
import os
import re
import subprocess
import threading
import time
import urllib.parse
import uuid
from xml.sax.saxutils import escape, unescape

import place
from program import _reachable_program as reachable_program



def _surroundings():
    path = os.environ.get("BARMAN_TEST_S3_FILE", "")
    if "BARMAN_TEST_S3" in os.environ or not os.path.exists(path):
        return os.environ
    with open(path, encoding="utf-8") as file:
        return dict(line.split("=", 1) for line in file.read().splitlines())


SURROUNDINGS = _surroundings()
REAL = SURROUNDINGS.get("BARMAN_TEST_S3", "")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return self.server.store.date or super().date_time_string(timestamp)

    def _serve(self):
        store = self.server.store
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        path = urllib.parse.unquote(url.path).strip("/")
        bucket, _, key = path.partition("/")
        with store.lock:
            store.requests.append((self.command, path, query, dict(self.headers)))
            trouble = store.trouble(len(store.requests), self.command, path, query) if store.trouble else None
            if trouble == "drop":
                self.close_connection = True
                return
            if isinstance(trouble, tuple):
                return self._answer(*trouble)
            wrong = store.wrong_signature(self.command, url, self.headers, body)
            if wrong:
                return self._answer(403, _error("SignatureDoesNotMatch", wrong))
            answer = store.bucket(self.command, bucket, query, body) if not key else \
                store.object(self.command, bucket, key, query, body, self.headers)
        self._answer(*answer, how=trouble)

    def _answer(self, status, body=b"", headers=None, how=None):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if how == "slow":
            for start in range(0, len(body), 1 << 18):
                self.wfile.write(body[start:start + (1 << 18)])
                time.sleep(0.02)
        elif how == "cut":
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve


def _error(code, message="no"):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"


def _signature(secret, method, path, query, headers, signed, region):
    """Version 4, over those headers that are signed."""
    lines = "".join(f"{name}:{(headers.get(name) or '').strip()}\n" for name in signed)
    asked = "\n".join([method, path, query, lines, ";".join(signed), headers["x-amz-content-sha256"]])
    day = headers["x-amz-date"][:8]
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], f"{day}/{region}/s3/aws4_request",
                      hashlib.sha256(asked.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (day, region, "s3", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


class Store:
    """Buckets in memory behind a port of loopback."""

    def __init__(self):
        self.lock = threading.Lock()
        self.buckets = {}
        self.uploads = {}
        self.keys = {}
        self.requests = []
        self.date = None  # what answers say instead of the time
        self.trouble = None  # called with (number of request, method, path, query); answers: the module's comment
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.store = self
        self.server.handle_error = lambda *_: None  # a client that gave up is no news
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.key, self.secret = "testkey", "testsecret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def wrong_signature(self, method, url, headers, body):
        found = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)",
                         headers.get("Authorization", ""))
        if not found:
            return "there is none"
        key, _, region, signed, signature = found.groups()
        digest = headers["x-amz-content-sha256"]
        if len(digest) == 64 and digest != hashlib.sha256(body).hexdigest():
            return "the body is another"
        query = "&".join(sorted(part if "=" in part else part + "=" for part in url.query.split("&") if part))
        right = _signature(self.secret, method, url.path, query, headers, signed.split(";"), region)
        return "" if key == self.key and right == signature else "another key"

    def bucket(self, method, name, query, body):
        if method == "PUT":
            self.buckets.setdefault(name, {})
            return 200, ""
        if name not in self.buckets:
            return 404, _error("NoSuchBucket")
        if method == "HEAD":
            return 200, ""
        if "uploads" in query:
            rows = "".join(f"<Upload><Key>{escape(key)}</Key><UploadId>{one}</UploadId><Initiated>2026-11-22T13:38:18.000Z</Initiated></Upload>"
                           for one, key in self.keys.items() if one in self.uploads and key.startswith(query.get("prefix", "")))
            return 200, f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{rows}</ListMultipartUploadsResult>"
        if "versioning" in query:
            return 200, "<VersioningConfiguration/>"
        if "object-lock" in query:
            return 404, _error("ObjectLockConfigurationNotFoundError")
        if "delete" in query:
            for key in re.findall(r"<Key>(.*?)</Key>", body.decode()):
                self.buckets[name].pop(key, None)
            return 200, "<DeleteResult/>"
        return 200, self._listing(self.buckets[name], query)

    def _listing(self, objects, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after, most = query.get("continuation-token", query.get("start-after", "")), int(query.get("max-keys", 1000))
        rows, folders, last = [], [], ""
        names = [key for key in sorted(objects) if key.startswith(prefix) and key > after]
        for key in names:
            if len(rows) + len(folders) == most:
                break
            last = key
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end >= 0:
                if key[:end + 1] not in folders:
                    folders.append(key[:end + 1])
                continue
            rows.append(f"<Contents><Key>{urllib.parse.quote(key)}</Key><LastModified>2026-11-22T13:38:18.000Z</LastModified>"
                        f"<ETag>\"{hashlib.md5(objects[key]).hexdigest()}\"</ETag><Size>{len(objects[key])}</Size></Contents>")
        cut = bool(names) and last != names[-1]
        more = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if cut else ""
        return ("<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><EncodingType>url</EncodingType>"
                f"<IsTruncated>{str(cut).lower()}</IsTruncated>{more}{''.join(rows)}"
                + "".join(f"<CommonPrefixes><Prefix>{urllib.parse.quote(one)}</Prefix></CommonPrefixes>" for one in folders)
                + "</ListBucketResult>")

    def object(self, method, bucket, key, query, body, headers):
        if bucket not in self.buckets:
            return 404, _error("NoSuchBucket")
        objects = self.buckets[bucket]
        if "uploads" in query:
            name = uuid.uuid4().hex
            self.uploads[name] = {}
            self.keys[name] = key
            return 200, f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
        if "uploadId" in query:
            return self._upload(method, objects, key, query, body)
        if method == "PUT":
            if headers.get("If-None-Match") and key in objects:
                return 412, _error("PreconditionFailed")
            objects[key] = body
            return 200, "", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        if method == "DELETE":
            objects.pop(key, None)
            return 204, ""
        if key not in objects:
            return 404, _error("NoSuchKey")
        text, status = objects[key], 200
        fields = {"ETag": f'"{hashlib.md5(text).hexdigest()}"', "Last-Modified": "Sun, 22 Nov 2026 13:38:18 GMT"}
        wanted = re.match(r"bytes=(\d+)-(\d*)", headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), int(wanted[2] or len(text) - 1)
            if first >= len(text):
                return 416, _error("InvalidRange"), {"Content-Range": f"bytes */{len(text)}"}
            fields["Content-Range"] = f"bytes {first}-{last}/{len(text)}"
            text, status = text[first:last + 1], 206
        return status, text, fields

    def _upload(self, method, objects, key, query, body):
        parts = self.uploads.get(query["uploadId"])
        if parts is None:
            return 404, _error("NoSuchUpload")
        if method == "DELETE":
            del self.uploads[query["uploadId"]]
            return 204, ""
        if method == "GET":
            rows = "".join(f"<Part><PartNumber>{number}</PartNumber><Size>{len(part)}</Size></Part>" for number, part in sorted(parts.items()))
            return 200, f"<ListPartsResult><IsTruncated>false</IsTruncated>{rows}</ListPartsResult>"
        if method == "PUT":
            parts[int(query["partNumber"])] = body
            return 200, "", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        objects[key] = b"".join(parts[number] for number in sorted(parts))
        del self.uploads[query["uploadId"]]
        return 200, "<CompleteMultipartUploadResult/>"


class Bucket:
    """A bucket of its own for one test, and the environment in which programs reach it."""

    def __init__(self, fake=False, environment=None):
        """`environment` leads to another server."""
        self.name = "b" + uuid.uuid4().hex[:12]
        self.url = f"s3://{self.name}/some/path"
        self.store = None
        if environment:
            self.environment = environment
        elif REAL and not fake:
            self.environment = {name: SURROUNDINGS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
            self.environment["AWS_ENDPOINT_URL"] = REAL
        else:
            self.store = Store()
            self.environment = {"AWS_ACCESS_KEY_ID": self.store.key, "AWS_SECRET_ACCESS_KEY": self.store.secret,
                                "AWS_ENDPOINT_URL": self.store.endpoint}

    def create(self, locked_for_days=0):
        """With days, what is stored there cannot be removed for so long."""
        if not locked_for_days:
            self._request("PUT", self.name)
            return self
        self._request("PUT", self.name, more={"x-amz-bucket-object-lock-enabled": "true"})
        rule = ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode>"
                f"<Days>{locked_for_days}</Days></DefaultRetention></Rule></ObjectLockConfiguration>").encode()
        digest = base64.b64encode(hashlib.md5(rule).digest()).decode()
        self._request("PUT", self.name, {"object-lock": ""}, rule, more={"content-md5": digest})
        return self

    def keys(self, below=""):
        """The names of the objects below the path of the URL and `below`, without these."""
        front, found, token = f"some/path/{below}", [], ""
        while token is not None:
            page = self._request("GET", self.name, {"list-type": "2", "prefix": front, **({"continuation-token": token} if token else {})})
            found += [unescape(key)[len(front):] for key in re.findall(r"<Key>(.*?)</Key>", page.decode())]
            more = re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", page.decode())
            token = unescape(more[1]) if more else None
        return sorted(found)

    def get(self, key):
        return self._request("GET", f"{self.name}/some/path/{key}")

    def head(self, key):
        """What the server says of an object: headers, their names in lower case."""
        return self._exchange("HEAD", f"{self.name}/some/path/{key}")[0]

    def put(self, key, body):
        self._request("PUT", f"{self.name}/some/path/{key}", body=body)

    def delete(self, key):
        self._request("DELETE", f"{self.name}/some/path/{key}")

    def _request(self, *words, **more):
        return self._exchange(*words, **more)[1]

    def _exchange(self, method, path, query=None, body=b"", more=None):
        """A signed request of our own making, to look at what programs did; returns the headers and the text of the answer."""
        when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        words = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in sorted((query or {}).items()))
        target = "/" + urllib.parse.quote(path)
        host = urllib.parse.urlsplit(self.environment["AWS_ENDPOINT_URL"]).netloc
        headers = {"host": host, "x-amz-content-sha256": hashlib.sha256(body).hexdigest(), "x-amz-date": when, **(more or {})}
        signature = _signature(self.environment["AWS_SECRET_ACCESS_KEY"], method, target, words, headers, sorted(headers), "us-east-1")
        headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.environment['AWS_ACCESS_KEY_ID']}/{when[:8]}/us-east-1/s3/aws4_request, "
                                    f"SignedHeaders={';'.join(sorted(headers))}, Signature={signature}")
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.request(method, target + ("?" + words if words else ""), body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return {name.lower(): value for name, value in answer.getheaders()}, text

    def close(self):
        if self.store:
            self.store.close()


def original(name):
    """One of the original's programs for buckets."""
    return os.path.join(os.path.dirname(place.original_barman()), name)


def ours(scratch, name):
    """One of our programs for buckets: barman under another name."""
    link = os.path.join(scratch.path, name)
    if not os.path.lexists(link):
        os.symlink(reachable_program(scratch), link)
    return link


def run(program, *arguments, environment, **options):
    return subprocess.run([program, *map(str, arguments)], env={"PATH": os.environ["PATH"], **environment}, text=True,
                          capture_output=True, timeout=300, check=False, **options)
