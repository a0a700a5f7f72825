"""The cells of `study_diagnosis.py` as tables for the terminal and for the docs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from finetune.diagnosis.result import ADAPTED, Encoder, Evaluation, Metric, Protocol
from finetune.report.document import drop_lines
from finetune.report.figures import NAMES, shown
from finetune.report.page import bracket, decimal
from finetune.trust.figures import SCALINGS

sys.path.insert(0, str(Path(__file__).parent))
from ablate_kernels import table

BEGIN, END = "<!-- tables: made by tests/benchmarks/study_diagnosis.py -->", "<!-- end of tables -->"
ROWS = (
    (Encoder.PRETRAINED, Protocol.PROBE),
    *((Encoder.PRETRAINED, protocol) for protocol in ADAPTED.values()),
    (Encoder.RANDOM, Protocol.PROBE),
    (Encoder.SCRATCH, Protocol.SUPERVISED),
)


def tables(found: Mapping[str, Evaluation], facts: Mapping[str, Any]) -> list[str]:
    """Printed, and as Markdown."""
    pages = []
    for name, one in found.items():
        pages += [_rows(name, one), _gains(name, one)]
        if one.drops:
            title = f"{name}, inside and outside, over the {one.drops[0].n_concepts} concepts that both can judge"
            pages.append(table(title, ["row", "inside", "outside", "change"], list(map(list, drop_lines(one)))))
    pages.append(_calibration(found))
    seen = ", ".join(f"{name} {count}" for name, count in facts["records"].items())
    losses = [f"{facts[side].get('loss', float('nan')):.2f}" for side in ("losses", "validation")]
    rows = [[str(facts["steps"]), seen, *losses]]
    pages.append(table("pretraining", ["steps", "training recordings", "last loss", "validation loss"], rows))
    return pages


def write(page: Path, made: Sequence[str]) -> None:
    """The tables into the page between its two marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    whole = "\n\n".join(made)
    page.write_text(f"{before}{BEGIN}\n\n{whole}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _rows(name: str, one: Evaluation) -> str:
    fractions = _fractions(one)
    lines = []
    for encoder, protocol in ROWS:
        rows = [one.row(encoder, protocol, fraction) for fraction in fractions]
        if any(rows):
            lines.append([_named(encoder, protocol), *("" if row is None else _said(row.auroc) for row in rows)])
    test, scored = one.sides[-1], sum(count.scored for count in one.concepts)
    what = "1 question" if scored == 1 else f"macro over {scored} concepts"
    records = f"{one.sides[0].records} training, {one.sides[1].records} validation and {test.records} test recordings"
    return table(f"{name}: AUROC, {what}; {records}", ["row", *map(_share, fractions)], lines)


def _gains(name: str, one: Evaluation) -> str:
    fractions = _fractions(one)
    names = dict.fromkeys((gap.protocol, gap.rival, gap.rival_protocol) for gap in one.differences)
    by = {(gap.protocol, gap.rival, gap.rival_protocol, gap.fraction): gap.auroc for gap in one.differences}
    lines = [
        [
            f"{_named(Encoder.PRETRAINED, protocol)} less {_named(rival, theirs)}",
            *(_said(by[protocol, rival, theirs, fraction], sign=True) for fraction in fractions),
        ]
        for protocol, rival, theirs in sorted(names, key=_order)
    ]
    return table(f"{name}: gains, same subjects and draws", ["", *map(_share, fractions)], lines)


def _calibration(found: Mapping[str, Evaluation]) -> str:
    lines = [
        [name, SCALINGS[each.scaling], *(f"{decimal(n.value)} {bracket(n)}" for n in (each.ece, each.brier))]
        for name, one in found.items()
        if one.trust is not None
        for each in one.trust.calibrated
    ]
    return table(
        "probabilities of the pretrained probe", ["", "scaled by validation", "calibration error", "Brier score"], lines
    )


def _order(name: tuple[Protocol, Encoder, Protocol]) -> tuple[int, int]:
    places = {row: place for place, row in enumerate(ROWS)}
    return places[Encoder.PRETRAINED, name[0]], places[name[1], name[2]]


def _fractions(one: Evaluation) -> list[float]:
    return sorted({row.fraction for row in one.rows if row.fraction is not None})


def _share(fraction: float) -> str:
    return f"{100 * fraction:g} % of labels"


def _named(encoder: Encoder, protocol: Protocol) -> str:
    return NAMES[encoder] if encoder is Encoder.SCRATCH else f"{NAMES[encoder]}, {protocol.value}"


def _said(metric: Metric, *, sign: bool = False) -> str:
    one = shown(metric)
    return f"{decimal(one.value, sign=sign)} {bracket(one, sign=sign)}"
