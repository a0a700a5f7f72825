"""A tiny instance of every corpus, written the way its owners write it, and what must be read from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import wfdb

LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
SECONDS = 2


def millivolts(leads: int, rate: float, seconds: float = SECONDS) -> np.ndarray:
    """(time, lead): a 5 Hz sine whose amplitude, 0.1 mV times the number of the lead, tells the leads apart."""
    time = np.arange(round(rate * seconds)) / rate
    return np.sin(2 * np.pi * 5 * time)[:, None] * 0.1 * np.arange(1, leads + 1)


def write_record(
    path: Path, comments: tuple[str, ...] = (), *, leads: tuple[str, ...] = LEADS, rate: float = 500.0
) -> None:
    """A WFDB record, format 16; the comment lines are written as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        path.name,
        fs=rate,
        units=["mV"] * len(leads),
        sig_name=list(leads),
        p_signal=millivolts(len(leads), rate),
        fmt=["16"] * len(leads),
        adc_gain=[1000.0] * len(leads),
        baseline=[0] * len(leads),
        write_dir=str(path.parent),
    )
    with path.with_suffix(".hea").open("a") as header:
        header.writelines(f"{comment}\n" for comment in comments)


@dataclass(frozen=True)
class Expected:
    """What must be read, to `atol` microvolts.

    `events` holds (onset, duration, code, text), `stimuli` (stimulus, trial) if any. Samples `beyond` what was recorded
    are made up by interpolation: of them only the size is asked.
    """

    subject: str
    age: float | None = None
    sex: str | None = None
    codes: tuple[tuple[str, str, float | None], ...] = ()
    report: str = ""
    source: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    events: tuple[tuple[float, float, str, str], ...] = ()
    stimuli: tuple[tuple[str, int | None], ...] = ()
    atol: float = 0.51
    beyond: tuple[int, ...] = ()


def ludb(folder: Path) -> dict[str, Expected]:
    path = folder / "data" / "34"
    lines = ("#Rhythm: Sinus rhythm.", "#III degree AV-block. ", "#UNIpolar ventricular pacing. ")
    lower = tuple(lead.lower() for lead in LEADS)
    write_record(path, ("#<age>: 90", "#<sex>: F", "#<diagnoses>:", *lines), leads=lower)
    # The second wave has no start.
    marks = np.array([50, 60, 70, 100, 110])
    wfdb.wrann("34", "ii", marks, ["(", "p", ")", "N", ")"], fs=500, write_dir=str(path.parent))
    return {
        "34": Expected(
            "34",
            90.0,
            "female",
            tuple(
                ("ludb", text, None)
                for text in ("Rhythm: Sinus rhythm", "III degree AV-block", "UNIpolar ventricular pacing")
            ),
            "Rhythm: Sinus rhythm. III degree AV-block. UNIpolar ventricular pacing.",
            "data/34.hea",
            events=((0.1, 0.04, "p", "II"), (0.12, 0.0, "p", "II"), (0.2, 0.0, "N", "II")),
        )
    }


def cinc2021(folder: Path) -> dict[str, Expected]:
    # Folders, spellings and record names of the 2020 and 2021 archives.
    given = {
        "WFDB_CPSC2018/A0101": ("A0101", "cpsc_2018", ("#Age: 74", "#Sex: Male", "#Dx: AF,RBBB")),
        "cpsc_2018_extra/g1/Q0001": ("Q0001", "cpsc_2018_extra", ("# Age: -1", "# Sex: Unknown", "# Dx: 426783006")),
        "georgia/g2/E00001": ("E00001", "georgia", ("#Age: NaN", "#Sex: Female", "#Dx: 284470004,284470004,39732003")),
        "st_petersburg_incart/I0001": ("st_petersburg_incart",) * 2 + (("#Age: 65", "#Sex: F", "#Dx: 10370003"),),
        "st_petersburg_incart/I0075": ("st_petersburg_incart",) * 2 + (("#Age: 65", "#Sex: F", "#Dx: 10370003"),),
        "ptb/g1/S0549": ("ptb", "ptb", ("#Age: 0", "#Sex: M", "#Dx: 164865005")),
        "ptb-xl/g1/HR00001": ("ptb-xl-15709", "ptb-xl", ("#Age: 56", "#Sex: Female", "#Dx: 426783006")),
        "ptb-xl/g1/HR00002": ("HR00002", "ptb-xl", ("#Age: 19", "#Sex: Male", "#Dx: ")),
        "chapman_shaoxing/JS10646": ("JS10646", "chapman_shaoxing", ("#Age: 85", "#Sex: Male", "#Dx: 164889003")),
        "ningbo/g9/JS10647": ("JS10647", "ningbo", ("#Age: 59", "#Sex: Female", "#Dx: Unknown")),
    }
    expected = {}
    for place, (subject, part, comments) in given.items():
        write_record(folder / place, (*comments, "#Rx: Unknown", "#Sx: Unknows"))
        age, sex, dx = (comment.split(":")[1].strip() for comment in comments)
        codes = dict.fromkeys(code for code in dx.split(",") if code not in ("", "Unknown"))
        expected[place.rsplit("/", 1)[-1]] = Expected(
            subject,
            None if age in ("NaN", "-1") else float(age),
            {"F": "female", "Female": "female", "M": "male", "Male": "male", "Unknown": None}[sex],
            tuple(("snomed-ct" if code.isdecimal() else "cpsc-2018", code, None) for code in codes),
            source=f"{place}.hea",
            meta={"sub_corpus": part},
        )
    (folder / "ptbxl_database.csv").write_text(ptbxl_table({}, {"patient_id": "nobody"}))
    # Not of this corpus: a record of the Challenge of 2017 and one without a known name.
    write_record(folder / "other/A00001", ("#Dx: 426783006",))
    write_record(folder / "other/X0001", ("#Dx: 426783006",))
    return expected


