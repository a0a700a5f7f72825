"""Fuzzing for a set time: `python -m tests.fuzz --seconds 600 [TARGET ...]`. Exit status 1 if anything escaped."""

from __future__ import annotations

import argparse
import faulthandler
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.attempt import Attempt, prepared
from tests.fuzz.targets import TARGETS

_MEMORY = 8 << 30
# Seconds one file may take; a parser that needs more can be stopped from working by a small file.
_PATIENCE = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=sorted(TARGETS), metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0, help="other numbers, other damage")
    parser.add_argument("--crashes", type=Path, default=Path("fuzz-crashes"), help="where inputs that escaped are kept")
    options = parser.parse_args()
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    escaped = 0
    for name in options.targets:
        with prepared(TARGETS[name]) as attempt:
            escaped += _fuzz(name, attempt, options.seconds / len(options.targets), options.seed << 32, options.crashes)
    return 1 if escaped else 0


def _fuzz(name: str, attempt: Attempt, seconds: float, first: int, crashes: Path) -> int:
    """Inputs for a time; prints how many were tried, read and refused, and each kind of escape once."""
    end = time.monotonic() + seconds
    tried = read = 0
    seen: dict[str, int] = {}
    while time.monotonic() < end:
        signal.alarm(_PATIENCE)
        try:
            read += attempt.run(first + tried)[1]
        except Exception as error:  # noqa: BLE001 -- whatever escapes is what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            if kind not in seen:
                crashes.mkdir(parents=True, exist_ok=True)
                (crashes / f"{name}-{first + tried}{attempt.file.suffix}").write_bytes(attempt.file.read_bytes())
                print(f"  {name} {first + tried}: {kind}: {str(error)[:200]!r}")
            seen[kind] = seen.get(kind, 0) + 1
        finally:
            signal.alarm(0)
        tried += 1
    escaped = sum(seen.values())
    print(f"{name:20} {tried:8} tried {read:8} read {tried - read - escaped:8} refused {escaped:6} escaped", flush=True)
    return escaped


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {_PATIENCE} s")


if __name__ == "__main__":
    sys.exit(main())
