"""`biosig show`: what a recording is, in a table and in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from biosig.recording import Recording


def show(
    path: Annotated[Path, typer.Argument(help="A recording of any format, a store, or a corpus folder.")],
    *,
    record: Annotated[str | None, typer.Option(help="Which one of a store or folder: its name, or a number.")] = None,
    corpus: Annotated[str | None, typer.Option(help="Read labels as this corpus does; see `biosig corpora`.")] = None,
    out: Annotated[Path | None, typer.Option(help="Picture to write: .png, .svg or .pdf.")] = None,
    start: Annotated[float, typer.Option(min=0.0, help="First second of the picture.")] = 0.0,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of the picture.")] = 10.0,
    personal: Annotated[bool, typer.Option("--personal", help="Show who was recorded, by whom and when, too.")] = False,
    layout: Annotated[
        str,
        typer.Option(
            help="ECG paper `3x4+1`, `6x2`, ...; `traces`, `longitudinal`, `transverse`, `average`, `topomap`; `auto`."
        ),
    ] = "auto",
) -> None:
    """Show a recording: what is known of it, and its picture with `--out`.

    ECG is drawn on paper at 25 mm/s and 10 mm/mV, anything else as traces with a scale bar and events.

    Example: `biosig show 100.hea --start 60 --out 100.png`
    """
    from rich.console import Console

    from ontology.collector import paused

    console = Console()
    # One recording and one picture: most of it is importing, and nothing that is made is large.
    with paused():
        from biosig.commands.facts import facts
        from biosig.plot import save

        recording = _recording(path, record, corpus)
        console.print(facts(recording, names_people=personal))
        if out is not None:
            with console.status("drawing"):
                save(_picture(recording, start, seconds, layout), out)
            console.print(f"wrote {out}", markup=False, highlight=False, soft_wrap=True)


def _recording(path: Path, record: str | None, corpus: str | None) -> Recording:
    """One recording from a store, from a folder of a corpus, or from a file."""
    from dataclasses import replace

    from biosig.corpora import CORPORA, Entry
    from biosig.errors import BiosigError
    from biosig.readers import personal
    from biosig.store import Store

    def told(entry: Entry, recording: Recording) -> Recording:
        return replace(recording, meta={**recording.meta, "personal": dict(personal(entry.path).fields)})

    if (path / "store.json").is_file():
        store = Store(path)
        return store.recording(_place([str(name) for name in store.records["record"]], record, path))
    if not path.exists() and not path.with_name(f"{path.name}.hea").is_file():
        raise BiosigError(f"{path}: no such file or folder")
    if path.is_dir() and (corpus or record is not None or not _is_recording(path)):
        found = CORPORA[corpus or "folder"]
        entries = found.find(path)
        entry = entries[_place([entry.record_id for entry in entries], record, path)]
        return told(entry, found.read(entry))
    if corpus:
        raise BiosigError(f"{path}: expected the folder of the corpus {corpus!r}, got a file; name it with --record")
    # A folder of one: it reads age, sex and diagnoses from a header that has them.
    entry = Entry(path.stem, path)
    alone = told(entry, CORPORA["folder"].read(entry))
    return replace(alone, subject_id="") if alone.subject_id == alone.record_id else alone


def _is_recording(path: Path) -> bool:
    """Whether a folder is itself a recording, as in some EEG formats (`.mff`)."""
    from biosig.readers import READERS

    return any(path.name.lower().endswith(ending) for name in READERS for ending in READERS[name].extensions)


def _place(names: list[str], record: str | None, path: Path) -> int:
    """The place of a record by its name, by the last part of its name, or by its number; the first without any."""
    import difflib

    from biosig.errors import BiosigError

    if record is None:
        return 0
    if record in names:
        return names.index(record)
    parts = [place for place, name in enumerate(names) if name.rsplit("/", 1)[-1] == record]
    if len(parts) == 1:
        return parts[0]
    if record.isdecimal() and int(record) < len(names):
        return int(record)
    near = difflib.get_close_matches(record, names, n=1) or names[:1]
    raise BiosigError(f"{path}: no record {record!r} among {len(names)} (there is {near[0]!r})")


def _picture(recording: Recording, start: float, seconds: float, layout: str) -> Figure:
    from biosig.commands.facts import concept_terms, heart_rate
    from biosig.plot import picture

    return picture(
        recording,
        layout=layout,
        start=start,
        seconds=seconds,
        concepts=concept_terms(recording),
        heart_rate=heart_rate(recording),
    )
