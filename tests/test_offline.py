"""Nothing but `biosig download`, and a hub id, leaves the machine: every test runs with the network blocked."""

from __future__ import annotations

import socket
import urllib.request

import pytest
import urllib3

from biosig.cli import main
from pretrain.errors import ModelError
from pretrain.models.hub import model_folder
from tests.offline import NetworkUsedError


def test_the_guard_bites() -> None:
    with pytest.raises(NetworkUsedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(NetworkUsedError):
        socket.socket().connect_ex(("192.0.2.1", 80))
    with pytest.raises(NetworkUsedError):
        urllib.request.urlopen("http://example.org")
    with pytest.raises(NetworkUsedError):
        urllib3.PoolManager(retries=False).request("GET", "http://example.org/")


def test_this_machine_may_be_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_download_is_what_leaves_the_machine(tmp_path: str) -> None:
    with pytest.raises(NetworkUsedError):
        main(["download", "ludb", f"{tmp_path}/ludb"])


def test_a_hub_id_leaves_it_and_not_when_told_to_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="the hub did not give it"):
        model_folder("nobody/no-such-model")


@pytest.mark.parametrize("model", ["diagnoser", "tests/no-such-model", "./runs/x"])
def test_a_mistyped_folder_is_not_looked_for_on_the_hub(model: str) -> None:
    with pytest.raises(ModelError, match="expected the folder of a model"):
        model_folder(model)
