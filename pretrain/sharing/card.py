"""The card of a pretrained model: `README.md` as model hubs read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import jinja2
import yaml

from pretrain.sharing.facts import Facts
from pretrain.sharing.licences import hub_licence


@dataclass(frozen=True)
class Measured:
    """A line of an evaluation, as words.

    Attributes:
        encoder: Whose weights: pretrained, random, ...
        protocol: How scored.
        labels: Share of the training labels.
        auroc: Macro, with its interval.
        auprc: The same.
    """

    encoder: str
    protocol: str
    labels: str
    auroc: str
    auprc: str


@dataclass(frozen=True)
class Evaluated:
    """An evaluation of the model.

    Attributes:
        store: What it was judged on, in words.
        rows: Pretrained and rivals.
    """

    store: str
    rows: tuple[Measured, ...]


def readme(facts: Facts, *, repo_id: str | None = None, evaluations: Sequence[Evaluated] = ()) -> str:
    """The text of `README.md`.

    Args:
        facts: Of the model.
        repo_id: Where it will be, for the lines that load it.
        evaluations: If any was made.
    """
    template = (resources.files("pretrain.sharing") / "card.md.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(  # noqa: S701  Markdown: `cell` takes the marks out
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(template).render(
        f=facts,
        front_matter=front_matter(facts),
        where=repo_id or "FOLDER",
        evaluations=evaluations,
        cell=cell,
    )


def front_matter(facts: Facts) -> str:
    """What a model hub files the card under, as YAML without its fences."""
    document = {
        **hub_licence(corpus.licence for corpus in facts.corpora),
        "library_name": "biosig",
        "tags": ["biosig", *facts.modalities, "biosignals", "foundation-model"],
        "datasets": sorted({corpus.name for corpus in facts.corpora}),
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).strip()


def cell(value: object) -> str:
    """Text of the data that cannot end a table's cell or begin markup in Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(value).split()))
