"""A server on loopback that holds a small corpus and misbehaves as it is told."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest


def contents(records: int = 6, size: int = 300_000) -> dict[str, bytes]:
    """Records of a header and a signal in two folders, tables, a list of records, an archive."""
    rng = np.random.default_rng(0)
    files = {"table.csv": b"a,b\n1,2\n", "all.zip": b"PK", "first/notes.txt": b"summary", "second/notes.txt": b"other"}
    names = []
    for number in range(records):
        folder = "first" if number < records // 2 else "second"
        name = f"{folder}/r{number:02d}"
        names.append(name)
        files[f"{name}.hea"] = f"r{number:02d} 1 500 100\n".encode()
        files[f"{name}.dat"] = rng.bytes(size)
    files["RECORDS"] = "\n".join(names).encode() + b"\n"
    return files


@dataclass
class Server:
    """Files by path, what to do wrong with each, and how often each was asked for.

    A fault is a function of the handler and the content; it is used up, one a request, and then the file is served.
    """

    files: dict[str, bytes]
    faults: dict[str, list[Callable[[Any, bytes], None]]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)
    base: str = ""

    def sums(self) -> bytes:
        return "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in sorted(self.files.items())).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def do_GET(self) -> None:
        path = self.path.removeprefix("/c/")
        state = self.state
        state.asked[path] += 1
        content = state.files.get(path, state.sums() if path == "SHA256SUMS.txt" else None)
        if waiting := state.faults.get(path):
            fault = waiting[0] if getattr(waiting[0], "forever", False) else waiting.pop(0)
            fault(self, content or b"")
        elif content is None:
            answer(self, 404, b"<html>no</html>", kind="text/html")
        else:
            serve(self, content)

    def do_HEAD(self) -> None:
        content = self.state.files.get(self.path.removeprefix("/c/"), b"")
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def answer(handler: Any, status: int, body: bytes, *, kind: str = "application/octet-stream", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def serve(handler: Any, content: bytes) -> None:
    """As a good server does, Range included."""
    asked = handler.headers.get("Range")
    if not asked:
        answer(handler, 200, content)
        return
    handler.state.ranges.append(asked)
    start = int(asked.removeprefix("bytes=").rstrip("-"))
    if start >= len(content):
        answer(handler, 416, b"")
        return
    answer(handler, 206, content[start:], Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}")


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(contents())
    handler = type("Handler", (_Handler,), {"state": state})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.base = f"http://127.0.0.1:{listening.server_port}/c/"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield state
    listening.shutdown()
    listening.server_close()
