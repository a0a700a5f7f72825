"""Differential entropy and a linear classifier: the baseline of the field, under three normalisations."""

from __future__ import annotations

from finetune.emotion.bench import Work
from finetune.emotion.features import Windowed
from finetune.emotion.linear import fit
from finetune.emotion.normalise import by_subject, by_training, running
from finetune.emotion.protocols import Access
from finetune.emotion.rivals.base import BOTH, RIVALS, Outcome, Rival


def classify(work: Work, features: dict[Access, Windowed]) -> Outcome:
    """Normalised features of all trials, for each variant -> class probabilities of the tested windows."""
    predictions, details = {}, {}
    for access, windows in features.items():
        fitted = fit(windows, work.trials, work.fold)
        tested = windows.of(work.fold.test)
        predictions[access] = tested.with_values(fitted.probabilities(tested.values))
        details[access.value] = {"C": fitted.c, "validation_loss": round(fitted.validation_loss[fitted.c], 4)}
    return Outcome(predictions, details)


def normalised(work: Work, windows: Windowed, access: Access) -> Windowed:
    """By the training subjects, or each subject by its whole stream."""
    if access is Access.CAUSAL:
        return by_training(windows, work.fold.learnt)
    return by_subject(windows, work.trials)


def _linear(work: Work) -> Outcome:
    bench = work.bench
    return classify(work, {access: normalised(work, bench.entropies(access), access) for access in work.access})


def _running(work: Work) -> Outcome:
    windows = work.bench.entropies(Access.CAUSAL)
    return classify(work, {Access.CAUSAL: running(windows, work.trials, work.fold.learnt)})


RIVALS.add(
    "de-linear",
    Rival(
        "DE + linear",
        _linear,
        BOTH,
        "Differential entropy of every electrode in up to five bands a second, and logistic regression. Causal: "
        "standardised by the training subjects. Transductive: each subject by its own whole stream.",
        {Access.TRANSDUCTIVE: "DE + linear, per-subject"},
    ),
)
RIVALS.add(
    "de-running",
    Rival(
        "DE + linear, running",
        _running,
        (Access.CAUSAL,),
        "The same, standardised by the past of the subject's own stream, which begins with the statistics of the "
        "training subjects.",
    ),
)
