"""Every real recording, against facts found in the files by other means: regular expressions and raw bytes."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from biosig.corpora import CORPORA, ptbxl, tables
from biosig.errors import CorpusError
from biosig.recording import Modality, Recording
from ontology import concepts
from ontology.annotation import counts

pytestmark = pytest.mark.real

LEADS_12 = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FOLDERS = {
    "ludb": "ecg/ludb",
    "cinc2021": "ecg/cinc2021",
    "ptb-xl": "ecg/ptb-xl",
    "ptb-xl-100": "ecg/ptb-xl",
    "mitdb": "ecg/mitdb",
    "cinc2011": "ecg/cinc2011",
    "code15-samitrop": "ecg/code15-samitrop",
}
COUNTS = {
    "ludb": 200,
    "cinc2021": 263,
    "ptb-xl": 63,
    "ptb-xl-100": 45,
    "mitdb": 44,
    "cinc2011": 500,
    "code15-samitrop": 200,
}


HEADER_FIELD = r"(?im)^#\s*<?{}>?:[ \t]*(.*?)[ \t]*$"


@cache
def read(name: str, data: Path) -> dict[str, Recording]:
    """Every recording of a corpus with the first ten seconds of its signal: all of them together fit in memory."""
    corpus = CORPORA[name]
    recordings = {}
    for entry in corpus.find(data / FOLDERS[name]):
        recording = corpus.read(entry)
        start = np.array(recording.signal[:, : int(10 * recording.sampling_rate)])
        recordings[recording.record_id] = replace(recording, signal=start)
    return recordings


def texts(name: str, data: Path) -> dict[str, str]:
    """The text of every header by record, read without a reader."""
    return {path.stem: path.read_text(encoding="latin-1") for path in (data / FOLDERS[name]).rglob("*.hea")}


def said(text: str, field: str) -> str:
    found = re.search(HEADER_FIELD.format(re.escape(field)), text)
    return found[1] if found else ""


def counted(recordings: Iterable[Recording]) -> Counter[str]:
    return Counter(code.code for recording in recordings for code in recording.codes)


def mit_annotations(path: Path) -> list[tuple[int, int, bytes]]:
    """(sample, type, text) of a MIT-format annotation file, decoded from its 16-bit words: type in the high 6 bits."""
    words = np.frombuffer(path.read_bytes(), "<u2")
    found: list[tuple[int, int, bytes]] = []
    sample = at = 0
    while at < len(words) and words[at]:
        kind, value = int(words[at]) >> 10, int(words[at]) & 1023
        at += 1
        if kind == 59:  # a long skip: the difference follows, high word first
            sample += (int(words[at]) << 16) + int(words[at + 1])
            at += 2
        elif kind == 63:  # a text of the annotation before
            text = words[at : at + (value + 1) // 2].tobytes()[:value]
            found[-1] = (*found[-1][:2], text)
            at += (value + 1) // 2
        elif kind < 50:
            sample += value
            found.append((sample, kind, b""))
    return found


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_every_record_is_read(name: str, biosig_data: Path) -> None:
    recordings = read(name, biosig_data)
    assert len(recordings) == COUNTS[name]
    rates = {recording.sampling_rate for recording in recordings.values()}
    assert rates <= set(CORPORA[name].sampling_rates)
    for recording in recordings.values():
        assert recording.subject_id
        assert (biosig_data / FOLDERS[name] / recording.meta["source"]).is_file()
        assert set(recording.modality) == {Modality.ECG}
        assert np.isfinite(recording.signal).any()
        if name != "mitdb":
            assert sorted(recording.channels) == sorted(LEADS_12)


@pytest.mark.parametrize("name", ["ludb", "cinc2021", "code15-samitrop"])
def test_ages_and_sexes_are_those_of_the_headers(name: str, biosig_data: Path) -> None:
    headers = texts(name, biosig_data)
    for record, recording in read(name, biosig_data).items():
        age = float(said(headers[record], "age"))
        assert recording.meta["age"] == (None if math.isnan(age) else age)
        assert str(recording.meta["sex"])[0].upper() == said(headers[record], "sex")[0]


def test_ludb_codes_are_the_lines_of_the_headers(biosig_data: Path) -> None:
    recordings = read("ludb", biosig_data)
    lines: Counter[str] = Counter()
    for text in texts("ludb", biosig_data).values():
        lines.update(line.strip("# .") for line in text.split("<diagnoses>:")[1].splitlines()[1:] if line.strip("# "))
    assert counted(recordings.values()) == lines
    # Totals of the corpus's own README.
    assert lines["Rhythm: Sinus rhythm"] == 143
    assert lines["Rhythm: Atrial fibrillation"] == 15
    assert lines["Electric axis of the heart: normal"] == 75
    assert Counter(recording.meta["sex"] for recording in recordings.values()) == {"female": 85, "male": 115}
    assert all(recording.report.startswith("Rhythm: ") for recording in recordings.values())


def test_ludb_headers_agree_with_its_table(biosig_data: Path) -> None:
    """The table has the same words in another case, without `Rhythm:`; and it marks nine pacemakers once more."""
    recordings = read("ludb", biosig_data)
    twice: Counter[str] = Counter()
    with (biosig_data / FOLDERS["ludb"] / "ludb.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    for row in rows:
        recording = recordings[row["ID"].strip()]
        cells = (cell for column, cell in row.items() if column not in ("ID", "Sex", "Age"))
        table = {line.strip(" .").lower() for cell in cells for line in cell.splitlines() if line.strip()}
        codes = {code.code.removeprefix("Rhythm: ").lower() for code in recording.codes}
        assert codes <= table, row["ID"]
        twice.update(table - codes)
        assert str(recording.meta["sex"])[0].upper() == row["Sex"].strip()
        assert row["Age"].strip() == (f"{recording.meta['age']:.0f}" if recording.meta["age"] < 90 else ">89")
    assert twice == {"pacemaker presence, undefined": 9}


def test_ludb_waves_are_those_of_the_annotation_files(biosig_data: Path) -> None:
    folder = biosig_data / FOLDERS["ludb"] / "data"
    symbols = {1: "N", 24: "p", 27: "t", 39: "(", 40: ")"}
    peaks: Counter[str] = Counter()
    for record, recording in read("ludb", biosig_data).items():
        for lead in LEADS_12:
            marks = [
                (sample / 500, symbols[kind])
                for sample, kind, _ in mit_annotations(folder / f"{record}.{lead.lower()}")
            ]
            events = [event for event in recording.events if event.text == lead]
            instants = sorted((event.onset, event.code) for event in events if event.duration == 0)
            assert instants == sorted(mark for mark in marks if mark[1] in "pNt")
            peaks.update(code for _, code in instants)
            starts = [onset for onset, symbol in marks if symbol == "("]
            ends = [onset for onset, symbol in marks if symbol == ")"]
            for event in events:
                if event.duration:
                    assert event.onset in starts
                    assert np.isclose(event.onset + event.duration, ends).any()
                    inside = [code for onset, code in instants if event.onset <= onset <= event.onset + event.duration]
                    assert event.code in inside
        assert list(recording.events) == sorted(recording.events, key=lambda event: event.onset)
    # The README counts 21,966 QRS, 19,666 T and 16,797 P.
    assert peaks == {"N": 21965, "t": 19661, "p": 16797}


def test_cinc2021_codes_are_those_of_dx(biosig_data: Path) -> None:
    recordings = read("cinc2021", biosig_data)
    headers = texts("cinc2021", biosig_data)
    for record, recording in recordings.items():
        assert [code.code for code in recording.codes] == list(dict.fromkeys(said(headers[record], "dx").split(",")))
        assert recording.subject_id == record
    assert Counter(recording.meta["sub_corpus"] for recording in recordings.values()) == {
        "cpsc_2018": 154,
        "cpsc_2018_extra": 36,
        "georgia": 73,
    }
    for recording in recordings.values():
        assert recording.meta["source"].startswith(f"{recording.meta['sub_corpus']}/")


def test_mitdb_events_are_those_of_the_annotation_files(biosig_data: Path) -> None:
    folder = biosig_data / FOLDERS["mitdb"]
    kinds = {1: "N", 2: "L", 3: "R", 5: "V", 6: "F", 8: "A", 28: "+"}
    for record, recording in read("mitdb", biosig_data).items():
        marks = mit_annotations(folder / f"{record}.atr")
        assert len(recording.events) == len(marks)
        instants = Counter(event.code for event in recording.events if event.code[0] != "(")
        raw = Counter(kinds.get(kind, "") for _, kind, _ in marks)
        assert {code: instants[code] for code in "NLRVFA"} == {code: raw[code] for code in "NLRVFA"}
        rhythms = [event for event in recording.events if event.code[0] == "("]
        changes = [(sample / 360, text.strip(b"\0").decode()) for sample, kind, text in marks if kind == 28]
        assert [(event.onset, event.code) for event in rhythms] == changes
        # A rhythm lasts until the next one, the last until the half hour is over.
        ends = [onset for onset, _ in changes[1:]] + [650_000 / 360]
        np.testing.assert_allclose([event.onset + event.duration for event in rhythms], ends)
        assert {text for _, text in changes} == {code.code for code in recording.codes if code.code[0] == "("}


def test_mitdb_people(biosig_data: Path) -> None:
    recordings = read("mitdb", biosig_data)
    for record, text in texts("mitdb", biosig_data).items():
        age, sex = re.findall(r"(?m)^# *(-?\d+) ([MF]) ", text)[0]
        assert recordings[record].meta["age"] == (None if age == "-1" else float(age))
        assert str(recordings[record].meta["sex"])[0].upper() == sex
    assert sum(recording.meta["age"] is None for recording in recordings.values()) == 2
    assert recordings["201"].subject_id == recordings["202"].subject_id
    assert len({recording.subject_id for recording in recordings.values()}) == 43


def test_mitdb_tests_on_ds2_and_nobody_is_on_two_sides(biosig_data: Path) -> None:
    split = CORPORA["mitdb"].split
    sides: dict[str, set[str]] = {role: set() for role in ("train", "validation", "test", "unused")}
    counts: Counter[str] = Counter()
    for recording in read("mitdb", biosig_data).values():
        role = split.role(recording.meta["fold"])
        sides[role].add(recording.subject_id)
        counts[role] += 1
    assert counts["test"] == 22
    assert counts["unused"] == 1
    assert counts["train"] + counts["validation"] == 21
    assert counts["validation"] >= 2
    assert not sides["train"] & sides["test"]
    assert not sides["validation"] & (sides["train"] | sides["test"])


@pytest.mark.parametrize("name", ["ptb-xl", "ptb-xl-100"])
def test_ptbxl_is_its_table(name: str, biosig_data: Path) -> None:
    recordings = read(name, biosig_data)
    with (biosig_data / FOLDERS[name] / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
        rows = {int(row["ecg_id"]): row for row in csv.DictReader(file)}
    for record, recording in recordings.items():
        row = rows[int(record)]
        codes = re.findall(r"'([^']+)': ([\d.]+)", row["scp_codes"])
        assert [(code.code, code.likelihood) for code in recording.codes] == [
            *((code, float(value)) for code, value in codes),
            *((axis, None) for axis in filter(None, [row["heart_axis"]])),
        ]
        assert recording.subject_id == row["patient_id"].split(".")[0]
        assert recording.report == row["report"]
        assert recording.meta["fold"] == int(row["strat_fold"])
        assert recording.meta["age"] == (float(row["age"]) if row["age"] else None)
        assert recording.meta["sex"] == ("male", "female")[int(row["sex"])]
    missing = CORPORA[name].find(biosig_data / FOLDERS[name]).missing
    assert len(missing) == 21_837 - COUNTS[name]


def test_every_row_of_the_ptbxl_table_can_be_read(biosig_data: Path) -> None:
    """Also those without a signal here: codes, patient, fold, age and sex."""
    table = biosig_data / FOLDERS["ptb-xl"] / "ptbxl_database.csv"
    statements: Counter[str] = Counter()
    for where, cells in tables.rows(table, ()):
        assert cells is not None
        row = ptbxl._Row(table, where, cells)
        statements.update(list(row.statements()))
        assert row.patient()
        assert 1 <= row.fold() <= 10
        row.age()
        row.sex()
    text = table.read_text(encoding="utf-8")
    assert sum(statements.values()) == len(re.findall(r"'[^',]+': [\d.]+", text))
    for code in ("NORM", "SR", "AFIB", "CRBBB"):
        assert statements[code] == text.count(f"'{code}':")


def test_the_axes_of_ptbxl_are_as_many_as_the_challenge_counts(biosig_data: Path) -> None:
    with (biosig_data / FOLDERS["ptb-xl"] / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
        axes = Counter(row["heart_axis"] for row in csv.DictReader(file))
    found: Counter[str] = Counter()
    for axis, records in axes.items():
        found.update(dict.fromkeys(concepts("ptb-xl-axis", axis), records))
    said = counts("cinc2021", "ptb-xl")
    assert found == {code: said[code] for code in ("39732003", "47665007", "251200008")}
    assert (said["39732003"], said["47665007"]) == (5146, 343)


def test_ptbxl_at_both_rates_is_one_signal(biosig_data: Path) -> None:
    slow, fast = read("ptb-xl-100", biosig_data), read("ptb-xl", biosig_data)
    both = sorted(slow.keys() & fast.keys())
    assert len(both) == 45
    for record in both:
        assert slow[record].channels == fast[record].channels
        assert slow[record].codes == fast[record].codes
        down = resample_poly(fast[record].signal.astype(float), 1, 5, axis=1, padtype="line")
        # The authors' filter rings at the ends, by 1.7 mV in 00002: a fifth of a second on each side does not count.
        inner = slice(20, -20)
        for lead, one, other in zip(slow[record].channels, slow[record].signal.astype(float), down, strict=True):
            assert np.corrcoef(one[inner], other[inner])[0, 1] > 0.97, (record, lead)
            assert np.sqrt(np.mean((one - other)[inner] ** 2)) < 0.25 * np.std(one[inner]), (record, lead)


def test_cinc2011_grades(biosig_data: Path) -> None:
    recordings = read("cinc2011", biosig_data)
    headers = texts("cinc2011", biosig_data)
    table = dict(
        line.split(",") for line in (biosig_data / FOLDERS["cinc2011"] / "quality.csv").read_text().splitlines()[1:]
    )
    for record, recording in recordings.items():
        assert [code.code for code in recording.codes] == [said(headers[record], "quality")] == [table[record]]
    assert counted(recordings.values()) == Counter(table[record] for record in recordings)
    assert len(CORPORA["cinc2011"].find(biosig_data / FOLDERS["cinc2011"]).missing) == len(table) - 500


def test_code15_labels_and_sources(biosig_data: Path) -> None:
    recordings = read("code15-samitrop", biosig_data)
    headers = texts("code15-samitrop", biosig_data)
    for record, recording in recordings.items():
        assert [code.code for code in recording.codes] == [said(headers[record], "chagas label")]
    table = Counter((recording.meta["sub_corpus"], recording.codes[0].code) for recording in recordings.values())
    assert table == {("code-15", "False"): 100, ("code-15", "True"): 84, ("sami-trop", "True"): 16}


OWN = FOLDERS | {"dasps": "eeg/dasps", "eegmat": "eeg/eegmat", "folder": "formats"}
FOREIGN = [
    (name, folder)
    for name, folder in product(sorted(CORPORA), sorted({*OWN.values()}))
    if name != "folder" and folder != OWN.get(name)
]


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("cinc2021", r"(?m)^# *Dx:.*\b(164889003|AF)\b"),
        ("ludb", r"Rhythm: Atrial fibrillation"),
        ("mitdb", None),
    ],
)
def test_atrial_fibrillation_is_counted_as_by_grep(name: str, spelling: str | None, biosig_data: Path) -> None:
    if spelling:
        right = {record for record, text in texts(name, biosig_data).items() if re.search(spelling, text)}
    else:
        folder = biosig_data / FOLDERS[name]
        right = {path.stem for path in folder.glob("*.atr") if b"(AFIB" in path.read_bytes()}
    found = {record for record, recording in read(name, biosig_data).items() if "164889003" in recording.concepts}
    assert found == right
    assert right


@pytest.mark.parametrize(("name", "folder"), FOREIGN)
def test_only_its_own_folder_is_a_corpus(name: str, folder: str, biosig_data: Path) -> None:
    with pytest.raises(CorpusError, match=f"for the corpus '{name}', found"):
        CORPORA[name].find(biosig_data / folder)
