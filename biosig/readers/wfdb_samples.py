"""The samples of one WFDB segment: which files, how many, decoded, in microvolts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int

from biosig.errors import RecordError
from biosig.readers.base import check_size, inside, microvolts
from biosig.readers.library import refusing
from biosig.readers.wfdb_header import FORMATS, NO_FILE, Header, Signal, format_header

# The digital value that marks a gap; format 8 has none.
_GAP = {80: -(2**7), 508: -(2**7), 310: -(2**9), 311: -(2**9), 212: -(2**11), 24: -(2**23), 524: -(2**23)}
_GAP |= {16: -(2**15), 61: -(2**15), 160: -(2**15), 516: -(2**15), 32: -(2**31)}
# 16-bit samples as they are, in either byte order.
_PLAIN = {16: "<i2", 61: ">i2"}
# These pack samples together and may fill up the last bytes.
_PACKED = (212, 310, 311)


def read_samples(path: Path, header: Header) -> tuple[Float32[np.ndarray, "channel time"], set[str]]:
    """The samples in microvolts (or the unit of what is no voltage), and what is wrong with them.

    Args:
        path: The header's file; the samples lie beside it.
        header: With signals, not segments.

    Raises:
        RecordError: If a file is missing, outside the folder, or holds another number of samples than stated.
    """
    files: dict[str, Path] = {}
    for number, signal in enumerate(header.signals, 1):
        if signal.file == NO_FILE or not signal.format:
            raise RecordError(path, f"signal {number}: file", "a file with samples", signal.file)
        if signal.file not in files:
            files[signal.file] = inside(path, signal.file, f"signal {number}: file")
    n_frames = _n_frames(path, header, files)
    check_size(path, header.n_signals, n_frames * header.signals[0].samples_per_frame)
    if all(signal.format in _PLAIN and not signal.skew for signal in header.signals):
        digital = _plain(header.signals, files, n_frames)
    else:
        digital = _by_wfdb(path, header, files, n_frames)
    return _physical(digital, header.signals), _flags(digital, header.signals)


def _by_file(signals: Sequence[Signal]) -> Iterator[tuple[str, list[Signal]]]:
    for file, group in groupby(signals, key=lambda signal: signal.file):
        yield file, list(group)


def _n_frames(path: Path, header: Header, files: dict[str, Path]) -> int:
    """Frames a signal. Every file must hold just as many, so that nothing is read short or past its end."""
    n_frames = header.n_samples
    for file, signals in _by_file(header.signals):
        bits = FORMATS[signals[0].format]
        if bits is None:
            continue  # compressed: only decoding tells
        n_bits = 8 * (files[file].stat().st_size - signals[0].offset)
        frame = bits * sum(signal.samples_per_frame for signal in signals)
        held = max(int(n_bits / frame), 0)
        n_frames = held if n_frames is None else n_frames
        spare = 32 if signals[0].format in _PACKED else 0
        if not int((n_bits - spare) / frame) <= n_frames <= held:
            raise RecordError(path, "number of samples", f"{held}, the length of {file}", n_frames)
    if n_frames is None:
        raise RecordError(path, "number of samples", "a number, as the samples are compressed", n_frames)
    return n_frames


def _plain(signals: Sequence[Signal], files: dict[str, Path], n_frames: int) -> Int[np.ndarray, "channel time"]:
    """Interleaved 16-bit samples."""
    per_frame = signals[0].samples_per_frame
    digital = np.empty((len(signals), n_frames, per_frame), dtype=np.int16)
    first = 0
    for file, group in _by_file(signals):
        count = n_frames * len(group) * per_frame
        samples = np.fromfile(files[file], _PLAIN[group[0].format], count, offset=group[0].offset)
        frames = samples.reshape(n_frames, len(group), per_frame)
        digital[first : first + len(group)] = frames.transpose(1, 0, 2)
        first += len(group)
    return digital.reshape(len(signals), -1)


def _by_wfdb(path: Path, header: Header, files: dict[str, Path], n_frames: int) -> Int[np.ndarray, "channel time"]:
    """Let `wfdb` decode, by a header that holds nothing but what our parser passed."""
    with tempfile.TemporaryDirectory(prefix="biosig-") as folder, refusing(path, "samples"):
        import wfdb  # noqa: PLC0415  slow to import, and most records do not need it

        links = {file: f"s{i}.dat" for i, file in enumerate(files)}
        for file, link in links.items():
            _link(files[file], Path(folder, link))
        signals = tuple(
            Signal(links[s.file], s.format, s.samples_per_frame, s.skew, s.offset, initial=s.initial or 0)
            for s in header.signals
        )
        stem = Path(folder, "record")
        safe = Header("record", len(signals), header.sampling_rate, n_frames, signals)
        stem.with_suffix(".hea").write_text(format_header(safe), encoding="ascii")
        return np.stack(wfdb.rdrecord(str(stem), physical=False, smooth_frames=False).e_d_signal)


def _link(source: Path, link: Path) -> None:
    try:
        link.symlink_to(source.resolve())
    except OSError:  # where links need a privilege
        shutil.copyfile(source, link)


def _flags(digital: Int[np.ndarray, "channel time"], signals: Sequence[Signal]) -> set[str]:
    """`checksum` if the samples do not add up to what the header states."""
    if any(signal.skew for signal in signals):
        return set()  # skewed signals lost the samples at their ends
    # Sums are modulo 2^16 anyway, and wrapping 16-bit ones are five times faster.
    sums = digital.view(np.uint16).sum(1, dtype=np.uint16) if digital.dtype == np.int16 else digital.sum(1, np.int64)
    stated = zip((signal.checksum for signal in signals), sums.tolist(), strict=True)
    return {"checksum"} if any(claim is not None and (claim - found) % 65536 for claim, found in stated) else set()


def _physical(
    digital: Int[np.ndarray, "channel time"], signals: Sequence[Signal]
) -> Float32[np.ndarray, "channel time"]:
    """(digital - baseline) / gain, in microvolts; gaps are NaN."""
    scale = np.array([(microvolts(signal.units) or 1.0) / signal.gain for signal in signals])
    baseline = np.array([signal.baseline for signal in signals])
    # 16-bit samples less a small baseline are exact in float32, which is twice as fast.
    exact = digital.dtype.itemsize <= 2 and np.abs(baseline).max() < 2**23
    values: np.ndarray[Any, Any] = digital.astype(np.float32 if exact else np.float64)
    values -= baseline.astype(values.dtype)[:, None]
    values *= scale.astype(values.dtype)[:, None]
    lowest = digital.min(axis=1).tolist()
    for row, signal in enumerate(signals):
        if lowest[row] == _GAP.get(signal.format):
            values[row, digital[row] == lowest[row]] = np.nan
    return values.astype(np.float32, copy=False)
