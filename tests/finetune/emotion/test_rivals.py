"""Every row on tiny stores: what is planted is found, what is not is not, and causal rows do not know what comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from biosig.errors import BiosigError
from finetune.emotion.bench import Bench, Budget, Experiment, Work
from finetune.emotion.features import Windowed
from finetune.emotion.linear import by_trial
from finetune.emotion.metrics import Measure, score
from finetune.emotion.pretraining import training_rows
from finetune.emotion.protocols import Access, Plan, Protocol
from finetune.emotion.rivals import BOTH, RIVALS
from finetune.emotion.rivals.adversarial import reverse_gradient, strength_at
from finetune.emotion.rivals.riemann import recentred
from finetune.emotion.targets import Target
from finetune.metrics.bootstrap import interval
from tests.finetune.emotion.fake_eeg import make_store
from tests.finetune.emotion.fake_trials import make_trials

CLASSICAL = ("de-linear", "de-running", "covariance", "de-adversarial")
QUICK = Budget(pretrain_steps=2, supervised_steps=20, adversarial_steps=60)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    store = make_store(tmp_path_factory.mktemp("planted"), subjects=8, trials=6, effect=1.5)
    return Bench(Experiment(store, Target.parse("mood"), budget=QUICK))


def whole(bench: Bench, row: str, seed: int = 0) -> dict[Access, np.ndarray]:
    """The probabilities of all trials under leave-one-subject-out."""
    rival = RIVALS[row]
    found = {one: np.full((len(bench.trials), 2), np.nan) for one in rival.access}
    for fold in bench.folds(seed):
        for one, windows in rival.run(Work(bench, fold, seed, rival.access)).predictions.items():
            trials, probabilities = by_trial(windows.values, windows.trial)
            assert trials.tolist() == sorted(fold.test)
            found[one][trials] = probabilities
    return found


@pytest.mark.parametrize("row", CLASSICAL)
def test_a_planted_signal_is_found(planted: Bench, row: str) -> None:
    trials = planted.trials
    for access, found in whole(planted, row).items():
        np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)
        value = score(found, trials.label, trials.subject, n_draws=1)[Measure.AUROC][0]
        assert value > 0.9, (row, access)


@pytest.mark.parametrize("row", ["de-linear", "covariance"])
def test_data_without_a_signal_give_chance_within_its_interval(tmp_path: Path, row: str) -> None:
    bench = Bench(Experiment(make_store(tmp_path, subjects=8, trials=6, seed=2), Target.parse("mood")))
    trials = bench.trials
    for found in whole(bench, row).values():
        draws = score(found, trials.label, trials.subject, n_draws=300)[Measure.AUROC_WITHIN]
        span = interval(draws, level=0.999)
        assert span.low < 0.5 < span.high


def test_chance_knows_nothing_and_repeats_itself(planted: Bench) -> None:
    first, again, other = (whole(planted, "chance", seed)[Access.CAUSAL] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    draws = score(first, planted.trials.label, planted.trials.subject, n_draws=300)[Measure.AUROC]
    span = interval(draws, level=0.999)
    assert span.low < 0.5 < span.high


def test_the_majority_is_that_of_the_training_side(tmp_path: Path) -> None:
    labels = np.array([[0, 0, 0, 1]] * 4 + [[1, 1, 1, 0]])
    bench = Bench(Experiment(make_store(tmp_path, subjects=5, trials=4, labels=labels), Target.parse("mood")))
    assert whole(bench, "majority")[Access.CAUSAL].argmax(1).tolist() == [0] * 20


def _with_later_changed(bench: Bench, subject: str, order: int) -> Bench:
    """The same bench, except for what was recorded of a subject from a trial of its stream on."""
    trials = bench.trials
    changed = Bench(bench.experiment)

    def change(windows: Windowed, touch: Callable[[np.ndarray], np.ndarray]) -> Windowed:
        later = (trials.subject[windows.trial] == subject) & (trials.order[windows.trial] >= order)
        values = windows.values.copy()
        values[later] = touch(values[later])
        return windows.with_values(values)

    rng = np.random.default_rng(0)
    for access in Access:
        changed._entropies[access] = change(bench.entropies(access), lambda x: 3 - x + rng.normal(size=x.shape))
        changed._covariances[access] = change(bench.covariances(access), lambda x: 9 * x[:, ::-1, ::-1])
    return changed


@pytest.mark.parametrize("row", CLASSICAL)
def test_causal_rows_do_not_know_what_comes_and_transductive_ones_do(planted: Bench, row: str) -> None:
    fold = planted.folds(0)[2]
    changed = _with_later_changed(planted, fold.name, 3)
    rival = RIVALS[row]
    before, after = (rival.run(Work(bench, fold, 0, rival.access)).predictions for bench in (planted, changed))
    for access in rival.access:
        earlier = planted.trials.order[before[access].trial] < 3
        same = np.array_equal(before[access].values[earlier], after[access].values[earlier])
        assert same == (access is Access.CAUSAL), (row, access)
        assert not np.array_equal(before[access].values[~earlier], after[access].values[~earlier])


@pytest.mark.parametrize("row", CLASSICAL)
def test_labels_of_the_test_side_have_no_say(planted: Bench, row: str) -> None:
    fold = planted.folds(0)[1]
    other = Bench(planted.experiment)
    flipped = other.trials.label.copy()
    flipped[list(fold.test)] = 1 - flipped[list(fold.test)]
    other.trials = replace(other.trials, label=flipped)
    rival = RIVALS[row]
    before, after = (rival.run(Work(bench, fold, 0, rival.access)).predictions for bench in (planted, other))
    for access in rival.access:
        np.testing.assert_array_equal(before[access].values, after[access].values)


def test_only_the_variants_asked_for_are_made(planted: Bench) -> None:
    work = Work(planted, planted.folds(0)[0], 0, (Access.TRANSDUCTIVE,))
    assert set(RIVALS["de-linear"].run(work).predictions) == {Access.TRANSDUCTIVE}
    assert RIVALS["de-running"].variants([Access.TRANSDUCTIVE]) == ()
    assert RIVALS["majority"].variants([Access.TRANSDUCTIVE]) == (Access.CAUSAL,)
    assert RIVALS["de-linear"].variants(BOTH) == BOTH


def test_matrices_of_each_subject_are_recentred_at_the_identity() -> None:
    from pyriemann.utils.mean import mean_riemann

    trials, rng = make_trials(3, 4), np.random.default_rng(0)
    x = rng.normal(size=(12, 5, 60))
    matrices = Windowed(x @ x.swapaxes(1, 2) / 60, np.arange(12))
    found = recentred(matrices, trials)
    for one in trials.subjects:
        np.testing.assert_allclose(mean_riemann(found.values[trials.subject == one]), np.eye(5), atol=1e-6)
    # Any mixing of a subject's electrodes leaves the distances between its matrices as they were.
    mixing = rng.normal(size=(5, 5))
    own = trials.subject == "p01"
    mixed = matrices.with_values(np.where(own[:, None, None], mixing @ matrices.values @ mixing.T, matrices.values))
    spectra = [np.linalg.eigvalsh(recentred(one, trials).values) for one in (matrices, mixed)]
    np.testing.assert_allclose(spectra[0], spectra[1], atol=1e-6)


def test_the_gradient_is_reversed_and_nothing_else_is() -> None:
    x = torch.randn(4, 3, requires_grad=True)
    y = reverse_gradient(x, 0.3)
    assert torch.equal(y, x)
    (y * torch.arange(12.0).view(4, 3)).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, -0.3 * torch.arange(12.0).view(4, 3))


def test_the_strength_grows_from_nothing_to_almost_one() -> None:
    assert strength_at(0.0) == 0
    assert strength_at(1.0) == pytest.approx(np.tanh(5.0))
    assert strength_at(0.2) < strength_at(0.4)


@pytest.mark.parametrize("row", ["random", "coherent", "supervised"])
def test_encoders_judge_every_trial_and_repeat_themselves(planted: Bench, row: str) -> None:
    rival = RIVALS[row]
    work = Work(planted, planted.folds(0)[0], 0, rival.access)
    first, again = rival.run(work), rival.run(work)
    assert set(first.predictions) == set(rival.access)
    for access, windows in first.predictions.items():
        assert set(windows.trial) == set(work.fold.test)
        np.testing.assert_allclose(windows.values.sum(1), 1, atol=1e-6)
        np.testing.assert_array_equal(windows.values, again.predictions[access].values)
    if rival.pretrains or row == "random":
        assert len(first.details["occlusion"]) == 6
        assert "occlusion" not in rival.run(replace(work, seed=1)).details


def test_pretraining_sees_the_records_of_the_training_side_only(
    planted: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pretrain.within

    seen, real = [], pretrain.within.pretrain_on
    monkeypatch.setattr(
        pretrain.within,
        "pretrain_on",
        lambda recipe, paths, examples: seen.append(examples) or real(recipe, paths, examples),
    )
    work = Work(planted, planted.folds(0)[0], 0, BOTH)
    RIVALS["coherent"].run(work)
    (examples,) = seen
    assert sorted(examples.train[0]) == sorted(planted.trials.row[list(work.fold.train)])
    assert not len(examples.validation[0])


def test_a_record_on_two_sides_is_not_pretrained_on(tmp_path: Path) -> None:
    store = make_store(tmp_path, subjects=6, trials=6, continuous=True)
    alone = Bench(Experiment(store, Target.parse("event")))
    work = Work(alone, alone.folds(0)[0], 0, BOTH)
    assert len(training_rows(work)) == 4  # of six subjects one is tested, and one validates
    plan = Plan(Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT)
    mixed = Bench(Experiment(store, Target.parse("event"), plan))
    with pytest.raises(BiosigError, match=r"record p0\d holds trials of several sides, and so does every other"):
        training_rows(Work(mixed, mixed.folds(0)[0], 0, BOTH))


def test_few_shot_learns_from_calibration_trials(tmp_path: Path) -> None:
    # For the last subject everything is the other way round: only its own trials can tell.
    labels = np.tile([0, 1, 0, 1, 0, 1, 0, 1], (5, 1))
    store = make_store(tmp_path, subjects=5, trials=8, effect=2.0, labels=labels)
    values = {}
    for protocol in (Protocol.LOSO, Protocol.FEW_SHOT):
        bench = Bench(Experiment(store, Target.parse("mood"), Plan(protocol, shots=4)))
        own = bench.trials.subject == "p04"
        bench.trials = replace(bench.trials, label=np.where(own, 1 - bench.trials.label, bench.trials.label))
        fold = bench.folds(0)[4]
        windows = RIVALS["de-linear"].run(Work(bench, fold, 0, (Access.CAUSAL,))).predictions[Access.CAUSAL]
        trials, found = by_trial(windows.values, windows.trial)
        values[protocol] = found[np.arange(len(trials)), bench.trials.label[trials]].mean()
    assert values[Protocol.FEW_SHOT] > values[Protocol.LOSO] + 0.05


def test_every_row_is_described() -> None:
    for row in RIVALS:
        rival = RIVALS[row]
        assert len(rival.about) > 20
        assert rival.access
        assert len(rival.title) < 40
    assert [row for row in RIVALS if RIVALS[row].baseline] == ["chance", "majority"]
