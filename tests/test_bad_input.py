"""What goes wrong for users, with every command: one line that says what to do, status 2, nothing half-written.

`CALLS` says how each command is called, with a name in braces for everything it is given. `WRONG` says what may be
wrong with each of those: every call meets everything that may be wrong with what it takes.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from biosig.cli import main
from biosig.simulate import write_corpus
from biosig.store import prepare
from tests.fuzz.targets import TARGETS
from tests.unsealed import unsealed

CALLS: dict[str, list[str]] = {
    "corpora": ["corpora {name}"],
    "download": ["download {name} {new}"],
    "simulate": ["simulate {out} --records 2 --duration 4", "simulate {out} --kind eeg --subjects 2 --stimuli 1"],
    "prepare": [
        "prepare simulated {source} {out} --workers 1",
        "prepare ptb-xl {source} {new}",
        "prepare {name} . {new}",
    ],
    "audit": ["audit {store}"],
    "show": ["show {record} --out {out}.png", "show {store} --record 0"],
    "ontology": ["ontology show {name}", "ontology coverage {store}", "ontology convert cardiac {out}.owl"],
    "embed": ["embed {model} {store} --out {out}.parquet"],
    "browse": ["browse {store}", "browse sound-store --model {model}"],
    "recipes": ["recipes {name}"],
    "pretrain": ["pretrain quickstart --data {store} --out {out}", "pretrain {name} --data sound-store --out {new}"],
    "evaluate": ["evaluate {model} {store} --out {out}"],
    "finetune": ["finetune {model} {store} --out {out}"],
    "model-page": ["model-page {model} --out {out}.html"],
    "export": ["export {model} --out {new}.pt2"],
    "predict": ["predict {kept} sound-record --out {new}"],
    "delineate": ["delineate {source} --out {out}", "delineate {record} --model {kept} --out {new}"],
    "beats": ["beats {source} --out {out}", "beats {record} --model {kept} --out {new}"],
    "outcome": ["outcome {model} {store} --target age --out {out}", "outcome sound-record --model {kept} --out {new}"],
    "stages": ["stages {source} --out {out}", "stages {record} --model {kept} --out {new}"],
    "emotion": ["emotion {store} --target dasps-2-class --out {out}"],
}
# What is given -> what may be wrong with it. Sound ones are used where another thing is wrong.
FOLDERS = ("nothing", "empty", "pictures")
WRONG: dict[str, tuple[str, ...]] = {
    "source": FOLDERS,
    "store": (*FOLDERS, "newer-store", "damaged-store"),
    "model": (*FOLDERS, "other-montage"),
    "kept": FOLDERS,  # a fine-tuned model
    "record": ("nothing", "truncated", "pictures/one.png"),
    "name": ("no-such-name",),
    "out": ("read-only", "full-disk"),
}
CASES = [
    (call, given, wrong)
    for calls in CALLS.values()
    for call in calls
    for given in re.findall(r"\{(\w+)\}", call)
    if given in WRONG
    for wrong in WRONG[given]
]
# Bars, and the count after the files that were named.
_BESIDES = re.compile("━|[0-9]+/[0-9]+ +[0-9:]+ |^[0-9]+ of [0-9]+ files left out")
READ_ONLY = Path("/sys/biosig-out")  # the system's own: root may not write there either


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    recordings, store = folder / "sound-source", folder / "sound-store"
    write_corpus(recordings, 4, seed=0, sampling_rate=100.0, duration=4.0, progress=False)
    prepare("simulated", recordings, store, workers=0, progress=False)
    for name in ("newer-store", "damaged-store"):
        shutil.copytree(store, folder / name)
    document = json.loads((store / "store.json").read_text())
    (folder / "newer-store" / "store.json").write_text(json.dumps({**document, "version": document["version"] + 1}))
    table = folder / "damaged-store" / "records.parquet"
    table.write_bytes(bytes(table.stat().st_size))
    for name in ("empty", "pictures", "truncated", "other-montage", "sound-model"):
        (folder / name).mkdir()
    plt.imsave(folder / "pictures" / "one.png", [[0.0, 1.0]])
    header = min(recordings.rglob("*.hea"))
    for path in header.parent.glob(f"{header.stem}.*"):
        whole = path.read_bytes()
        (folder / "truncated" / path.name).write_bytes(whole if path.suffix == ".hea" else whole[: len(whole) // 3])
    TARGETS["model-config"].make(folder / "sound-model")
    config = json.loads(TARGETS["model-config"].make(folder / "other-montage").read_text())
    intake = {**config["intake"], "leads": ["Fp1", "Fp2"], "modalities": ["eeg"]}
    unsealed(folder / "other-montage" / "config.json", intake=intake)
    return folder


def filled(call: str, given: str, wrong: str, places: Path, there: Path) -> list[str]:
    header = min((places / "sound-source").rglob("*.hea"))
    known = {name: str(places / f"sound-{name}") for name in ("source", "store", "model")}
    known |= {
        "record": str(header),
        "new": str(there / "new"),
        "out": str(there / "out"),
        "kept": str(places / "empty"),
    }
    spoilt = {"truncated": f"truncated/{header.name}"}.get(wrong, wrong)
    bad = {"read-only": str(READ_ONLY), "full-disk": known["out"], "no-such-name": wrong}.get(
        wrong, str(places / spoilt)
    )
    words = call.replace("sound-store", known["store"]).replace("sound-record", known["record"])
    return words.format(**{**known, "name": "", given: bad}).split()


@contextmanager
def disk(wrong: str) -> Iterator[None]:
    """No file may grow beyond a kilobyte: what a full disk says, by another number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if wrong == "full-disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("case", CASES, ids=["-".join((call.split()[0], *rest)) for call, *rest in CASES])
def test_one_line_status_2_and_nothing_written(
    case: tuple[str, str, str], places: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call, given, wrong = case
    if wrong == "read-only" and sys.platform != "linux":
        pytest.skip("there is no folder that root may not write to")
    before = contents(places)
    with disk(wrong), pytest.raises(SystemExit) as stop:
        main(filled(call, given, wrong, places, tmp_path))
    complaint = [line for line in capsys.readouterr().err.splitlines() if line.strip() and not _BESIDES.search(line)]
    assert stop.value.code == 2, complaint
    assert len(complaint) == 1, complaint
    assert complaint[0].startswith(("biosig: ", "left out: "))
    assert "Traceback" not in complaint[0]
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    # What an interrupted `prepare` did is kept, for the same command to go on.
    assert not left or (call.startswith("prepare") and (tmp_path / "out.partial").is_dir()), left
    assert contents(places) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "call",
    [
        "simulate sound-store --records 2",
        "prepare simulated {source} sound-store",
        "pretrain quickstart --data {store} --out sound-store",
        "pretrain quickstart --data {store} --out {new} --set optimiser.no_such_field=3",
    ],
)
def test_what_is_there_is_not_overwritten(
    call: str, places: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(places)
    with pytest.raises(SystemExit) as stop:
        main(filled(call, "name", "no-such-name", places, tmp_path))
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert contents(places) == before
    assert not list(tmp_path.iterdir())


def test_no_command_is_forgotten() -> None:
    assert set(CALLS) == {point.name for point in entry_points(group="biosig.commands")}
