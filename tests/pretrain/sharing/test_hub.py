"""A model goes to a hub and comes back the same: without pickles, without records of people, and strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load, save

from finetune.delineation.delineator import Delineator
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel
from pretrain.models.hub import push
from tests.finetune.test_export_diagnoser import diagnoser
from tests.pretrain.sharing.fake_hub import Hub, serving
from tests.pretrain.untrained import trained

huggingface_hub = pytest.importorskip("huggingface_hub")
REPO = "someone/a-model"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as server:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "made-up")
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


def test_there_and_back(hub: Hub, tmp_path: Path) -> None:
    model = trained()
    commit = model.push_to_hub(REPO, token="made-up")
    assert sorted(hub.files[REPO]) == ["README.md", "config.json", "model.safetensors", "training_set.json"]
    assert hub.private[REPO]
    back = FoundationModel.from_pretrained(REPO)
    assert back.tensor_report is not None
    assert back.tensor_report.complete
    assert back.training_set == model.training_set
    for name, value in model.state_dict().items():
        assert torch.equal(back.state_dict()[name], value)
    # What is in the cache needs no hub.
    before = len(hub.asked)
    FoundationModel.from_pretrained(REPO)
    assert len(hub.asked) == before
    assert commit == hub.sha(REPO)
    assert FoundationModel.from_pretrained(REPO, revision=commit).config == back.config
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match="expected a hub id with revision 'main', found a folder"):
        FoundationModel.from_pretrained(tmp_path / "model", revision="main")


def test_nobody_is_named_and_nothing_is_pickled(hub: Hub) -> None:
    trained().push_to_hub(REPO, token="made-up")
    sent = hub.files[REPO]
    assert set(json.loads(sent["training_set.json"])) == {"subjects", "waveforms"}
    assert load(sent["model.safetensors"])
    card = sent["README.md"].decode()
    fields = yaml.safe_load(card.split("---")[1])
    assert fields["license"] == "odc-by"
    assert fields["datasets"] == ["ludb"]
    assert f'from_pretrained("{REPO}")' in card
    assert "lists 1 people and 1 waveforms as hashes" in card


def test_only_known_kinds_of_file_are_sent(hub: Hub) -> None:
    def save_more(folder: Path) -> None:
        for name in ("m.safetensors", "README.md", "model.bin", "weights.pt", "training_records.parquet", "notes.txt"):
            (folder / name).write_bytes(b"x")

    push(save_more, REPO, token="made-up")
    assert sorted(hub.files[REPO]) == ["README.md", "m.safetensors"]


def test_weights_that_were_changed_on_the_hub_are_noticed(hub: Hub) -> None:
    trained().push_to_hub(REPO, token="made-up")
    weights = load(hub.files[REPO]["model.safetensors"])
    name = next(key for key in weights if key.endswith("filters.weight"))
    hub.files[REPO]["model.safetensors"] = save(weights | {name: weights[name].flip(0)})
    with pytest.raises(ModelError, match="these are not the weights"):
        FoundationModel.from_pretrained(REPO)


def test_a_weight_that_is_missing_on_the_hub_is_named(hub: Hub) -> None:
    trained().push_to_hub(REPO, token="made-up")
    weights = load(hub.files[REPO]["model.safetensors"])
    del weights[next(iter(weights))]
    hub.files[REPO]["model.safetensors"] = save(weights)
    with pytest.raises(ModelError, match="1 missing from the file"):
        FoundationModel.from_pretrained(REPO)


def test_a_diagnoser_goes_without_its_training_records(hub: Hub) -> None:
    made = diagnoser()
    made.push_to_hub(REPO, token="made-up")
    assert set(hub.files[REPO]) >= {"diagnoser.json", "diagnoser.safetensors", "model/config.json"}
    assert not [name for name in hub.files[REPO] if name.endswith(".parquet")]
    back = type(made).from_pretrained(REPO)
    assert back.config == made.config


def test_what_the_hub_refuses_is_one_line(hub: Hub) -> None:
    hub.refuse = 403
    with pytest.raises(ModelError, match=f"^{REPO}: the hub did not take the model: ") as caught:
        trained().push_to_hub(REPO, token="made-up")
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="expected the id of a repository"):
        trained().push_to_hub("no/such/name")
    with pytest.raises(ModelError, match="found no weights"):
        push(lambda _: None, REPO)
    with pytest.raises(ModelError, match="the hub did not give it"):
        FoundationModel.from_pretrained("someone/nothing")
    with pytest.raises(ModelError, match="the hub did not give it"):
        Delineator.from_pretrained("someone/nothing")
