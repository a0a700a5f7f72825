"""A network learns the waves of simulated ECG; it is saved, loaded and refused; it does not mind gain or order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from biosig.recording import Modality, Recording
from finetune.delineation.delineator import CONFIG, TENSORS, Delineator, DelineatorConfig
from finetune.delineation.scores import Tally, score
from finetune.delineation.training import Drawn, fit
from finetune.delineation.waves import WAVES, Wave, annotated
from pretrain.errors import ModelError
from tests.finetune.delineation.simulated import BUDGET, people
from tests.unsealed import unsealed


@pytest.fixture(scope="module")
def delineator() -> Delineator:
    drawn = Drawn.of(people(14))
    fitted = fit(drawn.take(range(11)), drawn.take([11, 12, 13]), seed=0, budget=BUDGET)
    config = DelineatorConfig(rules=fitted.rules, network=BUDGET.spec, members=1, training={"corpus": "simulated"})
    return Delineator([fitted.network], config)


@pytest.fixture(scope="module")
def stranger() -> Recording:
    return people(1, seed=7, duration=10.0)[0]


def test_waves_of_strangers_are_found(delineator: Delineator) -> None:
    recordings = people(4, seed=3)
    names = [f"{number}" for number in range(4)]
    tally = Tally.of(names, [annotated(one) for one in recordings], [delineator.delineate(one) for one in recordings])
    for one in score([tally], draws=10):
        if one.point == "peak" and one.wave is not Wave.QRS:
            assert one.annotated == 0  # the simulator tells no peaks but R
            continue
        assert one.sensitivity.value is not None
        assert one.sensitivity.value > 0.9, one
        assert one.ppv.value is not None
        assert one.ppv.value > 0.9, one
        assert one.sd.value is not None
        assert one.sd.value < 30, one


def test_order_gain_and_rate_do_not_matter(delineator: Delineator, stranger: Recording) -> None:
    right = delineator.delineate(stranger)
    order = [7, 3, 11, 0, 5, 9, 1, 2, 10, 4, 8, 6]
    turned = delineator.delineate(stranger.pick([stranger.channels[place] for place in order]))
    loud = delineator.delineate(replace(stranger, signal=stranger.signal * np.float32(3.7) + np.float32(200)))
    for lead in stranger.channels:
        for wave in WAVES:
            np.testing.assert_allclose(turned[lead][wave], right[lead][wave], atol=1e-4)
            np.testing.assert_allclose(loud[lead][wave], right[lead][wave], atol=2e-3)


def test_another_rate_a_single_lead_a_gap_and_a_flat_lead(delineator: Delineator, stranger: Recording) -> None:
    beats = len(delineator.delineate(stranger)["II"][Wave.QRS])
    faster = replace(stranger, signal=np.repeat(stranger.signal, 2, axis=1), sampling_rate=500.0)
    assert len(delineator.delineate(faster)["II"][Wave.QRS]) == beats
    assert abs(len(delineator.delineate(stranger.pick(["II"]))["II"][Wave.QRS]) - beats) <= 2
    torn = np.array(stranger.signal)
    torn[1, 600:640] = np.nan
    torn[4] = 0
    torn[5] = np.nan
    found = delineator.delineate(replace(stranger, signal=torn))
    assert abs(len(found["II"][Wave.QRS]) - beats) <= 1
    for lead in (stranger.channels[4], stranger.channels[5]):
        assert not any(len(found[lead][wave]) for wave in WAVES)


def test_saved_and_loaded_it_says_the_same(delineator: Delineator, stranger: Recording, tmp_path: Path) -> None:
    delineator.save_pretrained(tmp_path / "a")
    loaded = Delineator.from_pretrained(tmp_path / "a")
    assert loaded.config == delineator.config
    right, found = delineator.delineate(stranger), loaded.delineate(stranger)
    for lead in right:
        for wave in WAVES:
            np.testing.assert_array_equal(found[lead][wave], right[lead][wave])


def test_what_does_not_fit_is_refused(delineator: Delineator, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with pytest.raises(ModelError, match="not a biosig delineator"):
        Delineator.from_pretrained(folder)
    delineator.save_pretrained(folder)
    unsealed(folder / CONFIG)
    tensors = load_file(folder / TENSORS)
    save_file({name: value for name, value in tensors.items() if "out.bias" not in name}, folder / TENSORS)
    with pytest.raises(ModelError, match=r"does not fit delineator\.json.*out\.bias"):
        Delineator.from_pretrained(folder)
    (folder / TENSORS).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="does not fit"):
        Delineator.from_pretrained(folder)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"members": 0}))
    with pytest.raises(ModelError, match=r"members: .*greater than or equal to 1.*got 0"):
        Delineator.from_pretrained(folder)
    (folder / CONFIG).write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        Delineator.from_pretrained(folder)


@pytest.mark.parametrize(
    ("modality", "seconds", "message"),
    [(Modality.EEG, 5, "got 0 of 5 s"), (Modality.ECG, 0.5, r"got 1 of 0\.5 s")],
)
def test_without_ecg_there_are_no_waves(
    delineator: Delineator, modality: Modality, seconds: float, message: str
) -> None:
    name = "II" if modality is Modality.ECG else "Cz"
    recording = Recording(np.ones((1, int(250 * seconds)), np.float32), (name,), 250.0, (modality,), "r")
    with pytest.raises(ModelError, match=f"r: expected ECG leads of 1 s or more, {message}"):
        delineator.delineate(recording)
