"""A model is saved and loaded exactly, refuses what it was not made for, and knows whom it has seen."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from biosig.recording import Modality, Recording
from biosig.store import Store
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel, Space, random_like
from pretrain.models.montage import collate
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from tests.networks import prepared
from tests.pretrain.tiny import TINY
from tests.unsealed import unsealed


@pytest.fixture(scope="module")
def folder(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = parse(TINY, overrides=["optimiser.steps=3"])
    return pretrain(recipe, [store], tmp_path_factory.mktemp("runs") / "run", console=Console(quiet=True)).model


@pytest.fixture(scope="module")
def model(folder: Path) -> FoundationModel:
    return FoundationModel.from_pretrained(folder)


def test_the_folder_says_everything(folder: Path, model: FoundationModel, store: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "training_set.json"]
    config = json.loads((folder / "config.json").read_text())
    assert config["intake"]["sampling_rate"] == 100
    assert config["intake"]["window_seconds"] == 2
    assert config["intake"]["preprocessing"] == {"steps": [{"kind": "resample", "rate": 100.0}]}
    assert len(config["ontology"]["concepts"]) >= 40
    assert config["report_encoder"]["dim"] == 384
    assert config["provenance"]["recipe"]["name"] == "tiny"
    assert config["provenance"]["stores"][0]["sha256"] == Store(store).fingerprint
    assert config["provenance"]["stores"][0]["records"]["train"] == len(Store(store).rows("train"))
    assert "torch" in config["provenance"]["versions"]
    assert str(folder.parent.parent) not in json.dumps(config), "a path of this machine"
    assert model.tensor_report is not None
    assert model.tensor_report.complete


def test_saved_and_loaded_is_the_same(folder: Path, model: FoundationModel, store: Path, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "again")
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name
    again = FoundationModel.from_pretrained(tmp_path / "again")
    np.testing.assert_array_equal(again.encode(Store(store)), model.encode(Store(store)))


def test_recordings_and_their_store_are_encoded_alike(model: FoundationModel, store: Path) -> None:
    opened = Store(store)
    rows = np.array([5, 0, 17])
    from_store = model.encode(opened, rows)
    from_recordings = model.encode([opened.recording(int(row)) for row in rows])
    assert from_store.shape == (3, model.signal.encoder.dim)
    assert from_store.dtype == np.float32
    np.testing.assert_allclose(from_recordings, from_store, atol=1e-5)
    np.testing.assert_allclose(model.encode(opened.recording(5))[0], from_store[0], atol=1e-5)
    np.testing.assert_allclose(model.encode(opened, rows, batch_size=1), from_store, atol=1e-5)
    sphere = model.encode(opened, rows, space=Space.SPHERE)
    np.testing.assert_allclose(np.linalg.norm(sphere, axis=1), 1, atol=1e-5)
    assert model.encode([]).shape == (0, model.signal.encoder.dim)


def test_a_long_recording_is_the_mean_of_windows_that_cover_it(model: FoundationModel, store: Path) -> None:
    long = Store(store).recording(0)
    assert long.n_times == 400
    halves = [replace(long, signal=long.signal[:, part]) for part in (slice(0, 200), slice(200, 400))]
    np.testing.assert_allclose(model.encode(long)[0], model.encode(halves).mean(0), atol=1e-5)
    longer = replace(long, signal=long.signal[:, :301])
    spread = [replace(long, signal=long.signal[:, start : start + 200]) for start in (0, 101)]
    np.testing.assert_allclose(model.encode(longer)[0], model.encode(spread).mean(0), atol=1e-5)


def test_a_recording_at_another_rate_is_brought_to_the_models_own(model: FoundationModel, store: Path) -> None:
    recording = Store(store).recording(0)
    # At ten times the rate and back: the resampling of the stored preprocessing does the way back.
    fine = replace(recording, signal=np.repeat(recording.signal, 10, axis=1), sampling_rate=1000.0)
    a, b = model.encode(recording)[0], model.encode(fine)[0]
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.9


def test_what_the_model_was_not_made_for_is_refused(
    model: FoundationModel, corpus: Path, store: Path, tmp_path: Path
) -> None:
    eeg = Recording(np.zeros((2, 400), np.float32), ("Cz", "Pz"), 100.0, (Modality.EEG,) * 2, record_id="eeg1")
    with pytest.raises(ModelError, match=r"eeg1: the model was made for ecg; the recording has eeg"):
        model.encode(eeg)
    empty = replace(Store(store).recording(0), signal=np.zeros((12, 0), np.float32))
    with pytest.raises(ModelError, match="0 samples"):
        model.encode(empty)
    slow = Store(prepared(corpus, tmp_path / "slow", rate=50.0, limit=3))
    with pytest.raises(ModelError, match=r"slow: the model was made for 100 Hz, the store is at 50 Hz"):
        model.encode(slow)
    with pytest.raises(ModelError, match="rows are chosen of a store"):
        model.encode(eeg, np.array([0]))


def test_channels_of_other_kinds_do_not_matter(model: FoundationModel, store: Path) -> None:
    ecg = Store(store).recording(0)
    noise = np.random.default_rng(0).normal(0, 50, (1, ecg.n_times)).astype(np.float32)
    mixed = replace(
        ecg,
        signal=np.concatenate([ecg.signal, noise]),
        channels=(*ecg.channels, "Cz"),
        modality=(*ecg.modality, Modality.EEG),
    )
    np.testing.assert_allclose(model.encode(mixed), model.encode(ecg), atol=1e-6)


def test_text_and_concepts_are_on_the_sphere(model: FoundationModel) -> None:
    vectors = model.encode_text(["atrial fibrillation", "sinus rhythm"])
    concepts = model.encode_concepts()
    assert vectors.shape == (2, 16)
    assert concepts.shape == (len(model.concepts), 16)
    for rows in (vectors, concepts):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_towers_that_were_not_trained_are_not_there(store: Path, tmp_path: Path) -> None:
    for name, overrides, asked in (
        ("text", ["model.concept=null", "objectives=[{name: signal_language}]"], "concept"),
        ("concept", ["model.text=null", "objectives=[{name: graph_smoothed}]"], "text"),
    ):
        recipe = parse(TINY, overrides=["optimiser.steps=3", *overrides])
        path = pretrain(recipe, [store], tmp_path / name, console=Console(quiet=True)).model
        model = FoundationModel.from_pretrained(path)
        with pytest.raises(ModelError, match=f"has no {asked} tower"):
            _ = model.encode_concepts() if asked == "concept" else model.encode_text(["a"])


@pytest.mark.parametrize("embedding", ["graph", "text"])
def test_every_kind_of_concept_tower_is_saved_and_loaded(store: Path, tmp_path: Path, embedding: str) -> None:
    recipe = parse(TINY, overrides=["optimiser.steps=3", f"model.concept.embedding={embedding}"])
    path = pretrain(recipe, [store], tmp_path / "run", console=Console(quiet=True)).model
    model = FoundationModel.from_pretrained(path)
    fresh = random_like(model, 1)
    assert not np.allclose(fresh.encode_concepts(), model.encode_concepts())
    if embedding == "text":
        assert fresh.concept is not None
        assert model.concept is not None
        assert torch.equal(fresh.concept.words, model.concept.words)


def test_a_random_model_has_the_shapes_and_leaves_the_random_state_alone(model: FoundationModel, store: Path) -> None:
    state = torch.get_rng_state()
    one, same, other = random_like(model, 1), random_like(model, 1), random_like(model, 2)
    assert torch.equal(torch.get_rng_state(), state)
    opened = Store(store)
    features = [each.encode(opened) for each in (model, one, same, other)]
    assert len({each.shape for each in features}) == 1
    np.testing.assert_array_equal(features[1], features[2])
    assert not np.allclose(features[1], features[3])
    assert not np.allclose(features[1], features[0])
    assert one.training_set is None
    assert one.config.provenance is None


def test_the_model_knows_whom_it_has_seen(model: FoundationModel, store: Path) -> None:
    opened = Store(store)
    assert model.training_set is not None
    np.testing.assert_array_equal(np.flatnonzero(model.training_set.seen(opened)), opened.rows("train"))


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "model"))


def test_weights_that_do_not_fit_are_named(folder: Path, tmp_path: Path) -> None:
    path = copied(folder, tmp_path)
    tensors = load_file(path / "model.safetensors")
    tensors["signal.projection.layers.wight"] = tensors.pop("signal.projection.layers.weight")
    tensors["signal.projection.layers.bias"] = torch.zeros(3)
    save_file(tensors, path / "model.safetensors")
    with pytest.raises(ModelError) as caught:
        FoundationModel.from_pretrained(path)
    message = str(caught.value)
    assert f"{len(tensors) - 2} tensors match" in message
    assert "1 missing from the file: signal.projection.layers.weight" in message
    assert "1 unexpected in the file: signal.projection.layers.wight" in message
    assert "1 of another shape: signal.projection.layers.bias [3], expected [16]" in message
    assert "\n" not in message


def test_changed_weights_give_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    path = copied(folder, tmp_path)
    tensors = load_file(path / "model.safetensors")
    tensors["signal.projection.layers.weight"][0] *= 1.5
    save_file(tensors, path / "model.safetensors")
    with pytest.raises(ModelError, match="fingerprint: signal: the answer to the fixed input differs by"):
        FoundationModel.from_pretrained(path)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda path: (path / "config.json").unlink(), r"not a biosig model: there is no config\.json"),
        (lambda path: (path / "config.json").write_text("{"), r"config\.json: not JSON"),
        (lambda path: edit(path, "version", 2), r"config\.json: version: .*got 2"),
        (lambda path: edit(path, "towers", 2), r"config\.json: towers: no such field"),
        (lambda path: (path / "model.safetensors").unlink(), r"model\.safetensors: weights that cannot be read"),
        (lambda path: (path / "model.safetensors").write_bytes(b"x" * 100), r"weights that cannot be read"),
        (
            lambda path: (path / "training_set.json").write_text("{}"),
            r"training_set\.json: expected the file",
        ),
        (lambda path: (path / "training_set.json").unlink(), r"training_set\.json: cannot be read"),
    ],
)
def test_a_damaged_folder_is_an_error_that_names_the_file(
    folder: Path, tmp_path: Path, break_it: Callable[[Path], object], message: str
) -> None:
    path = copied(folder, tmp_path)
    break_it(path)
    with pytest.raises(ModelError, match=message):
        FoundationModel.from_pretrained(path)


def test_the_folder_of_a_run_names_the_model_in_it(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run" / "model")
    with pytest.raises(
        ModelError, match=r"run: not a biosig model: there is no config\.json; there is one in .*run/model"
    ):
        FoundationModel.from_pretrained(tmp_path / "run")


def edit(folder: Path, field: str, value: object) -> None:
    unsealed(folder / "config.json", **{field: value})


def test_a_preprocessing_that_was_edited_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = copied(folder, tmp_path) / "config.json"
    config = json.loads(path.read_text())
    config["intake"]["preprocessing"]["steps"].append({"kind": "notch", "frequency": 50})
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"config\.json: changed since it was written: sha256: expected"):
        FoundationModel.from_pretrained(path.parent)


def test_an_ontology_that_was_edited_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = copied(folder, tmp_path)
    config = unsealed(path / "config.json")
    config["ontology"]["concepts"][0]["term"] = "something else"
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="ontology: expected a graph of fingerprint"):
        FoundationModel.from_pretrained(path)


def test_a_fixed_montage_takes_leads_in_any_order_and_masks_what_is_not_there(
    model: FoundationModel, store: Path
) -> None:
    recording = Store(store).recording(0)
    assert model.config.intake.leads == recording.channels
    mixed = recording.pick(recording.channels[::-1])
    np.testing.assert_allclose(model.encode(mixed), model.encode(recording), atol=1e-6)
    few = recording.pick(("V1", "II"))
    gone = recording.signal.copy()
    gone[[name not in few.channels for name in recording.channels]] = np.nan
    np.testing.assert_allclose(model.encode(few), model.encode(replace(recording, signal=gone)), atol=1e-6)
    chest = recording.pick(("V6", "V5"))
    gone = recording.signal.copy()
    gone[:10] = np.nan
    np.testing.assert_allclose(
        model.encode(chest), model.encode(replace(recording, signal=gone)), atol=1e-6, err_msg="V6 is not lead I"
    )
    shuffled = collate([mixed], np.array([0]), 200)
    with pytest.raises(ModelError, match=r"made for the leads I, II, .* in this order; a batch of 12 channels is not"):
        model.embed(shuffled)
    with pytest.raises(ModelError, match=r"made for the leads I, II, .*; the recording has MLII"):
        model.encode(replace(recording.pick(("II",)), channels=("MLII",)))
