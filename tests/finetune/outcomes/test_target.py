"""Targets of a store's own columns and of CSV tables: what is missing, strange or wrong is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.store import Store
from finetune.outcomes.target import Kind, from_column, from_table


def write(folder: Path, text: str) -> Path:
    path = folder / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_column_of_the_store(store: Path) -> None:
    target = from_column(Store(store), "age")
    np.testing.assert_array_equal(target.values, Store(store).records["age"])
    assert target.kind is Kind.REGRESSION
    assert target.unit == "years"
    with pytest.raises(BiosigError, match="no record has a known heart_rate; prepare it again with --physiology"):
        from_column(Store(store), "heart_rate")
    with pytest.raises(BiosigError, match=r"--target: expected one of age, .* got 'height'"):
        from_column(Store(store), "height")


def test_a_table_of_records_with_gaps_and_strangers(store: Path, tmp_path: Path) -> None:
    opened = Store(store)
    names = opened.column("record")
    lines = [f"{names[0]},1.5", f"{names[1]},", f"{names[2]},NA", "nobody,3", f"{names[3]},-2"]
    target = from_table(opened, write(tmp_path, "\n".join(["record,potassium", *lines])), "potassium")
    np.testing.assert_array_equal(target.values[:4], [1.5, np.nan, np.nan, -2])
    assert np.isnan(target.values[4:]).all()
    assert target.remarks == ("outcomes.csv names records that the store does not have: nobody.",)


def test_a_table_of_subjects_says_it_of_all_their_records(store: Path, tmp_path: Path) -> None:
    opened = Store(store)
    subjects = np.array(opened.column("subject"))
    twice = max(set(subjects), key=list(subjects).count)
    lines = [f"{twice},2.5,yes", f"{next(one for one in subjects if one != twice)},3,"]
    target = from_table(opened, write(tmp_path, "\n".join(["subject,years,died", *lines])), "years", "died")
    assert (target.name, target.kind, target.unit) == ("died", Kind.SURVIVAL, "years")
    np.testing.assert_array_equal(target.known, subjects == twice)
    np.testing.assert_array_equal(target.event, subjects == twice)
    assert target.known.sum() > 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,years,died\n1,2,1", "header: expected a column 'record' or 'subject', got 'patient, years, died'"),
        ("record,years\nsim000000,2", "header: expected a column 'died', got 'record, years'"),
        ("record,years,died\nsim000000,soon,1", "line 2: years: expected a number, got 'soon'"),
        ("record,years,died\nsim000000,inf,1", "line 2: years: expected a number, got 'inf'"),
        ("record,years,died\nsim000000,-1,1", "line 2: years: expected a time of 0 or more, got '-1'"),
        ("record,years,died\nsim000000,1,maybe", "line 2: died: expected 1 or 0, got 'maybe'"),
        ("record,years,died\nsim000000,1,1\nsim000000,2,1", "line 3: record: 'sim000000' is there already"),
        ("record,years,died\nsim000000,1", "line 2: expected 3 fields"),
        ("record,years,died\na,1,1\nb,1,1", r"record: expected names of the store \(sim000000, \.\.\.\), got a, b"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(store: Path, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BiosigError, match=message):
        from_table(Store(store), write(tmp_path, text), "years", "died")


def test_a_file_that_is_not_there(store: Path, tmp_path: Path) -> None:
    with pytest.raises(BiosigError, match="expected a CSV file"):
        from_table(Store(store), tmp_path / "none.csv", "age")
