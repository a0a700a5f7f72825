"""Does an ontology in the loss help? The graph-smoothed objective with five kernels, a random encoder beside them.

Every cell is one kernel with one seed: a small network is pretrained on the training sides of all stores, frozen, and
probed on each store that poses a task. Cells are processes of one thread, two at a time. What a cell found is one line
of `OUT/cells.jsonl`; a run that was interrupted goes on with the cells that are not there yet. The tables are also
written as Markdown, `OUT/table.md`. Not part of `make bench`: three seeds take a quarter of an hour on two cores.

    biosig prepare ludb FOLDER stores/ludb --rate 100  # and cinc2021, ptb-xl
    python tests/benchmarks/ablate_kernels.py stores/* --out ablation [--seeds 3] [--steps 300]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from finetune.diagnosis.summary import metric
from finetune.report.page import bracket, decimal
from ontology import KERNELS as KERNELS_OF_PACKAGE
from ontology import cardiac

KERNELS = ("identity", "hop", "heat", "severity", "random")
UNTRAINED = "random encoder"
FRACTIONS = (0.01, 0.1, 1.0)
# A draw of a handful of labelled people says little: each fraction is the mean over so many draws.
LABEL_DRAWS = 5
MIN_POSITIVES = 3
BOTH = "all"
_SIZE = (
    "data.augment=[{kind: gain}, {kind: noise}, {kind: lead_mask}]",
    "model.dim=128",
    "model.signal.options.width=24",
    "optimiser.batch_size=64",
    "optimiser.learning_rate=0.003",
    "optimiser.weight_decay=0.05",
    "optimiser.warmup_steps=20",
    "training.device=cpu",
    # One kernel has a width and another has not: each at its own default.
    "objectives.graph_smoothed.options.sigma=null",
)


def main() -> None:
    """Run what is missing, then print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kernels", nargs="+", default=list(KERNELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.cell:
        print(json.dumps(cell(asked.cell[0], int(asked.cell[1]), asked.stores, asked.out, asked.steps)))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    lines = asked.out / "cells.jsonl"
    # Seed by seed, so that an interrupted run has whole seeds; the untrained take the shape of the trained.
    wanted = [(kernel, seed) for seed in range(asked.seeds) for kernel in (*asked.kernels, UNTRAINED)]
    settings = {"stores": [str(path) for path in asked.stores], "steps": asked.steps, "size": list(_SIZE)}
    done = {(one["kernel"], one["seed"]) for one in read(lines, settings)}

    def run(name: tuple[str, int]) -> None:
        command = [sys.executable, __file__, *map(str, asked.stores), "--out", str(asked.out)]
        command += ["--steps", str(asked.steps), "--cell", name[0], str(name[1])]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        found = subprocess.run(command, env=os.environ | threads, stdout=subprocess.PIPE, text=True, check=True)
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"settings": settings} | json.loads(found.stdout.splitlines()[-1])) + "\n")
        print(f"{name[0]}, seed {name[1]}: done", flush=True)

    missing = [name for name in wanted if name not in done]
    for stage in (True, False):
        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(run, [name for name in missing if (name[0] != UNTRAINED) is stage]))
    cells = [one for one in read(lines, settings) if (one["kernel"], one["seed"]) in wanted]
    report(cells, asked.out)


