"""Occlusion: what is lost of an answer when a stretch of a lead, or a whole lead, is not there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from finetune.explain.attribution import Attribution
from finetune.explain.choices import Baseline, Method
from finetune.explain.question import Question

#: Seconds of a stretch, and from one to the next.
WINDOW, STRIDE = 0.4, 0.2
_BATCH = 64


def occlusion(
    question: Question,
    concept: int,
    *,
    window: float = WINDOW,
    stride: float = STRIDE,
    batch_size: int = _BATCH,
    say: Callable[[int, int], None] = lambda _done, _of: None,
) -> Attribution:
    """The logit of a concept less what it is without a stretch of a lead, for stretches that slide over every lead.

    A stretch is drawn as the straight line between its ends: the lead stays, and has no wave and no step there.
    What is lost with it is shared out over its samples, and a sample has the mean over the stretches that hold it. A
    whole lead is left out as the encoder's mask leaves it out.

    Args:
        question: A recording, and whom to ask.
        concept: Place of the concept among the logits.
        window: Seconds of a stretch.
        stride: Seconds from one to the next, at most `window`.
        batch_size: Signals that go through the network together; of no influence on the result.
        say: Told how many of how many signals were asked about.

    Raises:
        ValueError: If the stride is not above 0 and at most the window.

    References:
        Zeiler, Fergus, Visualizing and understanding convolutional networks, arXiv 1311.2901.
    """
    if not 0 < stride <= window:
        raise ValueError(f"stride: expected seconds above 0 and at most the window of {window}, got {stride}")
    answer = question.answer(concept)
    there = torch.nonzero(question.mask)[:, 0].tolist()
    stretches = _stretches(question, window, stride)
    cells = [(lead, *stretch) for lead in there for stretch in stretches]
    total = len(cells) + len(there)
    lost = []
    with torch.no_grad():
        for first in range(0, len(cells), batch_size):
            some = cells[first : first + batch_size]
            signals = torch.stack([_without(question.signal, *cell) for cell in some])
            lost.append(answer - question.ask(signals, question.mask.expand(len(some), -1), concept).numpy())
            say(first + len(some), total)
        leads = np.full(len(question.mask), np.nan)
        if len(there) > 1:
            masks = _each_left_out(question.mask, there)
            for first in range(0, len(there), batch_size):
                some_masks = masks[first : first + batch_size]
                said = question.ask(question.signal.expand(len(some_masks), -1, -1), some_masks, concept)
                leads[there[first : first + batch_size]] = answer - said.numpy()
        say(total, total)
    return Attribution(
        recording=question.recording,
        values=_spread(question, cells, np.concatenate(lost) if lost else np.zeros(0)),
        leads=leads,
        method=Method.OCCLUSION,
        baseline=Baseline.FLAT,
        answer=answer,
        reference=float("nan"),
        gap=float("nan"),
        steps=total,
    )


def _stretches(question: Question, window: float, stride: float) -> list[tuple[int, int]]:
    """First and last sample + 1 of each stretch; the last ends with the recording."""
    rate, n_times = question.recording.sampling_rate, question.signal.shape[1]
    length, step = (max(round(seconds * rate), 1) for seconds in (window, stride))
    begins = [*range(0, max(n_times - length, 0), step), max(n_times - length, 0)]
    return [(begin, min(begin + length, n_times)) for begin in begins]


def _without(signal: Float[Tensor, "lead time"], lead: int, begin: int, end: int) -> Float[Tensor, "lead time"]:
    """The signal with a straight line in a stretch of a lead; at the end of a recording, a flat one."""
    before, after = max(begin - 1, 0), min(end, signal.shape[1] - 1)
    left, right = float(signal[lead, before]), float(signal[lead, after])
    left, right = (right if begin == 0 else left), (left if end == signal.shape[1] else right)
    changed = signal.clone()
    changed[lead, begin:end] = torch.linspace(left, right, end - begin + 2)[1:-1]
    return changed


def _each_left_out(mask: Bool[Tensor, " lead"], there: list[int]) -> Bool[Tensor, "out lead"]:
    masks = mask.repeat(len(there), 1)
    masks[torch.arange(len(there)), there] = False
    return masks


def _spread(
    question: Question, cells: list[tuple[int, int, int]], lost: Float64[np.ndarray, " cell"]
) -> Float64[np.ndarray, "lead time"]:
    sums, counts = np.zeros(question.signal.shape), np.zeros(question.signal.shape)
    for (lead, begin, end), value in zip(cells, lost, strict=True):
        sums[lead, begin:end] += value / (end - begin)
        counts[lead, begin:end] += 1
    return sums / np.maximum(counts, 1)
