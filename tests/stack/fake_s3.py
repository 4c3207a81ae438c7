#!/usr/bin/env python3
"""fake_s3.py [--port N]: an S3 server in memory that fails on demand. Prints "listening PORT".

It checks every signature with code of its own, knows buckets `lake` (us-east-1) and `far` (eu-west-1), and
the key `fakekey` with the secret `fakesecret`. Below /-/ it takes orders, unsigned:

    POST /-/fault     lines `METHOD TEXT TIMES ACTION [ARGUMENT]`: the next TIMES requests of that method
                      (* any) whose path and query hold TEXT (* any) suffer it
    GET  /-/log       one line a request: `STATUS METHOD PATH?QUERY`
    POST /-/reset     forgets objects, faults and log
    POST /-/age       uploads that are open were begun two days ago

ACTION: `error STATUS CODE [XML]` refuses; `status STATUS` answers without a body; `cut` closes without
having done anything; `lost` does it and closes; `half` sends half of the answer; `stall` says nothing for
ARGUMENT seconds; `drip` sends ARGUMENT bytes a second; `html` answers as a web server; `deaf` does it
without its conditions; `deny` as error 403; `late` does it after ARGUMENT seconds, having closed at once;
`raw STATUS TEXT` answers with that text.
"""
import argparse
import base64
import datetime
import hashlib
import hmac
import http.server
import re
import socket
import sys
import threading
import time
import urllib.parse
import uuid
from xml.sax.saxutils import escape

ACCESS, SECRET = "fakekey", "fakesecret"
REGIONS = {"lake": "us-east-1", "far": "eu-west-1"}
lock = threading.RLock()


class State:
    def __init__(self):
        self.objects = {name: {} for name in REGIONS}
        self.uploads, self.faults, self.log = {}, [], []


