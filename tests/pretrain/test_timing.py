"""The clock of a step: every moment counts once, and where nobody asks nothing is measured."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console

from pretrain.recipe import Recipe
from pretrain.training.profiling import show_profile
from pretrain.training.session import pretrain
from pretrain.training.timing import OF_A_STEP, Clock, Part, Profile, StepClock


class Hours:
    """A clock's clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    found = Hours()
    monkeypatch.setattr(time, "perf_counter", found)
    return found


def test_parts_within_parts_count_once_and_the_first_steps_not_at_all(hours: Hours) -> None:
    clock = StepClock(torch.device("cpu"), warm_up=1)
    for step in range(3):
        slow = 100 if step == 0 else 1
        with clock.part(Part.DATA):
            hours.now += 2 * slow
        with clock.part(Part.BACKWARD):
            hours.now += 3
            with clock.part(Part.FORWARD):
                hours.now += 5
            hours.now += 1
        hours.now += 7
        if step == 2:
            with clock.part(Part.VALIDATION):
                hours.now += 11
                with clock.part(Part.FORWARD):
                    hours.now += 13
        clock.end_step()
    profile = clock.profile()
    assert profile is not None
    expected = {Part.DATA: 2, Part.FORWARD: 5, Part.LOSS: 0, Part.BACKWARD: 4, Part.OPTIMISER: 0, Part.OTHER: 7}
    assert profile.seconds == expected
    assert profile.beside == {Part.VALIDATION: (1, 24)}
    assert profile.steps == 2
    assert profile.step == 18
    assert profile.slowest is Part.OTHER


def test_an_error_within_a_part_leaves_the_clock_right(hours: Hours) -> None:
    clock = StepClock(torch.device("cpu"), warm_up=0)

    def fail() -> None:
        hours.now += 1
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"), clock.part(Part.LOSS):
        fail()
    hours.now += 2
    clock.end_step()
    found = clock.profile()
    assert found is not None
    assert (found.seconds[Part.LOSS], found.seconds[Part.OTHER]) == (1, 2)


def test_a_clock_that_does_not_run_has_nothing_to_say() -> None:
    clock = Clock()
    with clock.part(Part.DATA):
        pass
    clock.end_step()
    assert clock.profile() is None
    assert StepClock(torch.device("cpu")).profile() is None, "no step after those that warm up"


def test_the_slowest_part_is_told_in_words_and_processes_are_compared() -> None:
    seconds = dict.fromkeys(OF_A_STEP, 0.1) | {Part.DATA: 0.5}
    profile = Profile(7, seconds, {Part.CHECKPOINT: (2, 3.0)})
    shown = io.StringIO()
    rows = [list(seconds.values()), [0.7, *list(seconds.values())[1:]]]
    show_profile(profile, rows, Console(file=shown, width=200))
    text = shown.getvalue()
    assert re.search(r"data\s+│\s+600.0\s+│\s+54.5%\s+│\s+700.0", text)
    assert "checkpoint: 2 times, 1.50 s each" in text
    assert re.search(r"slowest: waiting for data: .* \(55% of a step\)", text)


@pytest.mark.parametrize("micro_batch", ["null", "4"], ids=["whole", "micro-batches"])
def test_a_run_tells_where_its_steps_went(
    tiny: Callable[..., Recipe], store: Path, tmp_path: Path, micro_batch: str
) -> None:
    shown = io.StringIO()
    recipe = tiny("training.profile=true", f"optimiser.micro_batch={micro_batch}")
    began = time.perf_counter()
    pretrain(recipe, [store], tmp_path / "run", console=Console(file=shown, width=160))
    took = time.perf_counter() - began
    assert "slowest: " in shown.getvalue()
    assert "validation: 3 times" in shown.getvalue()
    *_, entry = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    parts = entry["profile"]
    assert entry["profiled_steps"] == 9
    assert set(parts) == set(OF_A_STEP)
    assert all(parts[name] > 0 for name in ("data", "forward", "loss", "backward", "optimiser"))
    assert 9 * sum(parts.values()) < took
