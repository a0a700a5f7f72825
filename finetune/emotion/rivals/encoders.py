"""Frozen encoders with a linear classifier: random, and pretrained without labels under three alignments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from finetune.emotion.bench import Work
from finetune.emotion.encoding import encode, occlusion
from finetune.emotion.pretraining import pretrained_tower, random_tower
from finetune.emotion.rivals.base import BOTH, RIVALS, Outcome, Rival
from finetune.emotion.rivals.entropy import classify, normalised
from pretrain.models.towers import SignalTower

#: What an encoder listens to is measured for one seed: it takes a pass for each electrode.
PICTURED_SEED = 0
_FEATURES = (
    " Features: mean and half log-variance of the tokens of each second; then logistic regression, standardised by the "
    "training subjects (causal) or each subject by its whole stream (transductive)."
)


def _frozen(make: Callable[[Work], SignalTower], work: Work) -> Outcome:
    tower, bench = make(work), work.bench
    used = work.fold.learnt + work.fold.validation + work.fold.test
    windows = encode(tower, bench.store, work.trials, used)
    features = {access: normalised(work, work.smoothed(windows, access), access) for access in work.access}
    found = classify(work, features)
    if work.seed != PICTURED_SEED:
        return found
    lost = occlusion(tower, bench.store, work.trials, work.fold.test, bench.electrodes)
    return Outcome(found.predictions, {**found.details, "occlusion": [round(float(one), 6) for one in lost]})


def _pretrained(recipe: str, work: Work) -> SignalTower:
    return pretrained_tower(work, recipe)


def _register(name: str, title: str, about: str, recipe: str | None) -> None:
    make = random_tower if recipe is None else partial(_pretrained, recipe)
    RIVALS.add(
        name,
        Rival(title, partial(_frozen, make), BOTH, about + _FEATURES, pretrains=recipe is not None),
    )


_register("random", "random encoder", "The architecture of the encoders below with random weights.", None)
_register(
    "clisa",
    "CLISA-like",
    "Pretrained without labels on the training subjects of the fold: pooled windows of two subjects at the same moment "
    "are alike (CLISA, arXiv 2109.09559, as far as the architecture here allows).",
    "clisa",
)
_register(
    "clisa-synchronous",
    "CLISA-like, moment by moment",
    "The same with each token compared with that of the same time, as the code of CLISA's authors does; at half the "
    "rate of tokens.",
    "clisa_synchronous",
)
_register(
    "ta2cl",
    "TA2CL-like",
    "The same with each token matched to its most similar ones nearby (TA2CL, arXiv 2605.22379, as far as known).",
    "ta2cl",
)
_register(
    "coherent",
    "coherent",
    "The same with one latency a pair of windows, searched for over lags: ours.",
    "temporal_asynchronous_eeg",
)
