from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from biosig.recording import Modality
from biosig.store import Store
from finetune.emotion.encoding import encode, occlusion, pooled, seconds_of, windows_of
from finetune.emotion.targets import Target, Trials, find_trials
from pretrain.models.intake import Intake
from pretrain.models.towers import SignalTower
from pretrain.specs.architecture import SignalSpec
from tests.finetune.emotion.fake_eeg import ELECTRODES, RATE, make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(make_store(tmp_path_factory.mktemp("encoding"), subjects=2, trials=3, continuous=True))


@pytest.fixture(scope="module")
def trials(store: Store) -> Trials:
    return find_trials(store, Target.parse("event"))


@pytest.fixture(scope="module")
def tower(store: Store) -> SignalTower:
    torch.manual_seed(0)
    spec = SignalSpec(encoder="eeg_conv", options={"n_chans": 8, "width": 16, "token_rate": 8})
    intake = Intake(
        sampling_rate=RATE, window_seconds=4, modalities=(Modality.EEG,), preprocessing=store.info.preprocessing
    )
    return SignalTower(spec, 16, intake).eval()


def test_windows_cover_a_trial_and_end_with_it(store: Store, trials: Trials) -> None:
    covered: dict[int, list[np.ndarray]] = {}
    for owners, windows in windows_of(store, trials, [1, 4], 320):
        for place, owner in enumerate(owners):
            valid = int(windows["valid"][place])
            covered.setdefault(int(owner), []).append(windows["signal"][place, :, :valid].numpy() * 50)
    assert sorted(covered) == [1, 4]
    for trial, parts in covered.items():
        whole = store.recording(int(trials.row[trial])).signal
        start = int(trials.start[trial])
        assert [part.shape[1] for part in parts] == [320, 160]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole[:, start : start + 480], rtol=1e-5, atol=1e-3)


def test_pooled_is_what_a_loop_over_bins_gives() -> None:
    torch.manual_seed(0)
    tokens = torch.randn(3, 10, 4) + 5
    kept = torch.arange(10) < torch.tensor([10, 7, 3])[:, None]
    bins = torch.nn.functional.one_hot(torch.arange(10) // 4).float()
    tokens = tokens.masked_fill(~kept[..., None], float("nan"))  # padding may hold anything
    found, count = pooled(tokens, kept, bins)
    for window in range(3):
        for one in range(3):
            own = [tokens[window, t] for t in range(10) if kept[window, t] and t // 4 == one]
            assert count[window, one] == len(own)
            if own:
                values = torch.stack(own)
                torch.testing.assert_close(found[window, one, :4], values.mean(0))
                spread = 0.5 * (values.var(0, correction=0) + 1e-6).log()
                torch.testing.assert_close(found[window, one, 4:], spread, atol=1e-4, rtol=1e-4)


def test_a_trial_has_a_feature_a_second(store: Store, trials: Trials, tower: SignalTower) -> None:
    found = encode(tower, store, trials, [5, 0])
    assert found.trial.tolist() == [0] * 6 + [5] * 6 or found.trial.tolist() == [5] * 6 + [0] * 6
    assert found.values.shape == (12, 32)
    assert np.isfinite(found.values).all()


def test_seconds_are_those_of_the_tokens(tower: SignalTower) -> None:
    bins = seconds_of(tower, 32)
    assert bins.shape[1] == 4
    assert bins.sum(0).tolist() == [8, 8, 8, 8]


def test_what_follows_a_trial_in_its_record_has_no_say(store: Store, trials: Trials, tower: SignalTower) -> None:
    # Each trial alone, or with the next one: the record goes on after trial 0, whose last window is half padding.
    alone, together = encode(tower, store, trials, [0]), encode(tower, store, trials, [0, 1])
    np.testing.assert_allclose(alone.values, together.of([0]).values, atol=1e-5)


def test_an_electrode_nobody_listens_to_loses_nothing(store: Store, trials: Trials, tower: SignalTower) -> None:
    lost = occlusion(tower, store, trials, range(len(trials)), ELECTRODES)
    assert lost.shape == (6,)
    assert (lost > 0).all()

    class Deaf(torch.nn.Module):
        """A front end that takes the first two channels as they are, and is deaf to the others."""

        def forward(self, signal: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            return signal[:, [0, 1] * 4]

    front, tower.encoder.front_end = tower.encoder.front_end, Deaf()
    try:
        deaf = occlusion(tower, store, trials, range(len(trials)), ELECTRODES)
    finally:
        tower.encoder.front_end = front
    assert (deaf[:2] > 0).all()
    np.testing.assert_array_equal(deaf[2:], 0)


def test_losses_are_shares_of_the_variance(tmp_path: Path, tower: SignalTower) -> None:
    store = Store(make_store(tmp_path, subjects=2, trials=2))
    trials = find_trials(store, Target.parse("mood"))
    lost = occlusion(tower, store, trials, [0, 1], ELECTRODES)
    values, without = [], []
    with torch.inference_mode():
        for _, windows in windows_of(store, trials, [0, 1], tower.intake.samples):
            mask = windows["mask"].clone()
            mask[:, 2] = False
            (whole, kept), (part, _) = tower.tokens(windows), tower.tokens({**windows, "mask": mask})
            values.append(whole[kept])
            without.append(part[kept])
    z, y = torch.cat(values), torch.cat(without)
    expected = ((z - y) ** 2).sum() / ((z - z.mean(0)) ** 2).sum()
    assert lost[2] == pytest.approx(float(expected), rel=1e-4)
