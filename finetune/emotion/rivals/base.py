"""What a row of the table is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from finetune.emotion.bench import Work
from finetune.emotion.features import Windowed
from finetune.emotion.protocols import Access
from ontology.registry import Registry


@dataclass(frozen=True)
class Outcome:
    """What a row says of one fold.

    Attributes:
        predictions: Of each variant asked for, the class probabilities of the windows of the tested trials.
        details: What was chosen, and what else is worth keeping: numbers, lists and words.
    """

    predictions: Mapping[Access, Windowed]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rival:
    """A row, or two: one for each variant that it has.

    Attributes:
        title: A few words for the table.
        titles: Of single variants, where they deserve another.
        access: The variants there are.
        run: Does a fold.
        pretrains: Whether it learns from unlabelled signals of the training subjects first.
        trained: Whether it learns anything at all.
        baseline: Whether it looks at no signal: it belongs in every table, whatever variants are asked for.
        about: A sentence or two for the report: what it is and what it knows.
    """

    title: str
    run: Callable[[Work], Outcome]
    access: tuple[Access, ...]
    about: str
    titles: Mapping[Access, str] = field(default_factory=dict)
    pretrains: bool = False
    trained: bool = True
    baseline: bool = False

    def variants(self, wanted: Collection[Access]) -> tuple[Access, ...]:
        """Those of the wanted variants that there are."""
        return tuple(one for one in self.access if self.baseline or one in wanted)

    def title_of(self, access: Access) -> str:
        """In the table."""
        return self.titles.get(access, self.title)


BOTH = (Access.CAUSAL, Access.TRANSDUCTIVE)
#: Rows by name, in the order of the table.
RIVALS: Registry[Rival] = Registry("row")
