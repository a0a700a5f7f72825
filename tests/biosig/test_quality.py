"""Each flag by construction, and none on a recording that is as it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosig.quality import WORDS, QualityFlag, flags, in_words
from biosig.recording import Event, Modality, Recording
from tests.biosig.store.fake import LEADS, heart

RATE = 500.0


def ecg(x: np.ndarray, leads: tuple[str, ...] = LEADS, rate: float = RATE, **meta: Any) -> Recording:
    return Recording(x.astype(np.float32), leads[: len(x)], rate, (Modality.ECG,) * len(x), meta=meta)


def changed(change: Callable[[np.ndarray], Any], seed: int = 3) -> tuple[str, ...]:
    """The flags of a good ECG after something was done to it in place."""
    x = np.round(heart(seed)).astype(np.float32)
    change(x)
    return flags(ecg(x))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [100.0, 250.0, 500.0, 1000.0])
def test_a_good_ecg_has_no_flag(seed: int, rate: float) -> None:
    assert flags(ecg(heart(seed, rate=rate), rate=rate)) == ()
    # In whole microvolts, and in steps of five: peaks then repeat their value.
    assert flags(ecg(np.round(heart(seed, rate=rate)), rate=rate)) == ()
    assert flags(ecg(5 * np.round(heart(seed, rate=rate) / 5), rate=rate)) == ()


def test_nan() -> None:
    assert changed(lambda x: x.__setitem__((7, 1234), np.nan)) == ("nan",)
    assert changed(lambda x: x.__setitem__((slice(None), slice(1000, 1100)), np.nan)) == ("nan",)
    assert changed(lambda x: x.__setitem__((7, 1234), np.inf)) == ("nan",)


def test_flat() -> None:
    assert changed(lambda x: x.__setitem__(8, 0)) == ("flat",)
    assert changed(lambda x: x.__setitem__(8, -312)) == ("flat",)
    for start in (0, 137, 1999, 4499):
        # A second of one chest lead, wherever it begins, at a value the lead has anyway.
        assert "flat" in changed(lambda x, start=start: x.__setitem__((9, slice(start, start + 500)), x[9, start]))
    assert changed(lambda x: x.__setitem__((9, slice(2000, 2400)), x[9, 2000])) == ()


def test_padded() -> None:
    assert changed(lambda x: x.__setitem__((slice(None), slice(3500, None)), 0)) == ("flat", "padded")
    assert changed(lambda x: x.__setitem__((slice(None), slice(0, 300)), 0)) == ("padded",)
    # Two leads that stand still are no padding.
    assert changed(lambda x: x.__setitem__((slice(6, 8), slice(4700, None)), 0)) == ()


def test_clipped() -> None:
    for seed in range(3):
        x = np.round(heart(seed))
        limit = 0.6 * np.abs(x[7]).max()
        x[7] = np.clip(x[7], -limit, limit)
        assert flags(ecg(x)) == ("clipped",)
        x[7, 100:120] = np.nan
        assert flags(ecg(x)) == ("clipped", "nan")


def test_a_smooth_peak_of_coarse_samples_is_not_clipped() -> None:
    # A slow wave in steps of 5 uV stays for several samples at its top, and is not cut off.
    time = np.arange(5000) / RATE
    wave = 5 * np.round(80 * np.sin(2 * np.pi * 0.07 * time) / 5 + 40 * np.sin(2 * np.pi * 1.3 * time))
    assert flags(ecg(wave[None], ("V1",))) == ()


def test_range() -> None:
    assert changed(lambda x: x.__setitem__((10, 2000), 20_500)) == ("range",)
    assert changed(lambda x: x.__setitem__((10, 2000), -20_500)) == ("range",)
    assert changed(lambda x: x.__setitem__((10, 2000), 19_000)) == ()


@pytest.mark.parametrize("factor", [1e-3, 1e-6])
def test_unit_too_small(factor: float) -> None:
    assert flags(ecg(heart(1) * factor)) == ("unit",)


def test_unit_too_large() -> None:
    assert flags(ecg(heart(1) * 1000)) == ("range", "unit")


def test_unit_of_eeg() -> None:
    x = np.random.default_rng(0).normal(0, 20, size=(4, 5000)).astype(np.float32)
    names = ("Cz", "Pz", "Oz", "STI")
    kinds = (Modality.EEG,) * 3 + (Modality.STIMULUS,)
    # A trigger is flat and clipped by nature, and says nothing of the unit.
    x[3] = 0
    assert flags(Recording(x, names, RATE, kinds)) == ()
    assert flags(Recording(x * 1e-3, names, RATE, kinds)) == ("unit",)
    assert flags(Recording(x * 1e3, names, RATE, kinds)) == ("unit",)


def test_leads_swapped_by_name() -> None:
    def swap(a: str, b: str) -> tuple[str, ...]:
        return tuple({a: b, b: a}.get(name, name) for name in LEADS)

    x = heart(4)
    for pair in (("I", "II"), ("I", "III"), ("aVR", "aVL"), ("aVL", "aVF"), ("II", "aVF")):
        assert flags(ecg(x, swap(*pair))) == ("leads",), pair
    assert flags(ecg(x, swap("V1", "V2"))) == ()


def test_leads_of_inconsistent_gains() -> None:
    assert changed(lambda x: x.__setitem__(0, x[0] * 1.8)) == ("leads",)
    # The sign of a lead turned round.
    assert changed(lambda x: x.__setitem__(3, -x[3])) == ("leads",)


def test_leads_with_offsets_or_in_part_are_fine() -> None:
    x = heart(4)
    assert flags(ecg(x + np.arange(12)[:, None] * 100)) == ()
    assert flags(ecg(x[[0, 1, 6]], ("I", "II", "V1"))) == ()
    assert flags(ecg(x[:2], ("II", "V1"))) == ()


def test_checksum_is_the_readers() -> None:
    assert flags(ecg(heart(2), flags=("checksum",))) == ("checksum",)


def test_short() -> None:
    x = heart(2)
    assert flags(ecg(x[:, :1000])) == ("short",)
    assert flags(ecg(x[:, :0])) == ("short",)
    assert flags(ecg(x[:, :1300])) == ()


@pytest.mark.parametrize("fill", [0.0, np.nan, 1e30, -5.0])
@pytest.mark.parametrize("samples", [1, 2, 3000])
def test_odd_signals_raise_nothing(fill: float, samples: int) -> None:
    found = flags(ecg(np.full((12, samples), fill)))
    assert "flat" in found
    assert ("nan" in found) == bool(np.isnan(fill))


def test_every_flag_is_documented_by_name() -> None:
    assert {flag.value for flag in QualityFlag} == {
        "nan", "flat", "padded", "clipped", "range", "unit", "leads", "checksum", "short",
        "uncalibrated", "unannotated", "overlap", "outside", "rate", "unknown-unit", "unplaced",
        "bad-channels", "unmended",
    }  # fmt: skip
    assert set(WORDS) == set(QualityFlag)
    assert in_words(("flat", "new")) == f"flat ({WORDS[QualityFlag.FLAT]}); new"


def eeg(*events: Event, channels: tuple[str, ...] = ("C3", "T8-P8"), **meta: Any) -> Recording:
    """Ten seconds of noise at 100 Hz."""
    x = np.random.default_rng(0).normal(0, 20, (len(channels), 1000)).astype(np.float32)
    return Recording(x, channels, 100.0, (Modality.EEG,) * len(channels), events=events, meta=meta)


def test_overlapping_events() -> None:
    stage = Event(0.0, 5.0, "Sleep stage W")
    assert flags(eeg(stage, Event(5.0, 5.0, "Sleep stage 1"))) == ()
    # Onsets are rounded: a sample, here 0.01 s, is forgiven.
    assert flags(eeg(stage, Event(4.99, 5.0, "Sleep stage 1"))) == ()
    assert flags(eeg(stage, Event(4.98, 5.0, "Sleep stage 1"))) == ("overlap",)
    assert flags(eeg(stage, Event(4.0, 0.0, "arousal"))) == ()
    assert flags(eeg(stage, Event(4.0, 2.0, "spike", "C3"))) == ()


def test_events_where_nothing_was_recorded() -> None:
    assert flags(eeg(Event(9.0, 1.01, "T1"))) == ()
    assert flags(eeg(Event(9.0, 1.02, "T1"))) == ("outside",)
    assert flags(eeg(Event(-0.5, 1.0, "T1"))) == ("outside",)
    assert flags(eeg(Event(12.0, 0.0, "T1"))) == ("outside",)


def test_an_electrode_without_a_voltage() -> None:
    assert flags(eeg(units={"C3": "none"})) == ("unknown-unit",)
    assert flags(eeg(units={"C3": "ARU"})) == ("unknown-unit",)
    assert flags(eeg(units={"Temp rectal": "DegC"})) == ()


def test_an_electrode_without_a_place() -> None:
    assert flags(eeg(channels=("C3", "E17"))) == ("unplaced",)


@pytest.mark.real
def test_real_recordings_are_flagged_as_their_descriptions_say(biosig_data: Path) -> None:
    from biosig.corpora import CORPORA

    found = {}
    for name, folder in (("ptb-xl", "ptb-xl"), ("cinc2011", "cinc2011"), ("code15-samitrop", "code15-samitrop")):
        corpus = CORPORA[name]
        entries = corpus.find(biosig_data / "ecg" / folder)[:200]
        found[name] = [flags(corpus.read(entry)) for entry in entries]
    assert all(set(each) <= {"checksum"} for each in found["ptb-xl"])
    assert sum("range" in each for each in found["code15-samitrop"]) == 3
    assert sum("flat" in each for each in found["cinc2011"]) > 20
