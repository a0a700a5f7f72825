"""The estimators under scikit-learn's own checks, on arrays, recordings and a store, in its pipelines and searches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from biosig.errors import BiosigError
from biosig.recording import Modality, Recording
from biosig.store import Store
from finetune import SignalClassifier, SignalEmbedder, SignalRegressor
from finetune.diagnosis.choices import Adaptation
from pretrain.models.foundation import FoundationModel

ROUNDING = "float32 convolutions of one record and of many round differently, by less than 1e-6 of the largest feature"


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([SignalClassifier(), SignalRegressor(), SignalEmbedder()])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    # Compares every number, however near zero, to 1e-4 of itself; which processor passes is chance.
    if check.func.__name__ == "check_methods_subset_invariance" and not isinstance(estimator, SignalClassifier):
        pytest.skip(ROUNDING)
    check(estimator)


def test_what_is_exempt_is_rounding_and_no_more() -> None:
    signals, _ = waves()
    embedder = SignalEmbedder().fit(signals)
    one_by_one = np.concatenate([embedder.transform(part) for part in np.split(signals, len(signals))])
    largest = np.abs(one_by_one).max()
    np.testing.assert_allclose(embedder.transform(signals), one_by_one, atol=1e-6 * largest)


def waves(n: int = 48, *, channels: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two seconds at 100 Hz of 4 or 12 Hz, the same in all channels, in noise of each; and which."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    time = np.arange(200) / 100
    phase = generator.uniform(0, 2 * np.pi, (n, 1, 1))
    clean = np.sin(2 * np.pi * np.where(labels, 12, 4)[:, None, None] * time + phase).repeat(channels, axis=1)
    return (clean + 0.3 * generator.normal(size=clean.shape)).astype(np.float32), labels


def recordings() -> tuple[list[Recording], np.ndarray]:
    signals, labels = waves()
    names, kinds = ("I", "II"), (Modality.ECG, Modality.ECG)
    return [Recording(one, names, 100.0, kinds, record_id=f"r{i}") for i, one in enumerate(signals)], labels


def test_frequencies_are_told_apart_in_arrays_and_recordings() -> None:
    for signals, labels in (waves(), recordings()):
        half = len(labels) // 2
        found = SignalClassifier().fit(signals[:half], labels[:half])
        assert found.score(signals[half:], labels[half:]) > 0.9
        assert found.predict_proba(signals[half:]).shape == (half, 2)


def test_channels_are_told_apart_by_their_names_only() -> None:
    signals, _ = waves(n=4)
    named, unnamed = (SignalEmbedder(channels=names).fit(signals) for names in (("I", "V6"), None))
    swapped = signals[:, ::-1]
    np.testing.assert_allclose(unnamed.transform(signals), unnamed.transform(swapped), atol=1e-4)
    assert np.abs(named.transform(signals) - named.transform(swapped)).max() > 1e-3


def test_one_channel_may_be_given_without_its_axis() -> None:
    signals, labels = waves(channels=1)
    with_axis, without = (SignalClassifier().fit(x, labels).predict_proba(x) for x in (signals, signals[:, 0]))
    np.testing.assert_array_equal(with_axis, without)


@pytest.mark.parametrize("adaptation", list(Adaptation))
def test_what_moves_is_what_is_said(adaptation: Adaptation) -> None:
    signals, labels = waves(n=16)
    before = SignalEmbedder(random_state=3).fit(signals).model_.state_dict()
    fitted = SignalClassifier(adaptation=adaptation, steps=3, batch_size=8, random_state=3).fit(signals, labels)
    after = fitted.model_.state_dict()
    assert before.keys() == after.keys()  # additions were merged
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert bool(moved) == (adaptation is not Adaptation.PROBE)
    if adaptation is Adaptation.LAST:
        assert len(moved) < len([name for name in before if name.startswith("signal.encoder")])
    assert fitted.score(signals, labels) > 0.9


def test_the_same_seed_gives_the_same_answers_and_leaves_torchs_alone() -> None:
    signals, labels = waves(n=16)
    torch.manual_seed(11)
    wanted = torch.rand(1)
    torch.manual_seed(11)
    one, same, other = (
        SignalClassifier(adaptation="full", steps=2, batch_size=8, random_state=seed).fit(signals, labels)
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(1), wanted)
    np.testing.assert_array_equal(one.predict_proba(signals), same.predict_proba(signals))
    assert not np.array_equal(one.predict_proba(signals), other.predict_proba(signals))


def test_a_regression_finds_the_rate() -> None:
    generator = np.random.default_rng(0)
    rates = generator.uniform(3, 12, 80)
    signals = np.sin(2 * np.pi * rates[:, None] * np.arange(300) / 100 + generator.uniform(0, 6, (80, 1)))
    assert SignalRegressor().fit(signals[:60], rates[:60]).score(signals[60:], rates[60:]) > 0.8


def test_people_stay_together_in_a_search() -> None:
    signals, labels = recordings()
    people = np.arange(len(labels)) // 4
    search = GridSearchCV(SignalClassifier(), {"C": [0.01, 1.0]}, cv=GroupKFold(3), error_score="raise")
    assert search.fit(signals, labels, groups=people).best_score_ > 0.9
    scores = cross_val_score(SignalClassifier(), signals, labels, groups=people, cv=GroupKFold(3))
    assert scores.shape == (3,)


def test_a_pipeline_of_vectors() -> None:
    signals, labels = waves()
    pipeline = make_pipeline(SignalEmbedder(), StandardScaler(), LogisticRegression())
    half = len(labels) // 2
    assert clone(pipeline).fit(signals[:half], labels[:half]).score(signals[half:], labels[half:]) > 0.9
    assert SignalEmbedder().fit(signals).get_feature_names_out()[0] == "signalembedder0"


def test_a_store_and_a_pretrained_model(store: Path, model: Path) -> None:
    records = Store(store)
    labels = np.arange(len(records)) % 3
    loaded = FoundationModel.from_pretrained(model)
    vectors = SignalEmbedder(model).fit(records).transform(records)
    np.testing.assert_allclose(vectors, loaded.encode(records), atol=1e-5)
    by_folder, by_object = (SignalClassifier(one).fit(records, labels) for one in (model, loaded))
    np.testing.assert_array_equal(by_folder.predict(records), by_object.predict(records))
    assert by_object.model_ is not loaded


@pytest.mark.parametrize(
    ("signals", "labels", "said"),
    [
        (np.zeros((4, 1, 1, 9)), [0, 1, 0, 1], "expected .n, time. or .n, channel, time., got 4 dimensions"),
        (np.zeros((4, 1, 9)), [1, 1, 1, 1], "expected at least 2 classes"),
        (np.zeros((4, 1, 9)), [0, 1, 0], "inconsistent numbers"),
        (np.full((4, 1, 9), np.nan), [0, 1, 0, 1], "NaN"),
    ],
    ids=["dimensions", "one class", "lengths", "not finite"],
)
def test_wrong_input_is_refused(signals: np.ndarray, labels: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SignalClassifier().fit(signals, labels)


def test_an_unknown_adaptation_is_refused() -> None:
    signals, labels = waves(n=8)
    with pytest.raises((BiosigError, ValueError), match="half"):
        SignalClassifier(adaptation="half").fit(signals, labels)


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, finetune; assert not {'torch', 'sklearn'} & set(sys.modules); print(dir(finetune))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "SignalClassifier" in done.stdout
