"""What is asked of the list of records, as the address of a page says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from urllib.parse import urlencode

from biosig.errors import BiosigError


class Rank(StrEnum):
    """In what order records stand: as in their stores, or by what a model finds similar."""

    STORE = ""
    SENTENCE = "sentence"
    CONCEPT = "concept"
    RECORD = "record"


@dataclass(frozen=True)
class Query:
    """Filters, which all must hold, and an order.

    Attributes:
        words: Each must occur in the report, the record's name or the subject's.
        concept: A name, abbreviation, identifier or code; its kinds count too.
        flag: A quality flag; `none`: no flag at all.
        role: `train`, `validation`, `test` or `unused`.
        fold: The number of a fold.
        sex: As the store has it.
        age_from, age_to: Years, both included.
        store: The key of one store.
        by: In what order.
        to: The sentence, the concept, or the record (`store/record`) that records are compared with.
    """

    words: str = ""
    concept: str = ""
    flag: str = ""
    role: str = ""
    fold: int | None = None
    sex: str = ""
    age_from: float | None = None
    age_to: float | None = None
    store: str = ""
    by: Rank = Rank.STORE
    to: str = ""

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> Query:
        """Read the parameters of an address; others are passed over.

        Raises:
            BiosigError: If a number or the order cannot be read.
        """
        texts = {
            name: parameters.get(name, "").strip() for name in ("words", "concept", "flag", "role", "sex", "store")
        }
        to = parameters.get("to", "").strip()
        try:
            by = Rank(parameters.get("by", ""))
        except ValueError:
            raise BiosigError(
                f"order: expected {', '.join(filter(None, Rank))}, got {parameters['by'][:40]!r}"
            ) from None
        fold = number(parameters, "fold")
        if fold is not None and fold != int(fold):
            raise BiosigError(f"fold: expected a whole number, got {fold:g}")
        return cls(
            **texts,
            fold=None if fold is None else int(fold),
            age_from=number(parameters, "age_from"),
            age_to=number(parameters, "age_to"),
            # Without anything to compare with, records stay in the order of their stores.
            by=by if to else Rank.STORE,
            to=to if by else "",
        )

    def address(self, **more: object) -> str:
        """The part of an address after `?`: what is asked, and more; what is empty is left out."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        pairs = {name: value for name, value in {**own, **more}.items() if value is not None and value != ""}
        return urlencode({k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in pairs.items()})

    def but(self, **changes: object) -> Query:
        """The same with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def filters(self) -> bool:
        """Whether anything is left out."""
        return replace(self, by=Rank.STORE, to="") != Query()


def number(parameters: Mapping[str, str], name: str) -> float | None:
    """A finite number; None where nothing is given.

    Raises:
        BiosigError: If it is something else.
    """
    text = parameters.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e9:
        raise BiosigError(f"{name.replace('_', ' ')}: expected a number, got {text[:40]!r}")
    return value
