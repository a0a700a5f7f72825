"""The cells of `bench_latency.py` as tables for the terminal, and as tables and a figure for the docs."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

from biosig.plot.output import new_figure, save

Cell = dict[str, Any]
ALIGNMENTS = ("pooled", "synchronous", "top_k", "banded", "coherent")
COHERENT = {"alignment": "coherent"}
NAMES = {"token_rate": "tokens a second", "top_k": "K"}
USUAL = {"token_rate": 16, "window": 2.0, "snr": 0.0, "top_k": 1}
BEGIN, END = "<!-- tables: made by tests/benchmarks/bench_latency.py -->", "<!-- end of tables -->"
COLOURS = dict(zip(ALIGNMENTS, ("#999999", "#0072b2", "#e69f00", "#cc79a7", "#009e73"), strict=True))
#: Windows among which one has to be found, by whether the stimulus was trained on: 5 s side by side.
CHANCE = {"trained": 1 / 60, "new": 1 / 30}


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half of the 95 % interval over seeds, by Student's t; NaN from fewer than three."""
    if len(values) < 3:
        return statistics.fmean(values), math.nan
    half = float(student.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.fmean(values), half


def picked(cells: Sequence[Cell], what: str, **wanted: object) -> list[float]:
    """One accuracy a seed, of the cells that are as wanted and usual otherwise."""
    want = USUAL | wanted
    return [cell[what] for cell in sorted(cells, key=_seed) if all(cell[k] == v for k, v in want.items())]


@dataclass(frozen=True)
class Grid:
    """A table: what differs from row to row and from column to column, and what all its cells have in common.

    Attributes:
        title: Above the table.
        rows: A field of a cell and its values.
        columns: Another one.
        unit: Of the columns, for the heading.
        what: The accuracy: at stimuli that were `trained` on or at a `new` one.
        common: Other fields; what is not named is usual.
    """

    title: str
    rows: tuple[str, Sequence[Any]]
    columns: tuple[str, Sequence[Any]]
    unit: str
    what: str
    common: dict[str, Any]

    def lines(self, cells: Sequence[Cell]) -> list[list[str]]:
        """The heading and the rows; a row or a column that was not run is left out."""
        (row, names), (column, places) = self.rows, self.columns
        found = {
            (name, place): self._values(cells, {**self.common, row: name, column: place})
            for name in names
            for place in places
        }
        places = [place for place in places if any(found[name, place] for name in names)]
        names = [name for name in names if places and all(found[name, place] for place in places)]
        heading = [NAMES.get(row, row), *(f"{place:g}{self.unit}" for place in places)]
        return [heading, *([str(name), *(_shown(*interval(found[name, one])) for one in places)] for name in names)]

    def _values(self, cells: Sequence[Cell], wanted: dict[str, Any]) -> list[float]:
        # Without a spread nothing drifts.
        if wanted["spread"] == 0:
            wanted = {**wanted, "latency": "fixed"}
        return picked(cells, self.what, **wanted)


def grids(spreads: Sequence[float]) -> list[Grid]:
    """What the page shows."""
    said = {"trained": "stimuli that were trained on", "new": "a new stimulus"}
    made = [
        Grid(
            f"{kind} latencies up to the spread, {said[what]} (chance {CHANCE[what]:.3f})",
            ("alignment", ALIGNMENTS),
            ("spread", spreads),
            " s",
            what,
            {"latency": kind},
        )
        for kind in ("fixed", "drifting")
        for what in said
    ]
    fixed, one = {"latency": "fixed"}, {"spread": 1.0}
    rates = ("token_rate", (4, 8, 16, 32)), ("spread", (0.5, 1.0, 2.0))
    made.append(Grid("tokens a second, by spread: coherent, fixed", *rates, " s", "trained", fixed | COHERENT))
    windows = ("latency", ("fixed", "drifting")), ("window", (0.5, 1.0, 2.0, 4.0))
    made.append(Grid("latency allowed: coherent, spread 1 s", *windows, " s", "trained", one | COHERENT))
    loudness = ("alignment", ALIGNMENTS[1:]), ("snr", (0.0, -3.0, -6.0))
    made.append(
        Grid("power of the stimulus over all else: fixed, spread 1 s", *loudness, " dB", "trained", fixed | one)
    )
    partners = ("alignment", ("top_k", "banded")), ("top_k", (1, 3))
    made += [
        Grid(f"partners of a token, K: {kind}, spread 1 s", *partners, "", "trained", one | {"latency": kind})
        for kind in ("fixed", "drifting")
    ]
    return made


def tables(cells: Sequence[Cell]) -> list[tuple[str, list[list[str]]]]:
    """Title and lines of each table that has two numbers to compare."""
    made = [(grid.title, grid.lines(cells)) for grid in grids(sorted({cell["spread"] for cell in cells}))]
    return [(title, lines) for title, lines in made if (len(lines) - 1) * (len(lines[0]) - 1) > 1]


def _shown(mean: float, half: float) -> str:
    return f"{mean:.2f}" if math.isnan(half) else f"{mean:.2f} ± {half:.2f}"


def _seed(cell: Cell) -> int:
    return int(cell["seed"])


def show(cells: Sequence[Cell], console: Console) -> None:
    """Print the tables."""
    for title, (heading, *rows) in tables(cells):
        table = Table(*heading)
        for row in rows:
            table.add_row(*row)
        console.print(f"[bold]{title}[/]", highlight=False)
        console.print(table)


def write(cells: Sequence[Cell], docs: Path) -> None:
    """The tables into the page between its two marks; figure and cells beside it."""
    page = docs / "latency.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(cells)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    draw(cells, docs / "images" / "latency.svg")
    lines = ",\n".join(json.dumps(cell, sort_keys=True) for cell in cells)
    (docs / "images" / "latency.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def markdown(cells: Sequence[Cell]) -> str:
    """The tables for the page."""
    seeds = len({cell["seed"] for cell in cells})
    parts = [f"Means over {seeds} seeds{', and 95 % intervals' if seeds > 2 else ''}.\n"]
    for title, (heading, *rows) in tables(cells):
        lines = [f"**{title}**", "", _line(heading), _line(["---"] * len(heading)), *map(_line, rows), ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


def draw(cells: Sequence[Cell], path: Path) -> None:
    """Accuracy against spread, a line an alignment, one panel each for fixed and drifting latencies."""
    figure = new_figure(180, 80)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, latency in zip(panels, ("fixed", "drifting"), strict=True):
        for place, name in enumerate(ALIGNMENTS):
            points = [
                (spread, *interval(values))
                for spread in sorted({cell["spread"] for cell in cells})
                if (values := picked(
                    cells, "trained", alignment=name, spread=spread, latency=latency if spread else "fixed"
                ))
            ]  # fmt: skip
            if points:
                spread, mean, half = np.array(points).T
                # Side by side, or bars hide each other; and no share is below 0 or above 1.
                reach = np.minimum(half, (mean, 1 - mean))
                axes.errorbar(
                    spread + 0.03 * (place - 2),
                    mean,
                    reach,
                    label=name,
                    color=COLOURS[name],
                    marker="o",
                    ms=3,
                    capsize=2,
                )
        axes.axhline(CHANCE["trained"], color="black", lw=0.8, ls=":")
        axes.set(xlabel="spread of latencies, s", title=f"{latency} latencies", ylim=(0, 1.04))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("same-moment retrieval")
    panels[1].legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    save(figure, path)