def ptbxl_table(*rows: dict[str, str]) -> str:
    """Rows of the table, each from a good one."""
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        good = {
            "ecg_id": str(number),
            "patient_id": "15709.0",
            "age": "56.0",
            "sex": "1",
            "device": "CS-12   E",
            "recording_date": "1984-11-09 09:17:34",
            "report": "sinusrhythmus, periphere niederspannung",
            "scp_codes": "{'NORM': 100.0, 'SR': 0.0}",
            "heart_axis": "",
            "strat_fold": "3",
            "filename_lr": f"records100/00000/{number:05d}_lr",
            "filename_hr": f"records500/00000/{number:05d}_hr",
        } | row
        lines = lines or [",".join(good)]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in good.values()))
    return "\n".join(lines) + "\n"


def _ptbxl(folder: Path, rate: int, tag: str) -> dict[str, Expected]:
    table = ptbxl_table(
        {}, {"age": "300.0", "sex": "0", "strat_fold": "10", "patient_id": "7.0"}, {"age": "", "heart_axis": "ALAD"}, {}
    )
    (folder / "ptbxl_database.csv").write_text(table)
    for number in (1, 2, 3):
        write_record(folder / f"records{rate}/00000/{number:05d}_{tag}", ("#Age: 1", "#Sex: Male"), rate=rate)
    codes = (("scp-ecg", "NORM", 100.0), ("scp-ecg", "SR", 0.0))
    axis = ("ptb-xl-axis", "ALAD", None)
    report = "sinusrhythmus, periphere niederspannung"
    where = f"records{rate}/00000/0000{{}}_{tag}.hea"
    device = {"device": "CS-12 E"}
    return {
        "00001": Expected("15709", 56.0, "female", codes, report, where.format(1), {"fold": 3, **device}),
        "00002": Expected("7", 90.0, "male", codes, report, where.format(2), {"fold": 10, **device}),
        "00003": Expected("15709", None, "female", (*codes, axis), report, where.format(3), {"fold": 3, **device}),
    }


def ptbxl(folder: Path) -> dict[str, Expected]:
    return _ptbxl(folder, 500, "hr")


def ptbxl_100(folder: Path) -> dict[str, Expected]:
    return _ptbxl(folder, 100, "lr")


def mitdb(folder: Path) -> dict[str, Expected]:
    expected = {}
    for record, subject, comment, age, sex, fold in (
        ("201", "201", "# 68 M 1960 2851 x1", 68.0, "male", 9),
        ("202", "201", "# 68 M 1960 2851 x1", 68.0, "male", 10),
        ("100", "100", "# -1 F 1085 N/A x1", None, "female", 10),
        ("102", "102", "# 84 F 1633 1629 x1", 84.0, "female", 9),
        ("101", "101", "# Diapres", None, None, 3),
    ):
        write_record(folder / record, (comment, "# Digoxin"), leads=("MLII", "V1"), rate=360.0)
        wfdb.wrann(
            record,
            "atr",
            np.array([36, 72, 108, 180, 360]),
            ["+", "N", "V", "+", "~"],
            aux_note=["(N\0", "", "", "(AFIB\0", ""],
            fs=360,
            write_dir=str(folder),
        )
        expected[record] = Expected(
            subject,
            age,
            sex,
            tuple(("mitdb", code, None) for code in ("(N", "N", "V", "(AFIB")),
            source=f"{record}.hea",
            meta={"fold": fold},
            events=(
                (0.1, 0.4, "(N", ""),
                (0.2, 0.0, "N", ""),
                (0.3, 0.0, "V", ""),
                (0.5, 1.5, "(AFIB", ""),
                (1.0, 0.0, "~", ""),
            ),
        )
    # Other corpora have records of these names too, without reference annotations.
    write_record(folder / "103")
    return expected


