"""From the codes of a source to SNOMED-CT concepts.

One table a coding system, in `crosswalks/`, with a provenance for every row. A code that the list of concepts has no
word for is in its table with no concept and the reason why; none is guessed.

- `snomed-ct`: the 133 codes of the PhysioNet/CinC Challenge 2021, and the words of older CPSC headers; any other
  well-formed SNOMED-CT identifier states itself.
- `cpsc-2018`: the nine words of CPSC 2018 (`AF`, `I-AVB`, `Normal`, ...); its vocabulary is that of CPSC 2018 records.
- `scp-ecg`: the 71 SCP-ECG statements of PTB-XL.
- `ptb-xl-axis`: the column `heart_axis` of PTB-XL, which has no SCP-ECG statement.
- `ludb`: the diagnosis lines of LUDB headers, as they stand.
- `mitdb`: beat symbols (`V`) and rhythms (`(AFIB`) of MIT-BIH annotations.
- `cinc2011`, `chagas`: the grades of CinC 2011 and the labels of CODE-15% and SaMi-Trop; none is a finding of the ECG.
- `code15`: the six labels of CODE-15%; `none` for a record with none of them.
- `icd-10`: I44 to I49 and R94.3 of ICD-10 and ICD-10-CM, with or without the point. They are diagnoses of a stay, not
  findings of one ECG: who has I48.0 may be in sinus rhythm today.
- `mimic-iv-ecg`: machine statements as in MIMIC-IV-ECG, in which a table of phrases finds what is stated, what is
  hedged and what is denied (`ontology.statements`). A hedged finding is no label; it is unknown (`doubted`).
- `simulated`: SNOMED-CT identifiers.
- `aasm`, `rechtschaffen-kales`, `edf-sleep`: sleep stages as `N2`, as `2` or `S2`, and as EDF+ annotations write them.
- `tusz`: the seizure types of the TUH EEG Seizure Corpus; `chb-mit`: whether there is a seizure, of no stated kind.
- `seed`, `seed-iv`, `seed-v`, `faced`, `deap`: emotions, as words and as the numbers of the label files; for DEAP,
  whose labels are ratings, the halves and quadrants of valence and arousal (`HV`, `HVHA`).
- `dasps-2-class`, `dasps-4-class`: anxious or not, and in which degree, of which a source of two classes says nothing.

The systems of EEG state concepts of `ontology.sleep`, `ontology.seizure` and `ontology.emotion`; a code states what it
implies there too, because such labels exclude one another: `sad` is known not to be `positive`.

Codes outside the 40 observed concepts that are kinds of one of them state both: `164867002` old myocardial infarction
is `{164867002, 164865005}`. Of two codes that the challenge scores as equal, one stands for both.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from ontology.errors import OntologyError
from ontology.identifiers import is_snomed
from ontology.registry import Registry
from ontology.shipped import table as shipped_table
from ontology.statements import plain, understand


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a crosswalk.

    Attributes:
        name: What the code means in the words of its source.
        concepts: The SNOMED-CT concepts that it states; empty if there are none for it.
        provenance: Why these, or why none.
    """

    name: str
    concepts: frozenset[str]
    provenance: str


@dataclass(frozen=True, slots=True)
class System:
    """A coding system.

    Attributes:
        tables: CSV files with the columns code, name, concepts (`;` between) and provenance.
        normalise: Brings a code as it is found into the form of the table.
        identifiers: Whether a SNOMED-CT identifier that no table lists is taken as itself.
        graph: The graph of the package whose concepts are stated; none for SNOMED-CT.
        phrases: Whether a code is a sentence, in which the codes of the table are looked for.
    """

    tables: tuple[Traversable, ...]
    normalise: Callable[[str], str] = str.strip
    identifiers: bool = False
    graph: str = ""
    phrases: bool = False


@lru_cache(maxsize=65_536)
def concepts(system: str, code: str) -> frozenset[str]:
    """The SNOMED-CT identifiers that a code states; empty if it is unknown or has none.

    Raises:
        UnknownNameError: If there is no such coding system.
    """
    known = SYSTEMS[system]
    key = known.normalise(code)
    if known.phrases:
        return understand(key, _phrases(system)).stated
    if entry := entries(system).get(key):
        return entry.concepts
    return frozenset((key,)) if known.identifiers and is_snomed(key) else frozenset()


@lru_cache(maxsize=65_536)
def doubted(system: str, code: str) -> frozenset[str]:
    """The SNOMED-CT identifiers that a code hedges: the record may have them or not, so they are unknown in it.

    Raises:
        UnknownNameError: If there is no such coding system.

    Example:
        >>> concepts("mimic-iv-ecg", "Possible atrial flutter"), doubted("mimic-iv-ecg", "Possible atrial flutter")
        (frozenset(), frozenset({'164890007'}))
    """
    known = SYSTEMS[system]
    return understand(known.normalise(code), _phrases(system)).doubted if known.phrases else frozenset()


