"""The page of a pretrained model, with what `biosig evaluate` found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from biosig.explain import explain
from finetune.diagnosis.result import Evaluation
from finetune.report.page import bracket, decimal, render
from pretrain.errors import ModelError
from pretrain.saving import load_json
from pretrain.sharing.card import Evaluated, Measured
from pretrain.sharing.facts import Facts


def page(facts: Facts, *, where: str, evaluations: Sequence[Evaluated] = ()) -> str:
    """A self-contained HTML page.

    Args:
        facts: Of the model.
        where: Its folder or hub id, for the lines that load it.
        evaluations: If any was made.
    """
    people = sum(corpus.subjects.get("train", 0) for corpus in facts.corpora)
    records = sum(corpus.records.get("train", 0) for corpus in facts.corpora)
    headline = [
        ("weights", f"{facts.weights / 1e6:.3g} M", facts.architecture["encoder"].partition(" ")[0]),
        ("training records", f"{records:,}", f"{people:,} people"),
        ("takes", " + ".join(facts.modalities).upper(), facts.intake["sampling rate"]),
        ("gives", facts.architecture["features"].partition(" ")[0], "numbers a recording"),
    ]
    return render(
        "card/model.html.jinja", f=facts, where=where, evaluations=evaluations, headline=headline, warnings=[]
    )


def evaluated(path: Path, model: Facts) -> Evaluated:
    """What a `result.json` of `biosig evaluate` says.

    Args:
        path: The file.
        model: Which it must be of.

    Raises:
        ModelError: If it is no such file, or of another model.
    """
    try:
        found = Evaluation.model_validate(load_json(path))
    except ValidationError as error:
        raise ModelError(f"{path}: expected a result of biosig evaluate: {explain(error)}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if (of := found.model.get("training_set_sha256")) != model.training_set:
        raise ModelError(f"{path}: is of another model: its training set is {of}, this model's {model.training_set}")
    rows = [
        Measured(
            row.encoder.value,
            row.protocol.value,
            "none" if row.fraction is None else f"{100 * row.fraction:g} %",
            f"{decimal(row.auroc.subjects.value)} {bracket(row.auroc.subjects)}",
            f"{decimal(row.auprc.subjects.value)} {bracket(row.auprc.subjects)}",
        )
        for row in found.rows
    ]
    side = next(side for side in found.sides if side.role == "test")
    store = found.outside or found.store
    title = store.get("title") or store.get("corpus")
    return Evaluated(f"{title}, {side.records:,} test records of {side.subjects:,} people", tuple(rows))
