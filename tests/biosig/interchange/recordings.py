"""Recordings of every kind, for tests of round trips."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from biosig.channels import LEADS_12
from biosig.recording import Event, Modality, Recording

ELECTRODES = ("Fp1", "Fp2", "Cz", "O1", "T7-O1")
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="\x7f"), max_size=12)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """ECG, EEG and a pressure, with gaps of single channels and of all, and events within."""
    names = draw(st.lists(st.sampled_from((*LEADS_12, *ELECTRODES, "pressure")), min_size=1, max_size=6, unique=True))
    kinds = [
        Modality.ECG if name in LEADS_12 else Modality.OTHER if name == "pressure" else Modality.EEG for name in names
    ]
    rate = draw(st.sampled_from((100.0, 128.0, 250.0, 360.0, 512.0)))
    samples = draw(st.integers(2, 400))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    signal = generator.normal(0, draw(st.sampled_from((1e-2, 50.0, 1e4))), (len(names), samples)).astype(np.float32)
    for _ in range(draw(st.integers(0, 3))):
        first, last = sorted(draw(st.tuples(st.integers(0, samples), st.integers(0, samples))))
        rows = draw(st.sampled_from((slice(None), slice(0, 1), slice(1, None))))
        signal[rows, first:last] = np.nan
    instants = draw(st.lists(st.integers(0, samples - 1), max_size=5))
    events = [
        Event(
            at / rate,
            draw(st.integers(0, samples - 1 - at)) / rate,
            draw(st.sampled_from(("N", "V", "(AFIB", "T1"))),
            text=draw(WORDS).strip(),
            stimulus=draw(st.sampled_from(("", "film 3"))),
            trial=draw(st.sampled_from((None, 4))),
        )
        for at in sorted(instants)
    ]
    units = {"units": {"pressure": "mmHg"}} if "pressure" in names else {}
    return Recording(signal, tuple(names), rate, tuple(kinds), record_id="r", events=tuple(events), meta=units)
