"""What a card says, as typed data: `card.json`, from which the text and the page are made."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from finetune.diagnosis.result import Diagram, Estimate, Finding, SetCoverage, Side


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribute(StrEnum):
    """What people or records are told apart by."""

    AGE = "age"
    SEX = "sex"
    CORPUS = "corpus"


class Score(_Part):
    """What the diagnoser is worth on the test side for one concept, at the threshold that validation chose.

    Attributes:
        concept: SNOMED-CT id.
        term: Its name.
        abbreviation: Its short name.
        train_records: That have it and were trained on.
        validation_records: That have it and chose the threshold.
        test_records: That have it.
        test_subjects: People with such a record.
        test_known: Test records of which it is known whether they have it.
        threshold: At or above which it is named.
        auroc: Of its probability.
        auprc: The same; chance is `test_records / test_known`.
        sensitivity: Of those that have it, the share that is named.
        specificity: Of those that have it not, the share that is not named.
        ece: Expected calibration error.
        sets: How often prediction sets held the truth.
    """

    concept: str
    term: str
    abbreviation: str
    train_records: int
    validation_records: int
    test_records: int
    test_subjects: int
    test_known: int
    threshold: float
    auroc: Estimate
    auprc: Estimate
    sensitivity: Estimate
    specificity: Estimate
    ece: Estimate
    sets: SetCoverage


class Group(_Part):
    """Part of the test side, and everybody else on the same concepts.

    Attributes:
        attribute: What tells the group apart.
        name: Of the group.
        records: Test records in it.
        subjects: People in it.
        n_concepts: Concepts that enough people of the group, and of the others, have and lack.
        auroc: Macro over these; null without one.
        others: The same of everybody else.
        gap: The one less the other, in the same draws of people.
    """

    attribute: Attribute
    name: str
    records: int
    subjects: int
    n_concepts: int
    auroc: Estimate
    others: Estimate
    gap: Estimate


class Strange(_Part):
    """Test records that were changed so that nobody would want an answer, and whether the diagnoser noticed.

    Attributes:
        name: What was done to them.
        records: How many.
        called_unlike: The share whose distance from the training records is beyond nearly all of their kind.
        median_share: Of records of the training records' kind, the share that is nearer than the median of these.
        named: How many findings it would have named of each, on average.
    """

    name: str
    records: int
    called_unlike: float
    median_share: float
    named: float


class Contents(_Part):
    """Everything on the card.

    Attributes:
        name: Of the diagnoser.
        modalities: Of the channels it reads.
        training: How it was fitted.
        model: What it stands on.
        store: What it was fitted on and judged by.
        sides: Of the split.
        findings: Of the audit before.
        auroc: Macro over the concepts.
        auprc: The same.
        prevalence: Mean share of test records that have a concept: the AUPRC of chance.
        brier: Mean over the concepts.
        ece: Mean over the concepts.
        scores: Of each concept.
        groups: By age, sex and corpus.
        diagram: Of all pairs of test record and concept whose label is known.
        miscoverage: The share of truths that prediction sets may miss.
        unlike: The share beyond which an input is called unlike the training records.
        strange: Changed records; the first are as they were.
        remembered: Training records that are kept by name.
        settings: Draws, level, and how many people a group's concept takes.
        versions: Of the packages.
    """

    schema_version: int = 1
    name: str
    modalities: tuple[str, ...]
    training: dict[str, Any]
    model: dict[str, Any]
    store: dict[str, Any]
    sides: tuple[Side, ...]
    findings: tuple[Finding, ...]
    auroc: Estimate
    auprc: Estimate
    prevalence: float
    brier: Estimate
    ece: Estimate
    scores: tuple[Score, ...]
    groups: tuple[Group, ...]
    diagram: Diagram
    miscoverage: float
    unlike: float
    strange: tuple[Strange, ...]
    remembered: int
    settings: dict[str, Any]
    versions: dict[str, str]
