"""From a diagnoser to an explanation: the same answer, every head, names, and pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logit

from biosig.errors import BiosigError
from biosig.plot import save
from biosig.recording import Modality, Recording
from biosig.simulate import Experiment, ecg, eeg
from biosig.store import Store
from finetune.adaptation.fit import Tuning, finetune
from finetune.diagnosis.diagnoser import Diagnoser
from finetune.diagnosis.scratch import Budget
from finetune.explain.attribution import Attribution
from finetune.explain.choices import Baseline, Method
from finetune.explain.explain import explain, place_of
from finetune.explain.figure import figure, scalp, words
from finetune.explain.gradients import integrated_gradients
from finetune.explain.occlusion import occlusion
from finetune.explain.question import Question
from tests.finetune.explain.models import Network, linear, question

TUNING = Tuning(min_positives=2, draws=20, budget=Budget(steps=2, batch_size=8, check_every=1))


@pytest.fixture(scope="module")
def diagnoser(model: Path, store: Path) -> Diagnoser:
    return finetune(model, Store(store), TUNING).diagnoser


@pytest.mark.parametrize("seconds", [1.3, 4.0, 7.7])
def test_what_is_asked_is_what_the_diagnoser_answers(diagnoser: Diagnoser, seconds: float) -> None:
    recording = ecg(seed=3, duration=seconds, sampling_rate=250.0)
    signal = recording.signal.copy()
    signal[4] = np.nan  # a lead with no sample
    signal[2, : int(250 * min(seconds - 1, 2.5))] = np.nan  # and one with none in the first windows
    recording = replace(recording, signal=signal)
    asked = Question.of(diagnoser, recording)
    said = {one.concept.concept: one.probability for one in diagnoser.diagnose(recording)[0].said}
    for place, concept in enumerate(diagnoser.config.concepts):
        assert asked.answer(place) == pytest.approx(logit(said[concept.concept]), abs=1e-4)


def test_with_many_windows_the_gradient_is_the_same(diagnoser: Diagnoser, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Question.of(diagnoser, ecg(seed=4, duration=9.0, sampling_rate=100.0))
    signals = torch.stack([asked.signal, 0.5 * asked.signal]).requires_grad_()
    found = []
    for size in (64, 3):
        monkeypatch.setattr("finetune.explain.question._WINDOWS", size)
        said = asked.ask(signals, asked.mask.expand(2, -1), 0)
        found.append((said.detach(), torch.autograd.grad(said.sum(), signals)[0]))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("head", ["mlp", "attention", "prototypes"])
def test_any_head_can_be_explained(head: str, model: Path, store: Path) -> None:
    other = finetune(model, Store(store), replace(TUNING, head=head)).diagnoser
    found = explain(other, ecg(seed=5, duration=2.0, sampling_rate=100.0), 0)
    assert abs(found.values.sum() - (found.answer - found.reference)) == pytest.approx(
        found.gap * abs(found.answer - found.reference), abs=1e-6
    )
    assert found.gap < 0.1


def test_a_finding_has_many_names(diagnoser: Diagnoser) -> None:
    diagnosis = diagnoser.diagnose(ecg(seed=3, duration=4.0))[0]
    concepts = diagnoser.config.concepts
    for place, one in enumerate(concepts):
        assert place_of(diagnoser, diagnosis, one.term.upper()) == place
        assert place_of(diagnoser, diagnosis, one.concept) == place
    assert concepts[place_of(diagnoser, diagnosis, "top")] == diagnosis.said[0].concept
    with pytest.raises(
        BiosigError, match=r"no finding 'sinus rythm' among .* \(did you mean 'sinus rhythm'\?\); there are: "
    ):
        place_of(diagnoser, diagnosis, "sinus rythm")


def attribution(recording: Recording, values: np.ndarray) -> Attribution:
    return Attribution(
        recording, values, values.sum(1), Method.GRADIENTS, Baseline.FLAT,
        answer=1.0, reference=-1.0, gap=0.004, steps=33,
    )  # fmt: skip


def test_an_ecg_is_on_paper_with_what_matters_in_words(tmp_path: Path) -> None:
    recording = question(linear(torch.zeros(1))).recording
    values = np.zeros((12, recording.n_times))
    values[6, 100:150], values[1, 110] = 0.03, -0.5
    found = attribution(recording, values)
    assert words(found) == (
        "most of it: V1 75 %, II 25 %; 2.0 to 3.0 s; log odds +1.00, of the flat baseline -1.00; sum off by 0.4 %"
    )
    drawn = figure(found, "a finding")
    assert len(drawn.axes[0].images) == 12
    assert scalp(found, "a finding") is None
    assert save(drawn, tmp_path / "one.png").stat().st_size > 20_000


def test_of_a_long_recording_what_matters_is_shown() -> None:
    recording = ecg(seed=0, duration=40.0, sampling_rate=100.0)
    values = np.zeros((12, 4000))
    values[3, 2500:2600] = 1.0
    texts = [text.get_text() for text in figure(attribution(recording, values), "").texts]
    start = next(float(text.split("–")[0]) for text in texts if "of 40 s" in text)
    assert 16.0 <= start <= 25.0


def test_a_recording_too_long_for_occlusion_is_refused(diagnoser: Diagnoser) -> None:
    recording = ecg(seed=0, duration=130.0, sampling_rate=100.0, record_id="long")
    with pytest.raises(BiosigError, match="long: --method occlusion: expected 120 s at most, got 130 s"):
        explain(diagnoser, recording, 0, method=Method.OCCLUSION)


def test_a_long_recording_has_fewer_points(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = question(Network().eval())
    monkeypatch.setattr("finetune.explain.gradients._KEPT", 20 * asked.signal.numel())
    assert integrated_gradients(asked, 0, tolerance=1e-9).steps == 20


def test_an_eeg_has_traces_and_a_scalp() -> None:
    recording = eeg(Experiment(duration=4.0, sampling_rate=128.0), 0, 0)
    names = [name for name, kind in zip(recording.channels, recording.modality, strict=True) if kind is Modality.EEG]
    values = np.zeros(recording.signal.shape)
    values[recording.channels.index(names[0])] = 0.01
    found = attribution(recording, values)
    drawn = figure(found, "a state")
    assert len(drawn.axes[0].images) == len(recording.channels)
    assert words(found) in [text.get_text() for text in drawn.texts]
    map_ = scalp(found, "premature ventricular contractions: 0.45")
    assert map_ is not None
    assert "premature ventricular contractions: 0.45" in [text.get_text() for text in map_.texts]
    assert (map_.axes[-1].get_title(), map_.axes[-1].get_xlabel()) == ("for", "against")
    lost = scalp(replace(found, method=Method.OCCLUSION), "a state")
    assert lost is not None
    assert [one.axes[-1].get_ylabel() for one in (map_, lost)] == [
        "log odds, sum of its samples",
        "log odds lost without it",
    ]


def test_a_network_that_looks_at_one_electrode_is_explained_by_it_and_on_its_side(tmp_path: Path) -> None:
    recording = eeg(Experiment(duration=4.0, sampling_rate=128.0), 0, 0)
    place = recording.channels.index("O2")
    seen = torch.zeros(len(recording.channels))
    seen[place] = 1.0
    signal = torch.tensor(np.array(recording.signal)) / 50

    def power(signals: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return ((signals * masks[..., None]) ** 2).mean(-1) @ seen[:, None]

    asked = Question(recording, signal, torch.ones(len(signal), dtype=torch.bool), power)
    for found in (integrated_gradients(asked, 0), occlusion(asked, 0)):
        assert found.shares().argmax() == place
        assert found.leads[place] > 0.9 * np.abs(found.leads).sum()
        drawn = scalp(found, "power of O2")
        assert drawn is not None
        coloured = np.ma.filled(np.ma.masked_invalid(drawn.axes[0].images[0].get_array()), 0.0)
        row, column = np.unravel_index(coloured.argmax(), coloured.shape)
        left, right, bottom, top = drawn.axes[0].images[0].get_extent()
        assert left < 0 < right
        assert bottom < 0 < top
        # The right of the head is on the right, the back below; rows count from below.
        assert drawn.axes[0].images[0].origin == "lower"
        assert column > coloured.shape[1] / 2
        assert row < coloured.shape[0] / 4
