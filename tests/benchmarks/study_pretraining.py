"""What does pretraining on a few hundred recordings give? Three recipes, random encoders, training from scratch.

A cell is one row of the tables with one seed: a recipe pretrained on the training sides of all stores, frozen and
probed; a random encoder, probed; or a network trained from scratch on the labels alone. It is scored on held-out
subjects of the Challenge 2021, of LUDB and of PTB-XL. Cells are processes of one thread, two at a time. What a cell
found is one line of `OUT/cells.jsonl`; a run that was interrupted, or whose minutes were over, goes on with the cells
that are not there yet. Not part of `make bench`.

    for corpus in ludb cinc2021 ptb-xl cinc2011 code15-samitrop mitdb; do
        biosig prepare $corpus data/ecg/$corpus stores/$corpus --rate 100 --physiology
    done
    python tests/benchmarks/study_pretraining.py stores/* --out study [--minutes 40] [--write docs]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from rich.console import Console

from biosig.store import Store
from finetune.diagnosis.rivals import Job, train_one
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.task import diagnosis, reasons
from finetune.embedding import embed
from finetune.metrics.bootstrap import subject_weights
from finetune.metrics.ranking import macro, rank_metrics
from finetune.probe import fit_probe
from finetune.protocols import Role, Task, nested_fractions
from ontology import cardiac
from pretrain.data.labels import Labels
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.recipe import load
from pretrain.specs.execution import Device, Precision
from pretrain.specs.recipe import LabelScope
from pretrain.training.precision import resolve_precision
from pretrain.training.session import pretrain

sys.path.insert(0, str(Path(__file__).parent))
import ablate_kernels
import study_page

MIN_POSITIVES = 3
FRACTIONS = (0.1, 1.0)
# A draw of a handful of labelled people says little: probes are the mean over so many; trainings from scratch have one.
LABEL_DRAWS = 5
# Held out as a whole: with its official folds the sample has six test recordings.
OUTSIDE = "ptb-xl"
SCORED = ("cinc2021", "ludb", OUTSIDE)
SIZE = (
    "data.sampling_rate=100",
    "data.window_seconds=10",
    # MIT-BIH has five times as many windows as all others together.
    "data.sampler={kind: uniform, temperature: 3}",
    "model.dim=128",
    "optimiser.batch_size=64",
    "optimiser.weight_decay=0.05",
    "optimiser.warmup_steps=20",
    "training.device=cpu",
)
RESNET = (
    "model.signal.options={front_end: montage_free, width: 24}",
    "model.signal.pooling=mean",
    "optimiser.learning_rate=0.003",
)
TRANSFORMER = (
    "model.signal.options={front_end: montage_free, depth: 4}",
    "model.masked.depth=1",
    "optimiser.learning_rate=0.001",
)
SIZES = {"merl": RESNET, "simclr_ecg": RESNET, "mar_ecg": TRANSFORMER}
#: The recipe whose architecture the rows without pretraining have.
SHAPES = {"ResNet": "merl", "transformer": "mar_ecg"}


def main() -> None:
    """Run what is missing, then print the tables, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--scratch-steps", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no cell begins later than that")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", type=Path, metavar="DOCS", help="put the tables into DOCS/pretraining.md")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.cell:
        print(json.dumps(cell(asked.cell[0], int(asked.cell[1]), asked)))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    wanted = names(asked.recipes, asked.seeds)
    settings = {
        "stores": {path.name: Store(path).fingerprint for path in asked.stores},
        "steps": asked.steps,
        "scratch_steps": asked.scratch_steps,
        "size": [*SIZE, *RESNET, *TRANSFORMER],
    }
    lines = asked.out / "cells.jsonl"
    run_missing(wanted, lines, settings, asked)
    cells = [one for one in ablate_kernels.read(lines, settings) if (one["row"], one["seed"]) in wanted]
    cells = study_page.whole_seeds(cells, {row for row, _ in wanted})
    if not cells:
        raise SystemExit("no seed has all its rows yet: run the same command again")
    tables = study_page.tables(cells)
    if asked.write:
        study_page.write(asked.write / "pretraining.md", tables)


