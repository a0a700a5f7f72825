"""One file from the web to the disk: resumed where it stopped, renamed only when its SHA-256 is the listed one."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import urljoin, urlsplit

import urllib3

from biosig.errors import BiosigError

_CHUNK = 1 << 18
_REDIRECTS = 5
# The largest file of the open corpora is well below it.
_LARGEST = 64 << 30
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
# What stays free on the disk, for the system and for the folder's own tables; how often that is looked after.
_RESERVE, _LOOK = 64 << 20, 16 << 20
# Of a server that does not say how long its answer is.
_UNSIZED = 256 << 20
# Bytes a second, over one connection: less is a server that keeps us waiting on purpose.
_SLOWEST = 64


class DownloadError(BiosigError):
    """A file that could not be had, or is not what the list says."""


class _PassingError(Exception):
    """Worth another try."""


class _SlowError(_PassingError):
    """Worth another try, but not for ever, however far it gets."""


class Web:
    """Connections to the server of one corpus.

    Args:
        attempts: Tries of a file without a byte gained, before it counts as failed.
        backoff: Seconds before the second try; doubled with each further one, at most a minute.
        timeout: Seconds without an answer or a byte.
        threads: Connections kept.
    """

    def __init__(self, *, attempts: int = 6, backoff: float = 1.0, timeout: float = 60.0, threads: int = 8) -> None:
        self._attempts, self._backoff, self._timeout = attempts, backoff, timeout
        self._pool = urllib3.PoolManager(maxsize=threads, retries=False, timeout=timeout)
        self.stop = Event()

    def fetch(self, url: str, target: Path, sha256: str, gained: Callable[[int], object] = lambda _: None) -> int:
        """Bring a file to `target`; what an earlier call left in `target.part` is not fetched again.

        Args:
            url: Its address.
            target: Where it goes; a file there is replaced when the new one is whole.
            sha256: Digits in lower case.
            gained: Called with the number of bytes of each piece.

        Returns:
            Bytes that came over the network.

        Raises:
            DownloadError: If it cannot be had, or is not the listed file.
            KeyboardInterrupt: If `stop` was set; the part is kept.
        """
        part = target.with_name(f"{target.name}.part")
        moved = [0]
        failures, furthest = 0, _held(part)

        def count(size: int) -> None:
            moved[0] += size
            gained(size)

        while True:
            try:
                self._piece(url, part, sha256, count)
            except (_PassingError, urllib3.exceptions.HTTPError) as error:
                # A line that drops every connection still gets there, if it gets further each time than ever before.
                further = _held(part) > furthest and not isinstance(error, _SlowError)
                failures = 1 if further else failures + 1
                furthest = max(furthest, _held(part))
                if failures >= self._attempts:
                    raise DownloadError(f"{url}: {_reason(error)}, {failures} times") from None
                if self.stop.wait(min(self._backoff * 2 ** (failures - 1), 60.0)):
                    raise KeyboardInterrupt from None
            else:
                part.replace(target)
                return moved[0]

    def text(self, url: str, limit: int = 256 << 20) -> str:
        """A small text file.

        Raises:
            DownloadError: If it cannot be had, is longer than `limit` bytes or no UTF-8.
        """
        for attempt in range(self._attempts):
            try:
                with self._reply("GET", url) as reply:
                    content = reply.read(limit + 1)
                if len(content) > limit:
                    raise DownloadError(f"{url}: expected at most {limit:,} bytes")
                return content.decode()
            except UnicodeDecodeError:
                raise DownloadError(f"{url}: expected a text in UTF-8") from None
            except (_PassingError, urllib3.exceptions.HTTPError) as error:
                if attempt + 1 == self._attempts:
                    raise DownloadError(f"{url}: {_reason(error)}, {self._attempts} times") from None
                if self.stop.wait(min(self._backoff * 2**attempt, 60.0)):
                    raise KeyboardInterrupt from None
        raise AssertionError  # the loop returns or raises

    def size(self, url: str) -> int | None:
        """Bytes of a file as the server says, `None` where it does not."""
        try:
            with self._reply("HEAD", url) as reply:
                return _length(reply)
        except (_PassingError, urllib3.exceptions.HTTPError, DownloadError):
            return None

    def _piece(self, url: str, part: Path, sha256: str, gained: Callable[[int], object]) -> None:
        """All that one connection brings; the part is whole and right when this returns."""
        digest, start = _digest(part)
        # `start` bytes may be all of them: a process can end between the last byte and the new name.
        if start and digest.hexdigest() == sha256:
            return
        headers = {"Range": f"bytes={start}-"} if start else {}
        moved = 0
        with self._reply("GET", url, headers) as reply:
            if start and reply.status == 416:
                part.unlink()
                raise _PassingError("the part was longer than the file")
            if start and reply.status == 206:
                span = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
                if span is None or int(span[1]) != start:
                    part.unlink()
                    raise _PassingError("the server sent another piece than asked for")
            elif start:
                digest, start = hashlib.sha256(), 0
            length = _length(reply)
            most = min(_LARGEST, start + (_UNSIZED if length is None else length))
            _room(part, length)
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if start else os.O_TRUNC)
            with os.fdopen(os.open(part, flags, 0o644), "wb") as file:
                for chunk in self._pieces(reply, url, part, most - start):
                    file.write(chunk)
                    file.flush()
                    digest.update(chunk)
                    moved += len(chunk)
                    gained(len(chunk))
                os.fsync(file.fileno())
            if moved != (length or moved):
                raise _PassingError(f"the connection ended after {moved:,} of {length:,} bytes")
        if digest.hexdigest() != sha256:
            part.unlink()
            raise _PassingError(f"expected SHA-256 {sha256[:12]}..., got {digest.hexdigest()[:12]}...")

    def _pieces(self, reply: urllib3.BaseHTTPResponse, url: str, part: Path, most: int) -> Iterator[bytes]:
        """Pieces as they come: what arrived is on the disk when the process is killed while it waits."""
        came = looked = 0
        began = time.monotonic()
        while piece := reply.read1(_CHUNK, decode_content=False):
            if self.stop.is_set():
                raise KeyboardInterrupt
            came += len(piece)
            if came > most:
                raise DownloadError(f"{url}: expected at most {most:,} bytes")
            if came - looked > _LOOK:
                looked = came
                _room(part, None)
            if (waited := time.monotonic() - began) > self._timeout and came < _SLOWEST * waited:
                raise _SlowError(f"{came:,} bytes in {waited:.0f} s")
            yield piece

    @contextmanager
    def _reply(
        self, method: str, url: str, headers: dict[str, str] | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer after redirects, with a status of success or 416."""
        asked = url
        for _ in range(_REDIRECTS + 1):
            # Bytes as they are stored: a length, a range and a checksum are of these.
            wanted = {"Accept-Encoding": "identity", "User-Agent": "biosig-download", **(headers or {})}
            reply = self._pool.request(method, asked, headers=wanted, redirect=False, preload_content=False)
            try:
                if reply.status not in {301, 302, 303, 307, 308}:
                    _judge(reply, url)
                    yield reply
                    return
                asked = _redirected(asked, reply.headers.get("Location", ""), url)
            finally:
                reply.close()
        raise DownloadError(f"{url}: redirected more than {_REDIRECTS} times")


