"""Two ways to make inputs: damage of many kinds, and mutations that are kept when they reach new lines of our code."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.attempt import prepared
from tests.fuzz.tally import Tally
from tests.fuzz.targets import TARGETS

_MEMORY = 8 << 30
# Seconds one file may take; a parser that needs more can be stopped from working by a small file.
_PATIENCE = 20
# Sound files with a little damage, to begin with.
_SEEDS = 16
_OURS = ["biosig", "ontology", "pretrain", "finetune"]

Engine = Callable[[str, Tally, float, int], None]


def damage(name: str, tally: Tally, seconds: float, seed: int) -> None:
    """Inputs of `tests.fuzz.mutate`: what disks, transfers and editors do. Nothing is learnt from one to the next."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    with prepared(TARGETS[name]) as attempt:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            signal.alarm(_PATIENCE)
            try:
                tally.run(attempt, attempt.damaged((seed << 32) + tally.tried))
            finally:
                signal.alarm(0)


def guided(name: str, tally: Tally, seconds: float, seed: int) -> None:
    """Inputs of atheris (libFuzzer): our packages are instrumented, and what reaches new branches is built upon."""
    import atheris

    with (tally.current.parent / "log").open("w") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    with (
        atheris.instrument_imports(include=["biosig", "ontology", "pretrain", "finetune"]),
        prepared(TARGETS[name]) as attempt,
    ):
        folder = tally.current.parent / "seeds"
        folder.mkdir()
        sound = [attempt.sound, *(attempt.damaged(number) for number in range(_SEEDS))]
        for number, content in enumerate(sound):
            (folder / str(number)).write_bytes(content)
        length = 2 * len(attempt.sound) + 256
        options = [
            *(f"-max_total_time={max(round(seconds), 1)}", f"-seed={seed + 1}", f"-max_len={length}"),
            *(f"-timeout={_PATIENCE}", f"-rss_limit_mb={_MEMORY >> 20}", "-verbosity=0"),
            f"-artifact_prefix={tally.current.parent}/",
        ]
        atheris.Setup([sys.argv[0], *options, str(folder)], lambda content: tally.run(attempt, content))
        atheris.Fuzz()


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {_PATIENCE} s")


ENGINES: dict[str, Engine] = {"damage": damage, "guided": guided}


def run(engine: str, name: str, *, seconds: float, seed: int, crashes: Path, scratch: Path) -> Tally:
    """One engine on one target, in a process of its own: what ends the process is an escape too."""
    tally = Tally(name, crashes, scratch / "current")
    process = multiprocessing.get_context("fork").Process(target=ENGINES[engine], args=(name, tally, seconds, seed))
    process.start()
    process.join()
    if process.exitcode:
        tally.keep("death", f"the process ended with {process.exitcode}")
    return tally
