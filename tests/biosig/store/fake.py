"""A small corpus of `.npz` files, with records that fail in every way, for the tests of the store.

Workers import it by name, so it is a module of its own.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from biosig.corpora.base import Entries, Entry
from biosig.errors import RecordError
from biosig.recording import Code, Event, Modality, Recording
from biosig.sealed import sealed
from biosig.splits import Split
from biosig.store import chunk

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


class FakeCorpus:
    """Reads `NAME.npz`; what else a record does is in its file."""

    name = "fake"
    title = "A corpus of the tests"
    modality = (Modality.ECG,)
    licence = "none"
    citation = "nobody"
    url = "https://example.org"
    split = Split()
    sampling_rates = (500.0,)

    def find(self, source: Path) -> Entries:
        return Entries(
            (Entry(path.stem, path, {"source": path.name}) for path in sorted(Path(source).glob("*.npz"))),
            missing=("absent",),
            skipped=(("refused", "a damaged row"),),
        )

    def read(self, entry: Entry) -> Recording:
        with np.load(entry.path) as file:
            content = {name: file[name] for name in file.files}
        _misbehave(entry, str(content.get("does", "")))
        leads = tuple(str(name) for name in content.get("leads", LEADS[: len(content["signal"])]))
        return Recording(
            content["signal"],
            leads,
            float(content.get("rate", 500.0)),
            (Modality.ECG,) * len(leads),
            record_id=entry.record_id,
            subject_id=str(content.get("subject", f"s-{entry.record_id}")),
            session="1",
            codes=(Code("fake", "beat", 80.0), Code("fake", "other")),
            concepts=frozenset({"164889003", "426783006"}),
            report="Sinusrhythmus, Linkslagetyp ✓",
            events=(Event(0.5, 0.0, "N", "beat"), Event(1.0, 2.0, "(AFIB", stimulus="film 3", trial=7)),
            meta={
                "age": float(content.get("age", 61)),
                "sex": "female",
                "device": "CS-12",
                "comments": ("x",),
                **({"fold": int(content["fold"])} if "fold" in content else {}),
            },
        )


def _misbehave(entry: Entry, does: str) -> None:
    if does == "record error":
        raise RecordError(entry.path, "gain", "a positive number", "-5")
    if does == "key error":
        raise KeyError("no such\nthing")
    if does == "exit":
        raise SystemExit(3)
    if does == "memory":
        raise MemoryError
    if does == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if does == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "killed once" and not (mark := entry.path.with_suffix(".mark")).exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "disk full":
        chunk._Hashed.write = _no_space  # type: ignore[method-assign]
    if does == "slow":
        time.sleep(0.02)


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def heart(seed: int, leads: int = 12, seconds: float = 10.0, rate: float = 500.0) -> np.ndarray:
    """Limb leads that obey Einthoven, chest leads, irregular beats, drift and noise: in microvolts."""
    rng = np.random.default_rng(seed)
    time_ = np.arange(round(seconds * rate)) / rate
    beats = np.cumsum(rng.uniform(0.6, 1.1, size=int(seconds * 2) + 4)) - rng.uniform(0, 1)
    first, third = (_lead(rng, time_, beats) for _ in range(2))
    second = first + third
    limbs = [first, second, third, -(first + second) / 2, (first - third) / 2, (second + third) / 2]
    chest = [_lead(rng, time_, beats) for _ in range(6)]
    return np.stack([*limbs, *chest][:leads]).astype(np.float32)


def _lead(rng: np.random.Generator, time_: np.ndarray, beats: np.ndarray) -> np.ndarray:
    x = rng.normal(0, 3, size=time_.shape)
    x += rng.uniform(20, 80) * np.sin(2 * np.pi * (rng.uniform(0.1, 0.3) * time_ + rng.uniform()))
    for delay, width, size in ((-0.16, 0.02, 120), (0.0, 0.012, 1000), (0.03, 0.012, -250), (0.28, 0.05, 250)):
        amplitude = size * rng.normal(1, 0.3)
        for beat in beats:
            x += amplitude * np.exp(-0.5 * ((time_ - beat - delay) / width) ** 2)
    return x


def write_record(folder: Path, name: str, signal_: np.ndarray | None = None, **content: Any) -> Path:
    """One file of the corpus."""
    seed = int.from_bytes(name.encode()[-6:], "big")
    path = folder / f"{name}.npz"
    np.savez(path, signal=heart(seed, leads=3, seconds=4.0) if signal_ is None else signal_, **content)
    return path


def write_corpus(folder: Path, records: int, **content: Any) -> Path:
    """A folder of small records r000, r001, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(records):
        write_record(folder, f"r{number:03d}", **content)
    return folder


def contents(store: Path, but: Sequence[str] = ()) -> dict[str, bytes]:
    """Every file of a store, byte for byte."""
    return {path.name: path.read_bytes() for path in sorted(store.iterdir()) if path.name not in but}


def describe(store: Path, name: str) -> None:
    """Let `store.json` say of a file what it is now, as whoever forges a store would."""
    path = store / "store.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    content = (store / name).read_bytes()
    document["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(sealed(document)), encoding="utf-8")
