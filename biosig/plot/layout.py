"""Which lead goes where on ECG paper, and which seconds of it are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from biosig.channels import LEADS_12
from biosig.errors import BiosigError

_RHYTHM_LEADS = ("II", "V1", "V5")


@dataclass(frozen=True)
class Cell:
    """One stretch of one lead.

    Attributes:
        lead: Its name.
        begin, end: Seconds after the first shown sample; they are also where it lies across the paper.
    """

    lead: str
    begin: float
    end: float


def lay_out(layout: str, channels: Sequence[str], seconds: float) -> list[list[Cell]]:
    """Rows of cells from top to bottom.

    Time runs on from column to column, as on the paper of a recorder: what stands below each other happened together.

    Args:
        layout: `ROWSxCOLUMNS`, with `+N` for N rhythm strips below over the whole width: `3x4+1`, `6x2`, `12x1`; or
            `auto`: `3x4+1` for a 12-lead ECG, else one row a lead.
        channels: What the recording has, in its order.
        seconds: How much is shown.

    Raises:
        BiosigError: If the layout cannot be read, or has no room for all leads.
    """
    leads = list(LEADS_12) if _is_twelve(channels) else list(channels)
    if layout == "auto":
        layout = "3x4+1" if _is_twelve(channels) else f"{len(leads)}x1"
    form = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)(?:\+([0-3]))?", layout)
    if not form:
        raise BiosigError(f"expected a layout such as 3x4+1, 6x2, 12x1 or auto, got {layout!r}")
    n_rows, n_columns, n_strips = int(form[1]), int(form[2]), int(form[3] or 0)
    if n_rows * n_columns < len(leads):
        raise BiosigError(f"layout {layout} has {n_rows * n_columns} places, but there are {len(leads)} leads")
    width = seconds / n_columns
    rows = [
        [
            Cell(leads[place], column * width, (column + 1) * width)
            for column in range(n_columns)
            if (place := column * n_rows + row) < len(leads)
        ]
        for row in range(n_rows)
    ]
    strips = [lead for lead in (*_RHYTHM_LEADS, *leads) if lead in channels]
    rows += [[Cell(lead, 0.0, seconds)] for lead in list(dict.fromkeys(strips))[:n_strips]]
    return [row for row in rows if row]


def _is_twelve(channels: Sequence[str]) -> bool:
    """Whether this is a 12-lead ECG; a lead or two may be missing, and then its place stays empty."""
    standard = sum(lead in channels for lead in LEADS_12)
    return standard == len(channels) and standard >= 8
