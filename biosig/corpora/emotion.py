"""What the corpora of emotions have in common: files of many trials, one recording a trial, features over time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Num

from biosig.channels import parse_all
from biosig.corpora.named import named
from biosig.errors import CorpusError, RecordError
from biosig.recording import Code, Modality, Recording

Content = TypeVar("Content")

_ANY = re.compile(".*")
BANDS = ("delta", "theta", "alpha", "beta", "gamma")


def files(
    source: Path,
    corpus: str,
    expected: str,
    *,
    name: re.Pattern[str],
    parent: re.Pattern[str] = _ANY,
    above: str = "",
) -> list[tuple[re.Match[str], Path, str]]:
    """The files below a folder whose names, and whose folders' names, are as the owners give them.

    Args:
        source: The folder; it may be any of those above the files.
        corpus: Its name, for the message.
        expected: What should be there, for the message.
        name: Of the file.
        parent: Of its folder.
        above: Of the folder above that, where it matters.

    Returns:
        The match of the name, the file, and its path relative to the folder.

    Raises:
        CorpusError: If there is none.
    """
    found = [one for one in named(source, corpus, expected, name) if _within(one[1].resolve().parent, parent, above)]
    if not found:
        raise CorpusError(f"{source}: expected {expected} for the corpus {corpus!r}, found none in such a folder")
    return found


def _within(inner: Path, parent: re.Pattern[str], above: str) -> bool:
    # Resolved, because the source may be the inner folder itself, called by another name, like `.`.
    return parent.fullmatch(inner.name) is not None and (not above or inner.parent.name == above)


def once(load: Callable[[Path], Content]) -> Callable[[Path], Content]:
    """Keep what the last file held: its trials are read one after the other, and are one pickle or one struct."""

    @lru_cache(maxsize=1)
    def kept(path: Path, _size: int, _mtime: int) -> Content:
        return load(path)

    @wraps(load)
    def loaded(path: Path) -> Content:
        try:
            stat = path.stat()
        except OSError as error:
            raise RecordError(path, "file", "a file that can be read", error.strerror) from error
        return kept(path, stat.st_size, stat.st_mtime_ns)

    return loaded


def trial(
    signal: Num[np.ndarray, "channel time"],
    names: Sequence[str],
    sampling_rate: float,
    *,
    default: Modality = Modality.EEG,
    **meta: Any,
) -> Recording:
    """A trial as a recording: channels by name, in the order of the names.

    Args:
        signal: In microvolts, where it is a voltage.
        names: As the owners spell them.
        sampling_rate: Hz.
        default: What a channel measures whose name does not tell.
        **meta: Whatever else is known.
    """
    channels = parse_all(list(names), default)
    return Recording(
        signal=np.ascontiguousarray(signal, dtype=np.float32),
        channels=tuple(channel.name for channel in channels),
        sampling_rate=sampling_rate,
        modality=tuple(channel.modality for channel in channels),
        meta=meta,
    )


def features(
    values: Num[np.ndarray, "channel window band"], names: Sequence[str], seconds: float, **meta: Any
) -> Recording:
    """Differential entropy as a recording whose samples are windows.

    Args:
        values: As the owners give them; they state no unit.
        names: Of the electrodes.
        seconds: From one window to the next; the sampling rate is its inverse.
        **meta: Whatever else is known.

    Returns:
        A channel an electrode and band, `Fp1/delta` to `O2/gamma`, none of which is a voltage (`Modality.OTHER`).
    """
    electrodes = [channel.name for channel in parse_all(list(names), Modality.EEG)]
    channels = tuple(f"{electrode}/{band}" for electrode in electrodes for band in BANDS)
    return Recording(
        signal=np.ascontiguousarray(values.transpose(0, 2, 1).reshape(len(channels), -1), dtype=np.float32),
        channels=channels,
        sampling_rate=1 / seconds,
        modality=(Modality.OTHER,) * len(channels),
        meta={"quantity": "differential entropy", "window_seconds": seconds, **meta},
    )


def shaped(path: Path, field: str, value: object, shape: tuple[int | None, ...]) -> Num[np.ndarray, ...]:
    """The value as an array of numbers of a shape, in which `None` is any length but zero.

    Raises:
        RecordError: If it is something else.
    """
    array = np.asarray(value) if isinstance(value, np.ndarray | int | float) else None
    if (
        array is None
        or array.dtype.kind not in "iuf"
        or array.ndim != len(shape)
        or any(found == 0 or wanted not in (None, found) for wanted, found in zip(shape, array.shape, strict=True))
    ):
        wanted = " x ".join("n" if length is None else str(length) for length in shape)
        raise RecordError(path, field, f"{wanted} numbers", type(value).__name__ if array is None else array.shape)
    return array


def ratings(path: Path, given: dict[str, float], scale: tuple[float, float]) -> Iterator[Code]:
    """A code for each rating that is there, in the scale of the source.

    Raises:
        RecordError: If one is outside the scale.
    """
    for name, value in given.items():
        if np.isnan(value):
            continue
        if not scale[0] <= value <= scale[1]:
            raise RecordError(path, name, f"a rating from {scale[0]:g} to {scale[1]:g}", value)
        yield Code(name, f"{value:g}")