def names(recipes: Sequence[str], seeds: int) -> list[tuple[str, int]]:
    """Row and seed of all cells, seed by seed; what has no pretraining takes the shape of what has."""
    shapes = [shape for shape, recipe in SHAPES.items() if recipe in recipes]
    rows = [*recipes, *(f"{kind} {shape}" for kind in ("random", "scratch") for shape in shapes)]
    return [(row, seed) for seed in range(seeds) for row in rows]


def run_missing(
    wanted: Sequence[tuple[str, int]], lines: Path, settings: dict[str, Any], asked: argparse.Namespace
) -> None:
    """Cells that are not there yet: first those that pretrain, then the others."""
    began = time.monotonic()
    done = {(one["row"], one["seed"]) for one in ablate_kernels.read(lines, settings)}

    def run(name: tuple[str, int]) -> None:
        if time.monotonic() - began > 60 * asked.minutes:
            print(f"{name[0]}, seed {name[1]}: left for another time", flush=True)
            return
        command = [sys.executable, __file__, *map(str, asked.stores), "--out", str(asked.out)]
        command += ["--steps", str(asked.steps), "--scratch-steps", str(asked.scratch_steps)]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        found = subprocess.run(
            [*command, "--cell", name[0], str(name[1])],
            env=os.environ | threads,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        one = {"settings": settings} | json.loads(found.stdout.splitlines()[-1])
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
        print(f"{name[0]}, seed {name[1]}: {one['seconds']:.0f} s", flush=True)

    missing = [name for name in wanted if name not in done]
    for stage in (True, False):
        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(run, [name for name in missing if (name[0] in SIZES) is stage]))


