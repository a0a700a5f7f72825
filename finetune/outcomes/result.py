"""What a fine-tuning on an outcome found, as typed data: `result.json`, from which table and figure are made."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from finetune.diagnosis.result import Estimate, Finding, Metric
from finetune.outcomes.target import Kind

RESULT = "result.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutcomeSide(_Part):
    """Who is on one side; `unknown` are records that were left out, `events` null of a number."""

    role: str
    records: int
    subjects: int
    unknown: int
    events: int | None


class OutcomeRow(_Part):
    """One line of the table.

    Attributes:
        name: Who predicts.
        seeds: Of each repetition.
        metrics: By name: `mae`, `rmse`, `r2`, `pearson`, or `c_index`.
        details: Penalty, steps.
        seconds: Wall time.
    """

    name: str
    seeds: tuple[int, ...]
    metrics: dict[str, Metric]
    details: dict[str, Any]
    seconds: float


class OutcomeGap(_Part):
    """The row that is handed on less another, in the same bootstrap draws."""

    rival: str
    metrics: dict[str, Metric]


class RiskGroup(_Part):
    """A third of risk, of which validation said where it ends.

    Attributes:
        name: Low, middle, high.
        records: On the test side.
        events: Of them.
        predicted: Mean probability of the event within the horizon.
        observed: What Kaplan and Meier say of them.
    """

    name: str
    records: int
    events: int
    predicted: float | None
    observed: Estimate


class OutcomeResult(_Part):
    """Everything.

    Attributes:
        target: Name of what is predicted.
        kind: A number or a time to an event.
        unit: Of the number or the time.
        corpus: Where the recordings come from.
        store: Fingerprint of the store.
        sides: Train, validation, test.
        findings: Of the audit, and of the target.
        chosen: The name of the row that is handed on.
        rows: Of the table.
        gaps: The chosen row less each other.
        halfwidth: Of a number: 90 % of validation lies so near to what was predicted.
        coverage: The share of test that does.
        horizon: Of survival: the time at which probabilities are given.
        groups: Of survival: the thirds of risk at that time.
        settings: Everything that was asked for.
    """

    format: Literal["biosig-outcome-result"] = "biosig-outcome-result"
    version: Literal[1] = 1
    target: str
    kind: Kind
    unit: str
    corpus: str
    store: str
    sides: tuple[OutcomeSide, ...]
    findings: tuple[Finding, ...]
    chosen: str
    rows: tuple[OutcomeRow, ...]
    gaps: tuple[OutcomeGap, ...]
    halfwidth: float | None
    coverage: Estimate | None
    horizon: float | None
    groups: tuple[RiskGroup, ...]
    settings: dict[str, Any]
