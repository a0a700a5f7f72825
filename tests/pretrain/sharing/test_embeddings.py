"""Embeddings as a table: the same numbers as `encode`, whole or not there, and saying what they are of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import biosig
from biosig.cli import build
from biosig.recording import Modality, Recording
from biosig.store import Store
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel, Space
from pretrain.sharing.embeddings import write_embeddings
from tests.networks import prepared
from tests.pretrain.untrained import untrained


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model"
    untrained().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> FoundationModel:
    return FoundationModel.from_pretrained(folder)


@pytest.mark.parametrize("space", Space)
def test_a_row_a_record_is_what_encode_gives(
    space: Space, model: FoundationModel, fewer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pretrain.sharing.embeddings._CHUNK", 17)
    store, seen = Store(fewer), []
    written = write_embeddings(model, [store], tmp_path / "all.parquet", space=space, advance=seen.append)
    table = pd.read_parquet(tmp_path / "all.parquet")
    assert sum(seen) == written.rows == len(table) == len(store)
    np.testing.assert_allclose(np.stack(table["embedding"]), model.encode(store, space=space), atol=1e-5)
    for name in ("record", "subject", "corpus", "fold"):
        assert table[name].tolist() == store.records[name].tolist()
    assert [set(some) for some in table["concepts"]] == [set(some) for some in store.records["concepts"]]
    kind = pq.read_schema(tmp_path / "all.parquet").field("embedding").type
    assert pa.types.is_fixed_size_list(kind)
    assert kind.list_size == written.dim == table["embedding"][0].size


def test_the_file_says_what_it_is_of(folder: Path, model: FoundationModel, fewer: Path, tmp_path: Path) -> None:
    write_embeddings(model, [Store(fewer)], tmp_path / "all.parquet")
    about = json.loads(pq.read_schema(tmp_path / "all.parquet").metadata[b"biosig"])
    assert about["model"] == hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()
    assert about["stores"][0]["sha256"] == Store(fewer).fingerprint
    assert (about["space"], about["rows"], about["sampling_rate"]) == ("features", "records", 100)
    assert about["version"]


def test_a_row_a_window_has_its_start_and_its_mean_is_the_records(
    model: FoundationModel, fewer: Path, tmp_path: Path
) -> None:
    store = Store(fewer)
    write_embeddings(model, [store], tmp_path / "windows.parquet", windows=True)
    table = pd.read_parquet(tmp_path / "windows.parquet")
    # Four seconds in windows of two.
    assert table["start"].tolist() == [0.0, 2.0] * len(store)
    means = np.stack([np.mean(np.stack(part), axis=0) for _, part in table.groupby("record", sort=False)["embedding"]])
    np.testing.assert_allclose(means, model.encode(store), atol=1e-5)


def test_what_the_model_does_not_take_is_an_error_or_left_out_and_nothing_is_half_written(
    model: FoundationModel, corpus: Path, fewer: Path, tmp_path: Path
) -> None:
    good = Store(fewer).recording(0)
    eeg = Recording(np.zeros((2, 400), np.float32), ("Cz", "Pz"), 100.0, (Modality.EEG,) * 2, record_id="eeg1")
    out = tmp_path / "some.parquet"
    with pytest.raises(ModelError, match="eeg1: the model was made for ecg"):
        write_embeddings(model, [[good, eeg]], out)
    assert not list(tmp_path.iterdir())
    said: list[ModelError] = []
    assert write_embeddings(model, [[good, eeg]], out, left_out=said.append).rows == 1
    assert "eeg1" in str(said[0])
    table = pd.read_parquet(out)
    np.testing.assert_allclose(np.stack(table["embedding"]), model.encode(good), atol=1e-6)
    before = out.read_bytes()
    slow = Store(prepared(corpus, tmp_path / "slow", rate=50.0, limit=2))
    with pytest.raises(ModelError, match="prepare it with --rate 100"):
        write_embeddings(model, [slow], out)
    assert out.read_bytes() == before


def test_the_command(folder: Path, fewer: Path, tmp_path: Path) -> None:
    biosig.to_wfdb(Store(fewer).recording(0), tmp_path / "mine")
    (tmp_path / "broken.hea").write_text("nonsense")
    files = [str(tmp_path / "mine.hea"), str(tmp_path / "broken.hea")]
    out = tmp_path / "all.parquet"
    result = CliRunner().invoke(build(), ["embed", str(folder), str(fewer), *files, "--out", str(out)])
    assert result.exit_code == 2
    assert "61 embeddings of 64 numbers" in result.output
    assert "left out: broken.hea" in result.output
    assert pd.read_parquet(out)["record"].tolist()[-1] == "mine"
    wrong = CliRunner().invoke(build(), ["embed", str(folder), str(fewer), "--out", str(out), "--space", "cube"])
    assert "expected features or sphere, got 'cube'" in str(wrong.exception)
