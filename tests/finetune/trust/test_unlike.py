"""Inputs that a diagnoser should not answer: which it refuses, which lie far away, and what is said of them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from biosig.channels import LEADS_12
from biosig.quality import WORDS, QualityFlag
from biosig.recording import Recording
from biosig.simulate import Experiment, ecg, eeg
from biosig.store import Store
from finetune.adaptation.fit import Tuning, finetune
from finetune.diagnosis.diagnoser import Answer, ConceptConfig, Diagnoser, Diagnosis, Said
from finetune.diagnosis.result import Estimate
from finetune.diagnosis.shown import UNLIKE, as_table, heading, write_csv
from finetune.trust.neighbours import Neighbour
from pretrain.errors import ModelError
from tests.pretrain.untrained import untrained


@pytest.fixture(scope="module")
def diagnoser(model: Path, store: Path) -> Diagnoser:
    return finetune(model, Store(store), Tuning(min_positives=2, draws=10)).diagnoser


@pytest.fixture(scope="module")
def familiar(store: Path) -> list[Recording]:
    opened = Store(store)
    return [opened.recording(int(row)) for row in opened.rows("test")]


def distance(diagnoser: Diagnoser, recordings: list[Recording]) -> float:
    return float(np.median(diagnoser.novelty.distance(diagnoser.model.encode(recordings))))


def test_an_eeg_is_refused_by_a_model_of_ecg(diagnoser: Diagnoser) -> None:
    with pytest.raises(ModelError, match="the model was made for ecg; the recording has eeg"):
        diagnoser.diagnose(eeg(Experiment(duration=4.0), 0, 0))


def test_an_eeg_under_the_names_of_leads_noise_and_a_flat_line_are_farther(
    diagnoser: Diagnoser, familiar: list[Recording]
) -> None:
    usual = distance(diagnoser, familiar)
    generator = np.random.default_rng(0)
    brain = eeg(Experiment(duration=4.0, sampling_rate=100.0), 0, 0).signal[:12]
    disguised = replace(familiar[0], signal=10 * brain)
    noise = [replace(one, signal=200 * generator.normal(size=one.signal.shape)) for one in familiar]
    flat = [replace(one, signal=np.zeros_like(one.signal)) for one in familiar]
    for strange in ([disguised], noise, flat):
        assert distance(diagnoser, strange) > 1.2 * usual


def test_swapped_arms_and_leads_upside_down_move_the_features(diagnoser: Diagnoser, familiar: list[Recording]) -> None:
    order = ("I", "III", "II", "aVL", "aVR", "aVF", *(f"V{k}" for k in range(1, 7)))
    assert set(order) == set(familiar[0].channels)
    swapped = [replace(one, signal=one.pick(order).signal * np.array([[-1.0]] + 11 * [[1.0]])) for one in familiar]
    upside = [replace(one, signal=-one.signal) for one in familiar]
    before = diagnoser.model.encode(familiar)
    scale = before.std(0).mean()
    for changed in (swapped, upside):
        # How far away is measured, and shown; that it is noticed is not promised.
        assert np.abs(diagnoser.model.encode(changed) - before).mean() > 0.1 * scale


def shown(diagnosis: Diagnosis, recording: Recording | None = None) -> str:
    console = Console(file=io.StringIO(), width=120)
    recording = ecg(seed=0, duration=5.0) if recording is None else recording
    console.print(as_table(Path("a [b].hea"), recording, diagnosis, every=False))
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("share", "words"), [(1.0, "than all of the"), (0.997, "than 99.7 % of the")])
def test_what_is_unlike_is_said_first_and_loudly(share: float, words: str) -> None:
    text = " ".join(shown(Diagnosis((), share)).split())
    assert "unlike the training records: farther from them" in text
    assert words in text
    assert text.index("unlike") < text.index("nothing is likely")


def said(term: str, answer: Answer, *, named: bool = False, excluded: float | None = 0.9) -> Said:
    concept = ConceptConfig(
        concept=term,
        term=term,
        abbreviation=term,
        threshold=0.5,
        slope=1.0,
        offset=0.0,
        limits=(0.5, excluded),
        positives=3,
        auroc=Estimate(value=None, low=None, high=None),
    )
    return Said(concept, 0.7 if named else 0.01, named, answer)


def test_an_answer_that_is_always_undecided_is_counted_and_not_listed() -> None:
    answers = (
        said("flutter", Answer.UNDECIDED),
        said("pacing", Answer.UNDECIDED, excluded=None),
        said("block", Answer.UNDECIDED, excluded=None),
        said("sinus", Answer.UNDECIDED, named=True, excluded=None),
        said("rhythm", Answer.NO),
    )
    text = shown(Diagnosis(answers, 0.5))
    assert "flutter" in text
    assert "sinus" in text
    assert not any(word in text for word in ("pacing", "block", "rhythm"))
    assert "too rare in validation to be excluded: 2 more" in text


@pytest.mark.parametrize("what", ["flat", "leads", "unit"])
def test_what_is_wrong_with_a_signal_is_said_before_its_findings(what: str) -> None:
    usual = ecg(seed=0, duration=5.0)
    noise = 200 * np.random.default_rng(0).normal(size=usual.signal.shape)
    signal = {"flat": np.zeros_like(usual.signal), "leads": noise, "unit": usual.signal / 1000}[what]
    text = shown(Diagnosis((), 0.5), replace(usual, signal=signal))
    assert what in text.split("wrong with the signal: ")[1].splitlines()[0]
    assert text.index("wrong with the signal") < text.index("nothing is likely")
    assert WORDS[QualityFlag(what)].split(":")[0] in " ".join(text.split())
    assert "wrong with the signal" not in shown(Diagnosis((), 0.5), usual)


def test_missing_leads_are_said_before_findings_in_the_table_and_on_the_picture(store: Path, tmp_path: Path) -> None:
    fixed = untrained("model.signal={encoder: resnet1d18, options: {width: 8, front_end: leads12}}")
    fixed.save_pretrained(tmp_path / "model")
    diagnoser = finetune(tmp_path / "model", Store(store), Tuning(min_positives=2, draws=10)).diagnoser
    holter = ecg(seed=0, duration=5.0).pick(["V1"])
    found = diagnoser.diagnose(holter)[0]
    assert found.missing == tuple(lead for lead in LEADS_12 if lead != "V1")
    text = " ".join(shown(found, holter).split())
    assert "11 leads that the model was made for are missing: I, II, III," in text
    assert heading(found)[0].startswith("a model says (11 leads missing")
    write_csv(tmp_path / "found.csv", [(Path("x"), holter, found)])
    assert "missing-leads" in (tmp_path / "found.csv").read_text()
    assert diagnoser.diagnose(ecg(seed=0, duration=5.0))[0].missing == ()


def test_what_is_like_them_is_said_too_and_neighbours_are_named() -> None:
    near = Neighbour("r [1]", "sim", ("1",), ("atrial fibrillation", "left axis deviation"), 0.913)
    text = shown(Diagnosis((), UNLIKE, (near, replace(near, record="r2", findings=()))))
    assert "like the training records: 99 % of their kind are nearer" in text
    assert "unlike" not in text
    assert "sim r [1]" in text
    assert "0.91" in text
    assert "atrial fibrillation, left axis deviation" in text
    assert "none stated" in text


def test_the_table_names_the_nearest(diagnoser: Diagnoser, familiar: list[Recording], tmp_path: Path) -> None:
    diagnosis = diagnoser.diagnose(familiar[0], nearest=2)[0]
    assert len(diagnosis.nearest) == 2
    write_csv(tmp_path / "said.csv", [(Path("x"), familiar[0], diagnosis)])
    lines = (tmp_path / "said.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].endswith(" ".join(f"{one.corpus}/{one.record}" for one in diagnosis.nearest))
