#!/usr/bin/env python3
"""stub_hub.py [--port N] [--fault KIND ...] FOLDER: a hub on loopback, for tests of what fetches from one.

FOLDER/org/name holds the files of the model org/name, FOLDER/datasets/org/name those of a data set. It prints its address,
then one line of JSON for each request. Files of at least --large bytes are sent by a redirect to a second port, as the real
hub sends them to its store; the second port refuses requests that carry a token.

Faults, each of which may be given several times:

    no-ranges        ranges are ignored: 200 and the whole file
    cut:N            the first N answers with a file's bytes end in the middle
    short            files are sent with their last byte missing, and a length that says so
    long             files are longer than they are listed
    flip             one byte of every large file is another
    wrong-range      206 with other bytes than were asked for
    status:CODE:N    the first N requests for bytes are answered with this status
    api:CODE:N       the first N requests for listings are
    retry-after:S    what those answers ask to wait, in seconds
    expire:N         the signed addresses of files end after N requests
    gated            403 with GatedRepo for all but the listing, as for a model whose terms were not accepted
    private          401 without the token "good"
    stall:N          the first N answers with a file's bytes stop in the middle and keep the connection open
    slow:N           bytes come with N bytes a second at most
    pages            listings come in pages of two entries
    hostile-path     the listing names a file ../../outside
    not-json         listings are no JSON
    loop             files are redirected in a circle
    cross            all bytes come from the second port under another name, also those of small files

Source of the protocol: huggingface_hub, hf_api.py and file_download.py.
"""

