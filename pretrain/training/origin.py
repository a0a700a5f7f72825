"""Where a model comes from: which records of which stores it was trained on, by what recipe and packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

from biosig.splits import Role
from biosig.store import Store
from ontology.graph import ConceptGraph
from pretrain.data.examples import Examples
from pretrain.models.config import Provenance, StoreUse
from pretrain.specs.recipe import Recipe
from pretrain.training.precision import resolve_precision
from pretrain.training.run import versions

_ROLES: tuple[Role, ...] = ("train", "validation", "test")


def uses_of(stores: Sequence[Store], examples: Examples | None) -> tuple[StoreUse, ...]:
    """What of each store a run uses: the roles of its split; where a caller chose records, those, and no folds."""
    if examples is None:
        return tuple(
            _use(
                store,
                {role: store.rows(role) for role in _ROLES},
                {role: getattr(store.split, role) for role in _ROLES},
            )
            for store in stores
        )
    return tuple(
        _use(store, {"train": train, "validation": validation}, {})
        for store, train, validation in zip(stores, examples.train, examples.validation, strict=True)
    )


def run_facts(recipe: Recipe, uses: Sequence[StoreUse], graph: ConceptGraph | None) -> dict[str, Any]:
    """What a run was fed, and with what; see `pretrain.training.run`."""
    return {
        "stores": [use.model_dump(mode="json") for use in uses],
        "ontology": None if graph is None else graph.fingerprint(),
        "versions": versions(),
        "precision": resolve_precision(recipe.training.precision, recipe.training.device),
    }


def provenance(recipe: Recipe, uses: tuple[StoreUse, ...], training_set: str, steps: int) -> Provenance:
    """What a finished model says of its origin.

    Args:
        recipe: What was done.
        uses: With which stores.
        training_set: Hash of whom the model has seen.
        steps: Of the optimiser.
    """
    return Provenance(
        recipe=recipe.model_dump(mode="json"),
        stores=uses,
        training_set=training_set,
        versions=versions(),
        precision=resolve_precision(recipe.training.precision, recipe.training.device),
        steps=steps,
    )


def _use(store: Store, rows: dict[Role, Int64[np.ndarray, " row"]], folds: dict[str, tuple[int, ...]]) -> StoreUse:
    people = store.records["subject"]
    return StoreUse(
        corpus=store.info.corpus.name,
        sha256=store.fingerprint,
        folds=folds,
        records={role: len(part) for role, part in rows.items()},
        subjects={role: int(people.iloc[part].nunique()) for role, part in rows.items()},
    )
