"""Exported towers answer as the model does, in every shape, and say what they are."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from biosig import encoders
from biosig.channels import LEADS_12, positions
from biosig.cli import build
from biosig.encoders import ENCODERS
from biosig.encoders.attention import Chosen, Everyone
from biosig.errors import BiosigError
from biosig.recording import Modality, Recording
from pretrain.errors import ModelError
from pretrain.export.network import Network, reference
from pretrain.export.program import check, program_of
from pretrain.export.write import Format, export
from pretrain.models.foundation import FoundationModel, Space
from pretrain.sharing.identity import identity
from tests.pretrain.untrained import untrained

# As small as each may be. The larger ones of a kind are more of the same layers.
SMALL = {
    "eeg_conv": "width: 8",
    "lead_transformer_tiny": "depth: 1",
    "patch_transformer_tiny": "depth: 1",
    "resnet1d18": "width: 8",
}


def made(name: str, *overrides: str, options: str = "") -> FoundationModel:
    return untrained(f"model.signal={{encoder: {name}, options: {{{options or SMALL.get(name, '')}}}}}", *overrides)


def kind(name: str) -> str:
    """Which code an encoder is: its name without its size."""
    return name.rstrip("0123456789").removesuffix("_tiny").removesuffix("_small").removesuffix("_base")


def test_every_kind_of_encoder_is_walked() -> None:
    assert {kind(name) for name in ENCODERS} == {kind(name) for name in SMALL}


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_the_network_says_what_the_model_says_of_a_recording(name: str) -> None:
    model = made(name, options=SMALL.get(name) or ("width: 8" if "resnet" in name else "depth: 1"))
    generator = np.random.default_rng(0)
    signal = generator.normal(0, 200, (12, 200)).astype(np.float32)
    signal[3] = np.nan
    signal[5, 50:60] = np.nan
    recording = Recording(signal, LEADS_12, 100.0, (Modality.ECG,) * 12)
    network = Network(model)
    there = torch.tensor(np.isfinite(signal).any(1))[None]
    place = torch.tensor(positions(LEADS_12, Modality.ECG))[None]
    with torch.no_grad():
        found = network(torch.tensor(signal)[None], there, place).numpy()
    np.testing.assert_allclose(found, model.encode(recording), atol=1e-5)


def test_torch_follows_a_patch_transformer_in_every_shape() -> None:
    # The other kinds are written to files below, and on docs/sharing.md.
    model = made("patch_transformer_tiny")
    network = Network(model)
    module = program_of(network).module()

    def answer(inputs: tuple[torch.Tensor, ...]) -> np.ndarray:
        with torch.no_grad():
            return module(*inputs).numpy()

    difference, shapes = check(Path("x"), network, answer, lambda inputs: reference(model, network, inputs))
    assert difference < 1e-5
    assert shapes == [(2, 12, 200), (1, 12, 200), (3, 10, 267)]


def test_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    ort = pytest.importorskip("onnxruntime")
    model = made("lead_transformer_tiny")
    found = export(model, tmp_path / "model.onnx", space=Space.SPHERE)
    assert found.difference < 1e-5
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"))
    session = ort.InferenceSession(tmp_path / "model.onnx")
    assert {one.name: one.shape for one in session.get_inputs()} == {
        "signal": ["batch", "channel", "time"],
        "mask": ["batch", "channel"],
        "position": ["batch", "channel", 3],
    }
    about = session.get_modelmeta().custom_metadata_map
    assert about["biosig.model"] == identity(model)
    assert (about["biosig.sampling_rate"], about["biosig.signal_unit"], about["biosig.space"]) == (
        "100",
        "uV",
        "sphere",
    )
    # A recording by way of the file and by way of the model, at another length than any that was compared.
    signal = np.random.default_rng(1).normal(0, 200, (2, 5, 333)).astype(np.float32)
    place = np.repeat(positions(LEADS_12[:5], Modality.ECG)[None], 2, axis=0)
    given = {"signal": signal, "mask": np.ones((2, 5), bool), "position": place}
    (answer,) = session.run(None, given)
    np.testing.assert_allclose(np.linalg.norm(answer, axis=1), 1, atol=1e-5)
    inputs = tuple(torch.tensor(given[name]) for name in ("signal", "mask", "position"))
    with torch.no_grad():
        right = reference(model, Network(model, Space.SPHERE), inputs).numpy()
    np.testing.assert_allclose(answer, right, atol=1e-5)


def test_onnx_of_a_residual_network_whose_stride_does_not_divide_the_signal(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    # A stride of two samples at 100 Hz; integer division in ONNX is rounded towards zero, in Python downwards.
    found = export(made("resnet1d18", options="width: 8"), tmp_path / "model.onnx")
    assert found.shapes[2][2] % 2 == 1
    assert found.difference < 1e-5


def test_a_torch_program_needs_no_biosig_and_has_weights_without_pickles(tmp_path: Path) -> None:
    model = made("resnet1d18", options="width: 8, front_end: leads12")
    model.save_pretrained(tmp_path / "model")
    result = CliRunner().invoke(build(), ["export", str(tmp_path / "model"), "--out", str(tmp_path / "model.pt2")])
    assert result.exit_code == 0, result.output
    assert "signal, mask in; off the model's own answers by at most" in result.output
    extra = {"biosig.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=extra)
    about = json.loads(extra["biosig.json"])
    assert about["biosig.channels"] == ", ".join(LEADS_12)
    with torch.no_grad():
        answer = program.module()(100 * torch.randn(4, 12, 250), torch.ones(4, 12, dtype=torch.bool))
    assert answer.shape == (4, model.signal.encoder.dim)
    with zipfile.ZipFile(tmp_path / "model.pt2") as archive:
        nested = [name for name in archive.namelist() if zipfile.is_zipfile(io.BytesIO(archive.read(name)))]
        assert all(not archive.read(name).startswith(b"\x80") for name in archive.namelist() if "weight_" not in name)
    # Torch's own record of the inputs is the one member that is a pickle within.
    assert [name.rpartition("data/")[2] for name in nested] == ["sample_inputs/model.pt"]


def test_a_model_of_two_modalities_wants_them_named() -> None:
    model = made("eeg_conv", "data.modalities=[ecg, eeg]")
    network = Network(model)
    assert network.inputs == ("signal", "mask", "position", "modality")
    inputs = network.example(2, 200, seed=0)
    with torch.no_grad():
        right = network(*inputs)
        # Microvolts of EEG are twenty times larger to the network.
        as_eeg = network(*inputs[:3], torch.full_like(inputs[3], 1))
        unknown = network(*inputs[:3], torch.full_like(inputs[3], 4))
        silent = network(inputs[0], torch.zeros_like(inputs[1]), *inputs[2:])
    assert not torch.allclose(right, as_eeg)
    np.testing.assert_allclose(unknown, silent, atol=1e-6)


def test_what_is_masked_has_no_influence_whatever_it_holds() -> None:
    network = Network(made("resnet1d18"))
    signal, mask, place = network.example(2, 200, seed=0)
    mask[:, 4] = False
    with torch.no_grad():
        before = network(signal, mask, place)
        signal[:, 4] = torch.inf
        np.testing.assert_array_equal(network(signal, mask, place), before)


def test_tokens_in_their_places_are_tokens_moved_together() -> None:
    torch.manual_seed(0)
    encoder = encoders.build("lead_transformer_tiny", sfreq=100.0, depth=2).eval()
    signal, where = torch.randn(3, 4, 150), torch.randn(3, 4, 3)
    mask = torch.tensor([[True, False, True, True], [False] * 4, [False, True, False, False]])
    with torch.no_grad():
        encoder.gather = Chosen
        moved = encoder(signal, where, mask)
        encoder.gather = Everyone
        np.testing.assert_allclose(encoder(signal, where, mask), moved, atol=1e-5)


def test_a_file_that_says_something_else_does_not_get_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("eeg_conv")

    def save(program: object, about: object, path: Path) -> object:
        path.write_bytes(b"something else")
        return lambda _: lambda inputs: np.zeros((len(inputs[0]), model.signal.encoder.dim))

    monkeypatch.setattr("pretrain.export.write.program_of", lambda _: None)
    monkeypatch.setattr("pretrain.export.write.save_program", save)
    with pytest.raises(ModelError, match=r"the answers differ from the model's by .* \(allowed 0\.0001\)"):
        export(model, tmp_path / "model.pt2", form=Format.TORCH)
    assert not list(tmp_path.iterdir())


def test_what_torch_cannot_follow_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("eeg_conv")
    monkeypatch.setattr("pretrain.export.network.Network.pooled", lambda self, signal, *_: signal[: int(signal.sum())])
    with pytest.raises(ModelError, match=r"^Composed: torch cannot export this encoder: ") as caught:
        export(model, tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)
    with pytest.raises(BiosigError, match=r"expected a name that ends in \.onnx, got '\.pt2'"):
        export(model, tmp_path / "model.pt2")


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    made("eeg_conv").save_pretrained(tmp_path / "model")
    for arguments, said in (
        (["--out", "x.bin"], r"x.bin: expected a name that ends in .onnx or .pt2"),
        (["--out", "x.onnx", "--space", "cube"], "expected features or sphere"),
    ):
        result = CliRunner().invoke(build(), ["export", str(tmp_path / "model"), *arguments])
        assert said in str(result.exception)
