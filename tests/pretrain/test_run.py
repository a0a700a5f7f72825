"""The run folder: made whole, compared before resuming, its log cut where the steps are done again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pretrain.errors import TrainingError
from pretrain.recipe import Recipe
from pretrain.training.run import Run, difference, versions

FACTS: dict[str, Any] = {"stores": [{"sha256": "a", "folds": (1, 2)}], "versions": versions(), "precision": "float32"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1, "b": [1, {"c": 2}]}, {"a": 1, "b": [1, {"c": 2}]}, None),
        ({"a": 1, "b": [1, {"c": 2}]}, {"a": 1, "b": [1, {"c": 3}]}, ("b.1.c", 2, 3)),
        ({"a": [1]}, {"a": [1, 2]}, ("a", [1], [1, 2])),
        ({"a": 1}, {"a": 1, "b": None}, None),
        ({"a": 1}, {"a": 1, "b": 0}, ("b", None, 0)),
        ({"a": {"b": 1}}, {"a": None}, ("a", {"b": 1}, None)),
    ],
)
def test_the_first_field_that_differs(old: Any, new: Any, expected: object) -> None:
    assert difference(old, new) == expected


def test_what_changed_is_refused_or_noted(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(tiny(), FACTS)
    assert run.check(tiny(), FACTS) == ()
    elsewhere = {**FACTS, "versions": {**FACTS["versions"], "torch": "9.9"}, "precision": "bf16"}
    notes = run.check(tiny(), elsewhere)
    assert notes == (f"torch was {FACTS['versions']['torch']}, is now 9.9", "precision was float32, is now bf16")
    with pytest.raises(TrainingError, match=r"another data: stores\.0\.sha256 was 'a', is now 'b'"):
        run.check(tiny(), {**FACTS, "stores": [{"sha256": "b", "folds": (1, 2)}]})
    with pytest.raises(TrainingError, match=r"another recipe: objectives\.1\.options\.sigma was 1\.0, is now 2"):
        run.check(tiny("objectives.1.options.sigma=2"), FACTS)
    for damaged, why in (
        ("{", "Expecting property name"),
        ("[]", r"run\.json: expected fields with values, got \[\]"),
        ('{"versions": 3}', r"run\.json: versions: expected fields with values, got 3"),
    ):
        (run.folder / "run.json").write_text(damaged)
        with pytest.raises(TrainingError, match=f"not a run that can be resumed: {why}"):
            run.check(tiny(), FACTS)
    for content in (b"\xff", b"[1]", b"[" * 5000, b"a: b: c"):
        (run.folder / "recipe.yaml").write_bytes(content)
        with pytest.raises(TrainingError, match=r"^[^\n]*not a run that can be resumed: [^\n]*$"):
            run.check(tiny(), FACTS)


def test_two_processes_do_not_go_on_with_one_run(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(tiny(), FACTS)
    with run.held():
        other = Run(tmp_path / "run")
        with pytest.raises(TrainingError, match="run: another process is at this run"), other.held():
            pass
    with run.held():
        pass


def test_whoever_makes_the_folder_first_has_it(
    tiny: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = Run(tmp_path / "run"), Run(tmp_path / "run")
    first.start(tiny(), FACTS)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as it was when the other one looked
    with pytest.raises(TrainingError, match="run: cannot be written: Directory not empty"):
        late.start(tiny("optimiser.batch_size=8"), FACTS)
    monkeypatch.undo()
    assert first.check(tiny(), FACTS) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_lines_of_the_log_that_are_damaged_go(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(tiny(), FACTS)
    run.log.write_bytes(b'{"step": 1}\n\xff\x00{"step": 2}\n{"step": 3}\n{"step": 9}\n{"st')
    run.cut_log(3)
    assert run.log.read_text() == '{"step": 1}\n{"step": 3}\n'


def test_how_a_run_is_carried_out_may_change(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(tiny("training.processes=4"), {**FACTS, "processes": 4})
    changed = tiny("training.processes=1", "training.timeout_minutes=2", "optimiser.micro_batch=8")
    assert run.check(changed, FACTS) == ("processes was 4, is now 1", "micro_batch was None, is now 8")
    with pytest.raises(TrainingError, match=r"another recipe: optimiser\.batch_size was 16, is now 8"):
        run.check(tiny("optimiser.batch_size=8"), FACTS)


def test_a_folder_is_not_taken_over(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(TrainingError, match="exists already"):
        Run(tmp_path / "run").start(tiny(), FACTS)


def test_the_log_forgets_what_will_be_done_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for step in (1, 2, 3):
        run.write_log({"step": step, "train": {"loss": 1.0}})
    with run.log.open("a") as file:
        file.write('{"step": 2, "train": {"lo')  # the line a killed writer was at
    run.cut_log(2)
    assert [json.loads(line)["step"] for line in run.log.read_text().splitlines()] == [1, 2]