state = State()


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Refused(Exception):
    def __init__(self, status, code, message="as asked", extra=""):
        self.status, self.code, self.message, self.extra = status, code, message, extra


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "fake"

    def log_message(self, *_):
        pass

    # ---- in and out ----

    def reply(self, status, body=b"", headers=None, kind="application/xml"):
        with lock:
            state.log.append(f"{status} {self.command} {self.path}")
        body = body.encode() if isinstance(body, str) else body
        action = self.action[0]
        if action in ("lost", "late"):
            self.hang_up()
            return
        self.send_response(status)
        for name, value in {"x-amz-request-id": "17F", "Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)) if status != 204 else "0")
        self.end_headers()
        if self.command == "HEAD" or status == 204:
            return
        if action == "half":
            self.wfile.write(body[: len(body) // 2])
            self.hang_up()
        elif action == "drip":
            step = int(self.action[1])
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        try:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def refuse(self, error):
        self.reply(error.status, f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code><Message>'
                   f"{escape(error.message)}</Message><Resource>{escape(self.path)}</Resource>{error.extra}</Error>")

    def take_fault(self):
        with lock:
            for fault in state.faults:
                method, text, _, *action = fault
                if method in ("*", self.command) and (text == "*" or text in self.path):
                    fault[2] -= 1
                    if fault[2] <= 0:
                        state.faults.remove(fault)
                    return action
        return [""]

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.action = [""]
        if self.path.startswith("/-/"):
            self.order()
            return
        self.action = self.take_fault()
        try:
            self.suffer()
        except Refused as error:
            self.refuse(error)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def order(self):
        what, text = self.path[3:], self.body.decode()
        with lock:
            if what == "fault":
                for line in text.splitlines():
                    method, word, times, action = line.split(" ", 3)
                    state.faults.append([method, word, int(times), *action.split(" ", 3)])
            elif what == "reset":
                state.__init__()
            elif what == "age":
                for upload in state.uploads.values():
                    upload["begun"] -= 2 * 86400
            answer = "".join(line + "\n" for line in state.log) if what == "log" else ""
        payload = answer.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def suffer(self):
        action, *rest = self.action
        if action == "error":
            raise Refused(int(rest[0]), rest[1], extra=rest[2] if len(rest) > 2 else "")
        if action == "deny":
            raise Refused(403, "AccessDenied", "Access Denied.")
        if action == "status":
            self.reply(int(rest[0]))
        elif action == "raw":
            self.reply(int(rest[0]), " ".join(rest[1:]))
        elif action == "html":
            page = b"<!DOCTYPE html><html><body>console</body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else page)
        elif action == "cut":
            with lock:
                state.log.append(f"0 {self.command} {self.path}")
            self.hang_up()
        elif action == "stall":
            time.sleep(float(rest[0]))
            self.hang_up()
        elif action == "late":
            self.hang_up()
            time.sleep(float(rest[0]))
            self.serve()
        else:
            self.serve()

    # ---- signatures ----

    def verify(self, bucket):
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
                             r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", self.headers.get("Authorization", ""))
        if not found:
            raise Refused(403, "AccessDenied", "Access Denied.")
        access, day, region, names, signature = found.groups()
        if access != ACCESS:
            raise Refused(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
        path, _, query = self.path.partition("?")
        pairs = sorted(tuple(part.partition("=")[::2]) for part in query.split("&") if part)
        for name, value in pairs:
            if re.search(r"[^A-Za-z0-9._~%-]", name + value):
                raise Refused(400, "InvalidArgument", "the query is not encoded")
        stamp, payload = self.headers["x-amz-date"], self.headers["x-amz-content-sha256"]
        lines = [self.command, path, "&".join(f"{a}={b}" for a, b in pairs)]
        lines += [f"{name}:{' '.join(self.headers[name].split())}" for name in names.split(";")]
        text = "\n".join(lines + ["", names, payload])
        for needed in ("host", "x-amz-date", "x-amz-content-sha256"):
            assert needed in names.split(";"), needed
        key = b"AWS4" + SECRET.encode()
        for part in (day, region, "s3", "aws4_request"):
            key = digest(key, part)
        scope = f"{day}/{region}/s3/aws4_request"
        hashed = hashlib.sha256(text.encode()).hexdigest()
        if digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}").hex() != signature:
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        if hashlib.sha256(self.body).hexdigest() != payload:
            raise Refused(400, "XAmzContentSHA256Mismatch", "the body is not what was signed")
        if bucket in REGIONS and region != REGIONS[bucket]:
            raise Refused(400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong",
                          f"<Region>{REGIONS[bucket]}</Region>")

    # ---- S3 ----

    def serve(self):
        path, _, query = self.path.partition("?")
        bucket, _, key = urllib.parse.unquote(path[1:]).partition("/")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.verify(bucket)
        if not key and self.command in ("PUT", "DELETE"):
            self.serve_bucket(bucket)
            return
        if bucket not in state.objects:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        objects = state.objects[bucket]
        if key:
            self.serve_object(bucket, objects, key)
        elif self.command == "GET" and "uploads" in self.query:
            self.list_uploads(bucket)
        elif self.command == "GET":
            self.list_objects(bucket, objects)
        elif self.command == "POST" and "delete" in self.query:
            self.delete_many(objects)
        else:
            raise Refused(405, "MethodNotAllowed")

    def serve_bucket(self, bucket):
        with lock:
            if self.command == "PUT":
                if bucket in state.objects:
                    raise Refused(409, "BucketAlreadyOwnedByYou")
                state.objects[bucket] = {}
            elif bucket not in state.objects:
                raise Refused(404, "NoSuchBucket")
            elif state.objects[bucket]:
                raise Refused(409, "BucketNotEmpty")
            else:
                del state.objects[bucket]
        self.reply(200 if self.command == "PUT" else 204)

    def check_conditions(self, objects, key):
        if self.action[0] == "deaf":
            return
        if self.headers.get("If-None-Match") == "*" and key in objects:
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

    def put(self, objects, key, body, etag, meta):
        objects[key] = {"body": body, "etag": etag, "time": time.time(), "meta": meta}

    def meta(self):
        return {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}

    def serve_object(self, bucket, objects, key):
        method, upload = self.command, self.query.get("uploadId")
        if method in ("GET", "HEAD"):
            self.get_object(objects, key)
        elif method == "PUT" and upload is not None:
            with lock:
                self.upload(upload)["parts"][int(self.query["partNumber"])] = self.body
            self.reply(200, headers={"ETag": f'"{hashlib.md5(self.body).hexdigest()}"'})
        elif method == "PUT":
            with lock:
                self.check_conditions(objects, key)
                etag = f'"{hashlib.md5(self.body).hexdigest()}"'
                self.put(objects, key, self.body, etag, self.meta())
            self.reply(200, headers={"ETag": etag})
        elif method == "POST" and "uploads" in self.query:
            name = uuid.uuid4().hex
            with lock:
                state.uploads[name] = {"bucket": bucket, "key": key, "parts": {}, "meta": self.meta(),
                                       "begun": time.time()}
            self.reply(200, f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>")
        elif method == "POST" and upload is not None:
            self.complete(objects, key, upload)
        elif method == "DELETE" and upload is not None:
            with lock:
                self.upload(upload)
                del state.uploads[upload]
            self.reply(204)
        elif method == "DELETE":
            with lock:
                objects.pop(key, None)
            self.reply(204)
        else:
            raise Refused(405, "MethodNotAllowed")

    def upload(self, name):
        if name not in state.uploads:
            raise Refused(404, "NoSuchUpload", "The specified multipart upload does not exist")
        return state.uploads[name]

    def complete(self, objects, key, name):
        with lock:
            upload = self.upload(name)
            self.check_conditions(objects, key)
            wanted = [(int(number), etag) for number, etag in
                      re.findall(rb"<PartNumber>(\d+)</PartNumber><ETag>(?:&quot;)?([0-9a-f]+)", self.body)]
            parts = upload["parts"]
            if [n for n, _ in wanted] != sorted(parts):
                raise Refused(400, "InvalidPart")
            for number, etag in wanted:
                if hashlib.md5(parts[number]).hexdigest() != etag.decode():
                    raise Refused(400, "InvalidPart")
                if number != wanted[-1][0] and len(parts[number]) < 5 << 20:
                    raise Refused(400, "EntityTooSmall")
            body = b"".join(parts[number] for number in sorted(parts))
            self.put(objects, key, body, f'"{hashlib.md5(body).hexdigest()}-{len(parts)}"', upload["meta"])
            del state.uploads[name]
        self.reply(200, "  <CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")

    def get_object(self, objects, key):
        entry = objects.get(key)
        if entry is None:
            if self.command == "HEAD":
                self.reply(404)
                return
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        body, status = entry["body"], 200
        headers = {"ETag": entry["etag"], **entry["meta"],
                   "Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(entry["time"]))}
        if self.headers.get("If-Match") not in (None, entry["etag"]):
            raise Refused(412, "PreconditionFailed")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if found:
            first, last = int(found[1]), min(int(found[2]), len(body) - 1)
            if first >= len(body):
                raise Refused(416, "InvalidRange")
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            body, status = body[first : last + 1], 206
        if self.command == "HEAD":
            headers["Content-Length"] = str(len(body))
        self.reply(status, body, headers, "application/octet-stream")

    def list_objects(self, bucket, objects):
        query = self.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("start-after", "")
        if "continuation-token" in query:
            after = base64.urlsafe_b64decode(query["continuation-token"]).decode()
        most = min(int(query.get("max-keys", 1000)), 1000)
        with lock:
            keys = sorted((k for k in objects if k.startswith(prefix)), key=str.encode)
            rows, last, truncated, seen = [], "", False, set()
            for key in keys:
                end = key.find(delimiter, len(prefix)) if delimiter else -1
                name = key[: end + len(delimiter)] if end >= 0 else key
                if name.encode() <= after.encode() or name in seen:
                    continue
                if len(rows) == most:
                    truncated = True
                    break
                seen.add(name)
                last = name
                stamp = datetime.datetime.fromtimestamp(objects[key]["time"], datetime.timezone.utc)
                rows.append(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" if end >= 0 else
                            f"<Contents><Key>{escape(name)}</Key><LastModified>{stamp:%Y-%m-%dT%H:%M:%S.000Z}"
                            f"</LastModified><ETag>{escape(objects[key]['etag'])}</ETag>"
                            f"<Size>{len(objects[key]['body'])}</Size></Contents>")
        token = base64.urlsafe_b64encode(last.encode()).decode()
        self.reply(200, '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult '
                   f'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name><IsTruncated>'
                   f"{str(truncated).lower()}</IsTruncated>"
                   + (f"<NextContinuationToken>{token}</NextContinuationToken>" if truncated else "")
                   + "".join(rows) + "</ListBucketResult>")

    def list_uploads(self, bucket):
        with lock:
            rows = [f"<Upload><Key>{escape(u['key'])}</Key><UploadId>{name}</UploadId><Initiated>"
                    + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(u["begun"])) + "</Initiated></Upload>"
                    for name, u in state.uploads.items()
                    if u["bucket"] == bucket and u["key"].startswith(self.query.get("prefix", ""))]
        self.reply(200, f"<ListMultipartUploadsResult>{''.join(rows)}</ListMultipartUploadsResult>")

    def delete_many(self, objects):
        hashed = base64.b64encode(hashlib.sha256(self.body).digest()).decode()
        if self.headers.get("x-amz-checksum-sha256") != hashed:
            raise Refused(400, "BadDigest")
        keys = [k.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&apos;", "'")
                .replace("&amp;", "&") for k in re.findall(r"<Key>(.*?)</Key>", self.body.decode())]
        if len(keys) > 1000:
            raise Refused(400, "MalformedXML")
        errors = ""
        with lock:
            for key in keys:
                if "undeletable" in key:
                    errors += f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code></Error>"
                else:
                    objects.pop(key, None)
        self.reply(200, f"<DeleteResult>{errors}</DeleteResult>")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    server = Server(("127.0.0.1", parser.parse_args().port), Handler)
    print(f"listening {server.server_address[1]}", flush=True)
    # Whoever started us holds the other end of our input: when it goes, so do we.
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
