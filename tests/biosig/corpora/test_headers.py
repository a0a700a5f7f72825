"""Comment lines of WFDB headers, in every spelling that the corpora use."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import headers
from biosig.errors import RecordError

HEADER = Path("some.hea")


@pytest.mark.parametrize(
    "line", ["Age: 74", " Age: 74", "#Age: 74", "# Age: 74", "#<age>: 74", "<age>: 74", "#AGE:74", "# Age : 74  "]
)
def test_an_age_in_every_spelling(line: str) -> None:
    assert headers.age(HEADER, headers.fields([line])) == 74.0


@pytest.mark.parametrize("text", ["", "NaN", "nan", "Unknown", "N/A", "-1", "-1.0", "None"])
def test_an_unknown_age(text: str) -> None:
    assert headers.age(HEADER, {"age": text}) is None


def test_no_age_line() -> None:
    assert headers.age(HEADER, {}) is None
    assert headers.sex(HEADER, {}) is None


@pytest.mark.parametrize("text", ["300", "131", "inf", "1e9", "old", "7 years"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(RecordError, match=r"some\.hea: age: expected years up to 130, or NaN, got"):
        headers.age(HEADER, {"age": text})


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("F", "female"),
        ("Female", "female"),
        ("female", "female"),
        ("M", "male"),
        ("Male", "male"),
        ("Unknown", None),
        ("NaN", None),
    ],
)
def test_sex(text: str, sex: str | None) -> None:
    assert headers.sex(HEADER, {"sex": text}) == sex


def test_what_is_no_sex() -> None:
    with pytest.raises(RecordError, match=r"some\.hea: sex: expected F, M, female, male or unknown, got '2'"):
        headers.sex(HEADER, {"sex": "2"})


def test_fields_keep_colons_and_the_first_of_two() -> None:
    said = headers.fields(
        ["Report: rate: 60", "Dx: 1", "Dx: 2", "no field", "# 69 M 1085 1629 x1", "Chagas label: True"]
    )
    assert said == {"report": "rate: 60", "dx": "1", "chagas label": "True"}


@pytest.mark.parametrize(
    ("text", "items"),
    [("", []), ("NaN", []), ("Unknown", []), ("1", ["1"]), (" 1 , 2,,3, ", ["1", "2", "3"]), ("RBBB", ["RBBB"])],
)
def test_lists(text: str, items: list[str]) -> None:
    assert headers.listed(text) == items


def test_walking_is_sorted_deep_and_blind_to_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.hea", "a/deep/1.hea", "0.hea", "0.dat", ".git/x.hea", "a/._1.hea"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in headers.walk(tmp_path, (".hea",))]
    assert found == ["0.hea", "a/deep/1.hea", "b/2.hea"]


def test_walking_ends_where_a_link_leads_back(tmp_path: Path) -> None:
    (tmp_path / "1.hea").touch()
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert [path.name for path in headers.walk(tmp_path, (".hea",))] == ["1.hea"]
