"""Small files of each format, written by hand so that a test can make any field wrong."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

EDF_FIELDS = {"label": 16, "transducer": 80, "unit": 8, "physical_min": 8, "physical_max": 8, "digital_min": 8}
EDF_FIELDS |= {"digital_max": 8, "prefilter": 80, "samples": 8, "reserved": 32}


def edf_header(
    signals: Sequence[Mapping[str, Any]], *, n_records: int | str = 2, seconds: float | str = 1, **changes: str
) -> bytes:
    """An EDF header; `changes` replace fixed fields by name."""
    fixed = {
        "version": ("0", 8),
        "patient": ("MCH-0234567 F 16-SEP-1987 Haagse_Harry", 80),
        "recording": ("Startdate 16-SEP-1987 PSG-1234 NN Telemetry", 80),
        "date": ("16.09.87", 8),
        "time": ("20.35.00", 8),
        "n_bytes": (str(256 * (1 + len(signals))), 8),
        "kind": ("", 44),
        "n_records": (str(n_records), 8),
        "seconds": (str(seconds), 8),
        "n_signals": (str(len(signals)), 4),
    }
    content = b"".join(changes.get(name, text).encode("latin-1").ljust(width) for name, (text, width) in fixed.items())
    usual = {"unit": "uV", "physical_min": -3276.8, "physical_max": 3276.7, "digital_min": -32768}
    usual |= {"digital_max": 32767, "samples": 4}
    for field, width in EDF_FIELDS.items():
        values = [str(signal.get(field, usual.get(field, ""))) for signal in signals]
        content += b"".join(value.encode("latin-1").ljust(width) for value in values)
    return content


def edf(path: Path, signals: Sequence[Mapping[str, Any]], records: Sequence[Sequence[Any]], **changes: Any) -> Path:
    """An EDF file: `records` holds, for each data record, each signal's digital samples or its annotation bytes."""
    header = edf_header(signals, **{"n_records": len(records), **changes})
    body = b""
    for record in records:
        for signal, samples in zip(signals, record, strict=True):
            if isinstance(samples, bytes):
                body += samples.ljust(2 * int(signal["samples"]), b"\0")
            else:
                body += np.asarray(samples, dtype="<i2").tobytes()
    path.write_bytes(header + body)
    return path


BRAINVISION = """Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
Codepage=UTF-8
DataFile=rec.eeg
MarkerFile=rec.vmrk
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels=3
SamplingInterval=2000
[Binary Infos]
BinaryFormat=INT_16
[Channel Infos]
Ch1=Fp1,,0.5,µV
Ch2=ECG,,0.001,mV
Ch3=GSR,,0.1,µS
"""
MARKERS = """Brain Vision Data Exchange Marker File, Version 1.0
[Common Infos]
DataFile=rec.eeg
[Marker Infos]
Mk1=New Segment,,1,1,0,20131113161403794232
Mk2=Stimulus,S  1,51,1,0
"""


def brainvision(folder: Path, header: str = BRAINVISION, n_samples: int = 100) -> Path:
    """A BrainVision recording; sample t of channel c is 10 t + c in steps."""
    (folder / "rec.vhdr").write_text(header, encoding="utf-8")
    (folder / "rec.vmrk").write_text(MARKERS, encoding="utf-8")
    (10 * np.arange(n_samples)[:, None] + np.arange(3)).astype("<i2").tofile(folder / "rec.eeg")
    return folder / "rec.vhdr"


def eeglab(folder: Path, *, trials: int = 1, data: Any = None, **changes: Any) -> Path:
    """An EEGLAB file of two channels and 50 samples a trial, at 100 Hz."""
    from scipy.io import savemat

    shape = (2, 50) if trials == 1 else (2, 50, trials)
    samples = np.arange(np.prod(shape), dtype=np.float32).reshape(shape, order="F")
    fields = {
        "setname": "test",
        "nbchan": 2.0,
        "pnts": 50.0,
        "trials": float(trials),
        "srate": 100.0,
        "xmin": -0.1,
        "xmax": 0.39,
        "data": samples if data is None else data,
        "chanlocs": np.array([("Fp1",), ("Fz",)], dtype=[("labels", object)]),
        "event": np.array(
            [(10.0 + 50 * i, "go") for i in range(trials)], dtype=[("latency", object), ("type", object)]
        ),
        "epoch": np.array([("go",)] * (trials if trials > 1 else 0), dtype=[("eventtype", object)]),
    }
    savemat(folder / "rec.set", {"EEG": {**fields, **changes}}, appendmat=False)
    return folder / "rec.set"


def gdf(path: Path, samples: np.ndarray[Any, Any], *, unit: int = 4275, **changes: tuple[int, bytes]) -> Path:
    """A GDF 2.20 file of 16-bit samples (channel, time), a record a second at 10 Hz; `changes` overwrite bytes."""
    n_channels, n_samples = samples.shape
    fixed = bytearray(256)
    fixed[:8] = b"GDF 2.20"
    struct.pack_into("<H", fixed, 184, 1 + n_channels)
    struct.pack_into("<qII", fixed, 236, n_samples // 10, 1, 1)
    struct.pack_into("<H", fixed, 252, n_channels)
    fields = b"".join(f"C{i + 3}".encode().ljust(16, b"\0") for i in range(n_channels))
    fields += bytes(86 * n_channels) + struct.pack("<H", unit) * n_channels
    for limit in (-3276.8, 3276.7, -32768.0, 32767.0):
        fields += struct.pack("<d", limit) * n_channels
    fields += bytes(80 * n_channels) + struct.pack("<i", 10) * n_channels + struct.pack("<i", 3) * n_channels
    fields += bytes(32 * n_channels)
    blocks = samples.reshape(n_channels, -1, 10).transpose(1, 0, 2).astype("<i2").tobytes()
    table = b"\x01" + (1).to_bytes(3, "little") + struct.pack("<fIH", 10.0, 6, 769)
    content = bytearray(fixed + fields + blocks + table)
    for at, new in changes.values():
        content[at : at + len(new)] = new
    path.write_bytes(content)
    return path


def egi(path: Path, *, version: int = 2, n_channels: int = 2, n_samples: int = 20, rate: int = 250) -> Path:
    """An EGI file with an event `GO__` at sample 5; it holds 2 channels and 20 samples whatever the header says."""
    head = struct.pack(">i6hi6h", version, 2020, 1, 2, 3, 4, 5, 0, rate, n_channels, 0, 0, 0, 0)[:30]
    values = np.arange(60, dtype=">i2").reshape(20, 3)
    values[:, 2] = np.arange(20) == 5
    path.write_bytes(head + struct.pack(">ih", n_samples, 1) + b"GO__" + values.tobytes())
    return path
