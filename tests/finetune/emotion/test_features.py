from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.preprocess import Preprocessing, Reference
from biosig.recording import Modality
from biosig.smoothing import lds, moving_average
from biosig.spectral import BANDS, differential_entropy
from biosig.store import Store, prepare
from finetune.emotion.features import WIDTH, Smoothing, Windowed, covariances, electrodes, entropies, signals
from finetune.emotion.protocols import Access
from finetune.emotion.targets import Target, Trials, find_trials
from tests.finetune.emotion.fake_eeg import ELECTRODES, RATE, FakeEeg, make_store
from tests.finetune.emotion.fake_trials import make_trials, make_windows


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(make_store(tmp_path_factory.mktemp("features"), subjects=2, trials=4, continuous=True))


@pytest.fixture(scope="module")
def trials(store: Store) -> Trials:
    return find_trials(store, Target.parse("event"))


def test_signals_are_the_trials_by_name_of_channel(store: Store, trials: Trials) -> None:
    names = ("O2", "F3")
    for trial, found in enumerate(signals(store, trials, names)):
        whole = store.recording(int(trials.row[trial])).pick(names).signal
        start = int(trials.start[trial])
        np.testing.assert_array_equal(found, whole[:, start : start + int(trials.samples[trial])])


def test_only_common_eeg_channels_are_used(store: Store, trials: Trials) -> None:
    assert electrodes(store, trials) == ELECTRODES


class _Layouts:
    """As much of a store as the choice of channels looks at."""

    path = Path("some.store")

    def __init__(self, *layouts: tuple[str, ...]) -> None:
        self.layouts = [(names, tuple(Modality.ECG if n == "II" else Modality.EEG for n in names)) for names in layouts]
        self.layout_of = list(range(len(layouts)))


@pytest.mark.parametrize(
    ("layouts", "expected"),
    [
        ([("C3", "II", "C4", "O1"), ("O1", "C4", "T7")], ("C4", "O1")),
        ([("C3", "C4", "A2-A1")], ("C3", "C4")),
        ([("Fp1-F7", "F7-T7", "T7-P7")], ("Fp1-F7", "F7-T7", "T7-P7")),
    ],
)
def test_which_channels_are_used(layouts: list[tuple[str, ...]], expected: tuple[str, ...]) -> None:
    trials = replace(make_trials(1, len(layouts)), row=np.arange(len(layouts)))
    assert electrodes(_Layouts(*layouts), trials) == expected  # type: ignore[arg-type]


def test_one_channel_in_common_is_too_few() -> None:
    trials = replace(make_trials(1, 2), row=np.arange(2))
    with pytest.raises(BiosigError, match="expected two EEG channels at least that all records have, got 1"):
        electrodes(_Layouts(("C3", "C4"), ("C4", "Cz")), trials)  # type: ignore[arg-type]


@pytest.mark.parametrize("access", list(Access))
def test_entropies_are_those_of_each_trial_by_itself(store: Store, trials: Trials, access: Access) -> None:
    found = entropies(store, trials, ELECTRODES, access)
    bands = {name: band for name, band in BANDS.items() if band[1] < RATE / 2}
    assert len(bands) == 4  # gamma reaches 50 Hz, more than half the rate
    for trial, signal in enumerate(signals(store, trials, ELECTRODES)):
        expected = differential_entropy(signal, RATE, bands=bands, causal=access is Access.CAUSAL)
        np.testing.assert_array_equal(found.of([trial]).values, expected.reshape(6, -1))


def test_causal_entropies_of_a_second_do_not_know_the_next(store: Store, trials: Trials) -> None:
    # A trial that ends after three seconds has the same first three rows.
    shorter = replace(trials, samples=np.full(len(trials), 240))
    whole, part = (entropies(store, one, ELECTRODES, Access.CAUSAL) for one in (trials, shorter))
    first = np.concatenate([np.arange(6) < 3] * len(trials))
    np.testing.assert_array_equal(whole.values[first], part.values)


