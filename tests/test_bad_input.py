"""What users do by mistake, to every command: one line that says what to do, status 2, and nothing half-written."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import entry_points
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from biosig.cli import main
from biosig.simulate import write_corpus
from biosig.store import prepare

OUT = "{there}/out"
# What is wrong -> the commands that meet it. Places are filled in; `good` is a store, `there` an empty folder.
MISTAKES: dict[str, list[str]] = {
    "a folder that is not there": [
        f"prepare simulated {{there}}/nothing {OUT}",
        "audit {there}/nothing",
        "show {there}/nothing.edf",
        f"pretrain quickstart --data {{there}}/nothing --out {OUT}",
        f"evaluate {{there}}/nothing {{good}} --out {OUT}",
        f"finetune {{there}}/nothing {{good}} --out {OUT}",
        "predict {there}/nothing {record}",
        f"outcome {{there}}/nothing {{good}} --target age --out {OUT}",
        f"outcome {{there}}/nothing {{there}}/nothing --target age --out {OUT}",
        "outcome {record} --model {there}/nothing",
        f"stages {{there}}/nothing --out {OUT}",
        "stages {there}/nothing.edf --model {there}/nothing",
        f"delineate {{there}}/nothing --out {OUT}",
        f"emotion {{there}}/nothing --target dasps-2-class --out {OUT}",
    ],
    "an empty folder": [
        f"prepare ludb {{empty}} {OUT}",
        f"prepare simulated {{empty}} {OUT}",
        "audit {empty}",
        f"pretrain quickstart --data {{empty}} --out {OUT}",
        f"evaluate {{empty}} {{good}} --out {OUT}",
        "predict {empty} {record}",
        f"outcome {{empty}} {{good}} --target age --out {OUT}",
        f"stages {{empty}} --out {OUT}",
        "stages {record} --model {empty}",
        f"delineate {{empty}} --out {OUT}",
        f"emotion {{empty}} --target dasps-2-class --out {OUT}",
    ],
    "a folder of pictures": [
        f"prepare ptb-xl {{pictures}} {OUT}",
        f"prepare simulated {{pictures}} {OUT}",
        "show {pictures}/one.png",
        f"delineate {{pictures}} --out {OUT}",
        f"stages {{pictures}} --out {OUT}",
    ],
    "a truncated record": ["show {truncated}"],
    "a store of a newer version": [
        "audit {newer}",
        "show {newer} --record 0",
        f"pretrain quickstart --data {{newer}} --out {OUT}",
        f"emotion {{newer}} --target dasps-2-class --out {OUT}",
        f"outcome {{empty}} {{newer}} --target age --out {OUT}",
        f"stages {{newer}} --out {OUT}",
    ],
    "a name that nothing has": [
        f"prepare no-such-corpus {{good}} {OUT}",
        f"pretrain no-such-recipe --data {{good}} --out {OUT}",
        "recipes no-such-recipe",
        f"download no-such-corpus {OUT}",
        "corpora no-such-corpus",
        "ontology show no-such-concept",
        f"pretrain quickstart --data {{good}} --out {OUT} --set optimiser.no_such_field=3",
    ],
    "a folder that holds something": [
        "simulate {good} --records 2",
        "prepare simulated {recordings} {good}",
        "pretrain quickstart --data {good} --out {good}",
    ],
}
CASES = [(what, command) for what, commands in MISTAKES.items() for command in commands]
IDS = [f"{place}: {command.split()[0]}: {what}" for place, (what, command) in enumerate(CASES)]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("mistakes")
    recordings, good, newer = folder / "recordings", folder / "store", folder / "newer"
    write_corpus(recordings, 4, seed=0, sampling_rate=100.0, duration=4.0, progress=False)
    prepare("simulated", recordings, good, workers=1, progress=False)
    shutil.copytree(good, newer)
    document = json.loads((newer / "store.json").read_text())
    document["version"] += 1
    (newer / "store.json").write_text(json.dumps(document))
    (folder / "empty").mkdir()
    (folder / "pictures").mkdir()
    plt.imsave(folder / "pictures" / "one.png", [[0.0, 1.0]])
    header = min(recordings.rglob("*.hea"))
    cut = folder / "cut"
    cut.mkdir()
    for path in header.parent.glob(f"{header.stem}.*"):
        whole = path.read_bytes()
        (cut / path.name).write_bytes(whole if path.suffix == ".hea" else whole[: len(whole) // 3])
    known = {"recordings": recordings, "good": good, "newer": newer, "truncated": cut / header.name, "record": header}
    return known | {name: folder / name for name in ("empty", "pictures")}


@pytest.mark.parametrize(("what", "command"), CASES, ids=IDS)
def test_one_line_status_2_and_nothing_written(
    what: str, command: str, places: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in places["good"].rglob("*") if path.is_file()}
    with pytest.raises(SystemExit) as stop:
        main(command.format(there=tmp_path, **places).split())
    complaint = capsys.readouterr().err
    assert stop.value.code == 2, f"{what}: {complaint}"
    assert "Traceback" not in complaint
    assert len(complaint.strip().splitlines()) == 1, complaint
    assert not list(tmp_path.iterdir())
    assert before == {path: path.read_bytes() for path in places["good"].rglob("*") if path.is_file()}


def test_no_command_is_forgotten() -> None:
    tried = {command.split()[0] for _, command in CASES}
    assert tried == {point.name for point in entry_points(group="biosig.commands")}