def cell(row: str, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    """One row with one seed; AUROC is macro, of the sample and of each bootstrap draw."""
    began = time.perf_counter()
    stores = {path.name: Store(path) for path in asked.stores}
    found: dict[str, Any] = {"row": row, "seed": seed, "losses": {}}
    kind, _, shape = row.partition(" ")
    if kind in SIZES:
        folder = asked.out / "runs" / f"{row}-{seed}"
        chosen = [*SIZE, *SIZES[row], f"seed={seed}", f"optimiser.steps={asked.steps}"]
        chosen += [f"training.{what}_every={asked.steps}" for what in ("validate", "checkpoint")]
        seen = [path for path in asked.stores if path.name != OUTSIDE]
        quiet = Console(stderr=True, quiet=True)
        summary = pretrain(load(row, chosen), seen, folder, resume=folder.exists(), console=quiet)
        model, folder = FoundationModel.from_pretrained(summary.model), summary.model
        found["losses"] = {"train": summary.outcome.losses, "validation": summary.outcome.validation}
        found["parameters"] = sum(weight.numel() for weight in model.signal.encoder.parameters())
    else:
        folder = asked.out / "runs" / f"{SHAPES[shape]}-0" / "model"
        model = random_like(FoundationModel.from_pretrained(folder), seed)
    found["trained"] = round(time.perf_counter() - began, 1)
    steps = asked.scratch_steps if kind == "scratch" else None
    found["stores"] = {name: scores(model, folder, stores[name], seed, steps) for name in SCORED if name in stores}
    return found | {"seconds": round(time.perf_counter() - began, 1)}


def scores(model: FoundationModel, folder: Path, store: Store, seed: int, steps: int | None) -> dict[str, Any]:
    """Of one store, the mean over its tasks, for each share of the labels."""
    tasks = halves(store) if store.info.corpus.name == OUTSIDE else [diagnosis(store, cardiac(), min_positives=3)]
    rows = np.unique(np.concatenate([task.rows[role] for task in tasks for role in Role]))
    features = embed(model, store, rows).features
    found: dict[str, Any] = {
        "concepts": [int(task.scored.sum()) for task in tasks],
        "test": sum(len(task.rows[Role.TEST]) for task in tasks),
    }
    for fraction in FRACTIONS:
        draws, records = [], []
        for draw in range(1 if fraction == 1 or steps else LABEL_DRAWS):
            for number, task in enumerate(tasks):
                chosen = nested_fractions(task, FRACTIONS, seed=LABEL_DRAWS * seed + draw)[fraction]
                judged = _judged(features, task, chosen, folder=folder, store=store.path, seed=seed, steps=steps)
                draws.append(_auroc(judged, task, number))
                records.append(len(chosen))
        found[str(fraction)] = {"auroc": np.mean(draws, 0).round(5).tolist(), "records": records}
    return found


def _judged(
    features: Float32[np.ndarray, "row dim"],
    task: Task,
    chosen: Int[np.ndarray, " chosen"],
    *,
    folder: Path,
    store: Path,
    seed: int,
    steps: int | None,
) -> Float32[np.ndarray, "test concept"]:
    """Probabilities of the test records: by a probe, or by all weights trained so many steps from that probe on."""
    probe = fit_probe(features, task, chosen)
    if steps is None:
        return probe.probabilities(features[task.rows[Role.TEST]])
    half = resolve_precision(Precision.AUTO, Device.CPU) is Precision.BF16
    return train_one(folder, [store], task, Budget(steps=steps, half=half), Job(seed, chosen, probe.head)).scores


def _auroc(judged: Float32[np.ndarray, "test concept"], task: Task, number: int) -> Float64[np.ndarray, " draw"]:
    test = task.rows[Role.TEST]
    labels, known = (matrix[test][:, task.scored] for matrix in (task.labels, task.known))
    weights = subject_weights(task.subjects[test], seed=number)
    return macro(rank_metrics(judged[:, task.scored], labels, known, weights).auroc)


def halves(store: Store) -> list[Task]:
    """A store nobody trained on, as two tasks: each half of its people is tested once, by what the other half taught.

    Concepts with three positive and three negative people in both halves are scored. Of the half that teaches, a
    quarter of the people choose the strength of the probe.
    """
    graph, table = cardiac(), store.records
    labels = Labels.of(table, graph, LabelScope.ANCESTORS)
    eighth = _dealt(table["subject"].to_numpy(dtype=str), labels.stated & labels.known, 8)
    tasks = []
    for first, second in ((0, 4), (4, 0)):
        sides = {
            Role.TRAIN: (eighth > second) & (eighth < second + 4),
            Role.VALIDATION: eighth == second,
            Role.TEST: (eighth >= first) & (eighth < first + 4),
        }
        tasks.append(
            Task(
                concepts=tuple(graph.observed),
                labels=labels.stated,
                known=labels.known,
                subjects=np.array([f"{store.info.corpus.name}/{person}" for person in table["subject"]]),
                rows={role: np.flatnonzero(side) for role, side in sides.items()},
                scored=np.ones(len(graph.observed), bool),
            )
        )
    why = [reasons(task, graph, MIN_POSITIVES) for task in tasks]
    scored = np.array([not any(each) for each in zip(*why, strict=True)])
    return [replace(task, scored=scored) for task in tasks]


def _dealt(people: np.ndarray, has: Bool[np.ndarray, "row concept"], parts: int) -> Int[np.ndarray, " row"]:
    """The part of each row: whoever has a rare thing goes to the part, then to the half, that has least of it.

    References:
        Sechidis et al., On the stratification of multi-label data, ECML PKDD 2011.
    """
    names, person = np.unique(people, return_inverse=True)
    carries = np.zeros((len(names), has.shape[1]), bool)
    np.logical_or.at(carries, person, has)
    part, half = np.full(len(names), -1), parts // 2
    for column in [*np.argsort(carries.sum(0), kind="stable"), None]:
        for one in np.flatnonzero((part < 0) & (True if column is None else carries[:, column])):
            of_part = [_count(carries, part == place, column) for place in range(parts)]
            of_half = [_count(carries, (part >= 0) & (part // half == place), column) for place in range(2)]
            part[one] = min(range(parts), key=lambda place: (of_half[place // half], of_part[place], place % half))
    return part[person]


def _count(carries: Bool[np.ndarray, "person concept"], here: Bool[np.ndarray, " person"], column: int | None) -> int:
    return int(here.sum() if column is None else carries[here, column].sum())


if __name__ == "__main__":
    main()
