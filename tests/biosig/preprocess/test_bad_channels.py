"""Bad electrodes: each fault is found alone, and what is made of them is what MNE makes of them."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from pydantic import ValidationError

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.preprocess import BadChannels, Preprocessing
from biosig.preprocess.prep import FEWEST, Fault, Limits, _lonely, faults
from biosig.quality import QualityFlag
from biosig.recording import Modality
from tests.biosig.preprocess.brain import CAP, RATE, eeg, smooth

MARK = BadChannels(then="mark")
T8 = CAP.index("T8")


def spoil(x: np.ndarray, fault: str) -> np.ndarray:
    """The signal with one electrode, T8, at fault."""
    rng, x = np.random.default_rng(5), x.copy()
    n = x.shape[1]
    if fault == "missing":
        x[T8, : int(0.6 * n)] = np.nan
    elif fault == "flat":
        x[T8] = 40 + 0.01 * rng.normal(size=n)
    elif fault == "deviation":
        x[T8] *= 15
    elif fault == "faint":
        # Among electrodes of like size: a score cannot fall below that of nothing.
        x *= (10 * rng.uniform(0.9, 1.1, size=len(x)) / x.std(axis=1))[:, None]
        x[T8] *= 0.1
    elif fault == "noise":
        x[T8] += 15 * np.sin(2 * np.pi * 83 * np.arange(n) / RATE + np.cumsum(0.1 * rng.normal(size=n)))
    elif fault == "correlation":
        x[T8] = np.roll(smooth(n / RATE, seed=99)[T8], 17)
    return x


@pytest.mark.parametrize("seed", range(5))
def test_a_good_cap_has_no_fault_and_is_left_as_it_is(seed: int) -> None:
    given = eeg(smooth(seed=seed), meta={"age": 4})
    found = BadChannels().apply(given)
    assert found.meta == {"age": 4, "bad_channels": {}}
    assert found.signal.tobytes() == given.signal.tobytes()


@pytest.mark.parametrize("fault", ["missing", "flat", "deviation", "faint", "noise", "correlation"])
def test_each_fault_is_found_where_it_is_and_nowhere_else(fault: str) -> None:
    found = MARK.apply(eeg(spoil(smooth(), fault)))
    expected = "deviation" if fault == "faint" else fault
    assert list(found.meta["bad_channels"]) == ["T8"]
    assert expected in found.meta["bad_channels"]["T8"]
    assert found.meta["flags"] == (QualityFlag.BAD_CHANNELS,)
    np.testing.assert_array_equal(found.signal, eeg(spoil(smooth(), fault)).signal)


def test_thresholds_are_fields() -> None:
    x = spoil(smooth(), "deviation")
    assert not BadChannels(then="mark", factor=20.0).apply(eeg(x)).meta["bad_channels"]
    assert not BadChannels(then="mark", deviation=1e6).apply(eeg(x)).meta["bad_channels"]
    x = spoil(smooth(), "correlation")
    assert not BadChannels(then="mark", correlation=0.0).apply(eeg(x)).meta["bad_channels"]
    assert not BadChannels(then="mark", uncorrelated=1.0).apply(eeg(x)).meta["bad_channels"]
    x = spoil(smooth(), "noise")
    assert not BadChannels(then="mark", noise=1e9).apply(eeg(x)).meta["bad_channels"]
    x = spoil(smooth(), "flat")
    lax = BadChannels(then="mark", flat=0.001, deviation=1e9, noise=1e9, correlation=0.0)
    assert not lax.apply(eeg(x)).meta["bad_channels"]


def test_what_is_usual_for_an_electrode_is_no_deviation() -> None:
    # Alpha of closed eyes makes O2 half as large again as the rest, which are nearly equal: a large z, and no fault.
    x = smooth()
    x *= (10 / x.std(axis=1))[:, None]
    x[CAP.index("O2")] *= 1.5
    assert not MARK.apply(eeg(x)).meta["bad_channels"]
    assert "O2" in BadChannels(then="mark", factor=1.0).apply(eeg(x)).meta["bad_channels"]


@pytest.mark.parametrize("fault", ["missing", "flat", "deviation"])
def test_interpolation_is_what_mne_does(fault: str) -> None:
    x = spoil(smooth(), fault)
    found = BadChannels().apply(eeg(x))
    info = mne.create_info(list(CAP), RATE, "eeg")
    where = dict(zip(CAP, 0.095 * positions(CAP, Modality.EEG).astype(float), strict=True))
    raw = mne.io.RawArray(np.nan_to_num(x), info, verbose="error")
    raw.set_montage(mne.channels.make_dig_montage(where, coord_frame="head"))
    raw.info["bads"] = ["T8"]
    expected = raw.interpolate_bads(verbose="error").get_data()
    np.testing.assert_allclose(found.signal[T8], expected[T8], atol=1e-3 * np.std(x[0]))
    others = [row for row in range(19) if row != T8]
    np.testing.assert_array_equal(found.signal[others], x[others].astype(np.float32))
    # And comes close to what the electrode would have seen.
    truth = smooth()[T8]
    assert np.corrcoef(found.signal[T8], truth)[0, 1] > 0.9


def test_an_electrode_that_is_nothing_but_a_gap_comes_back() -> None:
    x = smooth()
    x[T8] = np.nan
    found = BadChannels().apply(eeg(x))
    assert found.meta["bad_channels"] == {"T8": ["missing"]}
    assert found.meta["flags"] == (QualityFlag.BAD_CHANNELS,)
    assert np.isfinite(found.signal).all()


def test_where_a_source_has_a_gap_the_others_make_it() -> None:
    x = spoil(smooth(), "flat")
    x[0, 500:900] = np.nan
    x[:, 1200:1250] = np.nan
    found = BadChannels().apply(eeg(x)).signal
    assert np.isfinite(found[T8, 500:900]).all()
    assert np.isnan(found[T8, 1200:1250]).all()
    assert np.isnan(found[0, 500:900]).all()
    rows = [row for row in range(19) if row != 0]
    names = tuple(CAP[row] for row in rows)
    alone = BadChannels().apply(eeg(x[rows], names)).signal[names.index("T8")]
    np.testing.assert_allclose(found[T8, 500:900], alone[500:900], atol=1e-4)


def test_too_many_bad_electrodes_are_an_error_or_a_flag() -> None:
    x = smooth()
    x[:6] = 0
    with pytest.raises(BiosigError, match=r"r1: bad channels: 6 of 19 electrodes, expected at most 25%: Fp1 \(flat\)"):
        BadChannels().apply(eeg(x))
    found = BadChannels(too_many="flag").apply(eeg(x, meta={"flags": ("nan",)}))
    assert found.meta["flags"] == ("bad-channels", "nan", "unmended")
    assert list(found.meta["bad_channels"]) == list(CAP[:6])
    np.testing.assert_array_equal(found.signal, x.astype(np.float32))
    assert BadChannels(most=0.5).apply(eeg(x)).meta["flags"] == (QualityFlag.BAD_CHANNELS,)


def test_a_bad_electrode_of_unknown_place_cannot_be_interpolated() -> None:
    names = tuple("E1" if name == "T8" else name for name in CAP)
    given = eeg(spoil(smooth(), "flat"), names)
    with pytest.raises(BiosigError, match=r"r1: bad channels: .*got 'E1'; `then: mark` only names them"):
        BadChannels().apply(given)
    assert list(MARK.apply(given).meta["bad_channels"]) == ["E1"]


def test_derivations_and_other_modalities_are_neither_judged_nor_sources() -> None:
    x = np.vstack([spoil(smooth(), "flat"), np.zeros((2, 5000))])
    found = BadChannels().apply(eeg(x, (*CAP, "A2-A1", "ECG")))
    assert list(found.meta["bad_channels"]) == ["T8"]
    np.testing.assert_array_equal(found.signal[-2:], 0)
    np.testing.assert_allclose(found.signal[T8], BadChannels().apply(eeg(x[:-2])).signal[T8])


def test_too_few_to_compare_are_only_looked_at_for_what_they_are() -> None:
    x = smooth()[: FEWEST - 1]
    x[0] *= 1000
    assert not MARK.apply(eeg(x, CAP[: FEWEST - 1])).meta["bad_channels"]
    x[0] = 0
    assert MARK.apply(eeg(x, CAP[: FEWEST - 1])).meta["bad_channels"] == {"Fp1": ["flat"]}


@pytest.mark.parametrize("samples", [0, 1, 3, 40])
def test_short_recordings_pass(samples: int) -> None:
    x = smooth()[:, :samples]
    step = BadChannels(then="mark", too_many="flag")
    assert step.apply(eeg(x)).signal.shape == (19, samples)


def test_slow_recordings_have_nothing_to_call_noise() -> None:
    rng = np.random.default_rng(1)
    x = smooth(rate=100.0)
    x[T8] += 5 * rng.normal(size=x.shape[1])
    limits = Limits(0.1, 5.0, 2.0, 5.0, 0.0, 1.0)
    assert not any(Fault.NOISE in each for each in faults(x.astype(np.float32), 100.0, limits))


def test_a_recording_without_electrodes_passes() -> None:
    given = eeg(np.ones((1, 9)), ("ECG",))
    assert BadChannels().apply(given) is given


def test_json_round_trip_and_unknown_values() -> None:
    pipeline = Preprocessing(steps=(BadChannels(flat=1.0, then="mark", too_many="flag"),))
    assert Preprocessing.model_validate_json(pipeline.model_dump_json()) == pipeline
    with pytest.raises(ValidationError, match="'interpolate' or 'mark'"):
        BadChannels(then="zero")


def test_windows_are_counted_the_same_however_many_there_are() -> None:
    # Correlation by hand, window by window, over more windows than are compared at once.
    rng = np.random.default_rng(2)
    x = rng.normal(size=(7, 20 * 300 + 13))
    x[:5] += 3 * rng.normal(size=x.shape[1])
    x[2, 100:130] = np.nan
    expected = np.zeros(7)
    for row in range(7):
        alone = []
        for k in range(300):
            window = x[:, 20 * k : 20 * k + 20]
            if np.isfinite(window[row]).all():
                others = [r for r in range(7) if r != row]
                known = [r for r in others if np.isfinite(window[r]).all()]
                alike = {r: abs(np.corrcoef(window[row], window[r])[0, 1]) for r in known}
                ranked = [0.0, *(alike.get(r, 0.0) for r in others)]
                alone.append(np.quantile(ranked, 0.98) < 0.5)
        expected[row] = np.mean(alone)
    np.testing.assert_allclose(_lonely(x, 20, 0.5), expected)
    assert expected[:5].max() < 0.1
    assert expected[5:].min() > 0.5
