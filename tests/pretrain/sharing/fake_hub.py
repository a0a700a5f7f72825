"""A model hub on the loopback device: enough of the Hugging Face hub's interface to create, commit and download."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hub:
    """What was sent.

    Attributes:
        url: Where it listens.
        files: By repository and path.
        private: By repository.
        asked: Method and path of every request.
        refuse: Status to answer every commit with, if any.
    """

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refuse: int = 0

    def sha(self, repo: str) -> str:
        """Of everything in a repository."""
        content = repr(sorted((name, hashlib.sha1(data).hexdigest()) for name, data in self.files[repo].items()))
        return hashlib.sha1(content.encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers for the hub that its server has."""

    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined,no-any-return]

    def log_message(self, *_: Any) -> None: ...

    def answer(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.hub.asked.append(f"POST {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        else:
            owner, name, what, *_ = self.path.removeprefix("/api/models/").split("/")
            if what == "preupload":
                files = json.loads(body)["files"]
                self.answer(
                    {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]}
                )
            else:
                self.commit(f"{owner}/{name}", body)

    def create(self, given: dict[str, Any]) -> None:
        repo = "/".join(filter(None, (given.get("organization"), given["name"])))
        self.hub.files.setdefault(repo, {})
        self.hub.private[repo] = given.get("visibility") == "private" or bool(given.get("private"))
        self.answer({"url": f"{self.hub.url}/{repo}", "id": repo, "name": repo})

    def commit(self, repo: str, body: bytes) -> None:
        if self.hub.refuse:
            self.answer({"error": "no room"}, self.hub.refuse)
            return
        for line in filter(None, body.splitlines()):
            one = json.loads(line)
            if one["key"] == "file":
                self.hub.files[repo][one["value"]["path"]] = base64.b64decode(one["value"]["content"])
        sha = self.hub.sha(repo)
        self.answer({"success": True, "commitOid": sha, "commitUrl": f"{self.hub.url}/{repo}/commit/{sha}"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            self.describe(*path.removeprefix("/api/models/").split("/"))
            return
        repo, _, rest = path.lstrip("/").partition("/resolve/")
        data = self.hub.files.get(repo, {}).get(rest.partition("/")[2])
        if data is None:
            self.answer({"error": "no such file"}, 404, {"X-Error-Code": "EntryNotFound"})
        else:
            headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": self.hub.sha(repo)}
            self.answer(data, headers=headers)

    def describe(self, owner: str, name: str, *rest: str) -> None:
        repo = f"{owner}/{name}"
        if repo not in self.hub.files:
            self.answer({"error": "no such repository"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        files = sorted(self.hub.files[repo].items())
        if "tree" in rest:
            self.answer(
                [
                    {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for path, data in files
                ]
            )
            return
        siblings = [{"rfilename": path, "size": len(data)} for path, data in files]
        self.answer({"id": repo, "sha": self.hub.sha(repo), "siblings": siblings, "private": self.hub.private[repo]})


@contextmanager
def serving() -> Iterator[Hub]:
    """The hub, for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    server.hub = hub  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