def listed(system: str, code: str) -> bool:
    """Whether the system's table knows the code, mapped or not."""
    known, key = SYSTEMS[system], SYSTEMS[system].normalise(code)
    if known.phrases:
        return understand(key, _phrases(system)).listed
    return key in entries(system) or (known.identifiers and is_snomed(key))


@lru_cache(maxsize=64)
def vocabulary(system: str) -> frozenset[str]:
    """All concepts that the system's table can express.

    A record coded in a system that has no word for a concept says nothing about that concept, not that it is absent.
    """
    return frozenset().union(*(entry.concepts for entry in entries(system).values()))


@lru_cache(maxsize=64)
def entries(system: str) -> Mapping[str, Entry]:
    """The whole table of a system by normalised code.

    Raises:
        OntologyError: If a row is incomplete, a code occurs twice, an identifier fails its check digit, or a concept is
            not in the system's graph.
    """
    found: dict[str, Entry] = {}
    for table in SYSTEMS[system].tables:
        for number, row in enumerate(csv.DictReader(table.read_text(encoding="utf-8").splitlines()), start=2):
            where, code = f"{table.name}:{number}", SYSTEMS[system].normalise(row["code"])
            stated = [id_ for id_ in row["concepts"].split(";") if id_]
            if code in found or not row["provenance"]:
                raise OntologyError(f"{where}: {code!r} is listed twice or has no provenance")
            graph = SYSTEMS[system].graph
            if wrong := [id_ for id_ in stated if not (id_ in shipped_table(graph) if graph else is_snomed(id_))]:
                kind = f"concept of the graph {graph!r}" if graph else "SNOMED-CT identifier"
                raise OntologyError(f"{where}: concepts: {wrong[0]!r} is no {kind}")
            if table is not _SNOMED_CT:
                # The identifiers of every other table are read as that system's own would be.
                stated = [same for id_ in stated for same in _snomed_ct().get(id_, (id_,))]
            found[code] = Entry(row["name"], frozenset(stated), row["provenance"])
    return MappingProxyType(found)


@lru_cache(maxsize=64)
def _phrases(system: str) -> Mapping[str, frozenset[str]]:
    return {code: entry.concepts for code, entry in entries(system).items()}


@lru_cache(maxsize=1)
def _snomed_ct() -> dict[str, tuple[str, ...]]:
    rows = csv.DictReader(_SNOMED_CT.read_text(encoding="utf-8").splitlines())
    return {row["code"]: tuple(row["concepts"].split(";")) for row in rows}


def _ludb(line: str) -> str:
    return " ".join(line.split()).strip(" .#").casefold().removeprefix("rhythm: ")


def _mitdb(symbol: str) -> str:
    return symbol.strip(" \x00")


def _words(label: str) -> str:
    return " ".join(label.split()).casefold()


def _icd10(code: str) -> str:
    """`i4891` as `I48.91`: billing data leave the point out."""
    code = code.strip().upper().replace(".", "")
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


_FOLDER = files("ontology") / "crosswalks"
_SNOMED_CT, _CPSC = _FOLDER / "snomed-ct.csv", _FOLDER / "cpsc-2018.csv"

SYSTEMS: Registry[System] = Registry("coding system")
SYSTEMS.add("snomed-ct", System((_SNOMED_CT, _CPSC), identifiers=True))
SYSTEMS.add("cpsc-2018", System((_CPSC,)))
SYSTEMS.add("scp-ecg", System((_FOLDER / "scp-ecg.csv",)))
SYSTEMS.add("ptb-xl-axis", System((_FOLDER / "ptb-xl-axis.csv",)))
SYSTEMS.add("ludb", System((_FOLDER / "ludb.csv",), _ludb))
SYSTEMS.add("mitdb", System((_FOLDER / "mitdb.csv",), _mitdb))
SYSTEMS.add("cinc2011", System((_FOLDER / "cinc2011.csv",)))
SYSTEMS.add("chagas", System((_FOLDER / "chagas.csv",)))
SYSTEMS.add("code15", System((_FOLDER / "code15.csv",)))
SYSTEMS.add("icd-10", System((_FOLDER / "icd-10.csv",), _icd10))
SYSTEMS.add("mimic-iv-ecg", System((_FOLDER / "mimic-iv-ecg.csv",), plain, phrases=True))
SYSTEMS.add("simulated", System((_SNOMED_CT,), identifiers=True))
for _graph, _systems in {
    "sleep": ("aasm", "rechtschaffen-kales", "edf-sleep"),
    "seizure": ("tusz", "chb-mit"),
    "emotion": ("seed", "seed-iv", "seed-v", "faced", "deap", "dasps-2-class", "dasps-4-class"),
}.items():
    for _system in _systems:
        SYSTEMS.add(_system, System((_FOLDER / f"{_system}.csv",), _words, graph=_graph))
