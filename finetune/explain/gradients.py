"""Integrated gradients: the way from a baseline to the recording, and what each sample adds on it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from finetune.explain.attribution import Attribution
from finetune.explain.choices import Baseline, Method
from finetune.explain.question import Question

#: The share of the change of the logit that attributions may miss, before the integral gets twice the points.
TOLERANCE = 0.01
_FIRST, _MOST = 16, 256
# Signals that go through the network together.
_BATCH = 16
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

    by the trapezoidal rule. The points are doubled, each used again, until completeness holds,

        |sum_ct a_ct - (f(x) - f(b))| <= tolerance |f(x) - f(b)|,

    or there are `most` of them; how far it holds is in the result (`gap`). A lead that is not there has no part.

    Args:
        question: A recording, and whom to ask.
        concept: Place of the concept among the logits.
        baseline: What the recording is compared with.
        tolerance: See above.
        most: Intervals of the integral, at most; a power of 2.
        batch_size: Points that go through the network together; of no influence on the result.

    References:
        Sundararajan et al., Axiomatic attribution for deep networks, arXiv 1703.01365.
    """
    x = question.signal
    base = baseline_of(question, baseline)
    with torch.no_grad():
        ends = question.ask(torch.stack([x, base]), question.mask.expand(2, -1), concept)
    change = float(ends[0] - ends[1])
    first = _gradients(question, concept, base, np.array([0.0, 1.0]), batch_size).double() / 2
    intervals, mean = 1, first
    while True:
        total = float(((x - base).double() * mean).sum())
        gap = abs(total - change) / max(abs(change), 1e-12)
        if (gap <= tolerance and intervals >= _FIRST) or intervals >= most:
            break
        # The points between those that are there already.
        between = (np.arange(intervals) + 0.5) / intervals
        mean = (mean + _gradients(question, concept, base, between, batch_size) / intervals) / 2
        intervals *= 2
    values = ((x - base).double() * mean).numpy()
    return Attribution(
        recording=question.recording,
        values=values,
        leads=values.sum(1),
        method=Method.GRADIENTS,
        baseline=baseline,
        answer=float(ends[0]),
        reference=float(ends[1]),
        gap=gap,
        steps=intervals + 1,
    )


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


def _gradients(
    question: Question, concept: int, base: Tensor, points: Float64[np.ndarray, " point"], batch_size: int
) -> Float64[Tensor, "lead time"]:
    """The sum of df/dx over points of the way."""
    total = torch.zeros(base.shape, dtype=torch.float64)
    for some in torch.from_numpy(points).to(base.dtype).split(batch_size):
        signals = torch.lerp(base, question.signal, some[:, None, None]).requires_grad_()
        said = question.ask(signals, question.mask.expand(len(some), -1), concept).sum()
        total += torch.autograd.grad(said, signals)[0].double().sum(0)
    return total
