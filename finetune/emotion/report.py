"""One self-contained page: the table, who was easy and who was hard, and what the encoders listen to."""

from __future__ import annotations

from pathlib import Path

from biosig.whole import write_text
from finetune.diagnosis.result import Severity
from finetune.emotion.figures import WORDS, by_subject, chance_of, intervals, main_measure
from finetune.emotion.maps import heads, heard
from finetune.emotion.metrics import Measure
from finetune.emotion.protocols import Access
from finetune.emotion.result import Result
from finetune.emotion.wording import limits, protocol
from finetune.report.page import bracket, decimal, picture, render

_HEADLINE = (
    ("de-linear", Access.CAUSAL),
    ("de-linear", Access.TRANSDUCTIVE),
    ("random", Access.CAUSAL),
    ("coherent", Access.CAUSAL),
)


def write_report(result: Result, path: Path) -> None:
    """Write `report.html`: no other file, no script, no network; every text of the data is escaped."""
    maps = heads(heard(result.lines), result.electrodes)
    page = render(
        "emotion/report.html.jinja",
        r=result,
        words=WORDS,
        measures=list(result.lines[0].metrics) if result.lines else [],
        main=main_measure(result),
        chances={one: chance_of(one, len(result.classes)) for one in Measure},
        headline=headline(result),
        intervals=picture(intervals(result), "svg"),
        by_subject=picture(by_subject(result), "svg"),
        topomaps=picture(maps, "png") if maps else "",
        about={line.row: line for line in result.lines}.values(),
        protocol=protocol(result),
        limits=limits(result),
        warnings=[one.text for one in result.findings if one.severity is not Severity.NOTE],
        notes=[one.text for one in result.findings if one.severity is Severity.NOTE],
        causal=Access.CAUSAL,
    )
    write_text(path, page)


def headline(result: Result) -> list[tuple[str, str, str]]:
    """The same four lines always, not the best of many: title, number, interval."""
    main = main_measure(result)
    tiles = []
    for row, access in _HEADLINE:
        if (line := result.line(row, access)) is not None:
            estimate = line.metrics[main].subjects
            title = f"{WORDS[main]}, {line.title}, {access.value}"
            tiles.append((title, decimal(estimate.value), bracket(estimate)))
    return tiles
