"""Integrated gradients: the way from a baseline to the recording, and what each sample adds on it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from finetune.explain.attribution import Attribution
from finetune.explain.choices import Baseline, Method
from finetune.explain.question import Question

#: The share of the change of the logit that attributions may miss before the integral gets more points.
TOLERANCE = 0.01
# Points of the integral to begin with, at most, and that are added together.
_FIRST, _MOST, _MORE = 17, 257, 16
# Signals that go through the network together, and numbers whose gradients are kept: a long recording has fewer points.
_BATCH, _KEPT, _TOGETHER = 16, 2**26, 2**23
_BLUR = 0.25


def integrated_gradients(
    question: Question,
    concept: int,
    *,
    baseline: Baseline = Baseline.FLAT,
    tolerance: float = TOLERANCE,
    most: int = _MOST,
    batch_size: int = _BATCH,
) -> Attribution:
    r"""How far every sample moved the logit f of a concept from that of a baseline b.

        a_ct = (x_ct - b_ct) * integral_0^1 df/dx_ct (b + s (x - b)) ds,

    by the trapezoidal rule. Between two points the logit is known at both, so that what an interval misses is known
    too; the worst are halved until all of them together keep to completeness,

        |sum_ct a_ct - (f(x) - f(b))| <= tolerance |f(x) - f(b)|,

    or there are `most` points; how far it holds is in the result (`gap`). A network that normalises its input changes
    its answer in the first thousandth of the way, where equal steps would see nothing.

    Args:
        question: A recording, and whom to ask. A lead that is not there has no part.
        concept: Place of the concept among the logits.
        baseline: What the recording is compared with.
        tolerance: See above.
        most: Points of the integral, at most; fewer for a recording of many minutes, whose gradients fill the memory.
        batch_size: Points that go through the network together; of no influence on the result.

    References:
        Sundararajan et al., Axiomatic attribution for deep networks, arXiv 1703.01365.
    """
    base = baseline_of(question, baseline)
    most = min(most, max(_FIRST, _KEPT // base.numel()))
    way = _Way(question, concept, base, min(batch_size, max(_TOGETHER // base.numel(), 1)))
    way.add((np.arange(min(_FIRST, most)) / (min(_FIRST, most) - 1)) ** 3)
    while True:
        change, missed = way.missed()
        if np.abs(missed).sum() <= tolerance * abs(change) or len(way.points) >= most:
            break
        worst = np.argsort(-np.abs(missed), kind="stable")[: min(_MORE, most - len(way.points))]
        way.add((way.points[worst] + way.points[worst + 1]) / 2)
    values = way.attributions()
    return Attribution(
        recording=question.recording,
        values=values,
        leads=values.sum(1),
        method=Method.GRADIENTS,
        baseline=baseline,
        answer=float(way.said[-1]),
        reference=float(way.said[0]),
        gap=abs(float(values.sum()) - change) / max(abs(change), 1e-12),
        steps=len(way.points),
    )


class _Way:
    """From a baseline (0) to the recording (1): points in order, with logit, slope along the way, and gradient."""

    def __init__(self, question: Question, concept: int, base: Float[Tensor, "lead time"], batch_size: int) -> None:
        self._question, self._concept, self._base, self._size = question, concept, base, batch_size
        self._away = (question.signal - base).double()
        self.points, self.said, self._slopes = (np.zeros(0) for _ in range(3))
        self._gradients: list[Float[Tensor, "lead time"]] = []

    def add(self, points: Float64[np.ndarray, " point"]) -> None:
        """Ask at some points."""
        for some in torch.split(torch.from_numpy(points).to(self._base.dtype), self._size):
            signals = torch.lerp(self._base, self._question.signal, some[:, None, None]).requires_grad_()
            said = self._question.ask(signals, self._question.mask.expand(len(some), -1), self._concept)
            gradients = torch.autograd.grad(said.sum(), signals)[0]
            slopes = torch.einsum("plt,lt->p", gradients.double(), self._away)
            self._gradients += list(gradients)
            self.said = np.append(self.said, said.detach().numpy())
            self._slopes = np.append(self._slopes, slopes.numpy())
        self.points = np.append(self.points, points)
        order = np.argsort(self.points, kind="stable")
        self.points, self.said, self._slopes = (part[order] for part in (self.points, self.said, self._slopes))
        self._gradients = [self._gradients[place] for place in order]

    def missed(self) -> tuple[float, Float64[np.ndarray, " interval"]]:
        """What the logit changes by, and what the trapezoid of each interval misses of it there."""
        trapezoids = np.diff(self.points) * (self._slopes[1:] + self._slopes[:-1]) / 2
        return float(self.said[-1] - self.said[0]), np.diff(self.said) - trapezoids

    def attributions(self) -> Float64[np.ndarray, "lead time"]:
        """The integral, times the way."""
        steps = np.diff(self.points) / 2
        weights = np.append(steps, 0) + np.append(0, steps)
        total = torch.zeros_like(self._away)
        for weight, gradient in zip(weights.tolist(), self._gradients, strict=True):
            total += weight * gradient
        found: np.ndarray = (self._away * total).numpy()
        return found


def baseline_of(question: Question, baseline: Baseline) -> Float[Tensor, "lead time"]:
    """The signal of a baseline; 0 in leads that are not there.

    Gaps of the recording count as they reach the encoder.
    """
    x = question.signal
    match baseline:
        case Baseline.ZERO:
            return torch.zeros_like(x)
        case Baseline.FLAT:
            return x.median(dim=1, keepdim=True).values.expand_as(x).contiguous()
        case Baseline.BLURRED:
            from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 -- the other baselines do without

            blurred = gaussian_filter1d(x.numpy(), _BLUR * question.recording.sampling_rate, axis=1, mode="nearest")
            return torch.from_numpy(blurred)
