"""The pages in a real browser: nothing is refused by the policy, the keys work, and there is something to see."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import uvicorn

from pretrain.browse.catalogue import Catalogue
from pretrain.browse.command import listen
from pretrain.browse.server import Pages
from pretrain.browse.sight import Sight
from tests.pretrain.browse.chromium import PROGRAM, Browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def address(catalogue: Catalogue, sight: Sight) -> Iterator[str]:
    """Of a real server on a free port."""
    socket = listen(0)
    server = uvicorn.Server(uvicorn.Config(Pages(catalogue, sight).application(), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_a_reader_walks_by_keys_alone(address: str, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(f"{address}/?sex=female")
        names = browser.ask("[...document.querySelectorAll('a.open')].map((one) => one.textContent)")
        for key in ("j", "ArrowDown", "j", "k"):
            browser.press(key)
        assert browser.ask("document.querySelector('tr[aria-current] a.open').textContent") == names[1]
        assert browser.ask("document.activeElement.textContent") == names[1], "the focus goes along"
        browser.press("Enter")
        browser.wait("document.querySelector('.picture img')?.complete && location.pathname === '/record'")
        assert browser.ask("document.querySelector('.picture img').naturalWidth") > 900
        seen = matplotlib.image.imread(browser.picture(tmp_path / "record.png"))[..., :3]
        pink = (seen[..., 0] > 0.9) & (seen[..., 1] < 0.9) & (seen[..., 1] > 0.5) & (seen[..., 0] - seen[..., 1] > 0.08)
        assert np.mean(pink) > 0.02, "ECG paper is seen"
        for key, name in (("j", names[2]), ("k", names[1])):
            browser.press(key)
            browser.wait(f"document.querySelector('h1')?.textContent.startsWith({name!r})")
        browser.press("Escape")
        browser.wait("location.pathname === '/' && location.search.includes('sex=female')")
        browser.press("?")
        assert browser.ask("document.getElementById('help').open")
        browser.press("Escape")
        browser.wait("!document.getElementById('help').open")
        browser.press("/")
        assert browser.ask("document.activeElement.id") == "search"
        browser.press("j")
        assert browser.ask("document.activeElement.value") == "j", "letters are letters where one writes"
        for page in ("/", "/graph", "/map", "/?by=concept&to=AF", "/record?in=store&id=sim000001"):
            browser.open(address + page)
            assert browser.ask("document.documentElement.scrollWidth <= innerWidth"), f"{page} is too wide"
        assert browser.complaints == []
