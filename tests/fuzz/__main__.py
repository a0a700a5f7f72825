"""Fuzzing for a set time: `python -m tests.fuzz --seconds 600 [TARGET ...]`. Exit status 1 if anything escaped."""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
from pathlib import Path

from tests.fuzz.engines import ENGINES, run
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=sorted(TARGETS), metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=60.0, help="of trying, for all targets together")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="damage", help="how inputs are made")
    parser.add_argument("--seed", type=int, default=0, help="other numbers, other inputs")
    parser.add_argument("--crashes", type=Path, default=Path("fuzz-crashes"), help="where inputs that escaped are kept")
    options = parser.parse_args()
    faulthandler.enable()
    tried = escaped = 0
    for name in options.targets:
        with tempfile.TemporaryDirectory() as scratch:
            share = {"seconds": options.seconds / len(options.targets), "seed": options.seed}
            tally = run(options.engine, name, **share, crashes=options.crashes, scratch=Path(scratch))
        print(tally, flush=True)
        tried, escaped = tried + tally.tried, escaped + tally.escaped
    print(f"{options.engine}: {len(options.targets)} targets, {tried} inputs tried, {escaped} escaped")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
