"""What became of the inputs of one target: counted where the parent can see it, however the child ends."""

from __future__ import annotations

import traceback
from multiprocessing.sharedctypes import RawArray
from pathlib import Path

from tests.fuzz.attempt import Attempt


class Tally:
    """Counts that two processes share, and the inputs that escaped.

    Args:
        name: Of the target.
        crashes: Where inputs that escaped are kept.
        current: Where the last input is kept, should the process die of it.
    """

    def __init__(self, name: str, crashes: Path, current: Path) -> None:
        self.name, self.crashes, self.current = name, crashes, current
        self._counts = RawArray("q", 3)
        self._kinds: set[str] = set()

    @property
    def tried(self) -> int:
        """Inputs."""
        return int(self._counts[0])

    @property
    def escaped(self) -> int:
        """Inputs that made something else of the parser than a result or an error of ours."""
        return int(self._counts[2])

    def run(self, attempt: Attempt, content: bytes) -> None:
        """Try one input."""
        self._counts[0] += 1
        self.current.write_bytes(content)
        try:
            self._counts[1] += attempt.run(content)
        except Exception as error:  # noqa: BLE001 -- whatever escapes is what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            self.keep(kind, f"{kind}: {str(error)[:200]!r}")

    def keep(self, kind: str, shown: str) -> None:
        """Note that the current input escaped; the first of each kind is kept and shown."""
        self._counts[2] += 1
        if kind not in self._kinds:
            self._kinds.add(kind)
            self.crashes.mkdir(parents=True, exist_ok=True)
            (self.crashes / f"{self.name}-{self.tried}").write_bytes(self.current.read_bytes())
            print(f"  {self.name} {self.tried}: {shown}", flush=True)

    def __str__(self) -> str:
        tried, read, escaped = self._counts
        refused = tried - read - escaped
        return f"{self.name:26} {tried:8} tried {read:8} read {refused:8} refused {escaped:6} escaped"
