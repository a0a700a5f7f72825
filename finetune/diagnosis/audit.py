"""Before anything is scored: has the model met the test side, and was the store made for it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from biosig.errors import BiosigError
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.result import Finding, Severity
from finetune.protocols import Role, Sides, Task
from pretrain.models.foundation import FoundationModel

CODES = "diagnosis codes"
# What each objective of `pretrain.objectives` reads of a record beside its signal.
_READS = {"reports": {"signal_language"}, CODES: {"graph_smoothed"}}


class LeakageError(BiosigError):
    """A model and a store whose numbers would not be true."""


def audit(model: FoundationModel, records: Joined, task: Task) -> tuple[Finding, ...]:
    """Everything that would make the numbers untrue, or that a reader must know.

    Refusal: a test subject, or a test waveform under another name, was trained on. Warnings: the same of validation;
    whom the model was trained on is not known; it was pretrained with labels of the training side, so that "1 % of
    labels" is not all the labels it has seen. Note: copies of waveforms were left out.

    Args:
        model: As loaded.
        records: What it will be trained and tested on.
        task: Roles of the rows.

    Raises:
        ModelError: If the store is at another rate, or went through other preprocessing, than the model was made for;
            that cannot be allowed.
    """
    return (*audit_sides(model, records, task), *_labels_seen(model, task, seen_by(model, records)))


def audit_sides(model: FoundationModel, records: Joined, task: Sides) -> tuple[Finding, ...]:
    """What `audit` finds whatever the labels are: everything but the warning about pretraining with diagnosis codes."""
    for store in records.stores:
        model.config.intake.check_store(store)
    findings = _held_out(records, task, seen_by(model, records))
    if model.training_set is None:
        text = "The model does not say whom it was trained on: these test subjects may be among them."
        findings.append(Finding(severity=Severity.WARNING, text=text))
    if task.copies:
        text = f"{task.copies:,} records are left out: the same waveform, under another name, is on a side that judges."
        findings.append(Finding(severity=Severity.NOTE, text=text))
    return tuple(findings)


def seen_by(model: FoundationModel, records: Joined) -> Bool[np.ndarray, " row"]:
    """Which rows the model was trained on, or on their subject; none where it does not say."""
    if model.training_set is None:
        return np.zeros(len(records), bool)
    return np.concatenate([model.training_set.seen(store) for store in records.stores])


def enforce(findings: Sequence[Finding], *, allow: bool) -> None:
    """Stop at a refusal.

    Raises:
        LeakageError: Unless it is allowed.
    """
    refusals = [finding.text for finding in findings if finding.severity is Severity.REFUSAL]
    if refusals and not allow:
        raise LeakageError(f"{'; '.join(refusals)}. Nothing was scored; --allow-leakage scores it and marks the report")


def _held_out(records: Joined, task: Sides, seen: Bool[np.ndarray, " row"]) -> list[Finding]:
    found = []
    for role, severity in ((Role.TEST, Severity.REFUSAL), (Role.VALIDATION, Severity.WARNING)):
        rows = task.rows[role]
        if seen[rows].any():
            first = records.frame("record")["record"].iloc[rows[seen[rows]][0]]
            text = (
                f"the model was trained on {int(seen[rows].sum()):,} of the {len(rows):,} {role} records of this "
                f"store, or on their subjects (first: {first})"
            )
            found.append(Finding(severity=severity, text=text))
    return found


def _labels_seen(model: FoundationModel, task: Task, seen: Bool[np.ndarray, " row"]) -> list[Finding]:
    used = supervision(model)
    count = int(seen[task.rows[Role.TRAIN]].sum())
    if CODES not in used or not count:
        return []
    text = (
        f"Pretraining used the {' and '.join(used)} of {count:,} records that are on the training side here. A label "
        "fraction limits what the probe sees, not what the encoder saw: read the low-label rows as re-use of a model "
        "that knows these concepts, not as learning them from so few labels."
    )
    return [Finding(severity=Severity.WARNING, text=text)]


def supervision(model: FoundationModel) -> list[str]:
    """What the pretraining objectives read beside the signal: `reports`, `diagnosis codes`."""
    if model.config.provenance is None:
        return []
    objectives = {one["name"] for one in model.config.provenance.recipe.get("objectives", ())}
    return [what for what, names in _READS.items() if objectives & names]
