"""The page on latencies says what its cells say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import latency_page

DOCS = Path(__file__).parents[1] / "docs"


def test_the_tables_are_those_of_the_cells() -> None:
    cells = json.loads((DOCS / "images" / "latency.json").read_text())
    page = (DOCS / "latency.md").read_text()
    _, _, rest = page.partition(latency_page.BEGIN)
    tables, end, _ = rest.partition(latency_page.END)
    assert end
    assert tables.strip() == latency_page.markdown(cells).strip()


def test_the_figure_is_drawn_from_the_cells(tmp_path: Path) -> None:
    cells = json.loads((DOCS / "images" / "latency.json").read_text())
    latency_page.draw(cells, tmp_path / "again.svg")
    again = (tmp_path / "again.svg").read_text()
    assert all(f">{name}<" in again for name in latency_page.ALIGNMENTS)
    latency_page.draw(cells, tmp_path / "twice.svg")
    assert (tmp_path / "twice.svg").read_text() == again
    assert (DOCS / "images" / "latency.svg").is_file()


def test_an_interval_is_by_students_t_and_needs_three_seeds() -> None:
    values = [0.2, 0.4, 0.9, 0.5, 0.6]
    mean, half = latency_page.interval(values)
    # 2.776 is the 97.5 % point of t with 4 degrees of freedom.
    assert mean == pytest.approx(0.52)
    assert half == pytest.approx(2.776 * np.std(values, ddof=1) / 5**0.5, rel=1e-3)
    assert math.isnan(latency_page.interval([0.1, 0.2])[1])


def test_a_cell_counts_in_its_own_table_alone() -> None:
    usual = {"alignment": "coherent", "latency": "fixed", "spread": 1.0, "seed": 0, **latency_page.USUAL}
    cells = [usual | {"trained": 0.5, "new": 0.25}, usual | {"snr": -3.0, "trained": 0.125, "new": 0.0}]
    wanted = {"alignment": "coherent", "latency": "fixed", "spread": 1.0}
    assert latency_page.picked(cells, "trained", **wanted) == [0.5]
    assert latency_page.picked(cells, "trained", **wanted, snr=-3.0) == [0.125]
    ((title, lines),) = latency_page.tables(cells)
    assert title.startswith("power of the stimulus")
    assert lines == [["alignment", "0 dB", "-3 dB"], ["coherent", "0.50", "0.12"]]
