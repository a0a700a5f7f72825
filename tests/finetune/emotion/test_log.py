from __future__ import annotations

import json
from pathlib import Path

import pytest

from biosig.errors import BiosigError
from finetune.emotion.log import Finished, Log

HEAD = {"target": "mood", "k": 5}


def finished(row: str = "chance", fold: int = 0, seed: int = 0) -> Finished:
    return Finished(row, fold, seed, (3, 4), {"causal": [[0.1, 0.9], [0.5, 0.5]]}, {"C": 0.1}, 1.5)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = Log(tmp_path / "new" / "folds.jsonl", HEAD)
    written = [finished("chance", 0), finished("chance", 1), finished("random", 0, 2)]
    for one in written:
        log.add(one)
    again = Log(log.path, HEAD)
    assert list(again.finished.values()) == written == list(log.finished.values())
    assert again.of(["chance"], [0]) == written[:2]
    assert again.of(["random"], [0, 1]) == []


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_the_line_of_a_killed_writer_is_forgotten(tmp_path: Path, cut: int) -> None:
    log = Log(tmp_path / "folds.jsonl", HEAD)
    log.add(finished(fold=0))
    log.add(finished(fold=1))
    log.path.write_bytes(log.path.read_bytes()[:-cut])
    again = Log(log.path, HEAD)
    assert list(again.finished.values()) == [finished(fold=0)]
    again.add(finished(fold=2))
    assert [key[1] for key in Log(log.path, HEAD).finished] == [0, 2]


def test_another_experiment_is_refused_by_its_field(tmp_path: Path) -> None:
    Log(tmp_path / "folds.jsonl", HEAD)
    with pytest.raises(BiosigError, match=r"folds.jsonl: is of an experiment with k 5, not 4; give another --out"):
        Log(tmp_path / "folds.jsonl", {**HEAD, "k": 4})
    with pytest.raises(BiosigError, match="is of an experiment with shots None, not 2"):
        Log(tmp_path / "folds.jsonl", {**HEAD, "shots": 2})


@pytest.mark.parametrize("content", ["", "[]\n", "nonsense\n"])
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "folds.jsonl").write_text(content)
    with pytest.raises(BiosigError, match="line 1: expected what experiment it is of"):
        Log(tmp_path / "folds.jsonl", HEAD)


@pytest.mark.parametrize("line", ["nonsense", "{}", "[1, 2]", '{"row": "x", "trials": 3}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    log = Log(tmp_path / "folds.jsonl", HEAD)
    log.add(finished())
    with log.path.open("a") as file:
        file.write(f"{line}\n{json.dumps({'more': 1})}\n")
    with pytest.raises(BiosigError, match="line 3: expected a finished fold"):
        Log(log.path, HEAD)