def test_a_rate_below_every_band_is_refused(store: Store, trials: Trials) -> None:
    class Slow:
        path, sampling_rate = Path("slow.store"), 6.0

    with pytest.raises(BiosigError, match="no band of delta, theta, alpha, beta, gamma fits a sampling rate of 6 Hz"):
        entropies(Slow(), trials, ELECTRODES, Access.CAUSAL)  # type: ignore[arg-type]


@pytest.mark.parametrize("access", list(Access))
def test_covariances_are_symmetric_positive_and_near_the_sample_ones(
    store: Store, trials: Trials, access: Access
) -> None:
    found = covariances(store, trials, ELECTRODES, access)
    assert found.values.shape == (len(trials) * 2, 6, 6)  # two of three seconds in six
    np.testing.assert_allclose(found.values, found.values.swapaxes(1, 2))
    assert (np.linalg.eigvalsh(found.values) > 0).all()
    powers = np.einsum("wcc->wc", found.values)
    assert (powers > 20).all()
    assert (powers < 1000).all()


def test_a_short_trial_has_one_covariance(store: Store, trials: Trials) -> None:
    found = covariances(store, replace(trials, samples=np.full(len(trials), 100)), ELECTRODES, Access.CAUSAL)
    assert len(found.values) == len(trials)


def test_an_average_reference_costs_a_channel(tmp_path: Path) -> None:
    make_store(tmp_path, subjects=2, trials=2)
    steps = Preprocessing(steps=(Reference(channels="average"),))
    prepare(FakeEeg(), tmp_path / "source", tmp_path / "average", preprocessing=steps, workers=1, progress=False)
    store = Store(tmp_path / "average")
    found = covariances(store, find_trials(store, Target.parse("mood")), ELECTRODES, Access.CAUSAL)
    assert found.values.shape[1:] == (5, 5)
    # Without that, the smallest eigenvalue is that of the noise which keeps a dead channel alive.
    assert np.linalg.eigvalsh(found.values).min() > 1


@pytest.mark.parametrize("access", list(Access))
@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_smoothing_stays_within_a_trial(smoothing: Smoothing, access: Access) -> None:
    trials = make_trials(2, 3)
    windows = make_windows(trials, windows=8)
    found = windows.smoothed(smoothing, access)
    causal = access is Access.CAUSAL
    for trial in range(len(trials)):
        own = windows.of([trial]).values
        expected = {
            Smoothing.NONE: lambda own=own: own,
            Smoothing.MOVING_AVERAGE: lambda own=own: moving_average(own, WIDTH, causal=causal),
            Smoothing.LDS: lambda own=own: lds(own, causal=causal),
        }[smoothing]()
        np.testing.assert_allclose(found.of([trial]).values, expected)


@pytest.mark.parametrize("smoothing", [Smoothing.MOVING_AVERAGE, Smoothing.LDS])
def test_causal_smoothing_does_not_look_ahead_and_the_other_does(smoothing: Smoothing) -> None:
    windows = make_windows(make_trials(2, 3), windows=8)
    later = np.concatenate([np.arange(8) >= 5] * 6)
    changed = windows.with_values(np.where(later[:, None], 100.0, windows.values))
    for access in Access:
        before, after = (one.smoothed(smoothing, access).values[~later] for one in (windows, changed))
        assert np.array_equal(before, after) == (access is Access.CAUSAL)


def test_windows_are_gathered_and_chosen() -> None:
    parts = [np.full((count, 2), count, float) for count in (3, 1, 2)]
    found = Windowed.gather(parts, [4, 7, 9])
    assert found.trial.tolist() == [4, 4, 4, 7, 9, 9]
    assert found.of([9, 4]).values[:, 0].tolist() == [3, 3, 3, 2, 2]
    np.testing.assert_allclose(found.trial_weights(), [1 / 3] * 3 + [1] + [1 / 2] * 2)
