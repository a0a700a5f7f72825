"""An audit counts what is there, and finds whoever and whatever is on two sides."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from biosig.commands import audit as commands
from biosig.errors import StoreError
from biosig.splits import Split
from biosig.store import Store, audit, leaks, prepare
from tests.biosig.store.fake import FakeCorpus, heart, write_record

TRAIN, VALIDATION, TEST, UNUSED = 1, 7, 8, 0


def make(folder: Path, name: str, records: dict[str, dict[str, object]]) -> Store:
    source = folder / f"{name}-source"
    source.mkdir(parents=True)
    for record, content in records.items():
        write_record(source, record, **content)  # type: ignore[arg-type]
    prepare(FakeCorpus(), source, folder / name, workers=0, progress=False)
    return Store(folder / name)


def clean() -> dict[str, dict[str, object]]:
    return {"a": {"fold": TRAIN}, "b": {"fold": VALIDATION}, "c": {"fold": TEST}, "d": {"fold": TEST, "subject": "s-c"}}


def test_a_clean_store_is_counted(tmp_path: Path) -> None:
    flat = heart(9, leads=2)
    flat[1] = 0
    report = audit(make(tmp_path, "store", {**clean(), "e": {"signal_": flat, "fold": UNUSED}, "f": {"does": "exit"}}))
    assert report.ok
    assert report.problems == ()
    assert (report.records, report.subjects) == (5, 4)
    assert report.hours == pytest.approx((4 * 4 + 10) / 3600)
    assert report.rates == {250.0: 5}
    assert {role: (side.records, side.subjects) for role, side in report.sides.items()} == {
        "train": (1, 1), "validation": (1, 1), "test": (2, 1), "unused": (1, 1),
    }  # fmt: skip
    assert [(len(layout.channels), layout.records) for layout in report.layouts] == [(3, 4), (2, 1)]
    assert report.concepts == {"164889003": 5, "426783006": 5}
    assert report.quality == {"flat": 1}
    assert [skipped.record for skipped in report.skipped] == ["f", "refused"]
    assert report.missing == 1
    assert report.duplicates == ()


def test_a_subject_on_two_sides(tmp_path: Path) -> None:
    store = make(tmp_path, "store", {**clean(), "e": {"fold": TEST, "subject": "s-a"}})
    (problem,) = audit(store).problems
    assert problem == "subject s-a of fake is on several sides: test (record e), train (record a)"
    assert leaks([store]) == [problem]


def test_a_subject_that_takes_no_side_twice_is_no_problem(tmp_path: Path) -> None:
    assert audit(make(tmp_path, "store", {**clean(), "e": {"fold": UNUSED, "subject": "s-a"}})).ok


def test_another_split_is_another_answer(tmp_path: Path) -> None:
    store = make(tmp_path, "store", {"a": {"fold": 1, "subject": "x"}, "b": {"fold": 2, "subject": "x"}})
    assert audit(store).ok
    assert not audit(store, Split(train=(1,), validation=(), test=(2,))).ok


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_a_waveform_on_two_sides(tmp_path: Path, gain: float) -> None:
    x = heart(5, leads=3)
    records = {**clean(), "e": {"signal_": x, "fold": TRAIN}, "f": {"signal_": x * gain, "fold": TEST}}
    store = make(tmp_path, "store", records)
    (problem,) = audit(store).problems
    said = "the same samples are" if gain == 1 else "nearly the same waveform is"
    assert problem == f"{said} on several sides: test (record f), train (record e)"


def test_a_waveform_twice_on_one_side_is_counted_and_no_problem(tmp_path: Path) -> None:
    x = heart(5, leads=3)
    store = make(tmp_path, "store", {"e": {"signal_": x, "fold": 1}, "f": {"signal_": x, "fold": 2}, "g": {"fold": 8}})
    report = audit(store)
    assert report.ok
    assert len(report.duplicates) == 1


def test_across_two_stores(tmp_path: Path) -> None:
    x = heart(5, leads=3)
    first = make(tmp_path, "first", {"a": {"signal_": x, "fold": TRAIN}, "b": {"fold": TRAIN, "subject": "same"}})
    second = make(tmp_path, "second", {"c": {"signal_": x * 2, "fold": TEST}, "d": {"fold": TEST, "subject": "same"}})
    assert audit(first).ok
    assert audit(second).ok
    problems = audit(first, other=second).problems
    assert problems == (
        "subject same of fake is on several sides: test (record d of second), train (record b of first)",
        "nearly the same waveform is on several sides: test (record c of second), train (record a of first)",
    )
    assert leaks([first, second]) == list(problems)


def test_a_changed_file(tmp_path: Path) -> None:
    store = make(tmp_path, "store", clean())
    path = tmp_path / "store" / "shard-00000.npy"
    content = bytearray(path.read_bytes())
    content[300] ^= 4
    path.write_bytes(content)
    seen: list[int] = []
    (problem,) = audit(Store(store.path), advance=seen.append).problems
    assert "shard-00000.npy: sha256: expected" in problem
    assert sum(seen) == sum(file.size for file in store.info.files.values())


def command(*stores: Path) -> Result:
    app = typer.Typer()
    app.command()(commands.audit)
    return CliRunner().invoke(app, list(map(str, stores)), env={"COLUMNS": "160"})


def test_the_command_says_what_is_wrong_by_its_exit_status(tmp_path: Path) -> None:
    x = heart(5, leads=3)
    first = make(tmp_path, "first", {**clean(), "x": {"signal_": x, "fold": TRAIN}, "bad": {"does": "record error"}})
    second = make(tmp_path, "second", {"y": {"signal_": x, "fold": TEST}})
    good = command(first.path)
    assert good.exit_code == 0, good.output
    for expected in ("A corpus of the tests", "250 Hz (5)", "I, II, III", "164889003", "atrial fibrillation",
                     "skipped bad  bad.npz: gain", "whole and without leaks"):  # fmt: skip
        assert expected in good.stdout, expected
    both = command(first.path, second.path)
    assert both.exit_code == 1
    assert (
        "problem the same samples are on several sides: test (record y of second), train (record x of first)"
        in both.stdout
    )
    assert isinstance(command(tmp_path).exception, StoreError)
