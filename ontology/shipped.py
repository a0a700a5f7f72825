"""The graphs that come with the package, each made from tables that a person edits.

| graph | observed concepts |
|---|---|
| `cardiac` | 40 findings of the ECG |
| `sleep` | the stages of the AASM manual, and stages 3 and 4 of Rechtschaffen and Kales |
| `seizure` | background and the seizure types of the TUH EEG Seizure Corpus, in the words of ILAE 2017 |
| `emotion` | the labels of SEED, SEED-IV, SEED-V, FACED, DEAP and DASPS over the quadrants of valence and arousal |

Three files make a graph NAME, beside this one; nothing else needs to know it:

- `NAME_concepts.csv`: id, abbreviation, term, synonyms (`;` between), organiser (0 or 1), description, provenance. An
  observed concept has a SNOMED-CT identifier where we are certain of one; the others are `biosig:name`, ours alone.
- `NAME_is_a.csv`: child, parent, kind, reason.
- `NAME.owl`: the same as OWL, by `python -m ontology.curate`.

`prompt_templates.csv` may hold sentences for its concepts, and `crosswalks/` the labels of data sets.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ontology.registry import Registry

if TYPE_CHECKING:
    from ontology.graph import ConceptGraph

FOLDER = Path(__file__).parent


@lru_cache(maxsize=16)
def shipped(name: str) -> ConceptGraph:
    """A graph of the package, read once.

    Raises:
        UnknownNameError: If there is none of this name.
    """
    GRAPHS[name]
    # Crosswalks and prompts read the tables alone; they need not wait for owlready2.
    graph: ConceptGraph = import_module("ontology.owl").read_owl(FOLDER / f"{name}.owl")
    return graph


@lru_cache(maxsize=16)
def table(name: str) -> Mapping[str, Mapping[str, str]]:
    """The rows of a graph's table of concepts by identifier: what the graph itself does not hold too.

    Raises:
        UnknownNameError: If there is no graph of this name.
    """
    GRAPHS[name]
    with (FOLDER / f"{name}_concepts.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["id"]: MappingProxyType(row) for row in csv.DictReader(file)})


GRAPHS: Registry[Callable[[], ConceptGraph]] = Registry("graph")
"""Every graph of the package: `GRAPHS["sleep"]()`."""
for _path in sorted(FOLDER.glob("*_concepts.csv")):
    _name = _path.name.removesuffix("_concepts.csv")
    GRAPHS.add(_name, partial(shipped, _name))