def read(lines: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells of these settings that are done; a last line that was cut is passed over."""
    found = []
    for line in lines.read_text(encoding="utf-8").splitlines() if lines.is_file() else ():
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            continue
        if one["settings"] == settings:
            found.append(one)
    return found


def cell(kernel: str, seed: int, stores: list[Path], out: Path, steps: int) -> dict[str, Any]:
    """Pretrain once, probe everywhere; AUROC is macro, of the sample and of each bootstrap draw."""
    from biosig.errors import BiosigError
    from biosig.store import Store
    from finetune.diagnosis.task import diagnosis
    from finetune.embedding import embed
    from finetune.metrics.bootstrap import subject_weights
    from finetune.metrics.ranking import macro, rank_metrics
    from finetune.probe import fit_probe
    from finetune.protocols import Role, nested_fractions
    from pretrain.models.foundation import FoundationModel, random_like
    from pretrain.recipe import load
    from pretrain.training.session import pretrain

    began, opened = time.perf_counter(), [Store(path) for path in stores]
    folder = out / "runs" / f"{kernel}-{seed}"
    losses = {}
    if kernel == UNTRAINED:
        shape = next((out / "runs").glob(f"*-{seed}")) / "model"
        model = random_like(FoundationModel.from_pretrained(shape), seed)
    else:
        chosen = [f"seed={seed}", f"optimiser.steps={steps}", f"objectives.graph_smoothed.options.kernel={kernel}"]
        rate = f"data.sampling_rate={opened[0].sampling_rate:g}"
        if kernel == "random":
            chosen.append(f"objectives.graph_smoothed.options.kernel_options.seed={seed}")  # another graph each time
        watched = (f"training.{what}_every={steps}" for what in ("validate", "checkpoint"))
        recipe = load("graph_smoothed_ecg", (*_SIZE, *chosen, rate, *watched))
        summary = pretrain(recipe, stores, folder, resume=folder.exists(), console=Console(stderr=True, quiet=True))
        model = FoundationModel.from_pretrained(summary.model)
        losses = {"train": summary.outcome.losses["loss"], "validation": summary.outcome.validation.get("loss")}
    assert model.graph is not None, "a recipe with concepts makes a model with a graph"
    found: dict[str, Any] = {}
    for number, store in enumerate(opened):
        try:
            task = diagnosis(store, model.graph, min_positives=MIN_POSITIVES)
        except BiosigError:
            continue  # too few of everything on its test side
        test = task.rows[Role.TEST]
        weights = subject_weights(task.subjects[test], seed=number)
        features = embed(model, store, np.concatenate([task.rows[role] for role in Role])).features
        labels, known = (matrix[test][:, task.scored] for matrix in (task.labels, task.known))
        by_fraction: dict[str, Any] = {}
        for fraction in FRACTIONS:
            draws, records = [], []
            for draw in range(1 if fraction == 1 else LABEL_DRAWS):
                rows = nested_fractions(task, FRACTIONS, seed=LABEL_DRAWS * seed + draw)[fraction]
                scores = fit_probe(features, task, rows).probabilities(features[test])[:, task.scored]
                draws.append(macro(rank_metrics(scores, labels, known, weights).auroc))
                records.append(len(rows))
            by_fraction[str(fraction)] = {"auroc": np.mean(draws, 0).round(5).tolist(), "records": records}
        found[store.info.corpus.name] = {"concepts": int(task.scored.sum()), "test": len(test), **by_fraction}
    return {
        "kernel": kernel,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 1),
        "losses": losses,
        "stores": found,
    }


def report(cells: list[dict[str, Any]], out: Path) -> None:
    """Tables for the terminal, and as Markdown in `OUT/table.md`: AUROC of each kernel, and its gain over identity."""
    names = [name for name in (*KERNELS, UNTRAINED) if any(one["kernel"] == name for one in cells)]
    corpora, pages = list(cells[0]["stores"]), list[str]()
    fractions = [f"{100 * fraction:g} % of labels" for fraction in FRACTIONS]
    share = dict(zip(KERNELS, map(moved, KERNELS), strict=True))
    for corpus in (BOTH, *corpora):
        found = {name: [auroc(cells, name, corpus, fraction) for fraction in FRACTIONS] for name in names}
        rows = [
            [name, f"{share.get(name, 0):.2f}" if name in share else "", *map(shown, found[name])] for name in names
        ]
        seeds = min(len(values[0]) for values in found.values())
        pages.append(table(f"macro AUROC, {_facts(cells, corpus, seeds)}", ["kernel", "moved", *fractions], rows))
        if corpus == BOTH:
            pairs = [*((name, "identity") for name in names), ("hop", "random")]
            gains = [
                [
                    f"{ours} less {rival}",
                    *(shown(a[:seeds] - b[:seeds], sign=True) for a, b in zip(found[ours], found[rival], strict=True)),
                ]
                for ours, rival in pairs
                if ours != rival and {ours, rival} <= set(names)
            ]
            pages.append(table("gains: same subjects, same seeds", ["", *fractions], gains))
    (out / "table.md").write_text("\n\n".join(pages) + "\n", encoding="utf-8")


def _facts(cells: list[dict[str, Any]], corpus: str, seeds: int) -> str:
    names = [corpus] if corpus != BOTH else list(cells[0]["stores"])
    facts = [(name, cells[0]["stores"][name]) for name in names]
    said = ", ".join(f"{name} ({one['concepts']} concepts, {one['test']} test records)" for name, one in facts)
    return f"{'mean of ' if corpus == BOTH else ''}{said}; {seeds} seeds"


def moved(kernel: str) -> float:
    """What share of a label's target goes to other concepts: mean over labels, half of the target being smooth."""
    values = KERNELS_OF_PACKAGE[kernel](cardiac())
    return float(0.5 * (1 - 1 / values.sum(1)).mean())


def table(title: str, header: list[str], rows: list[list[str]]) -> str:
    """Print a table, and give it as Markdown."""
    printed = Table(*header, title=title, title_justify="left")
    for row in rows:
        printed.add_row(*map(escape, row))
    Console(width=120).print(printed)
    lines = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
    return "\n".join([f"**{title}**", "", *lines])


def auroc(cells: list[dict[str, Any]], kernel: str, corpus: str, fraction: float) -> Float64[np.ndarray, "seed draws"]:
    """Of each seed, the sample first; stores have draws of their own, so their mean has too."""
    chosen = sorted((one for one in cells if one["kernel"] == kernel), key=lambda one: int(one["seed"]))
    corpora = [corpus] if corpus != BOTH else list(cells[0]["stores"])
    return np.array([np.mean([one["stores"][name][str(fraction)]["auroc"] for name in corpora], 0) for one in chosen])


def shown(values: Float64[np.ndarray, "seed draws"], *, sign: bool = False) -> str:
    """The mean over seeds, with an interval over subjects and, from three seeds on, seeds."""
    found = metric(values, lowest=-1.0 if sign else 0.0)
    one = found.subjects_and_seeds or found.subjects
    return f"{decimal(one.value, sign=sign)} {bracket(one, sign=sign)}"


if __name__ == "__main__":
    main()
