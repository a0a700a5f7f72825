"""What is known of a model, a store and a side of a split before anything is measured, for results and cards."""

from __future__ import annotations

from pathlib import Path

from finetune.diagnosis.audit import supervision
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.result import Side
from finetune.diagnosis.selection import Selection
from finetune.protocols import Role, Task
from pretrain.models.foundation import FoundationModel


def side_facts(task: Task, records: Joined, role: Role) -> Side:
    """Folds, records and people of a role."""
    rows = task.rows[role]
    folds = tuple(int(fold) for fold in sorted(records.frame("fold")["fold"].iloc[rows].unique()))
    return Side(role=role.value, folds=folds, records=len(rows), subjects=task.n_subjects(rows))


def model_facts(model: FoundationModel, folder: Path) -> dict[str, object]:
    """Name, size, intake, and what it was pretrained with and on."""
    provenance, intake = model.config.provenance, model.config.intake
    facts: dict[str, object] = {
        "name": str(provenance.recipe.get("name", folder.name)) if provenance else folder.name,
        "encoder": model.config.architecture.signal.encoder,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "sampling_rate": intake.sampling_rate,
        "window_seconds": intake.window_seconds,
    }
    if provenance:
        facts |= {
            "steps": provenance.steps,
            "pretrained_with": ["signals", *supervision(model)],
            "training_set_sha256": provenance.training_set,
            "stores": [f"{store.corpus} (store.json sha256 {store.sha256})" for store in provenance.stores],
        }
    return facts


def store_facts(chosen: Selection) -> dict[str, object]:
    """Corpus, licence, whom to cite, and which records exactly."""
    store = chosen.store
    facts: dict[str, object] = {
        "title": chosen.title,
        "corpus": store.info.corpus.name,
        "licence": store.info.corpus.licence,
        "citation": store.info.corpus.citation,
        "sha256": store.fingerprint,
        "sampling_rate": store.sampling_rate,
        "records": len(store),
    }
    return facts | ({"where": str(chosen.where)} if chosen.where.allowed else {})
