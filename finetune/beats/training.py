"""One network, fitted to the beats of some people and stopped by those of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from finetune.beats.aami import SAID
from finetune.beats.intake import MARGIN, Strip
from finetune.beats.network import BeatNet, BeatSpec
from finetune.emotion.training import Stopped, train
from pretrain.specs.execution import Device, Precision
from pretrain.training.precision import resolve_precision

_DRAWS = 200
# How often a stretch is drawn about a beat of N, S, V and F. Fusion beats are nearly all of one person.
_OFTEN = np.array([0.3, 0.35, 0.3, 0.05])


@dataclass(frozen=True)
class Budget:
    """What a training may spend.

    Attributes:
        networks: Of each fold, from different seeds; one alone depends much on its seed.
        steps: At most.
        batch_size: Stretches of a recording a step.
        beats: In a row, of a stretch.
        check_every: Steps between looks at validation.
        patience: Looks without a smaller loss before it stops.
        learning_rate: Of AdamW, after a warm-up, falling by a cosine.
        noise: Standard deviation of noise added to windows, in their units.
        one_lead: Share of stretches that are shown with one of their leads.
        no_lead: Share of stretches that are shown by their RR features alone.
        stretch: Standard deviation of the logarithm of a factor on the RR ratios of a stretch, and of what is added to
            its rate: nobody's beats are premature by the same.
        spec: Sizes of the network.
    """

    networks: int = 3
    steps: int = 600
    batch_size: int = 24
    beats: int = 32
    check_every: int = 40
    patience: int = 4
    learning_rate: float = 3e-3
    noise: float = 0.1
    one_lead: float = 0.3
    no_lead: float = 0.1
    stretch: float = 0.15
    spec: BeatSpec = field(default_factory=BeatSpec)


@dataclass(frozen=True)
class Fitted:
    """A network, and how its training ended."""

    network: BeatNet
    stopped: Stopped


@dataclass(frozen=True)
class _Batch:
    windows: Float[Tensor, "batch beat lead 2 time"]
    mask: Bool[Tensor, "batch lead"]
    rr: Float[Tensor, "batch beat feature"]
    labels: Int64[Tensor, "batch beat"]


def fit(training: Sequence[Strip], validation: Sequence[Strip], *, seed: int, budget: Budget) -> Fitted:
    r"""Fit a network; validation chooses the step.

    Stretches are drawn about a beat of a class that is drawn first, then of a person who has it (by the square root of
    how many), so that rare beats are seen often. What imbalance is left goes into the loss: with
    the share pi_k of class k among the beats drawn,

        L = CE(z + log pi, y),

    so that z are logits as if all classes were as frequent.

    Args:
        training: Beats to learn from.
        validation: Other people's.
        seed: Of the weights, the stretches and the noise.
        budget: What it may spend.

    References:
        Menon et al., Long-tail learning via logit adjustment, arXiv 2007.07314.
    """
    torch.manual_seed(seed)
    network = BeatNet(budget.spec)
    rng = np.random.default_rng(seed)
    half = resolve_precision(Precision.AUTO, Device.CPU) is Precision.BF16
    draw = _Stretches(training, budget)
    prior = draw.log_prior(np.random.default_rng(seed))

    def loss_of(_: float) -> Tensor:
        batch = draw.batch(rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(batch.windows, batch.mask, batch.rr)
        return _loss(logits.float() + prior, batch.labels)

    def validate() -> float:
        """The mean loss of each class, weighted by the square root of its beats."""
        log_p = np.concatenate([log_probabilities(network, strip) for strip in validation])
        labels = np.concatenate([strip.labels for strip in validation])
        own = [-log_p[labels == k, k] for k in range(len(SAID)) if (labels == k).any()]
        return float(np.average([part.mean() for part in own], weights=[len(part) ** 0.5 for part in own]))

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


@torch.inference_mode()
def log_probabilities(network: BeatNet, strip: Strip) -> Float32[np.ndarray, "beat klass"]:
    """What a network says of each beat of a recording, all classes as frequent."""
    network.eval()
    centre = strip.windows[..., MARGIN:-MARGIN] if MARGIN else strip.windows
    half = resolve_precision(Precision.AUTO, Device.CPU) is Precision.BF16
    mask = torch.ones(1, centre.shape[1], dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = network(torch.from_numpy(centre)[None], mask, torch.from_numpy(strip.rr)[None])
    return np.asarray(logits[0].float().log_softmax(-1).numpy())


def _loss(logits: Float[Tensor, "batch beat klass"], labels: Int64[Tensor, "batch beat"]) -> Tensor:
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1)


class _Stretches:
    """Stretches of beats, rare ones often."""

    def __init__(self, strips: Sequence[Strip], budget: Budget) -> None:
        self.strips, self.budget = [strip for strip in strips if len(strip)], budget
        self.length = min(budget.beats, *(len(strip) for strip in self.strips))
        # Q teaches nothing: it is not said.
        self.labels = [np.where(strip.labels < len(SAID), strip.labels, -1).astype(np.int64) for strip in self.strips]
        self.places = [[np.flatnonzero(own == k) for own in self.labels] for k in range(len(SAID))]
        self.shares = [np.sqrt([len(own) for own in places]) for places in self.places]
        there = np.array([share.sum() > 0 for share in self.shares])
        self.often = there * _OFTEN / (there * _OFTEN).sum()

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """A strip, and the first beat of a stretch."""
        k = int(rng.choice(len(SAID), p=self.often))
        row = int(rng.choice(len(self.strips), p=self.shares[k] / self.shares[k].sum()))
        place = int(rng.choice(self.places[k][row])) - int(rng.integers(self.length))
        return row, int(np.clip(place, 0, len(self.strips[row]) - self.length))

    def log_prior(self, rng: np.random.Generator) -> Float[Tensor, " klass"]:
        """Of the classes among beats that are drawn; 0 for a class that nobody has, so that it is unlearned at once."""
        drawn = [self.draw(rng) for _ in range(_DRAWS)]
        seen = np.concatenate([self.labels[row][begin : begin + self.length] for row, begin in drawn])
        counts = np.bincount(seen[seen >= 0], minlength=len(SAID))
        return torch.from_numpy(np.log(np.where(counts, counts / counts.sum(), 1.0))).float()

    def batch(self, rng: np.random.Generator) -> _Batch:
        """Stretches moved by a few samples, with noise, some of them with one lead alone."""
        drawn = [self.draw(rng) for _ in range(self.budget.batch_size)]
        most = max(self.strips[row].windows.shape[1] for row, _ in drawn)
        n, time = len(drawn), self.strips[0].windows.shape[-1] - 2 * MARGIN
        x = np.zeros((n, self.length, most, 2, time), np.float32)
        mask = np.zeros((n, most), bool)
        for place, (row, begin) in enumerate(drawn):
            shift = int(rng.integers(2 * MARGIN + 1))
            part = self.strips[row].windows[begin : begin + self.length, ..., shift : shift + time]
            leads = part.shape[1]
            x[place, :, :leads], mask[place, :leads] = part, True
            if leads > 1 and rng.random() < self.budget.one_lead:
                mask[place] = np.arange(most) == rng.integers(leads)
            if rng.random() < self.budget.no_lead:
                mask[place] = False
        moves = x.any(axis=-1, keepdims=True)
        noise = rng.standard_normal((n, self.length, most, 1, time), dtype=np.float32)
        # The same noise in the signal and in its difference from the median beat.
        x += self.budget.noise * rng.random((n, 1, 1, 1, 1), dtype=np.float32) * noise * moves
        stretches = [(row, slice(begin, begin + self.length)) for row, begin in drawn]
        rr = np.stack([self.strips[row].rr[part] for row, part in stretches])
        factor, shift = self.budget.stretch * rng.standard_normal((2, n, 1), dtype=np.float32)
        rr[..., :-1] *= np.exp(factor)[..., None]
        rr[..., -1] += shift
        labels = np.stack([self.labels[row][part] for row, part in stretches])
        return _Batch(*(torch.from_numpy(part) for part in (x, mask, rr, labels)))
