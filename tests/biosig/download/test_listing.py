"""Lists of files: what is a path inside a corpus, and which files make up its first records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig.download.listing import first_records, inside, parse_sums
from biosig.errors import CorpusError

SUM = "0" * 64


def listed(*paths: str) -> str:
    return "".join(f"{SUM}  {path}\n" for path in paths)


@pytest.mark.parametrize(
    "path", ["../a", "/etc/passwd", "a/../../b", "a//b", "a/./b", "", "a\\..\\b", "C:a", "a\tb", "x/a.part", "a/", " a"]
)
def test_a_path_that_could_leave_the_folder_is_refused(path: str) -> None:
    with pytest.raises(CorpusError, match="line 2: expected"):
        parse_sums(f"{listed('fine')}{SUM}  {path}\n")


@given(st.text(st.sampled_from("ab./\\ ~:\0-"), max_size=12))
def test_what_is_accepted_stays_inside(text: str) -> None:
    try:
        path = inside(text, "here")
    except CorpusError:
        return
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert str(path) == text.removeprefix("./")


@given(st.text(max_size=200))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    with pytest.raises(CorpusError):
        parse_sums(text)


def test_damaged_lists_are_refused() -> None:
    with pytest.raises(CorpusError, match="found none"):
        parse_sums("\n")
    with pytest.raises(CorpusError, match="a second sum of 'a'"):
        parse_sums(f"{SUM}  a\n{'1' * 64}  a\n")
    with pytest.raises(CorpusError, match="lies in another file"):
        parse_sums(listed("a/b", "a"))


def chosen(paths: str, records: str, count: int, folder: str = "") -> set[str]:
    return {str(one.path) for one in first_records(parse_sums(listed(*paths.split())), records, count, folder=folder)}


def test_a_record_is_taken_whole_with_the_tables_and_its_folders_summary() -> None:
    paths = "table.csv all.zip a/x.edf a/x.edf.seizures a/x1.edf a/summary.txt b/y.edf b/summary.txt"
    assert chosen(paths, "a/x.edf\na/x1.edf\nb/y.edf\n", 1) == {
        *("table.csv", "a/x.edf", "a/x.edf.seizures", "a/summary.txt")
    }


def test_a_line_may_be_a_folder_of_records() -> None:
    paths = "t/g1/a.hea t/g1/a.mat t/g1/b.hea t/g1/b.mat t/g2/c.hea t/g2/c.mat t/g2/RECORDS"
    assert chosen(paths, "t/g1/\nt/g2/\n", 3) == set(paths.split())
    assert chosen(paths, "t/g2/\nt/g1/\n", 1) == {"t/g2/c.hea", "t/g2/c.mat", "t/g2/RECORDS"}


def test_only_one_of_two_rates() -> None:
    paths = "db.csv r100/a.hea r100/a.dat r500/a.hea r500/a.dat"
    assert chosen(paths, "r100/a\nr500/a\n", 9, "r500/") == {"db.csv", "r500/a.hea", "r500/a.dat"}
    with pytest.raises(CorpusError, match="records below 'r250/'"):
        chosen(paths, "r100/a\n", 9, "r250/")


def test_records_that_are_not_in_the_list() -> None:
    with pytest.raises(CorpusError, match="RECORDS: expected records"):
        chosen("a.hea a.dat", "b\n", 1)
