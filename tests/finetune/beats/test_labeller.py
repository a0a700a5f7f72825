"""A network learns the beats of simulated hearts; it is saved, loaded and refused; order and gain do not matter."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from biosig.recording import Recording
from finetune.beats.aami import BEATS, Beat
from finetune.beats.choices import Context
from finetune.beats.crossfit import crossfit, network_fit
from finetune.beats.intake import annotated_classes, labelled_strip
from finetune.beats.labeller import CONFIG, TENSORS, BeatLabeller, BeatLabellerConfig
from finetune.beats.network import BeatNet, BeatSpec
from finetune.beats.peers import boosted_trees, features
from finetune.beats.rhythm import RhythmModel
from pretrain.errors import ModelError
from tests.finetune.beats.simulated import BUDGET, person
from tests.unsealed import unsealed

RHYTHM = RhythmModel(mean=(0.0,) * 7, scale=(1.0,) * 7, weights=(0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0), intercept=6.0)


@pytest.fixture(scope="module")
def labeller() -> BeatLabeller:
    strips = [labelled_strip(person(number)) for number in range(8)]
    networks: list[BeatNet] = []
    folds = [[str(number) for number in range(8) if number % 2 == fold] for fold in range(2)]
    fitted = crossfit(strips, folds, network_fit(0, BUDGET, networks), RHYTHM)
    assert sorted(who for fact in fitted.facts for who in fact["validation_people"]) == sorted(map(str, range(8)))
    config = BeatLabellerConfig(
        offsets=fitted.offsets, network=BUDGET.spec, members=2, rhythm=RHYTHM, training={"corpus": "simulated"}
    )
    return BeatLabeller(networks, config)


@pytest.fixture(scope="module")
def stranger() -> Recording:
    return person(50, duration=30.0)


def test_premature_beats_of_strangers_are_told(labeller: BeatLabeller) -> None:
    right, there = dict.fromkeys("NSV", 0), dict.fromkeys("NSV", 0)
    for number in range(30, 34):
        recording = person(number, duration=40.0)
        peaks, labels = annotated_classes(recording)
        found = labeller.label(recording, peaks)
        for place, beat in zip(labels, found.classes, strict=True):
            there[BEATS[place]] += 1
            right[BEATS[place]] += BEATS[place] is beat
    assert min(there.values()) >= 15
    assert all(right[beat] > 0.85 * there[beat] for beat in "NSV"), (right, there)


def test_trees_learn_them_too() -> None:
    strips = [labelled_strip(person(number)) for number in range(6)]
    label = boosted_trees(strips[:5], trees=15)
    told = label(strips[5]).argmax(1)
    assert (told == strips[5].labels).mean() > 0.9
    assert features(strips[5]).shape == (len(strips[5]), 24 + 25)


def test_order_gain_and_a_missing_lead_do_not_matter(labeller: BeatLabeller, stranger: Recording) -> None:
    peaks, _ = annotated_classes(stranger)
    right = labeller.label(stranger, peaks)
    turned = labeller.label(stranger.pick(["V1", "II"]), peaks)
    np.testing.assert_allclose(turned.probabilities, right.probabilities, atol=1e-4)
    loud = labeller.label(replace(stranger, signal=stranger.signal * np.float32(3.0) + np.float32(100)), peaks)
    np.testing.assert_allclose(loud.probabilities, right.probabilities, atol=2e-3)
    torn = np.array(stranger.signal)
    torn[1] = np.nan
    alone = labeller.label(stranger.pick(["II"]), peaks)
    np.testing.assert_allclose(
        labeller.label(replace(stranger, signal=torn), peaks).probabilities, alone.probabilities, atol=1e-5
    )
    # neurokit2 misses some of the simulated ventricular beats.
    assert 0.7 * len(peaks) <= len(labeller.label(stranger).peaks) <= len(peaks) + 2


def test_a_network_of_the_past_does_not_see_later_beats() -> None:
    torch.manual_seed(0)
    for context, seen in ((Context.PAST, 0), (Context.BOTH, 6)):
        network = BeatNet(BeatSpec(context=context, widths=(4, 6), size=8, dilations=(1, 2))).eval()
        windows, mask, rr = torch.randn(1, 40, 2, 2, 96), torch.ones(1, 2, dtype=torch.bool), torch.randn(1, 40, 8)
        right = network(windows, mask, rr)
        windows[:, 20:], rr[:, 20:] = 0.5, 2.0
        changed = (network(windows, mask, rr) - right).abs().amax(-1)[0] > 1e-6
        assert changed.nonzero()[0].item() == 20 - seen


def test_saved_and_loaded_it_says_the_same(labeller: BeatLabeller, stranger: Recording, tmp_path: Path) -> None:
    labeller.save_pretrained(tmp_path / "a")
    loaded = BeatLabeller.from_pretrained(tmp_path / "a")
    assert loaded.config == labeller.config
    right, found = labeller.label(stranger), loaded.label(stranger)
    np.testing.assert_array_equal(found.probabilities, right.probabilities)
    assert (found.classes, found.episodes) == (right.classes, right.episodes)


def test_what_does_not_fit_is_refused(labeller: BeatLabeller, stranger: Recording, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with pytest.raises(ModelError, match="not a biosig labeller of beats"):
        BeatLabeller.from_pretrained(folder)
    labeller.save_pretrained(folder)
    unsealed(folder / CONFIG)
    tensors = load_file(folder / TENSORS)
    save_file({name: value for name, value in tensors.items() if name != "1.out.bias"}, folder / TENSORS)
    with pytest.raises(ModelError, match=r"does not fit beats\.json.*1\.out\.bias"):
        BeatLabeller.from_pretrained(folder)
    (folder / TENSORS).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="does not fit"):
        BeatLabeller.from_pretrained(folder)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"offsets": [0, 1]}))
    with pytest.raises(ModelError, match=r"offsets\.2: Field required"):
        BeatLabeller.from_pretrained(folder)
    rhythm = config["rhythm"] | {"weights": [1.0]}
    for wrong, message in (
        ({"rhythm": rhythm}, r"rhythm\.weights: Tuple should have at least 7 items"),
        ({"members": 10**9}, r"members: .*less than or equal to 1000"),
        ({"net\nwork": 1}, r"net\\nwork: Extra inputs are not permitted"),
        ({"offsets": [0, 0, 0, float("inf")]}, "expected finite numbers, got Infinity"),
    ):
        (folder / CONFIG).write_text(json.dumps(config | wrong))
        with pytest.raises(ModelError, match=message):
            BeatLabeller.from_pretrained(folder)
    huge = json.dumps(config | {"rhythm": config["rhythm"] | {"intercept": "huge"}}).replace('"huge"', "1e999")
    (folder / CONFIG).write_text(huge)
    with pytest.raises(ModelError, match=r"rhythm\.intercept: Input should be a finite number"):
        BeatLabeller.from_pretrained(folder)
    (folder / CONFIG).write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        BeatLabeller.from_pretrained(folder)
    flat = replace(stranger, signal=np.zeros_like(stranger.signal))
    with pytest.raises(ModelError, match=r"50: expected heart beats in II, V1, found none"):
        labeller.label(flat)


def test_the_command_labels_a_recording(labeller: BeatLabeller, stranger: Recording, tmp_path: Path) -> None:
    import typer

    from biosig.simulate.files import write_record
    from finetune.beats.command import beats

    labeller.save_pretrained(tmp_path / "model")
    app = typer.Typer()
    app.command()(beats)
    write_record(stranger, tmp_path, steps_per_microvolt=10.0, comments={})
    path = tmp_path / f"{stranger.record_id}.hea"
    done = CliRunner().invoke(app, [str(path), "--model", str(tmp_path / "model"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "normal, bundle branch block" in done.output
    with (tmp_path / "out/beats.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {line["class"] for line in lines} <= {beat.value for beat in Beat}
    assert all(abs(sum(float(line[f"probability_{k}"]) for k in "NSVF") - 1) < 1e-3 for line in lines)
    assert (tmp_path / "out/episodes.csv").read_text().startswith("begin,end")
    assert len(list((tmp_path / "out").glob("*.png"))) == 2
    assert ("annotated beats" in done.output) is path.with_suffix(".atr").is_file()


def test_the_beats_may_be_those_of_a_delineator(labeller: BeatLabeller, stranger: Recording, tmp_path: Path) -> None:
    from finetune.beats.reading import qrs_peaks
    from finetune.delineation.delineator import Delineator
    from finetune.delineation.waves import Wave

    peaks, _ = annotated_classes(stranger)

    def delineate(self: Delineator, recording: Recording) -> dict[str, dict[Wave, np.ndarray]]:
        # One lead late by 20 ms, the other early: the median is between.
        shifts = {"II": 0.02, "V1": -0.02}
        return {
            lead: {Wave.QRS: np.stack([peaks + shift - 0.04, peaks + shift, peaks + shift + 0.04], axis=1)}
            for lead, shift in shifts.items()
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Delineator, "from_pretrained", classmethod(lambda cls, folder: object.__new__(cls)))
        patch.setattr(Delineator, "delineate", delineate)
        found = qrs_peaks(tmp_path, stranger)
    np.testing.assert_allclose(found, peaks, atol=1e-9)
    assert len(labeller.label(stranger, found).classes) == len(peaks)
