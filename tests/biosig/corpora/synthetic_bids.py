"""A tiny BIDS dataset, written by hand: two people, a session each, tables beside and above the recordings."""

from __future__ import annotations

import json
from pathlib import Path

from tests.biosig.corpora.synthetic import Expected, millivolts
from tests.biosig.corpora.synthetic_eeg import write_edf

LABELS = ("EEG Fp1", "Cz", "VEOG", "ECG")


def tsv(path: Path, *rows: tuple[object, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def bids(folder: Path) -> dict[str, Expected]:
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "tiny", "BIDSVersion": "1.10.0"}))
    tsv(
        folder / "participants.tsv",
        ("participant_id", "age", "sex", "group", "hand"),
        ("sub-01", 31, "F", "patient", "left"),
        ("sub-02", "89+", "n/a", "control", "n/a"),
    )
    # For all: the types of channels. A nearer table counts more.
    tsv(
        folder / "task-rest_channels.tsv",
        ("name", "type", "units"),
        ("EEG Fp1", "EEG", "uV"),
        ("Cz", "EEG", "uV"),
        ("VEOG", "VEOG", "uV"),
        ("ECG", "ECG", "uV"),
    )
    expected = {}
    for subject, session in (("01", "a"), ("02", "a"), ("02", "b")):
        stem = f"sub-{subject}_ses-{session}_task-rest"
        inner = folder / f"sub-{subject}" / f"ses-{session}" / "eeg"
        write_edf(inner / f"{stem}_eeg.edf", LABELS, 1000 * millivolts(4, 250).T, 250.0)
        events: tuple[tuple[float, float, str, str], ...] = ()
        stimuli: tuple[tuple[str, int | None], ...] = ()
        if subject == "01":
            tsv(
                inner / f"{stem}_events.tsv",
                ("onset", "duration", "trial_type", "value", "stim_file"),
                (0.5, "n/a", "n/a", 7, "n/a"),
                (0.25, 1, "eyes closed", 3, "n/a"),
                (1.5, 0.25, "film", "n/a", "film3.mp4"),
                ("n/a", 1, "never", "n/a", "n/a"),
            )
            events = ((0.25, 1.0, "eyes closed", "3"), (0.5, 0.0, "7", ""), (1.5, 0.25, "film", ""))
            stimuli = (("", None), ("", None), ("film3.mp4", None))
        known = {"01": (31.0, "female", "patient"), "02": (89.0, None, "control")}[subject]
        expected[stem] = Expected(
            f"sub-{subject}",
            known[0],
            known[1],
            (("bids-task", "rest", None), ("bids-group", known[2], None)),
            source=f"sub-{subject}/ses-{session}/eeg/{stem}_eeg.edf",
            events=events,
            stimuli=stimuli,
        )
    return expected
