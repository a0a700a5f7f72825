"""Files that were made to fill a memory, or to reach for others: refused, in one line, by every reader."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from biosig.corpora.spreadsheet import cells
from biosig.errors import BiosigError
from biosig.readers import READERS, read
from biosig.readers.hdf5 import read_hdf5_arrays
from biosig.readers.matlab import read_matlab
from biosig.store import prepare
from ontology import OntologyError, read_owl, read_rf2
from tests.biosig.corpora.test_spreadsheet import write_xlsx
from tests.biosig.readers import writers
from tests.fuzz.targets import TARGETS

MUCH = 256 << 20


def mat5(path: Path) -> None:
    matrix = struct.pack("<IIIIII", 6, 8, 6, 0, 5, 8) + struct.pack("<ii", 1, MUCH // 8) + struct.pack("<II", 1, 0)
    data = matrix + struct.pack("<II", 9, MUCH) + bytes(MUCH)
    packed = zlib.compress(struct.pack("<II", 14, len(data)) + data, 9)
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(packed)) + packed)


def hdf5(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("data", (MUCH // 8,), "f8", chunks=(1 << 20,), compression="gzip", fillvalue=0)


def nested_hdf5(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file
        for _ in range(1500):
            group = group.create_group("g")


def fif(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        for _ in range(MUCH >> 20):
            file.write(bytes(1 << 20))


def workbook(path: Path) -> None:
    write_xlsx(path, [["a"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content if "sheet1" not in name else content + bytes(MUCH))


def nested_workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<a>" * 200_000 + b"</a>" * 200_000)


def laughs(path: Path, name: str = "xl/worksheets/sheet1.xml") -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">{levels}]><a>&l9;</a>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text)


def outside(path: Path) -> None:
    text = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", text)


def nested_owl(path: Path) -> None:
    root = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:o="http://a.org/">'
    path.write_text(root + "<o:a><o:b>" * 10_000 + "</o:b></o:a>" * 10_000 + "</rdf:RDF>")


def rf2(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Snapshot/Terminology/sct2_Concept_Snapshot_INT_20250101.txt", bytes(MUCH // 4))


BOMBS: list[tuple[Callable[[Path], None], str, Callable[[Path], object]]] = [
    (mat5, "r.mat", read_matlab),
    (hdf5, "r.mat", read_matlab),
    (hdf5, "r.mat", lambda path: read_hdf5_arrays(path, ("data",))),
    (nested_hdf5, "r.mat", read_matlab),
    (mat5, "r.set", read),
    (hdf5, "r.set", read),
    (fif, "r_raw.fif.gz", read),
    (workbook, "r.xlsx", cells),
    (laughs, "r.xlsx", cells),
    (outside, "r.xlsx", cells),
    (rf2, "r.zip", read_rf2),
]


@pytest.mark.parametrize(("make", "name", "parse"), BOMBS, ids=[f"{make.__name__}-{name}" for make, name, _ in BOMBS])
def test_what_would_fill_a_memory_is_refused(
    make: Callable[[Path], None], name: str, parse: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / name)
    tracemalloc.start()
    with pytest.raises((BiosigError, OntologyError)) as refusal:
        parse(tmp_path / name)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(refusal.value)
    assert most < 3 * MUCH // 4, f"{most >> 20} MiB"


@pytest.mark.parametrize(
    ("make", "name", "parse"), [(nested_workbook, "r.xlsx", cells), (nested_owl, "r.owl", read_owl)]
)
def test_nesting_does_not_end_the_process(
    make: Callable[[Path], None], name: str, parse: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / name)
    try:
        parse(tmp_path / name)
    except (BiosigError, OntologyError) as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 -- reading it is as good


def wfdb_header(folder: Path, leads_to: str) -> Path:
    (folder / "r.hea").write_text(f"r 1 100 10\n{leads_to} 16\n")
    return folder / "r.hea"


def wfdb_segment(folder: Path, leads_to: str) -> Path:
    (folder / "r.hea").write_text(f"r/1 1 100 10\n{leads_to.removesuffix('.hea')} 10\n")
    return folder / "r.hea"


def brainvision(folder: Path, leads_to: str) -> Path:
    return writers.brainvision(folder, writers.BRAINVISION.replace("rec.eeg", leads_to))


def eeglab(folder: Path, leads_to: str) -> Path:
    return writers.eeglab(folder, data=leads_to)


def eeglab_epochs(folder: Path, leads_to: str) -> Path:
    return writers.eeglab(folder, data=leads_to, trials=2)


REFERS = [wfdb_header, wfdb_segment, brainvision, eeglab, eeglab_epochs]


@pytest.mark.parametrize("make", REFERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("leads_to", ["../secret.fdt", "/etc/passwd", "..\\secret.fdt", "C:\\secret.fdt", "link.fdt"])
def test_no_header_reaches_out_of_its_folder(make: Callable[[Path, str], Path], leads_to: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    secret = tmp_path / "secret.fdt"
    secret.write_bytes(b"hidden thing" * 1000)
    (folder / "link.fdt").symlink_to(secret)
    path = make(folder, leads_to)
    with pytest.raises(BiosigError) as refusal:
        read(path)
    assert "hidden" not in str(refusal.value)
    assert "root:" not in str(refusal.value)


def test_every_reader_is_fuzzed() -> None:
    known = {target.split("-")[0].split(".")[0] for target in TARGETS}
    # There is no writer of KIT files; MNE's own file is read in the tests of the corpora.
    assert set(READERS) - known == {"kit"}


def test_links_that_lead_out_of_a_corpus_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, elsewhere = tmp_path / "source", tmp_path / "elsewhere"
    source.mkdir()
    elsewhere.mkdir()
    np.arange(2000, dtype="<i2").tofile(elsewhere / "r.dat")
    (elsewhere / "r.hea").write_text("r 1 100 2000\nr.dat 16 200 16 0 0 0 0 II\n")
    for number in range(2):
        (source / f"r{number}.hea").symlink_to(elsewhere / "r.hea")
    (source / "own.hea").write_text("own 1 100 2000\nown.dat 16 200 16 0 0 0 0 II\n")
    np.arange(2000, dtype="<i2").tofile(source / "own.dat")
    report = prepare("folder", source, tmp_path / "store", workers=0, progress=False)
    assert report.links_out == 2