def cinc2011(folder: Path) -> dict[str, Expected]:
    write_record(folder / "1002867", ("# Quality: acceptable",))
    write_record(folder / "1004502")
    write_record(folder / "1005639")
    (folder / "quality.csv").write_text(
        "record,quality\n1002867,acceptable\n1004502,unacceptable\n1009999,acceptable\n"
    )
    return {
        "1002867": Expected("1002867", codes=(("cinc2011", "acceptable", None),), source="1002867.hea"),
        "1004502": Expected("1004502", codes=(("cinc2011", "unacceptable", None),), source="1004502.hea"),
        "1005639": Expected("1005639", source="1005639.hea"),
    }


def code15(folder: Path) -> dict[str, Expected]:
    given = {
        "1000001": (
            "patient-77",
            "code-15",
            ("# Age: 22", "# Sex: Female", "# Chagas label: False", "# Source: CODE-15%"),
        ),
        "1000002": (
            "patient-77",
            "code-15",
            ("# Age: 23", "# Sex: Female", "# Chagas label: True", "# Source: CODE-15%"),
        ),
        "14": ("14", "sami-trop", ("# Age: 60", "# Sex: Male", "# Chagas label: True", "# Source: SaMi-Trop")),
    }
    expected = {}
    for record, (subject, part, comments) in given.items():
        write_record(folder / "training_data" / record, comments, rate=400.0)
        age, sex, label, _ = (comment.split(": ")[1] for comment in comments)
        code = (("chagas", label, None),)
        expected[record] = Expected(
            subject, float(age), sex.lower(), code, source=f"training_data/{record}.hea", meta={"sub_corpus": part}
        )
    (folder / "exams.csv").write_text("exam_id,patient_id\n1000001,77\n1000002,77\n1000003,78\n")
    return expected


def simulated(folder: Path) -> dict[str, Expected]:
    comments = ("#Age: 61", "#Sex: Female", "#Dx: 164889003,59118001", "#Subject: s3", "#Report: Fibrillation: atrial.")
    write_record(folder / "000000", comments)
    write_record(folder / "000001", (*comments[:2], "#Dx:", *comments[3:]))
    wfdb.wrann("000000", "atr", np.array([100, 500]), ["N", "V"], fs=500, write_dir=str(folder))
    report = "Fibrillation: atrial."
    codes = (("simulated", "164889003", None), ("simulated", "59118001", None))
    events = ((0.2, 0.0, "N", ""), (1.0, 0.0, "V", ""))
    return {
        "000000": Expected("s3", 61.0, "female", codes, report, "000000.hea", events=events),
        "000001": Expected("s3", 61.0, "female", (), report, "000001.hea"),
    }


def simulated_eeg(folder: Path) -> dict[str, Expected]:
    comments = ("#Subject: S0002", "#Stimulus: stimulus-03", "#Trial: 1", "#Class: class-1")
    electrodes = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "Fz", "Cz")
    write_record(folder / "S0002/s0002t001", (*comments, "#Latency: 0.25"), leads=electrodes, rate=128)
    write_record(folder / "S0002/s0002t002", (*comments, "#Latency: 0.1 0.2 0.3"), leads=electrodes, rate=128)
    return {
        name: Expected(
            "S0002",
            codes=(("simulated-eeg", "class-1", None),),
            source=f"S0002/{name}.hea",
            events=((0.0, 2.0, "class-1", ""),),
            stimuli=(("stimulus-03", 1),),
        )
        for name in ("s0002t001", "s0002t002")
    }


def any_folder(folder: Path) -> dict[str, Expected]:
    write_record(folder / "anna/rest", ("#Age: 30", "#Sex: Female"))
    write_record(folder / "anna/task")
    write_record(folder / "ben")
    (folder / "subjects.csv").write_text(
        "record,subject,age,sex,session,report,fold\nanna/rest,anna,,,first,All well,2\nanna/task,anna,31,F,,,\n"
    )
    return {
        "anna/rest": Expected("anna", 30.0, "female", (), "All well", "anna/rest.hea", {"fold": 2}),
        "anna/task": Expected("anna", 31.0, "female", source="anna/task.hea"),
        "ben": Expected("ben", source="ben.hea"),
    }


WRITERS: dict[str, Callable[[Path], dict[str, Expected]]] = {
    "ludb": ludb,
    "cinc2021": cinc2021,
    "ptb-xl": ptbxl,
    "ptb-xl-100": ptbxl_100,
    "mitdb": mitdb,
    "cinc2011": cinc2011,
    "code15-samitrop": code15,
    "simulated": simulated,
    "simulated-eeg": simulated_eeg,
    "folder": any_folder,
}
