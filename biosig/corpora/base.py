"""What a corpus is: where its records, subjects, labels, reports and official folds are, and whom to cite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from biosig.errors import CorpusError
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split
from ontology import crosswalk
from ontology.registry import Registry


@dataclass(frozen=True)
class Entry:
    """A record that is there to be read: cheap, picklable, made without opening its signals.

    Attributes:
        record_id: Unique in its corpus.
        path: The file to read; of a WFDB record the header.
        meta: What `find` already knows, for `read`: `source` (the path relative to the corpus folder), a table's row.
    """

    record_id: str
    path: Path
    meta: Mapping[str, Any] = field(default_factory=dict)


class Entries(list[Entry]):
    """The records of a folder, sorted by `record_id`, and what is not among them.

    Args:
        entries: In any order. Of two with one `record_id` the first is kept, the others are skipped with a reason.
        missing: Records that a table of the corpus lists, but whose files are not in the folder.
        skipped: `(record, reason)` of what cannot be read and is known already: a damaged row, a duplicate.

    Attributes:
        missing: As given.
        skipped: As given, and duplicates.
    """

    def __init__(
        self, entries: Iterable[Entry], *, missing: Iterable[str] = (), skipped: Iterable[tuple[str, str]] = ()
    ) -> None:
        kept: dict[str, Entry] = {}
        refused = list(skipped)
        for entry in entries:
            first = kept.setdefault(entry.record_id, entry)
            if first is not entry:
                refused.append((entry.record_id, f"{_source(entry)}: the record is also {_source(first)}"))
        super().__init__(kept[name] for name in sorted(kept))
        self.missing = tuple(missing)
        self.skipped = tuple(refused)


class Corpus(Protocol):
    """One corpus: its card, and how its records are found and read."""

    @property
    def name(self) -> str:
        """As the registry and every table call it."""

    @property
    def title(self) -> str: ...

    @property
    def modality(self) -> tuple[Modality, ...]: ...

    @property
    def licence(self) -> str: ...

    @property
    def citation(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def split(self) -> Split:
        """Roles of the folds: official ones in `meta["fold"]`, otherwise `hashed_fold` of the subject."""

    @property
    def sampling_rates(self) -> tuple[float, ...]:
        """Hz; empty where any rate may occur."""

    def find(self, source: Path) -> list[Entry]:
        """The records in a folder, sorted by `record_id`, without opening signals.

        Raises:
            CorpusError: If nothing of this corpus is there; it says what was expected.
        """

    def read(self, entry: Entry) -> Recording:
        """One whole recording: signal, subject, codes, concepts, report, events, meta.

        Raises:
            RecordError: If the record cannot be read as it is.
        """


# Filled by the modules of `biosig.corpora`, one a corpus, and by the entry-point group `biosig.corpora`.
CORPORA: Registry[Corpus] = Registry("corpus")


def folder(source: Path, corpus: str, expected: str) -> Path:
    """The source as a folder that exists.

    Raises:
        CorpusError: If there is no such folder.
    """
    source = Path(source)
    if not source.is_dir():
        found = "a file" if source.exists() else "nothing"
        raise CorpusError(f"{source}: expected a folder with {expected} for the corpus {corpus!r}, found {found}")
    return source


def complete(
    recording: Recording,
    entry: Entry,
    *,
    subject_id: str,
    codes: Iterable[Code] = (),
    report: str = "",
    events: Iterable[Event] | None = None,
    session: str = "",
    **meta: Any,
) -> Recording:
    """The recording with what the corpus knows of it; concepts follow from the codes.

    Args:
        recording: As its file gives it.
        entry: Where it was found; its `source` goes to the meta.
        subject_id: The person; unique in the corpus.
        codes: Labels as the source gives them; a label given twice is kept once.
        report: The clinical text.
        events: Instead of those of the file.
        session: Which sitting of the person.
        meta: `age`, `sex`, `sub_corpus`, `fold`, ...; age and sex are always there, `None` where unknown.
    """
    codes = tuple(dict.fromkeys(codes))
    return replace(
        recording,
        record_id=entry.record_id,
        subject_id=subject_id,
        session=session,
        codes=codes,
        concepts=frozenset().union(*map(_concepts, codes)),
        report=report,
        events=recording.events if events is None else tuple(events),
        meta={**recording.meta, "age": None, "sex": None, "source": _source(entry), **meta},
    )


def _concepts(code: Code) -> frozenset[str]:
    # Not every label is a finding of the ECG: a grade of quality has no crosswalk.
    return crosswalk.concepts(code.system, code.code) if code.system in crosswalk.SYSTEMS else frozenset()


def _source(entry: Entry) -> str:
    return str(entry.meta.get("source", entry.path.name))
