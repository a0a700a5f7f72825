"""What a store is on disk: its files, its tables' columns, and `store.json` as a typed document.

    store.json         this module's `StoreInfo`
    shard-00000.npy    int16, one dimension; each record is one contiguous (channel, time) block
    records.parquet    one row a record, in the order of `record`
    events.parquet     one row an event, in the order of the records
    physiology.parquet if it was asked for: one row a record, in the order of `records`, with its beats

A store says nothing of when or where it was made: the same sources and settings give the same bytes.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from biosig.errors import StoreError
from biosig.explain import explain
from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from biosig.sealed import broken, sealed
from biosig.splits import Split

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT: Final = "biosig-store"
VERSION: Final = 2
INFO, RECORDS, EVENTS = "store.json", "records.parquet", "events.parquet"
PHYSIOLOGY = "physiology.parquet"
PARTIAL = ".partial"
# Of a file that is looked at here and there.
_PIECES, _PIECE = 16, 1 << 12


def digest(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file, as hexadecimal text; `advance` is told of every block's bytes."""
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            found.update(block)
            advance(len(block))
    return found.hexdigest()


def sampled(path: Path) -> str:
    """SHA-256 of sixteen pieces of a file, from its beginning to its end: in a few milliseconds, whether it is another.

    What changed within a file may lie between the pieces; `digest` finds that.
    """
    room, found = max(path.stat().st_size - _PIECE, 0), hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        for number in range(_PIECES):
            file.seek(room * number // (_PIECES - 1))
            found.update(file.read(_PIECE))
    return found.hexdigest()


def shard_name(shard: int) -> str:
    """The file of the given shard."""
    return f"shard-{shard:05d}.npy"


# A name in the store's own folder: nothing that leads elsewhere.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length=100)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Card(_Document):
    """Where the recordings come from, and whom to cite."""

    name: str
    title: str
    licence: str
    citation: str
    url: str


class FileInfo(_Document):
    """What a file must be.

    Attributes:
        size: Bytes.
        sha256: Of the whole of it.
        sampled: Of a shard, compared whenever it is opened; stores of before have none.
    """

    size: int = Field(ge=0)
    sha256: Digest
    sampled: Digest | None = None


class Layout(_Document):
    """Channels as some of the records have them."""

    channels: tuple[str, ...]
    modality: tuple[Modality, ...]
    records: int


class Skipped(_Document):
    """A record that is not in the store, and why."""

    record: str
    reason: str


class Personal(_Document):
    """What the files said of people.

    Attributes:
        kept: Whether it stayed, in the meta of the records.
        fields: Records that had it, by the name of the field: never what it says.
    """

    kept: bool = False
    fields: dict[str, int] = {}


class StoreInfo(_Document):
    """The contents of `store.json`.

    Attributes:
        format: What tells the file from other JSON.
        version: Of the layout on disk; another is refused.
        corpus: Where the recordings come from.
        split: What each fold is for.
        preprocessing: What every signal went through.
        statistics: Whether beats and rhythm statistics were computed.
        records: How many are in the store.
        events: How many are in the store.
        layouts: The sets of channels that occur, most frequent first.
        files: Every other file of the store.
        skipped: Records that could not be read.
        missing: Records that the corpus lists but whose files were not there.
        regrouped: Records whose fold is not the hash of their own subject, because a waveform of theirs is there twice
            (`biosig.store.folds`).
        personal: What the files said of people.
        versions: The packages that made the store.
        sha256: `biosig.sealed.seal` of everything else in the document; stores of before have none.
    """

    format: Literal["biosig-store"] = FORMAT
    version: Literal[2] = VERSION
    corpus: Card
    split: Split
    preprocessing: Preprocessing
    statistics: bool
    records: int = Field(ge=0)
    events: int = Field(ge=0)
    layouts: tuple[Layout, ...]
    files: dict[FileName, FileInfo]
    skipped: tuple[Skipped, ...]
    missing: int = Field(ge=0)
    regrouped: tuple[str, ...]
    personal: Personal = Personal()
    versions: dict[str, str]
    sha256: Digest | None = None

    def to_json(self) -> str:
        """Text that is the same for equal documents, with their digest."""
        return json.dumps(sealed(self.model_dump(mode="json")), indent=1, ensure_ascii=False) + "\n"


def own_file(folder: Path, name: str) -> Path:
    """A file of the store by its name, which has no separators (`FileName`); it may be missing.

    Raises:
        StoreError: If it is a link that leads out of the folder.
    """
    path = folder / name
    if path.is_symlink() and path.resolve().parent != folder.resolve():
        raise StoreError(f"{path}: expected a file of the store, got a link to {path.resolve()}")
    return path


def read_info(folder: Path) -> StoreInfo:
    """The document of the store in a folder.

    Raises:
        StoreError: If there is none, or not of this version, naming file and field, what was expected and found.
    """
    path = own_file(folder, INFO)
    if path.exists() and not path.is_file():
        raise StoreError(f"{path}: expected a file, got something else")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(_why_no_store(folder)) from None
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, or a number too long for Python
        raise StoreError(f"{path}: expected JSON, found something else: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else document
        raise StoreError(f"{path}: format: expected {FORMAT!r}, got {str(found)[:80]!r}")
    if document.get("version") != VERSION:
        raise StoreError(
            f"{path}: version: expected {VERSION}, got {document.get('version')!r}; prepare the store again"
        )
    try:
        info = StoreInfo.model_validate(document)
    except ValidationError as error:
        raise StoreError(f"{path}: {explain(error)}") from None
    # A split, a preprocessing or a file's digest that was changed would pass for the store's own.
    if wrong := broken(document):
        raise StoreError(f"{path}: {wrong}; copy the store again, or prepare it again")
    return info


def _why_no_store(folder: Path) -> str:
    whole = folder.absolute()  # `.` has no name
    partial = whole.with_name(whole.name + PARTIAL)
    if folder.suffix == PARTIAL or (partial.is_dir() and not folder.exists()):
        return f"{folder}: half-written: prepare did not finish; the same command continues where it stopped"
    return f"{folder}: not a store: " + (f"no {INFO} in the folder" if folder.is_dir() else "no such folder")


def record_columns() -> "pa.Schema":
    """The columns of `records.parquet`.

    `step` is the microvolts (or other unit) of one integer, for each channel; `offset` counts integers from the
    beginning of the shard; `fingerprint` is `biosig.store.fingerprint`; `meta` is JSON of whatever else the corpus
    knows. `source_sha256` is of the source file; of a WFDB header, of the header followed by its signal files.
    """
    import pyarrow as pa  # noqa: PLC0415 -- workers do without

    text, texts, number = pa.string(), pa.list_(pa.string()), pa.float64()
    code = pa.struct([pa.field("system", text), pa.field("code", text), pa.field("likelihood", number)])
    columns = {
        "record": text,
        "subject": text,
        "session": text,
        "corpus": text,
        "sub_corpus": text,
        "shard": pa.int32(),
        "offset": pa.int64(),
        "channels": texts,
        "modality": texts,
        "samples": pa.int64(),
        "sampling_rate": number,
        "step": pa.list_(pa.float32()),
        "codes": pa.list_(code),
        "concepts": texts,
        "report": text,
        "fold": pa.int32(),
        "age": number,
        "sex": text,
        "heart_rate": number,
        "mean_rr": number,
        "sdnn": number,
        "rmssd": number,
        "qrs_width": number,
        "quality": texts,
        "source": text,
        "source_sha256": text,
        "fingerprint": pa.binary(),
        "meta": text,
    }
    return pa.schema(list(columns.items()))


def event_columns() -> "pa.Schema":
    """The columns of `events.parquet`: seconds from the record's first sample."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    text, number = pa.string(), pa.float64()
    columns = {
        "record": text,
        "onset": number,
        "duration": number,
        "code": text,
        "text": text,
        "stimulus": text,
        "trial": pa.int64(),
    }
    return pa.schema(list(columns.items()))


def physiology_columns() -> "pa.Schema":
    """The columns of `physiology.parquet`: seconds from the record's first sample, milliseconds or null."""
    import pyarrow as pa  # noqa: PLC0415

    times = pa.list_(pa.float64())
    return pa.schema([("record", pa.string()), ("peaks", times), ("qrs_widths", times)])
