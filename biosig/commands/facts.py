"""What is known of a recording, as a table for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from rich.table import Table
from rich.text import Text

from biosig.errors import one_line
from biosig.readers.personal import Personal, is_personal
from biosig.recording import Recording

# What a recording is called is shown as its corpus has it.
_NAMES = frozenset({"record", "subject", "source", "personal"})
_MOST_CHANNELS = 6


def facts(recording: Recording, *, names_people: bool = False) -> Table:
    """A table of two columns; what is unknown has no row.

    Args:
        recording: With `personal` in its meta, where its file says who was recorded.
        names_people: Whether to show that too; otherwise it is counted, and taken out of what is shown.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    who = Personal(recording.meta.get("personal", {}))
    for name, value in (*_rows(recording, names_people=names_people), *_people(who, names_people=names_people)):
        if value:
            # Text is shown as it stands: a report may hold what rich, or the terminal, would take for commands.
            said = value if names_people or name in _NAMES else who.scrub(value)
            table.add_row(Text(one_line(name)), Text("\n".join(map(one_line, said.splitlines()))))
    return table


def concept_terms(recording: Recording) -> list[str]:
    """The recording's concepts in words: those of the cardiac graph in its order, then others, nameless ones last."""
    import ontology
    from ontology.terms import term

    known = [id_ for id_ in ontology.cardiac().ids if id_ in recording.concepts]
    others = sorted(recording.concepts - set(known))
    return [term(id_) or id_ for id_ in (*known, *others)]


def heart_rate(recording: Recording) -> float | None:
    """Beats a minute: counted from annotated beats, else found by neurokit2."""
    from biosig.physiology import rhythm
    from biosig.plot import counted_rate
    from biosig.recording import Modality

    counted = counted_rate(recording)
    return counted if counted is not None or Modality.ECG not in recording.modality else rhythm(recording)["heart_rate"]


def _people(who: Personal, *, names_people: bool) -> Iterator[tuple[str, str]]:
    if names_people:
        yield from who.fields.items()
    elif who.fields:
        yield "personal", f"{', '.join(who.fields)}: not shown (--personal)"


def _rows(recording: Recording, *, names_people: bool) -> Iterator[tuple[str, str]]:
    yield "record", recording.record_id
    yield "subject", recording.subject_id
    yield "session", recording.session
    for kind in dict.fromkeys(recording.modality):
        yield str(kind), " ".join(recording.pick(kind).channels)
    yield "rate", f"{recording.sampling_rate:g} Hz"
    yield "duration", f"{recording.duration:.6g} s ({recording.n_times} samples)"
    for name in ("age", "sex", "fold", "device", "source"):
        value = recording.meta.get(name)
        yield name, "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    rate = heart_rate(recording)
    yield "heart rate", f"{rate:.0f} /min" if rate is not None else ""
    yield "codes", ", ".join(_code(code.code, code.likelihood) for code in recording.codes)
    yield "concepts", ", ".join(concept_terms(recording))
    yield "report", " ".join(recording.report.split())
    counts = Counter(event.code or event.text for event in recording.events)
    yield "events", ", ".join(f"{code} x{count}" for code, count in counts.most_common(12))
    yield "quality", ", ".join(_quality(recording)) or "nothing found"
    said = map(str, recording.meta.get("comments", ()))
    comments = [line for line in said if names_people or not is_personal(line)]
    yield "comments", "\n".join(comments[:20])


def _quality(recording: Recording) -> Iterator[str]:
    """What is wrong: in which channels where it is not in all of them, else what it means."""
    from biosig.quality import QualityFlag, flags, in_words

    rules = {QualityFlag.NAN, QualityFlag.FLAT, QualityFlag.CLIPPED, QualityFlag.RANGE}
    found = flags(recording)
    # Each channel is looked at by itself only where that can say more.
    looked = [] if rules.isdisjoint(found) else recording.channels
    alone = {name: set(flags(recording.pick([name]))) for name in looked}
    for flag in found:
        where = [name for name, its in alone.items() if flag in its]
        if flag == QualityFlag.FLAT:
            # Padding stops every channel for a while; who never moves is of interest.
            where = [name for name in where if np.unique(recording.pick([name]).signal).size == 1] or where
        if flag in rules and 0 < len(where) < len(alone):
            more = f" and {len(where) - _MOST_CHANNELS} more" if len(where) > _MOST_CHANNELS else ""
            yield f"{flag} ({' '.join(where[:_MOST_CHANNELS])}{more})"
        else:
            yield in_words((flag,))


def _code(code: str, likelihood: float | None) -> str:
    return code if likelihood is None else f"{code} ({likelihood:g} %)"
