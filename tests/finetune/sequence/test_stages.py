"""Scores against scikit-learn; networks that see the past only; the command on simulated nights, from end to end."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score
from typer.testing import CliRunner

from biosig.cli import build
from biosig.errors import BiosigError
from biosig.simulate import write_nights
from finetune.metrics.bootstrap import subject_weights
from finetune.sequence.crossval import MAJORITY, NETWORK, POWERS, POWERS_ALONE, Plan, cross_validate, fold_of, sides
from finetune.sequence.hypnogram import hypnogram, summary
from finetune.sequence.network import Context, StageNet, StageSpec
from finetune.sequence.nights import BINS, FRAMES, STAGES, UNKNOWN, Night, Nights, read_nights
from finetune.sequence.rivals import band_powers
from finetune.sequence.scores import confusions, draws
from finetune.sequence.stager import Stager
from finetune.sequence.training import Budget, stage_weights, tensor
from pretrain.errors import ModelError
from tests.unsealed import unsealed

BUDGET = Budget(steps=60, batch_size=8, check_every=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people, three quarters of an hour each."""
    return write_nights(tmp_path_factory.mktemp("sleep") / "nights", 4, hours=0.75, workers=1, progress=False)


@pytest.fixture(scope="module")
def nights(folder: Path) -> Nights:
    return read_nights(folder)


def random_nights(n: int = 6, seed: int = 0) -> list[Night]:
    rng = np.random.default_rng(seed)
    return [
        Night(f"n{i}", f"s{i // 2}", rng.normal(size=(30, 2, BINS, FRAMES)).astype(np.float16),
              rng.integers(-1, 5, 30).astype(np.int8))
        for i in range(n)
    ]  # fmt: skip


def test_scores_of_every_draw_are_scikit_learns_of_the_subjects_repeated() -> None:
    rng = np.random.default_rng(0)
    subjects = [f"s{i % 4}" for i in range(7)]
    true = [rng.integers(-1, 5, 40) for _ in subjects]
    said = [np.where(rng.random(40) < 0.6, np.maximum(one, 0), rng.integers(0, 5, 40)) for one in true]
    names, counts = confusions(subjects, true, said)
    found = draws(names, counts, n_draws=12)
    weights = subject_weights(names, n_draws=12)
    for draw in range(13):
        times = [int(weights[names.index(subject), draw]) for subject in subjects]
        y, p = (np.concatenate([np.tile(one, k) for one, k in zip(side, times, strict=True)]) for side in (true, said))
        y, p = y[y != UNKNOWN], p[y != UNKNOWN]
        assert found["kappa"][draw] == pytest.approx(cohen_kappa_score(y, p))
        assert found["accuracy"][draw] == pytest.approx(accuracy_score(y, p))
        assert found["macro_f1"][draw] == pytest.approx(f1_score(y, p, average="macro"))
        each = f1_score(y, p, average=None, labels=range(5))
        np.testing.assert_allclose([found[f"f1_{name.lower()}"][draw] for name in STAGES], each)


@pytest.mark.parametrize("context", list(Context))
def test_what_an_epoch_is_told_from(context: Context) -> None:
    torch.manual_seed(0)
    network = StageNet(StageSpec(channels=("a", "b"), context=context)).eval()
    x = torch.randn(1, 12, 2, BINS, FRAMES)
    later, earlier = x.clone(), x.clone()
    later[:, 8:] += 3
    earlier[:, :4] += 3
    with torch.inference_mode():
        base, after, before = (network(one)[0, 4:8] for one in (x, later, earlier))
    assert torch.equal(base, after) == (context is not Context.BOTH)
    assert torch.equal(base, before) == (context is Context.NONE)


@pytest.mark.parametrize("context", list(Context))
def test_band_powers_see_what_the_network_may_see(context: Context) -> None:
    (night, *_) = random_nights()
    changed = Night(night.record, night.subject, night.spectra.copy(), night.stage)
    changed.spectra[20:] += 4
    one, other = band_powers(night, context), band_powers(changed, context)
    np.testing.assert_array_equal(one[:17], other[:17])
    assert np.array_equal(one[19], other[19]) == (context is not Context.BOTH)
    assert not np.array_equal(one[20], other[20])


def test_a_missing_channel_is_the_mean_and_changes_nothing_else() -> None:
    network = StageNet(StageSpec(channels=("a", "b"))).eval()
    network.mean += 2.0
    x = torch.randn(1, 3, 2, BINS, FRAMES)
    gone, mean = x.clone(), x.clone()
    gone[:, :, 1], mean[:, :, 1] = float("nan"), 2.0
    torch.testing.assert_close(network(gone), network(mean))


