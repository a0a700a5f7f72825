"""What the experiment found, as typed data: `result.json`, from which table and report are made."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from finetune.diagnosis.result import Finding, Metric
from finetune.emotion.metrics import Measure
from finetune.emotion.protocols import Access, Protocol

SCHEMA_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Part):
    """One line of the table.

    Attributes:
        row: Its name among the rows.
        title: A few words.
        access: What it may know of the test stream.
        pretrains: Whether it was pretrained without labels on the training subjects.
        labels_of_target: Whether labels of the subject under test were learnt from (few-shot).
        trained: Whether it learns anything.
        about: What it is.
        metrics: By name, with intervals over subjects, and over subjects and seeds where there are three or more.
        against_random: The same less those of the random encoder under the same access, paired; empty for that row.
        subjects: The accuracy of each subject, mean over seeds.
        occlusion: How much each electrode matters to the encoder, mean over folds; empty for other rows.
        seconds: Of work, all folds and seeds together.
    """

    row: str
    title: str
    access: Access
    pretrains: bool
    labels_of_target: bool
    trained: bool
    about: str
    metrics: dict[Measure, Metric]
    against_random: dict[Measure, Metric]
    subjects: dict[str, float]
    occlusion: tuple[float, ...] = ()
    seconds: float = 0.0


class Result(_Part):
    """Everything that was measured, and on what.

    Attributes:
        store: Corpus, licence, citation, sha256 of `store.json`, sampling rate.
        target: As it was asked for.
        protocol: What was held out.
        classes: Trials of each.
        left_out: Trials that were not used, by reason.
        subjects: How many people were tested.
        one_class_subjects: Those of them whose trials are all of one class.
        stimuli: How many different ones they met; 0 where the source names none.
        trials: How many were tested.
        folds: How many.
        seeds: Repetitions: of validation subjects, groups, weights.
        electrodes: The channels of classical rows, and of the maps.
        findings: What a reader must know.
        lines: The table.
        settings: What else decides the numbers.
        versions: Of the packages.
        seconds: Of work.
    """

    schema_version: int = SCHEMA_VERSION
    store: dict[str, Any]
    target: str
    protocol: Protocol
    classes: dict[str, int]
    left_out: dict[str, int]
    subjects: int
    one_class_subjects: int
    stimuli: int
    trials: int
    folds: int
    seeds: tuple[int, ...]
    electrodes: tuple[str, ...]
    findings: tuple[Finding, ...]
    lines: tuple[Line, ...]
    settings: dict[str, Any]
    versions: dict[str, str]
    seconds: float

    def line(self, row: str, access: Access) -> Line | None:
        """The line of that name, if it was asked for."""
        return next((line for line in self.lines if (line.row, line.access) == (row, access)), None)
