"""The numbers of a run as tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from finetune.beats.aami import BEATS, SAID, Beat, Split
from finetune.beats.choices import Context
from finetune.beats.experiment import Result, Row
from finetune.beats.rhythm_scores import RhythmScore
from finetune.diagnosis.result import Estimate

PUBLISHED = (
    "Published, on its own protocol: S sensitivity 88.9 and PPV 92.6, V 99.9 and 99.5 (a sequence model, DS1 on DS2, "
    "PMC7570975)."
)
SHARED = "published: record 201 (DS1) is of the person of 202 (DS2), who is on both sides there and on one in strict."
HEADER = ("split", "tested on", "by", "class", "beats (people)", "sensitivity, %", "PPV, %", "F1, %")
WHOLE = ("split", "tested on", "by", "accuracy, %", "macro F1 of N, S, V, F, %")
RHYTHM = (
    "AF or flutter, windows of 30 s", "AF (people) + flutter / other", "sensitivity, %", "of AF, %", "of flutter, %",
    "specificity, %", "PPV, %", "AUROC",
)  # fmt: skip
_SHOWN = (Beat.S, Beat.V, Beat.F, Beat.N)


def rows(result: Result) -> list[tuple[str, ...]]:
    """Every row and class, with 95 % intervals; Q, which is never said, is in the confusion matrix."""
    return [
        (
            *_names(row),
            beat.value,
            f"{one.beats:,} ({one.people})",
            *(_cell(part) for part in (one.sensitivity, one.ppv, one.f1)),
        )
        for row in result.rows
        for beat in _SHOWN
        for one in [row.of(beat)]
    ]


def wholes(result: Result) -> list[tuple[str, ...]]:
    """Accuracy and macro F1 of every row."""
    return [(*_names(row), _cell(row.accuracy), _cell(row.macro_f1)) for row in result.rows]


def rhythms(result: Result) -> list[tuple[str, ...]]:
    """Fibrillation and flutter."""
    return [_rhythm(score) for score in result.rhythm]


def confusion(row: Row) -> list[tuple[str, ...]]:
    """Beats of each class (a line) by what was said (a column), mean over seeds."""
    missing = [sum(row.confusion[place][len(BEATS) :]) for place in range(len(BEATS) + 1)]
    last = any(missing) or any(row.confusion[-1])
    lines = [
        (name, *(f"{value:,.0f}" for value in line[: len(SAID)]), *([f"{gone:,.0f}"] if last else []))
        for name, line, gone in zip((*BEATS, "no beat"), row.confusion, missing, strict=True)
    ]
    return lines if last else lines[:-1]


def markdown(result: Result) -> str:
    """All tables."""
    main = next(row for row in result.rows if (row.name, row.split, row.tested) == ("network", Split.STRICT, "DS2"))
    gains = ", ".join(f"{beat.value} {_cell(one, sign=True)}" for beat, one in result.gain.f1.items())
    parts = [
        [about(result)],
        grid(HEADER, rows(result)),
        [PUBLISHED],
        [SHARED],
        grid(WHOLE, wholes(result)),
        [f"F1 of the network less that of the boosted trees, points, strict split: {gains}."],
        ["What the network said of each class, strict split, DS2 (mean over seeds):"],
        grid(("is \\ said", *SAID), confusion(main)),
        ["Records with the most beats that were told wrong, strict split, DS2 (sensitivity and PPV in %, – none):"],
        grid(("record", "beats", "wrong", "S", "S sensitivity", "S PPV", "V", "V sensitivity", "V PPV"), _worst(main)),
        grid(RHYTHM, rhythms(result)),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def as_table(result: Result) -> Group:
    """The main tables."""
    tables: list[RenderableType] = []
    for header, lines in ((HEADER, rows(result)), (WHOLE, wholes(result)), (RHYTHM, rhythms(result))):
        table = Table(*header, box=None, padding=(0, 2, 0, 0))
        for line in lines:
            table.add_row(*(Text(cell) for cell in line), style="bold" if "network" in line[:3] else "dim")
        tables += [table, Text()]
    return Group(Text(about(result)), Text(), *tables, Text(PUBLISHED, style="dim"), Text(SHARED, style="dim"))


def about(result: Result) -> str:
    """What was done, in a line."""
    seeds = len(next(row for row in result.rows if row.name == "network").seeds)
    seen = "beats before and after" if result.context is Context.BOTH else "beats before it alone"
    return (
        f"mitdb: {result.records} records, AAMI classes, DS1 trains and DS2 tests; each beat with {seen}; "
        f"{seeds} seed{'s' if seeds > 1 else ''} of {result.networks} networks; 95 % intervals over people"
    )


def grid(header: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines)]


def _names(row: Row) -> tuple[str, str, str]:
    return row.split.value, row.tested, row.name


def _worst(row: Row, most: int = 10) -> list[tuple[str, ...]]:
    lines = []
    for person in row.people:
        table = person.confusion
        wrong = sum(map(sum, table)) - sum(table[place][place] for place in range(len(BEATS)))
        cells = [cell for beat in (Beat.S, Beat.V) for cell in _of_class(table, BEATS.index(beat))]
        lines.append((wrong, (person.record, f"{sum(map(sum, table)):,.0f}", f"{wrong:,.0f}", *cells)))
    return [line for _, line in sorted(lines, key=lambda one: -one[0])[:most]]


def _of_class(table: Sequence[Sequence[float]], k: int) -> tuple[str, ...]:
    right, there, said = table[k][k], sum(table[k]), sum(line[k] for line in table)
    return f"{there:,.0f}", *(f"{100 * right / whole:.0f}" if whole else "–" for whole in (there, said))


def _rhythm(one: RhythmScore) -> tuple[str, ...]:
    kinds = ("fibrillation", "flutter", "other")
    afib, flutter, other = (sum(getattr(who, kind) for who in one.people) for kind in kinds)
    ill = len({who.subject for who in one.people if who.fibrillation})
    parts = (one.sensitivity, one.fibrillation, one.flutter, one.specificity, one.ppv)
    return (
        f"{one.name} ({one.train_people} {'person' if one.train_people == 1 else 'people'} with either to learn from)",
        f"{afib} ({ill}) + {flutter} / {other:,}",
        *(_cell(part) for part in parts),
        _cell(one.auroc, unit=1.0, digits=3),
    )


def _cell(part: Estimate, *, unit: float = 100.0, digits: int = 1, sign: bool = False) -> str:
    form = f"{'+' if sign else ''}.{digits}f"
    if part.value is None:
        return "–"
    if part.low is None or part.high is None:
        return f"{unit * part.value:{form}}"
    return f"{unit * part.value:{form}} [{unit * part.low:{form}}, {unit * part.high:{form}}]"