def test_people_are_tested_once_and_never_on_two_sides() -> None:
    subjects = [f"p{i // 2}" for i in range(14)]
    tested = []
    for train, validation, test in sides(fold_of(subjects, 3), 3):
        people = [{subjects[row] for row in side} for side in (train, validation, test)]
        assert not people[0] & people[1] | people[0] & people[2] | people[1] & people[2]
        assert all(people)
        tested += test.tolist()
    assert sorted(tested) == list(range(14))
    with pytest.raises(BiosigError, match="5 folds and 4 people"):
        fold_of(subjects[:8], 5)


def test_rare_stages_weigh_more_and_the_mean_is_one() -> None:
    stage = np.array([0] * 90 + [1] * 10 + [UNKNOWN] * 5, np.int8)
    weight = stage_weights([Night("n", "s", np.zeros((105, 1, BINS, FRAMES), np.float16), stage)])
    assert float(weight[1] / weight[0]) == pytest.approx(3)
    assert float(0.9 * weight[0] + 0.1 * weight[1]) == pytest.approx(1)
    assert weight[2:].tolist() == [0, 0, 0]


def test_simulated_stages_are_learnt(nights: Nights, tmp_path: Path) -> None:
    result, stager = cross_validate(nights, Plan(folds=3, budget=BUDGET, draws=50))
    assert [row.name for row in result.rows] == [NETWORK, POWERS, POWERS_ALONE, MAJORITY]
    by_name = {row.name: row.metrics["kappa"].value for row in result.rows}
    assert by_name[MAJORITY] == pytest.approx(0, abs=1e-9)
    assert by_name[NETWORK] > 0.3
    assert by_name[POWERS_ALONE] > 0.5
    assert sum(map(sum, result.rows[0].confusion)) == sum(result.epochs.values())
    stager.save_pretrained(tmp_path / "stager")
    loaded = Stager.from_pretrained(tmp_path / "stager")
    x = tensor(nights.nights[0])[None]
    for one, other in zip(stager.networks, loaded.networks, strict=True):
        torch.testing.assert_close(one(x), other(x), rtol=0, atol=0)
    unsealed(tmp_path / "stager" / "stager.json", members=1)
    with pytest.raises(ModelError, match=r"does not fit stager\.json"):
        Stager.from_pretrained(tmp_path / "stager")
    with pytest.raises(ModelError, match="not a biosig stager"):
        Stager.from_pretrained(tmp_path)


def test_numbers_of_a_night() -> None:
    found = summary(np.array([0, 0, 1, 2, UNKNOWN, 4, 2, 0]))
    assert found.minutes == {"W": 1.5, "N1": 0.5, "N2": 1.0, "N3": 0.0, "R": 0.5}
    assert (found.asleep, found.sleep_latency, found.rem_latency) == (2.0, 1.0, 1.5)
    assert found.efficiency == pytest.approx(2 / 3.5)
    awake = summary(np.zeros(4, int))
    assert (awake.asleep, awake.sleep_latency, awake.rem_latency) == (0.0, None, None)


def test_a_hypnogram_has_the_scorers_line_only_where_there_is_one() -> None:
    said = np.random.default_rng(0).dirichlet(np.ones(5), 20)
    assert len(hypnogram(said).axes) == 2
    assert len(hypnogram(said, scored=np.full(20, UNKNOWN)).axes) == 2
    assert len(hypnogram(said, scored=np.zeros(20, int)).axes) == 3


def test_both_commands(folder: Path, tmp_path: Path) -> None:
    out, run = tmp_path / "stager", CliRunner().invoke
    made = run(build(), ["stages", str(folder), "--out", str(out), "--folds", "3", "--steps", "3", "--causal"])
    assert made.exit_code == 0, made.output
    assert json.loads((out / "result.json").read_text())["context"] == "past"
    assert "past epochs only (causal)" in (out / "table.md").read_text()
    assert "exists already" in str(run(build(), ["stages", str(folder), "--out", str(out)]).exception)
    both = run(build(), ["stages", str(folder), "--out", str(tmp_path / "x"), "--causal", "--alone"])
    assert "expected one of them" in str(both.exception)
    night = [str(folder / "SC4001E0-PSG.edf"), "--model", str(out), "--scored", str(folder / "SC4001EC-Hypnogram.edf")]
    asked = run(build(), ["stages", *night, "--out", str(tmp_path / "night")])
    assert asked.exit_code == 0, asked.output
    assert "against the scorer: kappa" in asked.output
    with (tmp_path / "night" / "stages.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 90
    assert all(abs(sum(float(line[name]) for name in STAGES) - 1) < 1e-3 for line in lines)
    assert (tmp_path / "night" / "hypnogram.png").stat().st_size > 10_000


def test_a_folder_without_nights(tmp_path: Path) -> None:
    with pytest.raises(BiosigError, match=r"expected SC4001E0-PSG\.edf"):
        read_nights(tmp_path)
