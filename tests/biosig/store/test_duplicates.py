"""Copies are found whatever was done to them; distinct recordings are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.preprocess import Bandpass, Preprocessing, Resample
from biosig.store import Store, prepare
from biosig.store.duplicates import Duplicate, Place, find
from tests.biosig.store.fake import LEADS, FakeCorpus, heart, write_record

N = 6


def make(folder: Path, name: str, records: dict[str, dict[str, object]], **options: object) -> Store:
    source = folder / f"{name}-source"
    source.mkdir()
    for record, content in records.items():
        write_record(source, record, content.pop("signal"), **content)  # type: ignore[arg-type]
    prepare(FakeCorpus(), source, folder / name, workers=0, progress=False, **options)  # type: ignore[arg-type]
    return Store(folder / name)


def distinct(count: int = N, first: int = 0, **options: float) -> dict[str, dict[str, object]]:
    return {f"r{seed:03d}": {"signal": heart(seed, leads=6, **options)} for seed in range(first, first + count)}


def names(stores: list[Store], found: list[Duplicate]) -> list[tuple[set[str], bool]]:
    return [({stores[place.store].record(place.row) for place in group.places}, group.exact) for group in found]


def test_distinct_recordings_are_no_copies(tmp_path: Path) -> None:
    assert find([make(tmp_path, "a", distinct(60))]) == []


def test_simulated_beats_of_one_rate_are_no_copies(tmp_path: Path) -> None:
    # The hard case: noiseless beats at one steady rate and phase, of hearts that differ in shape only.
    rng = np.random.default_rng(0)
    time = np.arange(5000) / 500
    records: dict[str, dict[str, object]] = {}
    for number in range(40):
        x = np.zeros((6, 5000))
        for beat in np.arange(0.4, 10, 0.8):
            for delay, width, size in ((-0.16, 0.03, 150), (0, 0.012, 900), (0.04, 0.015, -300), (0.28, 0.06, 300)):
                amplitude = size * rng.normal(0.4, 1, size=(6, 1)) if beat < 0.5 else x[:, :1] * 0 + 1
                shape = np.exp(-0.5 * ((time - beat - delay) / width) ** 2)
                if beat < 0.5:
                    records.setdefault(f"_{number}", {})[f"{delay}"] = amplitude
                x += records[f"_{number}"][f"{delay}"] * shape
        del records[f"_{number}"]
        records[f"r{number:03d}"] = {"signal": x.astype(np.float32)}
    assert find([make(tmp_path, "a", records)]) == []


@pytest.mark.parametrize(
    ("change", "exact"),
    [
        ("nothing", True),
        ("order", True),
        ("gain", False),
        ("offset", False),
        ("noise", False),
        ("rate", False),
        ("cut", False),
        ("leads", False),
        ("gap", False),
    ],
)
def test_a_copy_is_found(tmp_path: Path, change: str, exact: bool) -> None:
    records = distinct()
    x = heart(2, leads=6)
    copy: dict[str, object] = {"signal": x}
    if change == "order":
        copy = {"signal": x[::-1], "leads": np.array(LEADS[:6][::-1])}
    elif change == "gain":
        copy = {"signal": x * 1.7}
    elif change == "offset":
        copy = {"signal": x + 300}
    elif change == "noise":
        copy = {"signal": x + np.random.default_rng(9).normal(0, 10, size=x.shape).astype(np.float32)}
    elif change == "rate":
        recording = Resample(rate=400.0).apply(FakeCorpus().read(_entry(tmp_path, x)))
        copy = {"signal": recording.signal, "rate": 400.0}
    elif change == "cut":
        copy = {"signal": x[:, :4900]}
    elif change == "leads":
        copy = {"signal": x[:2]}
    elif change == "gap":
        gap = x.copy()
        gap[:, 3000:3050] = np.nan
        copy = {"signal": gap}
    store = make(tmp_path, "a", {**records, "s-copy": copy})
    assert names([store], find([store])) == [({"r002", "s-copy"}, exact)]


def _entry(folder: Path, x: np.ndarray) -> object:
    from biosig.corpora.base import Entry

    (folder / "single").mkdir()
    return Entry("single", write_record(folder / "single", "single", x))


def test_many_copies_are_one_group(tmp_path: Path) -> None:
    records = distinct(3)
    for number in range(30):
        records[f"s{number:02d}"] = {"signal": heart(1, leads=6)}
    records["t-near"] = {"signal": heart(1, leads=6) * 3}
    store = make(tmp_path, "a", records)
    (group,) = find([store])
    assert len(group.places) == 32
    assert not group.exact


def test_copies_across_stores_of_different_preprocessing(tmp_path: Path) -> None:
    first = make(tmp_path, "a", distinct(8))
    second = make(tmp_path, "b", distinct(8, first=6), preprocessing=Preprocessing(steps=(Resample(rate=100.0),)))
    pipeline = Preprocessing(steps=(Bandpass(low=0.5, high=40.0), Resample(rate=125.0)))
    third = make(tmp_path, "c", distinct(2, first=7), preprocessing=pipeline)
    stores = [first, second, third]
    assert names(stores, find(stores)) == [({"r006"}, False), ({"r007"}, False), ({"r008"}, False)]
    assert find(stores)[1].places == (Place(0, 7), Place(1, 1), Place(2, 0))


def test_still_recordings_are_no_copies_of_each_other(tmp_path: Path) -> None:
    still = {f"r{n}": {"signal": np.zeros((3, 2000), np.float32)} for n in range(3)}
    store = make(tmp_path, "a", {**still, "s": {"signal": heart(0, leads=3)}})
    assert find([store]) == []
    assert store.fingerprints[:3] == [None] * 3


def test_one_lead_in_common_by_value_is_not_a_copy(tmp_path: Path) -> None:
    # The second lead agrees, and so do the fingerprints; the others do not.
    x = heart(3, leads=6)
    other = heart(4, leads=6)
    other[1] = x[1]
    store = make(tmp_path, "a", {"a": {"signal": x}, "b": {"signal": other}})
    assert store.fingerprints[0] == store.fingerprints[1]
    assert find([store]) == []


@pytest.mark.real
def test_the_two_rates_of_ptb_xl_and_a_true_copy_in_cinc2021(biosig_data: Path, tmp_path: Path) -> None:
    options = {"workers": 1, "progress": False}
    for name, folder in (("ptb-xl", "ptb-xl"), ("ptb-xl-100", "ptb-xl"), ("cinc2021", "cinc2021")):
        prepare(name, biosig_data / "ecg" / folder, tmp_path / name, **options)  # type: ignore[arg-type]
    fast, slow, mixed = (Store(tmp_path / name) for name in ("ptb-xl", "ptb-xl-100", "cinc2021"))
    numbers = [{name[:5] for name in store.column("record")} for store in (fast, slow)]
    found = find([fast, slow])
    assert len(found) == len(numbers[0] & numbers[1])
    assert all(len({fast.record(g.places[0].row)[:5], slow.record(g.places[1].row)[:5]}) == 1 for g in found)
    # A record of CPSC that CPSC-Extra has again, and one of Georgia that is there twice: other names, the same samples.
    assert names([mixed], find([mixed])) == [({"A0101", "Q0048"}, True), ({"E07509", "E07510"}, True)]
    records = mixed.records.set_index("record")["fold"]
    assert records["A0101"] == records["Q0048"]
    assert records["E07509"] == records["E07510"]
