"""lib_s3.py: a real S3 server for a test, and a small client of its own to put files there."""
import hashlib
import hmac
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = {"minio": (ROOT / "tests/stack/minio.sh", "build"), "weed": (ROOT / "tests/stack/weed.sh", "fetch")}
ACCESS, SECRET = "surfadmin", "surfsecret1"


def skip(reason):
    print(f"SKIP {reason}")
    sys.exit(77)


class Server:
    """One of KINDS below `home`; ended by stop(). A machine that can't have it skips the test."""

    def __init__(self, home, kind="minio"):
        self.home = pathlib.Path(home) / kind
        self.script, get = KINDS[kind]
        got = subprocess.run([self.script, get], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if got.returncode:
            skip((got.stderr.strip().splitlines() or [f"{kind} can't be had"])[-1])
        done = subprocess.run([self.script, "start", self.home], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(done.stderr)
        self.url = done.stdout.strip()

    def stop(self):
        subprocess.run([self.script, "stop", self.home], stdin=subprocess.DEVNULL)

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET,
                **more}

    def request(self, method, path, body=b"", query=""):
        """Signed by code of its own. (status, body)"""
        host = self.url.removeprefix("http://")
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        payload, path = hashlib.sha256(body).hexdigest(), urllib.parse.quote(path, safe="/-._~")
        scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
        names = "host;x-amz-content-sha256;x-amz-date"
        canonical = (f"{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{stamp}\n\n"
                     f"{names}\n{payload}")
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = b"AWS4" + SECRET.encode()
        for part in [*scope.split("/"), text]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        request = urllib.request.Request(f"{self.url}{path}{'?' if query else ''}{query}", body or None, method=method, headers={
            "x-amz-date": stamp, "x-amz-content-sha256": payload,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, SignedHeaders={names}, "
                             f"Signature={key.hex()}"})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def make_bucket(self, name):
        for _ in range(100):  # it answers before it is ready to work
            status, body = self.request("PUT", f"/{name}")
            if status != 503:
                break
            time.sleep(0.1)
        assert status == 200, body

    def put_tree(self, folder, place):
        """The files below `folder` as objects below "bucket/prefix"."""
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file():
                status, body = self.request("PUT", f"/{place}/{path.relative_to(folder)}", path.read_bytes())
                assert status == 200, body
