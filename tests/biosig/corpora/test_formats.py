"""Files of every format that is read, through `biosig prepare`: what comes out, what is flagged, what is refused."""

from __future__ import annotations

from pathlib import Path

import mne
import pytest

from biosig.store import trials
from tests.biosig.corpora.formats import Prepared, page, prepared

pytestmark = pytest.mark.real
DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def done(biosig_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    return prepared(biosig_data, tmp_path_factory.mktemp("formats"))


def test_the_page_is_up_to_date(done: dict[str, Prepared]) -> None:
    said = (DOCS / "formats.md").read_text(encoding="utf-8")
    assert said == page(done), "run: python -m tests.biosig.corpora.formats REAL_RECORDINGS docs/formats.md"


def test_every_file_is_a_recording_or_a_named_error(done: dict[str, Prepared], biosig_data: Path) -> None:
    report, store = done["folder"]
    # What stands for a recording; the rest goes with one (samples, markers) or says whose the files are.
    endings = {".edf", ".bdf", ".gdf", ".set", ".fif", ".sqd", ".raw", ".vhdr"}
    files = {path.relative_to(biosig_data / "formats").as_posix() for path in (biosig_data / "formats").rglob("*.*")}
    standing = {name for name in files if Path(name).suffix in endings}
    assert {Path(name).suffix for name in files - standing} == {".fdt", ".vmrk", ".eeg", ".txt", ".md"}
    refused = {"mne-testing/EDF/SC4001EC-Hypnogram.edf"}
    assert set(store.records["source"]) == standing - refused
    ((record, reason),) = report.skipped
    assert f"{record}.edf" in refused
    assert "annotations only" in reason


@pytest.mark.parametrize(
    "name",
    ["mne-testing/EDF/test_edf_overlapping_annotations.edf", "mne-testing/EDF/test_utf8_annotations.edf",
     "mne-testing/EEGLAB/test_raw.set", "mne-testing/EEGLAB/test_raw_h5.set", "mne-testing/EEGLAB/test_raw_2021.set",
     "mne-testing/EEGLAB/test_raw_event_duration.set", "mne-testing/montage/bv_dig_raw.fif"],
)  # fmt: skip
def test_annotations_are_those_that_mne_reads(name: str, done: dict[str, Prepared], biosig_data: Path) -> None:
    _, store = done["folder"]
    raw = mne.io.read_raw(biosig_data / "formats" / name, preload=False, verbose="error")
    record = store.records["record"][store.records["source"] == name].item()
    events = store.events[store.events["record"] == record]
    theirs = sorted(zip(raw.annotations.onset - raw.first_time, raw.annotations.description, strict=True))
    ours = sorted(zip(events["onset"], events["code"], strict=True))
    assert [code for _, code in ours] == [code for _, code in theirs]
    assert [onset for onset, _ in ours] == pytest.approx([onset for onset, _ in theirs], abs=1e-6)


def test_what_is_wrong_is_flagged(done: dict[str, Prepared]) -> None:
    _, store = done["folder"]
    flags = {row["source"]: set(row["quality"]) for row in store.records.to_dict("records")}
    assert {"overlap", "padded"} <= flags["mne-testing/EDF/test_edf_overlapping_annotations.edf"]
    # Conductance, temperature and the like under the names of electrodes.
    assert "unknown-unit" in flags["mne-python/test.vhdr"]
    # Sensors that are numbered, not named.
    assert "unplaced" in flags["mne-python/test_egi.raw"]
    assert not flags["mne-testing/BDF/test_bdf_stim_channel.bdf"]


@pytest.mark.parametrize(("corpus", "people", "presented"), [("dasps", 23, 276), ("eegmat", 8, 16)])
def test_every_presentation_of_a_corpus_is_in_its_store(
    corpus: str, people: int, presented: int, done: dict[str, Prepared]
) -> None:
    report, store = done[corpus]
    assert report.skipped == ()
    table = trials(store)
    assert len(table) == len(store) == presented
    assert table["subject"].nunique() == people
    # Everybody met every stimulus once.
    assert set(table.groupby("stimulus").size()) == {people}
    assert (table["late"] == 0).all()
