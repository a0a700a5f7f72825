"""One network, fitted to the annotated leads of some recordings, stopped and tuned by those of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from biosig.recording import Modality, Recording
from biosig.store import MODALITIES
from finetune.delineation.decode import Rules
from finetune.delineation.delineator import probabilities
from finetune.delineation.intake import RATE, intake
from finetune.delineation.targets import Targets, targets
from finetune.delineation.thresholds import choose
from finetune.delineation.waves import WAVES, Annotated, annotated_recordings
from finetune.emotion.training import train
from finetune.heads.frames import FrameNet, Frames, FrameSpec
from pretrain.augmentations import BaselineWander, Gain, Mains, Muscle, Strips, augment
from pretrain.specs.execution import Device, Precision
from pretrain.training.precision import resolve_precision

# Peaks are few samples among many.
_PEAK_WEIGHT = 5.0
_AUGMENTATIONS = (
    Gain(sigma=0.2),
    BaselineWander(amplitude=0.1, probability=0.3),
    Muscle(amplitude=0.04, probability=0.4),
    Mains(amplitude=0.03, probability=0.2),
)


@dataclass(frozen=True)
class Budget:
    """What a training may spend.

    Attributes:
        steps: At most.
        batch_size: Recordings a step.
        leads: Of a recording, drawn anew in every step; the network sees any number of them.
        check_every: Steps between looks at validation.
        patience: Looks without a smaller loss before it stops.
        learning_rate: Of AdamW, after a warm-up, falling by a cosine.
        spec: Sizes of the network.
    """

    steps: int = 400
    batch_size: int = 16
    leads: int = 6
    check_every: int = 40
    patience: int = 4
    learning_rate: float = 3e-3
    spec: FrameSpec = field(default_factory=FrameSpec)


@dataclass(frozen=True)
class Drawn:
    """Recordings ready to be learned from: signal in millivolts, and targets of every lead.

    Attributes:
        signal: `(lead, time)` of each.
        names: Of its leads.
        leads: What was drawn in each; a lead without annotation is not there.
        targets: Of those.
    """

    signal: list[Float32[np.ndarray, "lead time"]]
    names: list[tuple[str, ...]]
    leads: list[dict[str, Annotated]]
    targets: list[dict[str, Targets]]

    @classmethod
    def of(cls, recordings: Sequence[Recording]) -> Drawn:
        """Resampled and filtered, once."""
        signal = [intake(recording) for recording in recordings]
        leads = annotated_recordings(recordings)
        drawn = [
            {name: targets(one, x.shape[1], RATE) for name, one in own.items()}
            for x, own in zip(signal, leads, strict=True)
        ]
        return cls(signal, [recording.pick(Modality.ECG).channels for recording in recordings], leads, drawn)

    def take(self, rows: Sequence[int] | Int[np.ndarray, " row"]) -> Drawn:
        """Some of them."""
        return Drawn(*([part[row] for row in rows] for part in (self.signal, self.names, self.leads, self.targets)))  # type: ignore[arg-type]  # four lists of four kinds


@dataclass(frozen=True)
class Fitted:
    """A network, what it counts as a wave, and how its training ended."""

    network: FrameNet
    rules: Rules
    steps: int
    best_step: int
    validation_loss: float


def fit(training: Drawn, validation: Drawn, *, seed: int, budget: Budget) -> Fitted:
    """Fit a network; validation chooses the step and the least probability of each kind of wave.

    Args:
        training: Recordings to learn from.
        validation: Other people's.
        seed: Of the weights, the order, the leads and the augmentations.
        budget: What it may spend.
    """
    torch.manual_seed(seed)
    network = FrameNet(budget.spec)
    half = resolve_precision(Precision.AUTO, Device.CPU) is Precision.BF16
    rng = np.random.default_rng(seed)
    order = _endless(len(training.signal), rng)

    def loss_of(_: float) -> Tensor:
        rows = [next(order) for _ in range(budget.batch_size)]
        batch = _batch(training, rows, rng, budget.leads)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            frames = network(batch.signal, batch.mask)
        return loss(frames, batch)

    every = _batch(validation, range(len(validation.signal)), None, None)

    def validate() -> float:
        parts = [every.take(rows) for rows in torch.split(torch.arange(len(every.signal)), 8)]
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found = [network(part.signal, part.mask) for part in parts]
        weights = [float(part.known.sum()) for part in parts]
        losses = [float(loss(one, part)) for one, part in zip(found, parts, strict=True)]
        return float(np.average(losses, weights=weights))

    stopped = train(
        network,
        loss_of,
        validate,
        steps=budget.steps,
        learning_rate=budget.learning_rate,
        check_every=budget.check_every,
        patience=budget.patience,
    )
    said = [probabilities(network, x) for x in validation.signal]
    rules = choose(said, validation.names, validation.leads)
    return Fitted(network, rules, stopped.steps, stopped.best_step, stopped.validation_loss)


@dataclass(frozen=True)
class Batch:
    """Tensors of some recordings, padded with zeros; see `Targets`."""

    signal: Float[Tensor, "record lead time"]
    mask: Bool[Tensor, "record lead"]
    waves: Float[Tensor, "record lead klass time"]
    peaks: Float[Tensor, "record lead kind time"]
    known: Float[Tensor, "record lead time"]
    peaks_known: Float[Tensor, "record lead kind time"]

    def take(self, rows: Tensor) -> Batch:
        """Some of the recordings."""
        return Batch(*(part[rows] for part in vars(self).values()))


def loss(frames: Frames, batch: Batch) -> Tensor:
    r"""Cross-entropy with soft targets, and binary cross-entropy of the peaks, over the samples that are known.

    sum_t known_t CE(q_t, p_t) / sum_t known_t + w sum known BCE / sum known
    """
    log_p = frames.waves.float().log_softmax(2)
    waves = -(batch.waves * log_p).sum(2) * batch.known
    peaks = torch.nn.functional.binary_cross_entropy_with_logits(
        frames.peaks.float(), batch.peaks, batch.peaks_known, reduction="sum"
    )
    total: Tensor = waves.sum() / batch.known.sum().clamp_min(1)
    return total + _PEAK_WEIGHT * peaks / batch.peaks_known.sum().clamp_min(1)


def _batch(drawn: Drawn, rows: Sequence[int] | range, rng: np.random.Generator | None, leads: int | None) -> Batch:
    """Some recordings; with a generator some of their leads, changed by the augmentations."""
    names: list[tuple[str, ...]] = []
    for row in rows:
        own = [name for name in drawn.names[row] if name in drawn.targets[row]]
        if rng is not None and leads is not None and len(own) > leads:
            own = sorted(rng.choice(own, leads, replace=False).tolist(), key=drawn.names[row].index)
        names.append(tuple(own))
    most, samples = max(map(len, names)), max(drawn.signal[row].shape[1] for row in rows)
    n, kinds = len(names), len(WAVES)
    signal, mask = np.zeros((n, most, samples), np.float32), np.zeros((n, most), bool)
    waves, peaks = (np.zeros((n, most, k, samples), np.float32) for k in (1 + kinds, kinds))
    known, peaks_known = np.zeros((n, most, samples), np.float32), np.zeros((n, most, kinds, samples), np.float32)
    for place, (row, chosen) in enumerate(zip(rows, names, strict=True)):
        for channel, name in enumerate(chosen):
            x, one = drawn.signal[row][drawn.names[row].index(name)], drawn.targets[row][name]
            here = place, channel
            signal[*here, : len(x)], mask[here] = x, True
            for whole, part in (
                (waves, one.waves),
                (peaks, one.peaks),
                (known, one.known),
                (peaks_known, one.peaks_known),
            ):
                whole[*here, ..., : len(x)] = part
    x = torch.from_numpy(signal)
    if rng is not None:
        lengths = torch.tensor([drawn.signal[row].shape[1] for row in rows])
        ecg = torch.full((n, most), MODALITIES.index(Modality.ECG))
        strips = Strips(x, torch.from_numpy(mask), ecg, lengths, tuple(names), RATE)
        x = augment(strips, _AUGMENTATIONS, rng.integers(1 << 63, size=n).tolist()).signal
    return Batch(x, *(torch.from_numpy(part) for part in (mask, waves, peaks, known, peaks_known)))


def _endless(n: int, rng: np.random.Generator) -> Iterator[int]:
    """Every number before n in a new order, again and again."""
    while True:
        yield from rng.permutation(n).tolist()
