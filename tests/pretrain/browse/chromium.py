"""A headless Chromium on a pipe: the DevTools protocol needs no library for the little that is asked of it.

Chrome DevTools Protocol over `--remote-debugging-pipe`: JSON on the descriptors 3 and 4, each message ended by a zero.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
# Of keys that Chromium itself acts on.
_VIRTUAL = {"Enter": 13, "Escape": 27}


class Browser:
    """One page, for a `with` statement."""

    def __init__(self, profile: Path, *, width: int = 1360, height: int = 900, dark: bool = False) -> None:
        assert PROGRAM is not None
        (theirs_in, self._to), (self._from, theirs_out) = os.pipe(), os.pipe()
        quiet = os.open(os.devnull, os.O_RDWR)
        command = [PROGRAM, *_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        ends = ((theirs_in, 3), (theirs_out, 4), (quiet, 1), (quiet, 2))
        # First to places out of the way: an end may already have the number that another is to get.
        away = [(os.POSIX_SPAWN_DUP2, end, 100 + wanted) for end, wanted in ends]
        moves = [(os.POSIX_SPAWN_DUP2, 100 + wanted, wanted) for _, wanted in ends]
        self._process = os.posix_spawn(PROGRAM, command, os.environ, file_actions=[*away, *moves])
        for end in (theirs_in, theirs_out, quiet):
            os.close(end)
        self._number, self._rest, self._session = 0, b"", ""
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Log.enable")
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._process, signal.SIGTERM)
        os.waitpid(self._process, 0)
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask Chromium and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                block = os.read(self._from, 1 << 20)
                assert block, "Chromium ended"
                self._rest += block
            text, self._rest = self._rest.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("method") == "Log.entryAdded":
                self.complaints.append(answer["params"]["entry"]["text"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def open(self, address: str) -> None:
        """Go to a page and wait until it and its pictures are there."""
        self.call("Page.navigate", url=address)
        self.wait("[...document.images].every((one) => one.complete)")

    def wait(self, expression: str, seconds: float = 15) -> None:
        """Until a page is there, its script too, and something holds in it."""
        end = time.monotonic() + seconds
        while not self.ask(f"document.readyState === 'complete' && ({expression})"):
            assert time.monotonic() < end, f"{expression}: not within {seconds} s"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """A key, down and up."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            typed = text if kind == "keyDown" else {}
            virtual = _VIRTUAL.get(key, 0)
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=virtual, **typed)

    def picture(self, path: Path, *, whole: bool = False) -> Path:
        """What is seen, as PNG."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))
        return path