import argparse
import hashlib
import json
import os
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """What both ports share."""

    def __init__(self, folder, faults, large, retry_after="0"):
        self.folder = Path(folder)
        self.large = large
        self.lock = threading.Lock()
        self.counts = {}
        self.faults = {}
        for fault in faults:
            kind, *values = fault.split(":")
            self.faults[kind] = values
        self.digests = {}
        self.store = None

    def has(self, kind):
        return kind in self.faults

    def strikes(self, kind, place):
        """Counts one chance of a fault whose value at `place` says how often it comes."""
        if kind not in self.faults:
            return False
        with self.lock:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            return self.counts[kind] <= int(self.faults[kind][place])

    def files(self, kind, name):
        root = self.folder / ("datasets" if kind == "datasets" else "") / name
        return {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}

    def entry(self, path, file):
        size = file.stat().st_size
        with self.lock:
            known = self.digests.get(file)
        if known is None:
            content = file.read_bytes()
            git = hashlib.sha1(b"blob %d\0" % size + content).hexdigest()
            known = (git, hashlib.sha256(content).hexdigest())
            with self.lock:
                self.digests[file] = known
        entry = {"type": "file", "path": path, "size": size, "oid": known[0]}
        if size >= self.large:
            entry["lfs"] = {"oid": known[1], "size": size, "pointerSize": 134}
        return entry


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub = None

    def log_message(self, *_):
        pass

    def note(self, status):
        record = {"port": self.server.server_address[1], "path": self.path, "status": status,
                  "range": self.headers.get("Range"), "token": self.headers.get("Authorization")}
        with self.hub.lock:
            print(json.dumps(record), flush=True)

    def answer(self, status, body=b"", kind="application/json", **headers):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code=None, message=None):
        headers = {}
        if code:
            headers["X_Error_Code"] = code
        if message:
            headers["X_Error_Message"] = message
        if self.hub.has("retry-after"):
            headers["Retry_After"] = self.hub.faults["retry-after"][0]
        body = json.dumps({"error": message or f"status {status}"}).encode()
        self.answer(status, body, **headers)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        try:
            self.route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self):
        hub = self.hub
        if hub.has("private") and self.headers.get("Authorization") != "Bearer good":
            return self.refuse(401, message="Invalid username or password.")
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        if parts[:1] == ["api"] and len(parts) >= 4:
            kind, name, rest = parts[1], "/".join(parts[2:4]), parts[4:]
            return self.listing(kind, name, rest)
        kind = "datasets" if parts[:1] == ["datasets"] else "models"
        parts = parts[1:] if kind == "datasets" else parts
        if len(parts) >= 5 and parts[2] == "resolve":
            return self.resolve(kind, "/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        return self.refuse(404)

    def listing(self, kind, name, rest):
        hub = self.hub
        if hub.strikes("api", 1):
            return self.refuse(int(hub.faults["api"][0]))
        files = hub.files(kind, name)
        if not files:
            return self.refuse(404 if self.headers.get("Authorization") else 401, "RepoNotFound", "Repository not found")
        if hub.has("not-json"):
            return self.answer(200, b"<html>", "text/html")
        revision = rest[1] if len(rest) > 1 else "main"
        if revision not in ("main", "v1", "refs/pr/1", COMMIT):
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if rest[:1] != ["tree"]:
            return self.answer(200, json.dumps({
                "id": name, "sha": COMMIT, "private": False, "gated": False, "disabled": False,
                "siblings": [{"rfilename": path} for path in files]}).encode())
        entries = [hub.entry(path, file) for path, file in files.items()]
        folders = sorted({path.rsplit("/", 1)[0] for path in files if "/" in path})
        entries += [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in folders]
        if hub.has("hostile-path"):
            entries.append({"type": "file", "path": "../../outside", "size": 1, "oid": "0" * 40})
        if not hub.has("pages"):
            return self.answer(200, json.dumps(entries).encode())
        query = parse_qs(urlsplit(self.path).query)
        first = int(query.get("cursor", ["0"])[0])
        headers = {}
        if first + 2 < len(entries):
            address = f"http://127.0.0.1:{self.server.server_address[1]}{urlsplit(self.path).path}"
            headers["Link"] = f'<{address}?recursive=true&cursor={first + 2}>; rel="next"'
        return self.answer(200, json.dumps(entries[first:first + 2]).encode(), **headers)

    def resolve(self, kind, name, commit, path):
        hub = self.hub
        if hub.has("gated"):
            return self.refuse(403, "GatedRepo", f"Access to model {name} is restricted.")
        file = hub.files(kind, name).get(path)
        if file is None or commit != COMMIT:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        entry = hub.entry(path, file)
        etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
        if hub.has("loop"):
            return self.answer(302, Location=self.path)
        common = {"X_Repo_Commit": COMMIT, "X_Linked_Etag": f'"{etag}"', "X_Linked_Size": str(entry["size"])}
        if "lfs" in entry or hub.has("cross"):
            where = hub.store.server_address[1]
            with hub.lock:
                hub.counts["signed"] = hub.counts.get("signed", 0) + 1
                number = hub.counts["signed"]
            address = f"http://localhost:{where}/{quote(str(file.relative_to(hub.folder)))}?signature={number}"
            return self.answer(302, b"Found. Redirecting", "text/plain", Location=address, **common)
        return self.send(file, etag, common)

    def send(self, file, etag, headers):
        """A file's bytes, with what the faults make of them."""
        hub = self.hub
        if self.command == "GET" and hub.strikes("status", 1):
            return self.refuse(int(hub.faults["status"][0]))
        size = file.stat().st_size
        end_of_file = size - 1 if hub.has("short") else size
        first, last, status = 0, end_of_file - 1, 200
        wanted = self.headers.get("Range")
        if wanted and not hub.has("no-ranges"):
            begin, end = wanted.removeprefix("bytes=").split("-")
            first, last, status = int(begin), min(int(end or size), last), 206
            if first > last:
                return self.answer(416, Content_Range=f"bytes */{end_of_file}")
            if hub.has("wrong-range"):
                first += 1
        extra = 7 if hub.has("long") else 0
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Length", str(last - first + 1 + (extra if status == 200 else 0)))
        self.send_header("ETag", f'"{etag}"')
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{end_of_file + extra}")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "HEAD":
            return None
        return self.send_bytes(file, first, last, extra if status == 200 else 0)

    def send_bytes(self, file, first, last, extra):
        hub = self.hub
        stop = last + 1
        cut, stall = hub.strikes("cut", 0), hub.strikes("stall", 0)
        if cut or stall:
            stop = (first + last + 1) // 2
        flips = hub.has("flip") and file.stat().st_size >= hub.large
        speed = int(hub.faults["slow"][0]) if hub.has("slow") else None
        with open(file, "rb") as source:
            at = first
            while at < stop:
                count = min(stop - at, 1 << 20)
                if flips or speed:
                    count = min(count, max((speed or 1 << 20) // 20, 1))
                    source.seek(at)
                    piece = bytearray(source.read(count))
                    if flips and at == 0:
                        piece[0] ^= 1
                    self.wfile.write(piece)
                    if speed:
                        time.sleep(count / speed)
                    at += count
                else:
                    self.wfile.flush()
                    at += os.sendfile(self.connection.fileno(), source.fileno(), at, count)
        self.wfile.write(b"x" * extra)
        if stall:
            time.sleep(30)
        if cut or stall:
            self.close_connection = True
            self.connection.close()
        return None


class StoreHandler(Handler):
    """The second port: signed addresses, and no token."""

    def route(self):
        hub = self.hub
        if self.headers.get("Authorization"):
            return self.refuse(400, message="Only one auth mechanism allowed")
        if hub.has("expire"):
            signature = urlsplit(self.path).query
            with hub.lock:
                hub.counts[signature] = hub.counts.get(signature, 0) + 1
                ended = hub.counts[signature] > int(hub.faults["expire"][0])
            if ended:
                return self.refuse(403, message="Request has expired")
        file = hub.folder / unquote(urlsplit(self.path).path).lstrip("/")
        if not file.is_file():
            return self.refuse(404)
        return self.send(file, hub.entry(file.name, file).get("lfs", {}).get("oid", ""), {})


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


def start(folder, faults=(), port=0, large=1 << 20):
    """Both ports, in threads; the first one's address is `http://127.0.0.1:PORT`."""
    hub = Hub(folder, faults, large)
    servers = []
    for number, base in [(0, StoreHandler), (port, Handler)]:
        handler = type(base.__name__, (base,), {"hub": hub})
        server = Server(("127.0.0.1", number), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    hub.store = servers[0]
    return servers[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--large", type=int, default=1 << 20, help="bytes from which files are sent by a redirect")
    parser.add_argument("--fault", action="append", default=[])
    options = parser.parse_args()
    server = start(options.folder, options.fault, options.port, options.large)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    # It ends with whoever started it.
    sys.stdin.read()


if __name__ == "__main__":
    main()
