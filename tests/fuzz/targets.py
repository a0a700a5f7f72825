"""Everything that reads what others wrote: a sound file to begin with, and the function that reads it.

Whatever the bytes, only errors of the project may come out of it, in one line. Documents have no digest of their own
here: what is behind it is looked at.
"""

from __future__ import annotations

import io
import json
import pickle
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from biosig.errors import BiosigError
from biosig.store.layout import INFO
from ontology.registry import Registry
from tests.biosig.corpora.emotion_files import write_cnt
from tests.biosig.corpora.synthetic_bids import bids
from tests.biosig.corpora.test_spreadsheet import write_xlsx
from tests.biosig.readers import writers
from tests.biosig.store.fake import describe
from tests.fuzz import fitted
from tests.ontology import rf2_release
from tests.unsealed import unsealed

SEED = 0


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        make: Writes sound files into an empty folder and returns the file to damage.
        parse: Reads them, given that file.
    """

    make: Callable[[Path], Path]
    parse: Callable[[Path], object]


TARGETS: Registry[Target] = Registry("fuzz target")


def _read(path: Path) -> object:
    from biosig.readers import read

    leaders = {".dat": ".hea", ".atr": ".hea", ".vmrk": ".vhdr"}
    options = {"annotations": ("atr",)} if path.suffix == ".atr" else {}
    return read(path.with_suffix(leaders.get(path.suffix, path.suffix)), **options)


def _samples() -> np.ndarray[Any, Any]:
    return np.random.default_rng(SEED).integers(-1000, 1000, (2, 100))


def _wfdb(folder: Path, damaged: str) -> Path:
    import wfdb

    channels = {"units": ["mV"] * 2, "sig_name": ["I", "II"], "fmt": ["16"] * 2}
    scale = {"adc_gain": [200.0] * 2, "baseline": [0, 0]}
    comments = ["Age: 50", "Dx: 426783006"]
    wfdb.wrsamp("r", 500, d_signal=_samples().T, comments=comments, write_dir=str(folder), **channels, **scale)
    wfdb.wrann("r", "atr", np.array([10, 50]), ["N", "+"], aux_note=["", "(AFIB"], write_dir=str(folder))
    return folder / f"r.{damaged}"


def _edf(folder: Path) -> Path:
    signals = [{"label": "EEG Fp1", "samples": 4}, {"label": "EDF Annotations", "unit": "", "samples": 30}]
    texts = [b"+0\x14\x14\0+0.5\x14go\x14\0", b"+1\x14\x14\0"]
    return writers.edf(folder / "r.edf", signals, [[[1, 2, 3, 4], text] for text in texts], kind="EDF+C")


def _bdf(folder: Path) -> Path:
    signals = [{"label": "EEG Fp1", "samples": 4}, {"label": "Status", "samples": 4}]
    return writers.edf(folder / "r.bdf", signals, [[bytes(range(12)), bytes(12)]] * 2, version="\xffBIOSEMI")


def _segments(folder: Path) -> Path:
    _wfdb(folder, "hea")
    (folder / "whole.hea").write_text("whole/3 2 500 250\nr 100\n~ 50\nr 100\n", encoding="ascii")
    return folder / "whole.hea"


def _fif(folder: Path) -> Path:
    import mne

    raw = mne.io.RawArray(1e-6 * _samples(), mne.create_info(["Fp1", "ECG"], 100.0, ["eeg", "ecg"]), verbose="error")
    raw.save(folder / "r_raw.fif", verbose="error")
    return folder / "r_raw.fif"


def _cnt(folder: Path) -> Path:
    write_cnt(folder / "r.cnt", ("FP1", "VEO"), 200, 50, values={10: _samples()[:, :5]})
    return folder / "r.cnt"


def _brainvision(folder: Path, damaged: str) -> Path:
    return writers.brainvision(folder).with_suffix(damaged)


def _gdf(folder: Path) -> Path:
    return writers.gdf(folder / "r.gdf", _samples())


def _egi(folder: Path) -> Path:
    return writers.egi(folder / "r.raw")


def _mat5(folder: Path) -> Path:
    from scipy.io import savemat

    savemat(folder / "r.mat", {"a": _samples(), "s": {"t": "text", "c": np.array([1, "x"], dtype=object)}})
    return folder / "r.mat"


def _hdf5(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "r.mat", "w", userblock_size=512) as file:
        file["data"] = _samples()
        file["labels"] = _samples()[:, :1]
    return folder / "r.mat"


def _read_matlab(path: Path) -> object:
    from biosig.readers.matlab import matlab_variables, read_matlab

    return matlab_variables(path), read_matlab(path)


def _read_hdf5(path: Path) -> object:
    from biosig.readers.hdf5 import read_hdf5_arrays

    return read_hdf5_arrays(path, ("data", "labels"))


def _pickle(folder: Path) -> Path:
    path = folder / "r.dat"
    path.write_bytes(pickle.dumps({"data": _samples(), "labels": [1, 2.5, "a"]}, protocol=2))
    return path


def _read_pickle(path: Path) -> object:
    from biosig.readers.restricted_pickle import read_pickle

    return read_pickle(path)


def _rf2(folder: Path, *, packed: bool) -> Path:
    made = rf2_release.save(rf2_release.small(5, rf2_release.DIAMOND), folder / "release", bystanders=False)
    return rf2_release.pack(made, folder / "release.zip") if packed else made / rf2_release.CONCEPT


def _read_rf2(path: Path) -> object:
    from ontology import read_rf2

    return read_rf2(path if path.suffix == ".zip" else path.parents[2])


def _owl(folder: Path, notation: str) -> Path:
    from ontology import cardiac
    from ontology.owl import write_owl

    path = folder / f"graph.{notation}"
    write_owl(cardiac(), path, format=notation)
    return path


def _read_owl(path: Path) -> object:
    from ontology import read_owl

    return read_owl(path)


def _recipe(folder: Path) -> Path:
    from pretrain.recipe import load

    path = folder / "recipe.yaml"
    path.write_text(load("quickstart").to_yaml(), encoding="utf-8")
    return path


def _read_recipe(path: Path) -> object:
    from pretrain.recipe import load

    return load(path)


def _preset(folder: Path) -> Path:
    import biosig.presets

    return Path(shutil.copy(Path(biosig.presets.__file__).with_name("eeg-clean.yaml"), folder / "steps.yaml"))


def _read_preset(path: Path) -> object:
    from biosig.presets import load

    return load(path)


@cache
def _prepared(folder: Path) -> Path:
    from biosig.simulate import write_corpus
    from biosig.store import prepare

    write_corpus(folder / "recordings", 3, seed=SEED, sampling_rate=100.0, duration=4.0, progress=False)
    options: dict[str, Any] = {"statistics": True, "workers": 0, "progress": False}
    prepare("simulated", folder / "recordings", folder / "store", **options)
    return folder / "store"


def _workbook(folder: Path) -> Path:
    write_xlsx(folder / "table.xlsx", [["name", "age"], ["a", 8], ["b", 0.5]])
    return folder / "table.xlsx"


def _read_workbook(path: Path) -> object:
    from biosig.corpora.spreadsheet import cells

    return cells(path)


def _people(folder: Path) -> Path:
    _wfdb(folder, "hea")
    (folder / "subjects.csv").write_text("record,subject,fold,age,sex,dx\nr,p1,3,50,F,426783006\n", encoding="utf-8")
    return folder / "subjects.csv"


def _read_people(path: Path) -> object:
    from biosig.corpora import CORPORA

    corpus = CORPORA["folder"]
    return [corpus.read(entry) for entry in corpus.find(path.parent)]


def _bids(folder: Path, damaged: str) -> Path:
    bids(folder)
    described = {"PowerLineFrequency": 50, "EEGReference": "Cz", "RecordingDuration": 4.0}
    (folder / "task-rest_eeg.json").write_text(json.dumps(described), encoding="utf-8")
    return folder / damaged


def _read_bids(path: Path) -> object:
    from biosig.corpora import CORPORA

    corpus = CORPORA["bids"]
    return [corpus.read(entry) for entry in corpus.find(path.parent)[:1]]


def _score(folder: Path) -> Path:
    path = folder / "weights.csv"
    path.write_text(",426783006,164889003|164890007\n426783006,1,0.5\n164889003|164890007,0.5,1\n", encoding="utf-8")
    return path


def _read_score(path: Path) -> object:
    from finetune.metrics.challenge import read_weights

    return read_weights(path)


def _store(folder: Path, damaged: str) -> Path:
    path = _prepared(folder) / damaged
    if damaged == INFO:
        unsealed(path)
    return path


def _read_store(path: Path) -> object:
    from biosig.store import Store

    store = Store(path.parent)
    rows = range(len(store))
    return store.records, store.events, [(store.recording(row), store.beats(row)) for row in rows]


def _read_forged(path: Path) -> object:
    """The same where whoever changed the file changed its digest too."""
    describe(path.parent, path.name)
    return _read_store(path)


def _weights(folder: Path) -> Path:
    from safetensors.numpy import save_file

    save_file({"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)}, folder / "m.safetensors")
    return folder / "m.safetensors"


def _read_weights(path: Path) -> object:
    from torch import nn

    from pretrain.models.tensors import load_weights

    return load_weights(nn.Linear(3, 2), path)


def _model(folder: Path) -> Path:
    from biosig.preprocess import Preprocessing
    from biosig.recording import Modality
    from pretrain.models.config import ModelConfig
    from pretrain.models.foundation import FoundationModel
    from pretrain.models.intake import Intake
    from pretrain.specs.architecture import Architecture, SignalSpec

    signal = SignalSpec(encoder="resnet1d18", options={"width": 8})
    steps = Preprocessing()
    intake = Intake(sampling_rate=100, window_seconds=2, modalities=(Modality.ECG,), preprocessing=steps)
    FoundationModel(ModelConfig(architecture=Architecture(dim=8, signal=signal), intake=intake)).save_pretrained(folder)
    unsealed(folder / "config.json")
    return folder / "config.json"


def _read_model(path: Path) -> object:
    from pretrain.models.foundation import FoundationModel

    return FoundationModel.from_pretrained(path.parent)


def _network() -> Any:
    from torch import nn

    from pretrain.specs.recipe import Optimiser
    from pretrain.training.optimiser import adamw

    module = nn.Linear(3, 2)
    return module, adamw(module, Optimiser(steps=10, batch_size=2))


def _checkpoint(folder: Path, damaged: str) -> Path:
    import torch

    from pretrain.training.checkpoint import Checkpoints

    module, optimiser = _network()
    module(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    path = Checkpoints(folder, keep=1).save(3, module, optimiser, {"epoch": 0, "batch": 3})
    unsealed(path / "state.json")
    return path / damaged


def _read_checkpoint(path: Path) -> object:
    from pretrain.training.checkpoint import Checkpoints

    return Checkpoints(path.parents[1], keep=1).load(3, *_network())


def _shown(path: Path) -> object:
    """`biosig show` with a picture: what is refused is one line and exit status 2."""
    from biosig.cli import main

    said, words = io.StringIO(), ["show", str(path.with_suffix(".hea")), "--out", str(path.with_suffix(".png"))]
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            main(words)
    except SystemExit as stop:
        if stop.code == 2:
            raise BiosigError(said.getvalue().strip()) from stop
    return said


def _sums(folder: Path) -> Path:
    path = folder / "SHA256SUMS.txt"
    path.write_text("".join(f"{number:064x}  a/r{number}.dat\n" for number in range(5)), encoding="utf-8")
    return path


def _read_sums(path: Path) -> object:
    from biosig.download.listing import first_records, parse_sums

    text = path.read_bytes().decode(errors="replace")
    return first_records(parse_sums(text), "a/r1\n", 1)


for _ending in ("hea", "dat", "atr"):
    TARGETS.add(f"wfdb-{_ending}", Target(partial(_wfdb, damaged=_ending), _read))
for _ending in (".vhdr", ".vmrk"):
    TARGETS.add(f"brainvision{_ending}", Target(partial(_brainvision, damaged=_ending), _read))
TARGETS.add("wfdb-segments", Target(_segments, _read))
TARGETS.add("edf", Target(_edf, _read))
TARGETS.add("edf-bdf", Target(_bdf, _read))
TARGETS.add("fif", Target(_fif, _read))
TARGETS.add("neuroscan", Target(_cnt, _read))
TARGETS.add("gdf", Target(_gdf, _read))
TARGETS.add("egi", Target(_egi, _read))
TARGETS.add("eeglab", Target(writers.eeglab, _read))
TARGETS.add("mat5", Target(_mat5, _read_matlab))
TARGETS.add("hdf5", Target(_hdf5, _read_hdf5))
TARGETS.add("pickle", Target(_pickle, _read_pickle))
TARGETS.add("rf2", Target(partial(_rf2, packed=False), _read_rf2))
TARGETS.add("rf2-zip", Target(partial(_rf2, packed=True), _read_rf2))
for _notation in ("rdfxml", "owlxml", "ntriples"):
    TARGETS.add(f"owl-{_notation}", Target(partial(_owl, notation=_notation), _read_owl))
TARGETS.add("recipe", Target(_recipe, _read_recipe))
TARGETS.add("preprocessing", Target(_preset, _read_preset))
TARGETS.add("store.json", Target(partial(_store, damaged="store.json"), _read_store))
for _name in ("records.parquet", "events.parquet", "physiology.parquet", "shard-00000.npy"):
    TARGETS.add(_name, Target(partial(_store, damaged=_name), _read_store))
    TARGETS.add(f"forged-{_name}", Target(partial(_store, damaged=_name), _read_forged))
TARGETS.add("workbook", Target(_workbook, _read_workbook))
TARGETS.add("folder-table", Target(_people, _read_people))
for _name in ("participants.tsv", "task-rest_channels.tsv", "task-rest_eeg.json", "dataset_description.json"):
    TARGETS.add(f"bids-{_name}", Target(partial(_bids, damaged=_name), _read_bids))
TARGETS.add("challenge-weights", Target(_score, _read_score))
TARGETS.add("model-config", Target(_model, _read_model))
for _name in ("weights.safetensors", "optimiser.safetensors", "random.safetensors", "state.json"):
    TARGETS.add(f"checkpoint-{_name}", Target(partial(_checkpoint, damaged=_name), _read_checkpoint))
for _kind in fitted.MAKERS:
    for _ending in ("json", "safetensors"):
        _file = f"{_kind}.{_ending}"
        _make = partial(fitted.fitted, kind=_kind, damaged=_file)
        TARGETS.add(_file, Target(_make, partial(fitted.ask, kind=_kind)))
_make = partial(fitted.fitted, kind="diagnoser", damaged="training_records.parquet")
TARGETS.add("training-records", Target(_make, partial(fitted.ask, kind="diagnoser")))
for _name in ("run.json", "recipe.yaml", "log.jsonl"):
    TARGETS.add(f"run-{_name}", Target(partial(fitted.run, damaged=_name), fitted.go_on))
for _ending in ("hea", "dat"):
    TARGETS.add(f"show-{_ending}", Target(partial(_wfdb, damaged=_ending), _shown))
TARGETS.add("weights", Target(_weights, _read_weights))
TARGETS.add("download-list", Target(_sums, _read_sums))
