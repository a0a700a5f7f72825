"""From stores to batches: who trains, in which order, with which words and labels."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import ontology
from biosig.sealed import sealed
from biosig.store import Store
from pretrain.data.labels import Labels, Reports
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.models.leakage import TrainingSet, check_subjects
from pretrain.models.text import ReportEncoder
from pretrain.recipe import Recipe
from pretrain.specs.recipe import LabelScope
from tests.networks import prepared

Tiny = Callable[..., Recipe]
GRAPH = ontology.cardiac()


def data_of(recipe: Recipe, *stores: Path, text: bool = False) -> PretrainingData:
    return PretrainingData(stores, recipe, GRAPH, ReportEncoder() if text else None)


def test_a_batch_carries_what_the_objectives_need(tiny: Tiny, store: Path) -> None:
    data = data_of(tiny("data.augment=[]"), store, text=True)
    batch, table = data.train_batch(0), Store(store).records
    rows = batch["row"].numpy()
    assert batch["signal"].shape == (16, 12, 200)
    assert data.names(batch) == table["record"].iloc[rows].tolist()
    for place, row in enumerate(rows):
        stated = {GRAPH.observed[k] for k in batch["labels"][place].nonzero().flatten().tolist()}
        assert stated == set(table["concepts"].iloc[row]) & set(GRAPH.observed)
    reports = table["report"].iloc[rows].to_numpy()
    same_text, same_id = reports[:, None] == reports, batch["report_id"][:, None] == batch["report_id"]
    np.testing.assert_array_equal(same_text, same_id.numpy())
    torch.testing.assert_close(batch["report"], torch.from_numpy(ReportEncoder().encode(reports.tolist())))


def test_order_and_windows_depend_on_seed_and_step_alone(tiny: Tiny, store: Path) -> None:
    one, other = data_of(tiny(), store), data_of(tiny(), store)
    steps = [7, 0, 3]
    first = {step: one.train_batch(step) for step in steps}
    for step in reversed(steps):
        for name, value in other.train_batch(step).items():
            assert torch.equal(value, first[step][name]), (step, name)
    assert not torch.equal(data_of(tiny("seed=1"), store).train_batch(0)["row"], first[0]["row"])


def test_an_epoch_takes_every_training_record_and_no_other(tiny: Tiny, store: Path) -> None:
    data, opened = data_of(tiny("data.window_seconds=4", "optimiser.batch_size=5"), store), Store(store)
    batches = [data.train_batch(step)["row"] for step in range(data.batches_per_epoch)]
    seen = torch.cat(batches).tolist()
    trains = opened.rows("train").tolist()
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(trains)
    assert len(trains) - len(seen) < 5
    assert data.position(data.batches_per_epoch + 1) == {"epoch": 1, "batch": 1, "windows": len(trains)}
    watched = torch.cat([batch["row"] for batch in data.validation_batches()]).tolist()
    assert watched
    assert set(watched) <= set(opened.rows("validation").tolist())


def test_two_stores_are_one_set(tiny: Tiny, corpus: Path, store: Path, tmp_path: Path) -> None:
    other = renamed(store, tmp_path / "other", corpus="elsewhere")
    data = data_of(tiny("optimiser.batch_size=40"), store, other)
    rows = data.train_batch(0)["row"].numpy()
    count = len(Store(store))
    assert (rows < count).any()
    assert (rows >= count).any()
    assert len(data.names(data.train_batch(0))) == 40


def test_the_rate_of_the_recipe_is_asked_for(tiny: Tiny, corpus: Path, tmp_path: Path) -> None:
    slow = prepared(corpus, tmp_path / "slow", rate=50.0, limit=40)
    with pytest.raises(
        TrainingError,
        match=r"slow: the store is at 50 Hz, .* data\.sampling_rate 100; prepare it with --rate 100, or .*=50$",
    ):
        data_of(tiny(), slow)


def test_a_store_is_given_once(tiny: Tiny, store: Path) -> None:
    with pytest.raises(TrainingError, match="each of them once"):
        data_of(tiny(), store, store)


def test_a_subject_on_both_sides_of_two_stores_of_a_corpus_is_refused(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    opened = Store(store)
    other = renamed(store, tmp_path / "other", fold=[opened.split.test[0]] * len(opened))
    check_subjects({"store": opened})
    check_subjects({"other": Store(other)})
    with pytest.raises(TrainingError, match=r"other: subject '.*' of simulated is in the test role and also trains"):
        data_of(tiny(), store, other)


def test_a_copy_of_a_held_out_waveform_does_not_train(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    opened = Store(store)
    prints = opened.records["fingerprint"].tolist()
    copy, original = opened.rows("train")[0], opened.rows("test")[0]
    prints[copy] = prints[original]
    leaking = renamed(store, tmp_path / "leaking", fingerprint=prints)
    data = data_of(tiny(), leaking)
    assert data.examples.duplicates == 1
    assert copy not in data.examples.train[0]
    assert len(data.examples.train[0]) == len(opened.rows("train")) - 1


def test_a_training_set_knows_its_own_again(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    opened = Store(store)
    seen = data_of(tiny(), store).training_set()
    np.testing.assert_array_equal(np.flatnonzero(seen.seen(opened)), opened.rows("train"))
    renamed_store = Store(renamed(store, tmp_path / "other", corpus="elsewhere"))
    np.testing.assert_array_equal(seen.seen(renamed_store), seen.seen(opened), "known again by waveform")
    seen.save(tmp_path / "seen.json")
    assert TrainingSet.load(tmp_path / "seen.json", seen.sha256) == seen


def test_reports_and_labels_may_be_missing() -> None:
    reports = Reports.of(["Sinus rhythm.", "", None, "sinus rhythm"], ReportEncoder())
    assert reports.ids.tolist() == [0, -1, -1, 0]
    assert reports.texts == ("sinus rhythm",)
    taken = reports.take(np.array([-1, 0]))
    assert (taken[0] == 0).all()
    assert np.linalg.norm(taken[1]) == pytest.approx(1)
    assert Reports.of(["", None], ReportEncoder()).take(np.array([-1, -1])).shape == (2, 384)

    af, flutter = GRAPH.find("AF").id, GRAPH.find("AFL").id
    table = pd.DataFrame(
        {
            "corpus": "folder",
            "sub_corpus": "",
            "concepts": [[af], [], [af]],
            "codes": [[{"system": "snomed-ct", "code": af}], [], [{"system": "scp-ecg", "code": "AFIB"}]],
        }
    )
    labels = Labels.of(table, GRAPH, LabelScope.STATED)
    assert labels.stated.sum(1).tolist() == [1, 0, 1]
    assert labels.known[0, GRAPH.index(flutter)], "absence of flutter was stated"
    assert not labels.known[1].any(), "nothing is known of a record without codes"
    with_ancestors = Labels.of(table, GRAPH, LabelScope.ANCESTORS)
    assert (with_ancestors.stated | ~labels.stated).all()
    assert (with_ancestors.known | ~with_ancestors.stated).all()


def renamed(store: Path, folder: Path, **columns: object) -> Path:
    """A copy of a store with some columns of its records changed."""
    shutil.copytree(store, folder)
    path = folder / "records.parquet"
    table = pq.read_table(path)
    for name, values in columns.items():
        place, field = table.schema.get_field_index(name), table.schema.field(name)
        full = [values] * len(table) if isinstance(values, str) else list(values)  # type: ignore[call-overload]
        table = table.set_column(place, field, pa.array(full, type=field.type))
    pq.write_table(table, path)
    info = json.loads((folder / "store.json").read_text())
    content = path.read_bytes()
    info["files"]["records.parquet"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "store.json").write_text(json.dumps(sealed(info)))
    return folder


def test_channels_come_in_the_order_a_fixed_montage_wants(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    opened = Store(store)
    backwards = [list(channels)[::-1] for channels in opened.records["channels"]]
    other = renamed(store, tmp_path / "backwards", channels=backwards)
    straight, turned = (data_of(tiny("data.augment=[]"), path).train_batch(0) for path in (store, other))
    torch.testing.assert_close(turned["signal"], straight["signal"].flip(1))
    torch.testing.assert_close(turned["position"], straight["position"])
    free = tiny("data.augment=[]", "model.signal.options.front_end=montage_free")
    torch.testing.assert_close(data_of(free, other).train_batch(0)["signal"], straight["signal"])
