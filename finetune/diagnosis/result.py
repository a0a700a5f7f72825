"""What an evaluation found, as typed data: `result.json`, from which table and report are made."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from finetune.diagnosis.choices import Adaptation

SCHEMA_VERSION = 4


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Encoder(StrEnum):
    """Where the weights of the encoder come from; the architecture is the same, but for the other model."""

    PRETRAINED = "pretrained"
    OTHER = "other model"
    RANDOM = "random"
    SCRATCH = "scratch"


class Protocol(StrEnum):
    """How scores are made."""

    ZERO_SHOT_SENTENCES = "zero-shot, sentences"
    ZERO_SHOT_CONCEPTS = "zero-shot, concepts"
    PROBE = "linear probe"
    LORA = "low-rank (LoRA)"
    LAST = "last blocks"
    FULL = "all weights"
    SUPERVISED = "supervised, all weights"


#: The rows of encoders that were adapted.
ADAPTED = {Adaptation.LORA: Protocol.LORA, Adaptation.LAST: Protocol.LAST, Adaptation.FULL: Protocol.FULL}


class Severity(StrEnum):
    """What a finding of the audit does: a refusal needs `--allow-leakage` to be overruled."""

    REFUSAL = "refusal"
    WARNING = "warning"
    NOTE = "note"


class Estimate(_Part):
    """A number and its 95 % interval; null where it cannot be estimated.

    Attributes:
        value: The estimate. AUROC as it is; AUPRC less its bootstrap bias (see `finetune.metrics.bootstrap.Kind`).
        low: Lower end of the interval.
        high: Upper end.
        sample: What scikit-learn gives on the same scores, mean over seeds.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    sample: float | None = None


class Metric(_Part):
    """One macro metric of a row.

    Attributes:
        subjects: The mean over seeds, with the interval of a bootstrap over test subjects.
        subjects_and_seeds: The same value, with an interval that counts the spread between seeds too; null for a row
            of less than three seeds.
        by_seed: The sample value of each seed.
    """

    subjects: Estimate
    subjects_and_seeds: Estimate | None
    by_seed: tuple[float | None, ...] = ()


class ConceptScore(_Part):
    """Both metrics of one concept in one row, mean over seeds."""

    concept: str
    auroc: Estimate
    auprc: Estimate


class GraphScores(_Part):
    """Scores of a row that know the ontology, at the thresholds that validation chose.

    See `finetune.metrics.graph_scores`.

    Attributes:
        precision: Of what is named and all that it is a kind of.
        recall: Of what is there and all that it is a kind of.
        f1: Of both.
        edges_per_error: How many is-a edges a concept wrongly named or missed is from the nearest right one.
        edges_per_record: The same as a mean over all that is named or there, what is right at 0.
        challenge: The score of the PhysioNet/CinC Challenge 2021; null where the graph has none of its classes.
    """

    precision: Metric
    recall: Metric
    f1: Metric
    edges_per_error: Metric
    edges_per_record: Metric
    challenge: Metric | None


class Row(_Part):
    """One line of the table.

    Attributes:
        encoder: Whose features.
        protocol: How scored.
        fraction: Share of the training labels asked for; null for zero-shot.
        seeds: One a repetition: of the label draw, the random encoder, or the training from scratch.
        train_records: Labelled training records that were used, for each seed.
        train_subjects: People among them.
        auroc: Macro over the concepts that have a value.
        auprc: The same; its chance level is the mean prevalence, `Evaluation.prevalence`.
        n_concepts: How many concepts the macro is over.
        n_undefined: Scored concepts without a value in this row (one label value, or not known to the model).
        concepts: By concept.
        graph: Scores that know the ontology.
        details: What was chosen: C, epochs, validation score.
        seconds: Wall time.
    """

    encoder: Encoder
    protocol: Protocol
    fraction: float | None
    seeds: tuple[int, ...]
    train_records: tuple[int, ...]
    train_subjects: tuple[int, ...]
    auroc: Metric
    auprc: Metric
    n_concepts: int
    n_undefined: int
    concepts: tuple[ConceptScore, ...]
    graph: GraphScores | None = None
    details: dict[str, Any]
    seconds: float


class Difference(_Part):
    """Pretrained less a rival at the same fraction, paired: same test draws, same seeds."""

    protocol: Protocol
    rival: Encoder
    rival_protocol: Protocol
    fraction: float | None
    auroc: Metric
    auprc: Metric


class Drop(_Part):
    """A row of an external validation beside the same row on the training store's own test side.

    Attributes:
        encoder: Whose features.
        protocol: How scored.
        fraction: Share of the training labels.
        n_concepts: How many concepts both sides can judge; all three metrics are over these.
        inside: Macro AUROC on the training store's own test side.
        outside: On the other store.
        change: Outside less inside; different people, so not paired.
    """

    encoder: Encoder
    protocol: Protocol
    fraction: float | None
    n_concepts: int
    inside: Metric
    outside: Metric
    change: Metric


class ConceptCount(_Part):
    """How often a concept occurs, and whether it could be scored."""

    concept: str
    term: str
    abbreviation: str
    train_records: int
    validation_records: int
    test_records: int
    test_subjects: int
    test_known: int
    prevalence: float | None
    scored: bool
    reason: str = ""


class Threshold(_Part):
    """The threshold that validation chose for a concept, and what it does to test."""

    concept: str
    threshold: float | None
    sensitivity: float | None
    specificity: float | None
    f1: float | None


class Diagram(_Part):
    """A reliability diagram: mean probability, share of positives and pairs of record and concept in each bin."""

    said: tuple[float, ...]
    happened: tuple[float, ...]
    count: tuple[int, ...]


class Calibrated(_Part):
    """Errors of the probabilities after one kind of scaling, means over the scored concepts.

    Attributes:
        scaling: As in `finetune.trust.calibration.Scaling`; fitted on validation.
        ece: Expected calibration error, bins of equal width; value and interval less the bootstrap bias.
        adaptive_ece: The same with bins of equal mass.
        brier: The Brier score.
        diagram: Of all pairs of record and scored concept together.
    """

    scaling: str
    ece: Estimate
    adaptive_ece: Estimate
    brier: Estimate
    diagram: Diagram


class SetCoverage(_Part):
    """How often the prediction sets of a concept held the truth on the test side; null where there was no such record.

    Attributes:
        calibration_positives: Validation records with the concept; with few of them sets are always undecided.
        positive: Coverage of records with the concept.
        negative: Coverage of records without it.
        undecided: Share of sets with both answers.
        empty: Share of sets with none.
    """

    concept: str
    calibration_positives: int
    positive: float | None
    negative: float | None
    undecided: float | None
    empty: float | None


class GroupCoverage(_Part):
    """How often prediction sets held the truth for a group of people, over all scored concepts and label values.

    Attributes:
        column: What the group is of: `sex`, `sub_corpus`.
        group: Its name.
        calibration_records: Validation records of the group.
        records: Test records of the group.
        common: Coverage of the sets that everybody calibrated.
        own: Coverage of sets that the group calibrated for itself; those of everybody where it did not.
    """

    column: str
    group: str
    calibration_records: int
    records: int
    common: float | None
    own: float | None


class Silence(_Part):
    """Yes or no at a calibrated probability of 0.5, the surest answers first; see `finetune.trust.selective`."""

    error: float
    area: float
    refinement: float | None
    coverage: tuple[float, ...]
    risk: tuple[float, ...]


class Trust(_Part):
    """How far the pretrained probe with most labels can be trusted.

    Attributes:
        temperature: T of temperature scaling; above 1 the probe was too sure.
        calibrated: Before and after scaling.
        miscoverage: The share of truths that prediction sets may miss, for each label on its own.
        sets: Of the scored concepts.
        groups: The same by group, where there are two or more.
        silence: What errors are left if the unsure answers are not given.
    """

    temperature: float
    calibrated: tuple[Calibrated, ...]
    miscoverage: float
    sets: tuple[SetCoverage, ...]
    groups: tuple[GroupCoverage, ...] = ()
    silence: Silence


class Side(_Part):
    """One side of the split."""

    role: str
    folds: tuple[int, ...]
    records: int
    subjects: int


class Finding(_Part):
    """One thing the audit found before scoring."""

    severity: Severity
    text: str


class Evaluation(_Part):
    """Everything that was measured, and what it was measured on.

    Attributes:
        model: Name, fingerprint, sizes, recipe, what it was trained on.
        store: Corpus, licence, citation, sha256 of `store.json`, sampling rate: of the store that was trained on.
        question: What was asked: diagnoses, or one question.
        outside: In an external validation the same facts of the store whose records are the test side.
        other: The model beside it, if there was one.
        sides: Records and subjects of training, validation and test.
        concepts: All concepts of the graph that occur, scored or not.
        prevalence: Mean prevalence of the scored concepts on the test side: the AUPRC of chance.
        findings: Of the audit.
        rows: The table.
        differences: Pretrained against its rivals.
        drops: In an external validation, every row beside the same on the training store's own test side.
        thresholds: Of the pretrained probe with most labels.
        trust: In its probabilities; null without a probe.
        settings: Draws, level, seeds, grids and budgets.
        versions: Of the packages.
    """

    schema_version: int = SCHEMA_VERSION
    model: dict[str, Any]
    store: dict[str, Any]
    question: str = "diagnosis"
    outside: dict[str, Any] | None = None
    other: dict[str, Any] | None = None
    sides: tuple[Side, ...]
    concepts: tuple[ConceptCount, ...]
    prevalence: float | None
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    drops: tuple[Drop, ...] = ()
    thresholds: tuple[Threshold, ...]
    trust: Trust | None = None
    settings: dict[str, Any]
    versions: dict[str, str]
    seconds: float

    def row(self, encoder: Encoder, protocol: Protocol, fraction: float | None) -> Row | None:
        """The row of that name, if it was asked for."""
        wanted = (encoder, protocol, fraction)
        return next((row for row in self.rows if (row.encoder, row.protocol, row.fraction) == wanted), None)