def _judge(reply: urllib3.BaseHTTPResponse, url: str) -> None:
    status = reply.status
    if status in _PASSING:
        raise _PassingError(f"the server answers {status}")
    if status in {401, 403}:
        raise DownloadError(
            f"{url}: the server refuses it ({status}): the corpus may need an account and a signed agreement on its "
            "page, or the server blocks this network"
        )
    if status not in {200, 206, 416}:
        raise DownloadError(f"{url}: the server answers {status}")
    kind = reply.headers.get("Content-Type", "").lower()
    if kind.startswith("text/html") and not urlsplit(url).path.lower().endswith((".html", ".htm")):
        raise DownloadError(
            f"{url}: the server sent a web page instead of the file: a page to sign in, or of a proxy on the way"
        )


def _redirected(asked: str, location: str, url: str) -> str:
    """Where a redirect leads: to https anywhere, or to the same host without leaving https for http."""
    there = urljoin(asked, location)
    old, new = urlsplit(asked), urlsplit(there)
    if location and (new.scheme == "https" or (new.scheme, new.netloc) == (old.scheme, old.netloc)):
        return there
    raise DownloadError(f"{url}: redirected to {there[:120]!r}, expected https or the same host")


def _digest(part: Path) -> tuple[hashlib._Hash, int]:
    """The hash of what is there already, and its length; a link is not followed."""
    if part.is_symlink():
        raise DownloadError(f"{part}: expected a file, found a link")
    if not part.exists():
        return hashlib.sha256(), 0
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest, file.tell()


def _held(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _room(part: Path, length: int | None) -> None:
    space = os.statvfs(part.parent)
    free = space.f_bavail * space.f_frsize
    if (length or 0) + _RESERVE > free:
        raise DownloadError(f"{part.parent}: {length or 0:,} bytes wanted for {part.stem}, {free:,} free on the disk")


def _length(reply: urllib3.BaseHTTPResponse) -> int | None:
    said = reply.headers.get("Content-Length", "")
    return int(said) if said.isdecimal() else None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, _PassingError) else f"the connection failed ({type(error).__name__})"
