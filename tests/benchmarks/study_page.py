"""The cells of `study_pretraining.py` as tables for the terminal and for the docs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

sys.path.insert(0, str(Path(__file__).parent))
from ablate_kernels import shown, table

Cell = dict[str, Any]
BEGIN, END = "<!-- tables: made by tests/benchmarks/study_pretraining.py -->", "<!-- end of tables -->"
BOTH = "all"
#: Which of the rows without pretraining has the architecture of a recipe.
SHAPE_OF = {"merl": "ResNet", "simclr_ecg": "ResNet", "mar_ecg": "transformer"}


def whole_seeds(cells: Sequence[Cell], rows: Collection[str]) -> list[Cell]:
    """The cells of those seeds that have all rows."""
    by_seed: dict[int, list[Cell]] = {}
    for one in cells:
        by_seed.setdefault(one["seed"], []).append(one)
    return [one for seed in sorted(by_seed) for one in by_seed[seed] if {x["row"] for x in by_seed[seed]} == set(rows)]


def auroc(cells: Sequence[Cell], row: str, corpus: str, fraction: str) -> Float64[np.ndarray, "seed draws"]:
    """Of each seed, the sample first; corpora have draws of their own, so their mean has too."""
    corpora = [corpus] if corpus != BOTH else list(cells[0]["stores"])
    chosen = sorted((one for one in cells if one["row"] == row), key=lambda one: int(one["seed"]))
    return np.array([np.mean([one["stores"][name][fraction]["auroc"] for name in corpora], 0) for one in chosen])


def tables(cells: Sequence[Cell]) -> list[str]:
    """Printed, and as Markdown: macro AUROC of each row, over all corpora and for each; what the recipes gain."""
    rows = list(dict.fromkeys(one["row"] for one in cells))
    facts = cells[0]["stores"]
    fractions = [key for key in next(iter(facts.values())) if key.replace(".", "").isdigit()]
    header = [f"{100 * float(fraction):g} % of labels" for fraction in fractions]
    pages = []
    for corpus in (BOTH, *facts):
        lines = [[row, *(shown(auroc(cells, row, corpus, each)) for each in fractions)] for row in rows]
        pages.append(table(_title(cells, corpus), ["row", *header], lines))
        if corpus == BOTH:
            gains = [
                [f"{ours} less {rival}", *(_gain(cells, ours, rival, each) for each in fractions)]
                for ours, rival in pairs(rows)
            ]
            pages.append(table("gains: same subjects, same seeds", ["", *header], gains))
    steps = [[row, *_training(cells, row)] for row in rows if row in SHAPE_OF]
    pages.append(table("pretraining", ["row", "weights", "seconds", "last loss", "validation loss"], steps))
    return pages


def pairs(rows: Sequence[str]) -> list[tuple[str, str]]:
    """What is set against what: each recipe against its own architecture without pretraining, and recipes."""
    ours = [row for row in rows if row in SHAPE_OF]
    found = [(row, f"{kind} {SHAPE_OF[row]}") for row in ours for kind in ("random", "scratch")]
    return [*found, *((one, other) for place, one in enumerate(ours) for other in ours[place + 1 :])]


def write(page: Path, made: Sequence[str]) -> None:
    """The tables into the page between its two marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    whole = "\n\n".join(made)
    page.write_text(f"{before}{BEGIN}\n\n{whole}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _gain(cells: Sequence[Cell], ours: str, rival: str, fraction: str) -> str:
    return shown(auroc(cells, ours, BOTH, fraction) - auroc(cells, rival, BOTH, fraction), sign=True)


def _title(cells: Sequence[Cell], corpus: str) -> str:
    facts = cells[0]["stores"]
    names = [corpus] if corpus != BOTH else list(facts)
    said = ", ".join(f"{name} ({_counted(facts[name])})" for name in names)
    seeds = len({one["seed"] for one in cells})
    return f"macro AUROC, {'mean of ' if corpus == BOTH else ''}{said}; {seeds} seed{'s' * (seeds > 1)}"


def _counted(facts: dict[str, Any]) -> str:
    return f"{max(facts['concepts'])} concepts, {facts['test']} test records"


def _training(cells: Sequence[Cell], row: str) -> list[str]:
    """Means over seeds."""
    own = [one for one in cells if one["row"] == row]
    losses = [
        np.mean([one["losses"][side].get("loss", np.nan) for one in own]).item() for side in ("train", "validation")
    ]
    return [
        f"{own[0]['parameters'] / 1e6:.2f} M",
        f"{np.mean([one['trained'] for one in own]):.0f}",
        *(f"{loss:.2f}" for loss in losses),
    ]
