"""One network, fitted to the nights of some people, stopped by those of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from finetune.emotion.training import Stopped, train
from finetune.sequence.network import StageNet, StageSpec
from finetune.sequence.nights import STAGES, UNKNOWN, Night


@dataclass(frozen=True)
class Budget:
    """What a training may spend.

    Attributes:
        steps: At most.
        batch_size: Stretches of a night a step.
        epochs: In a stretch: ten minutes.
        check_every: Steps between looks at validation.
        patience: Looks without a smaller loss before it stops.
        learning_rate: Of AdamW, after a warm-up, falling by a cosine.
        gain: Standard deviation of a channel's log gain, drawn anew for each stretch: people and electrodes differ.
        missing: The probability that a channel of a stretch is left out, where there are several.
    """

    steps: int = 200
    batch_size: int = 16
    epochs: int = 20
    check_every: int = 20
    patience: int = 4
    learning_rate: float = 2e-3
    gain: float = 0.3
    missing: float = 0.1


@dataclass(frozen=True)
class Fitted:
    """A network, and how its training ended."""

    network: StageNet
    stopped: Stopped


def fit(
    training: Sequence[Night], validation: Sequence[Night], spec: StageSpec, *, seed: int, budget: Budget
) -> Fitted:
    """Fit a network; validation chooses the step.

    The loss is a cross-entropy in which a stage counts by the inverse root of how often it is: halfway between every
    epoch alike, where N1 is lost, and every stage alike, where it is seen everywhere.

    Args:
        training: Nights to learn from.
        validation: Other people's.
        spec: Sizes.
        seed: Of weights and order.
        budget: What it may spend.
    """
    torch.manual_seed(seed)
    network, rng = StageNet(spec), np.random.default_rng(seed)
    network.mean, network.std = _statistics(training)
    weight = stage_weights(training)
    chances = np.array([len(night.stage) for night in training], dtype=float)

    def loss_of(_: float) -> Tensor:
        spectra, stage = _stretches(training, rng, chances / chances.sum(), budget)
        return _loss(network(spectra), stage, weight)

    def validate() -> float:
        losses = [
            float(_loss(network(tensor(night)[None]), torch.from_numpy(night.stage)[None], weight))
            for night in validation
        ]
        return float(np.average(losses, weights=[len(night.stage) for night in validation]))

    stopped = train(
        network,
        loss_of,
        validate,
        steps=budget.steps,
        learning_rate=budget.learning_rate,
        check_every=budget.check_every,
        patience=budget.patience,
    )
    return Fitted(network, stopped)


def stage_weights(nights: Sequence[Night]) -> Float32[Tensor, " stage"]:
    """1 / root of how often each stage is, 1 in the mean over epochs; 0 where it never is."""
    stage = np.concatenate([night.stage for night in nights])
    counts = np.bincount(stage[stage != UNKNOWN], minlength=len(STAGES))
    inverse = np.where(counts > 0, 1 / np.sqrt(np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(inverse * counts.sum() / (inverse @ counts)).float()


def tensor(night: Night) -> Float32[Tensor, "epoch channel bin frame"]:
    """Its spectra."""
    return torch.from_numpy(night.spectra.astype(np.float32))


@torch.inference_mode()
def probabilities(
    network: StageNet, spectra: Float32[Tensor, "epoch channel bin frame"]
) -> Float32[np.ndarray, "epoch stage"]:
    """What a network says of a whole night."""
    said: np.ndarray = network.eval()(spectra[None])[0].softmax(-1).numpy()
    return said


def _loss(logits: Tensor, stage: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits.flatten(0, 1), stage.flatten().long(), weight, ignore_index=UNKNOWN)


def _statistics(nights: Sequence[Night]) -> tuple[Tensor, Tensor]:
    """Of the mean frame of each known epoch: mean and standard deviation of each channel and bin."""
    whole = np.concatenate([night.spectra.mean(-1, dtype=np.float32) for night in nights])
    known = np.isfinite(whole)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, whole, 0).sum(0) / count
    std = np.sqrt(np.where(known, (whole - mean) ** 2, 0).sum(0) / count)
    return torch.from_numpy(mean)[..., None].float(), torch.from_numpy(np.maximum(std, 0.1))[..., None].float()


def _stretches(
    nights: Sequence[Night], rng: np.random.Generator, chances: np.ndarray, budget: Budget
) -> tuple[Tensor, Tensor]:
    """Random stretches of random nights; shorter nights are filled up with epochs whose stage is not known."""
    spectra, stages = [], []
    for which in rng.choice(len(nights), budget.batch_size, p=chances):
        night = nights[which]
        first = int(rng.integers(0, max(len(night.stage) - budget.epochs, 0), endpoint=True))
        part = night.part(first, first + budget.epochs)
        lacking = budget.epochs - len(part.stage)
        x = np.pad(part.spectra.astype(np.float32), ((0, lacking), (0, 0), (0, 0), (0, 0)))
        # The spectra are logarithms of power: a gain is an addition.
        x = x + (2 * budget.gain * rng.standard_normal((x.shape[1], 1, 1))).astype(np.float32)
        if x.shape[1] > 1 and rng.random() < budget.missing:
            x[:, rng.integers(x.shape[1])] = np.nan
        spectra.append(x)
        stages.append(np.pad(part.stage, (0, lacking), constant_values=UNKNOWN))
    return torch.from_numpy(np.stack(spectra)), torch.from_numpy(np.stack(stages))
