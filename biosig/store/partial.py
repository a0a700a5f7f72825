"""The folder of a run that is not finished: whose it is, whether it may be continued, and how it becomes the store."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Self

from biosig.corpora.base import Corpus, Entry
from biosig.errors import StoreError
from biosig.preprocess import Preprocessing
from biosig.store.chunk import read_json, write_json
from biosig.store.layout import FORMAT, INFO, PARTIAL, VERSION

if sys.platform != "win32":
    import fcntl

_PLAN = "plan.json"
# What decides the bytes of a store.
_PACKAGES = ("biosig", "numpy", "scipy", "wfdb", "mne", "neurokit2", "pyarrow")


@dataclass(frozen=True)
class Plan:
    """Everything that decides what a run writes; only a run with an equal plan may continue another."""

    format: str
    corpus: str
    source: str
    records: int
    files: str
    preprocessing: str
    statistics: bool
    keep_personal: bool
    records_per_shard: int
    records_per_part: int
    versions: dict[str, str]

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        source: Path,
        entries: Sequence[Entry],
        preprocessing: Preprocessing,
        *,
        statistics: bool,
        per_shard: int,
        chunk: int,
        keep_personal: bool = False,
    ) -> Plan:
        """The plan of a run. A file that changed its size or date makes another plan."""
        digest = hashlib.sha256()
        for entry in entries:
            stat = entry.path.stat() if entry.path.exists() else None
            state = (entry.record_id, str(entry.path), stat and stat.st_size, stat and stat.st_mtime_ns)
            digest.update(repr(state).encode("utf-8", "surrogateescape"))
        return cls(
            format=f"{FORMAT} {VERSION}",
            corpus=corpus.name,
            source=str(source.resolve()),
            records=len(entries),
            files=digest.hexdigest(),
            preprocessing=preprocessing.model_dump_json(),
            statistics=statistics,
            keep_personal=keep_personal,
            records_per_shard=per_shard,
            records_per_part=min(chunk, per_shard),
            versions=versions(),
        )


def versions() -> dict[str, str]:
    """Versions of the packages that decide the bytes of a store."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class Partial:
    """`DEST.partial`, held by one run at a time; on leaving without `finish` it stays, to be continued.

    Attributes:
        work: What a run needs to continue.
        store: The store as far as it is made; renamed to the destination at the end.

    Raises:
        StoreError: If the destination exists (and is not to be overwritten, or is no store), or the folder belongs to
            another configuration, another run, or somebody else.
    """

    def __init__(self, destination: Path, plan: Plan, *, overwrite: bool) -> None:
        # Of a link, the folder it leads to is replaced, and `DEST/` has no name of its own.
        self._destination = destination.resolve()
        self._folder = self._destination.with_name(self._destination.name + PARTIAL)
        self.work, self.store = self._folder / "work", self._folder / "store"
        self._plan, self._overwrite = plan, overwrite
        self._lock = -1

    def __enter__(self) -> Self:
        self._check_destination()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hold()
        try:
            self._claim()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def finish(self, files: Iterable[str]) -> None:
        """Give the finished store its name, and drop the rest."""
        keep = {INFO, *files}
        for path in self.store.iterdir():
            if path.name not in keep:
                path.unlink()
        # Whoever made the destination meanwhile keeps it.
        self._check_destination()
        old = self._destination.with_name(f"{self._destination.name}.old.{os.getpid()}")
        replaces = self._destination.exists()
        if replaces:
            self._destination.rename(old)
        self.store.rename(self._destination)
        if replaces:
            shutil.rmtree(old)
        shutil.rmtree(self._folder)

    def _check_destination(self) -> None:
        path = self._destination
        if not path.exists():
            return
        if not path.is_dir() or (any(path.iterdir()) and not _is_store(path)):
            raise StoreError(f"{path}: exists and is not a store; nothing was touched")
        if _is_store(path) and not self._overwrite:
            raise StoreError(f"{path}: the store exists; choose another name, or overwrite it (--overwrite)")

    def _hold(self) -> None:
        if sys.platform == "win32":
            return
        self._lock = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._release()
            raise StoreError(f"{self._folder}: another process is preparing this store") from None
        except OSError:
            # A file system without locks: two runs at once then do the same work twice, with the same result.
            pass

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _claim(self) -> None:
        """See whose the folder is, and make it ours if nobody's."""
        path = self.work / _PLAN
        if path.exists():
            change = _difference(path, asdict(self._plan))
            if change is None:
                self.store.mkdir(exist_ok=True)
                return
            if not self._overwrite:
                raise StoreError(
                    f"{self._folder}: begun with another configuration ({change}); finish it with the former one, "
                    "delete it, or begin anew (--overwrite)"
                )
            shutil.rmtree(self.store, ignore_errors=True)
            shutil.rmtree(self.work)
        # A run that was killed before it had a plan left an empty folder at most.
        elif any(
            file for file in self._folder.rglob("*") if file.suffix != ".tmp" and file not in (self.work, self.store)
        ):
            raise StoreError(f"{self._folder}: exists and was not made by prepare; nothing was touched")
        self.work.mkdir(exist_ok=True)
        self.store.mkdir(exist_ok=True)
        write_json(path, asdict(self._plan))


def _difference(path: Path, present: dict[str, object]) -> str | None:
    """The first setting that differs from the plan that was written, in words."""
    try:
        former = read_json(path)
    except StoreError:
        return f"{path.name} is damaged"
    for name, value in present.items():
        if former.get(name) != value:
            if name == "files":
                return "source files have changed since"
            return f"{name}: {_short(former.get(name))}, now {_short(value)}"
    return None


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _is_store(path: Path) -> bool:
    try:
        document = json.loads((path / INFO).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT
