"""The protocol and its limits in words, for the report: only what the code does, and with its numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from finetune.diagnosis.audit import supervision
from finetune.diagnosis.bench import ADAPTING_RATE, Options
from finetune.diagnosis.questions import DIAGNOSIS, QUESTIONS
from finetune.metrics.challenge import Weights
from finetune.probe import C_GRID
from pretrain.models.foundation import FoundationModel

if TYPE_CHECKING:
    from finetune.diagnosis.evaluate import Asked


def protocol(model: FoundationModel, asked: Asked, options: Options, weights: Weights) -> list[str]:
    """How the numbers were made."""
    said = """
    Sides are the store's own folds. Nobody is on two sides; that is checked before anything is scored.
    """
    if asked.outside is not None:
        said = f"""
    External validation: training and validation are the folds of {asked.chosen.title}; the test side are all records of
    {asked.outside.title}. Thresholds, scales, prediction sets and early stopping come from the validation of the
    former alone. Nobody and no waveform is on both; that is checked before anything is scored. A concept counts where
    both annotate it at all.
    """
    said += f"""
    A concept is scored if at least {asked.min_positives} test subjects have it and as many are known to lack it. A
    record has the is-a ancestors of its concepts too. Where its database does not annotate a concept the label is
    unknown, and the pair is left out. A concept with exactly the test records of one below it is not counted twice.
    """
    if provenance := model.config.provenance:
        read = " and ".join(["signals", *supervision(model)])
        said += f"""
    Pretraining read {read} of its own training side, for {provenance.steps:,} steps.
    """
    if asked.question != DIAGNOSIS:
        said += f"""
    Asked for is {QUESTIONS[asked.question].title}, by the codes of the store; there is no ontology in it.
    """
    if asked.other is not None:
        said += """
    The other model is scored on the same records, with the same labels and in the same draws; the rivals have the
    architecture of the first.
    """
    if options.zero_shot:
        said += """
    Zero-shot: the cosine of signal and concept, by the mean of the concept's sentences, or by the concept tower. No
    label is fitted to; what pretraining read of this corpus is said above.
    """
    if options.probe:
        budget = options.budget
        said += f"""
    Linear probe: the encoder is frozen; logistic regression with an L2 penalty on features standardised by the
    training rows; one C of {", ".join(f"{c:g}" for c in C_GRID)} for all concepts, by macro AUROC on validation.

    From scratch: the same architecture from random weights. It starts with the linear probe of the untrained encoder;
    then all weights are trained, at most {budget.steps} steps of {budget.batch_size} records at
    every label fraction, no augmentation; it stops after {budget.patience} looks at validation without gain, one each
    {budget.check_every} steps, and keeps the best weights.

    {_adapting(options)}

    Label fractions are whole subjects, each fraction inside the next larger, drawn anew for each seed, the same for
    all rows. Each begins with a positive and a negative subject of every scored concept, so that the smallest may hold
    more than its name says: the table has the counts. Validation is never reduced.
    """
    said += f"""
    Intervals: {options.draws:,} draws of test subjects with replacement, all records of a subject together, the same
    draws for every row. A draw without a positive of a concept leaves it out of its macro mean. AUROC: percentiles of
    the draws. AUPRC runs high in small samples, so value and interval are less the bootstrap bias.

    “Subjects and seeds” adds the spread of the seeds: the draws are convolved with t·s/√S, s the standard deviation of
    the S seeds, t of Student's distribution with S − 1 degrees of freedom. It takes three
    seeds; figures show it where it is.

    C, thresholds, scales of probabilities, prediction sets and early stopping come from validation; test was scored
    once.
    """
    if asked.question == DIAGNOSIS:
        said += f"""
    With the ontology: every row names the concepts above its thresholds, one a concept and seed, of largest F1 on
    validation; that uses validation labels for zero-shot rows too. A concept without a positive there is never named.
    All concepts of the graph are judged wherever they are known, also those too rare for an AUROC of their own.
    Hierarchical precision, recall and F1 count what is named or there together with all that it is a kind of. An error
    is as many is-a edges off as the nearest right concept is away, or as the farthest two concepts of the graph are
    where there is none.

    Challenge score: that of PhysioNet/CinC 2021, 0 for calling everything sinus rhythm and 1 for the truth; classes
    whose label is unknown are left out. Weights: {weights.source}.
    """
    return _sentences(said)


def _adapting(options: Options) -> str:
    if not options.adapt:
        return ""
    return f"""Adapted: what is named of the pretrained encoder moves from its linear probe on, with the budget of the
    rival from scratch at a learning rate of {ADAPTING_RATE:g}; low-rank additions to every matrix and convolution, of
    rank 8; of all weights, each block at 0.75 of the rate of the block after it."""


def limits(asked: Asked, options: Options) -> list[str]:
    """What the numbers do not say."""
    said = """
    One store, its labels, its population: another hospital or device may differ by more than these intervals.
    """
    if asked.outside is not None:
        said = """
    Two stores: a third may differ by more than these intervals. What the two call by one name need not be one thing.
    """
    said += """

    Intervals are for each row and concept on its own; nothing is corrected for looking at many.

    People are told apart by name and their recordings by waveform. What nobody could see here: a person of two names, a
    copy that starts at another moment and, among what the model was pretrained on, a copy that was filtered otherwise.
    """
    if options.probe:
        said += """
    The rival from scratch has a short budget and no search of its hyperparameters: a floor for what supervised
    training can do, not its best.

    Validation chose C before it calibrated, and people with several records are not independent: what prediction sets
    promise holds roughly, and the table says how it came out.

    All of validation chooses C and stops early, at every fraction and for every row alike: that is more labels than
    the fraction says.
    """
    if options.zero_shot:
        said += """
    Zero-shot scores rank records; they are not probabilities.
    """
    return _sentences(said)


def _sentences(text: str) -> list[str]:
    """Paragraphs between blank lines, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]
