"""A copy is known by its fingerprint, whatever was done to it that leaves the waveform; other beats are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.preprocess import Bandpass, Resample
from biosig.recording import Modality, Recording
from biosig.store.fingerprint import fingerprint, outline
from tests.biosig.store.fake import LEADS, heart


def ecg(x: np.ndarray, rate: float = 500.0, leads: tuple[str, ...] = LEADS) -> Recording:
    return Recording(x.astype(np.float32), leads[: len(x)], rate, (Modality.ECG,) * len(x))


def apart(a: Recording, b: Recording) -> int:
    one, other = fingerprint(a), fingerprint(b)
    assert one is not None
    assert other is not None
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


@pytest.mark.parametrize("seed", range(4))
def test_copies_are_near(seed: int) -> None:
    x = heart(seed)
    given = ecg(x)
    rng = np.random.default_rng(seed)
    assert apart(given, ecg(x * 0.37)) <= 1
    assert apart(given, ecg(x + 700)) <= 1
    assert apart(given, ecg(x + rng.normal(0, 5, size=x.shape))) <= 8
    assert apart(given, ecg(x[:, :-3])) <= 8
    for rate in (100.0, 250.0, 360.0, 400.0, 1000.0):
        assert apart(given, Resample(rate=rate).apply(given)) <= 8, rate
    assert apart(given, Bandpass(low=0.5, high=40).apply(given)) <= 20
    order = rng.permutation(12)
    assert apart(given, ecg(x[order], leads=tuple(LEADS[i] for i in order))) == 0
    # Two leads of the twelve.
    assert apart(given, given.pick(("II", "V2"))) == 0


def test_distinct_beats_are_far() -> None:
    recordings = [ecg(heart(seed)) for seed in range(24)]
    distances = [apart(a, b) for i, a in enumerate(recordings) for b in recordings[:i]]
    assert min(distances) > 60
    assert np.mean(distances) == pytest.approx(128, abs=6)


def test_still_or_too_short_is_none() -> None:
    assert fingerprint(ecg(np.zeros((12, 5000)))) is None
    assert fingerprint(ecg(np.full((12, 5000), np.nan))) is None
    assert fingerprint(ecg(heart(0)[:, :400])) is None
    assert fingerprint(ecg(np.zeros((12, 1)))) is None
    mostly_still = np.zeros((1, 5000))
    mostly_still[0, :400] = heart(0)[1, :400]
    assert fingerprint(ecg(mostly_still)) is None


def test_a_still_lead_is_passed_over() -> None:
    x = heart(0)
    without_second = x.copy()
    without_second[1] = 0
    expected = fingerprint(ecg(x).pick(("I", "V1")))
    assert fingerprint(ecg(without_second)) == expected


def test_the_bytes_do_not_change_between_versions() -> None:
    time = np.arange(1000) / 100
    x = (1000 * np.sin(2 * np.pi * 1.3 * time) + 400 * np.sin(2 * np.pi * 3.1 * time + 1))[None]
    found = fingerprint(ecg(x, 100.0, ("II",)))
    assert found is not None
    assert found.hex() == "badada13fb90668bf4fff21ddb76adfeab987cc0d830bc355492636e21420d92"


@pytest.mark.parametrize("rate", [100.0, 250.0, 257.0, 1000.0])
def test_an_outline_is_the_difference_of_means(rate: float) -> None:
    # x = t^2 has the mean t^2 + t w + w^2 / 3 over a bin of width w, and means that differ by 2 w (t + w).
    time = np.arange(round(4 * rate) + 1) / rate
    found = outline((time**2)[None].astype(np.float32), rate, 0.08)[0]
    start = 0.08 * np.arange(len(found))
    assert len(found) == 49
    np.testing.assert_allclose(found, 2 * 0.08 * (start + 0.08), atol=2e-5)


def test_an_outline_ignores_offset_and_bridges_gaps() -> None:
    x = heart(1)[:1]
    np.testing.assert_allclose(outline(x + 1000, 500.0, 0.04), outline(x, 500.0, 0.04), atol=0.01)
    x[0, 700:710] = np.nan
    assert np.isfinite(outline(x, 500.0, 0.04)).all()
    assert outline(x, 500.0, 0.04, most=10).shape == (1, 10)
    assert outline(x[:, :1], 500.0, 0.04).shape == (1, 0)


@pytest.mark.real
def test_the_two_rates_of_ptb_xl_are_copies(biosig_data: Path) -> None:
    from biosig.corpora import CORPORA

    def all_of(name: str) -> dict[str, Recording]:
        corpus = CORPORA[name]
        return {e.record_id[:5]: corpus.read(e) for e in corpus.find(biosig_data / "ecg" / "ptb-xl")}

    fast, slow = all_of("ptb-xl"), all_of("ptb-xl-100")
    both = sorted(set(fast) & set(slow))
    assert len(both) >= 40
    assert max(apart(fast[name], slow[name]) for name in both) < 25
    distinct = [apart(fast[a], slow[b]) for i, a in enumerate(both) for b in both[:i]]
    assert min(distinct) > 40
