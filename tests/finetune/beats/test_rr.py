"""RR features against a slow reference, and what they must not depend on."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from finetune.beats.choices import Context
from finetune.beats.rr import FEATURES, HALF, rr_features


def slow(peaks: list[float], context: Context) -> list[list[float]]:
    """By the formulas of the docstring, beat by beat."""
    both = context is Context.BOTH

    def around(i: int, half: int) -> list[float]:
        low, high = (i - half, i + half) if both else (i - 2 * half, i)
        return [peaks[j] - peaks[j - 1] for j in range(max(low, 1), min(high, len(peaks) - 1) + 1)]

    rows = []
    for i in range(len(peaks)):
        p = peaks[i] - peaks[i - 1] if i else None
        n = peaks[i + 1] - peaks[i] if both and i + 1 < len(peaks) else None
        older = peaks[i - 1] - peaks[i - 2] if i > 1 else None
        far, near = around(i, HALF), [math.log(x) for x in around(i, 4)]
        m, q = (statistics.median(far), float(np.quantile(np.log(far), 0.75))) if far else (None, None)

        def ratio(a: float | None, b: float | None) -> float:
            return 0.0 if a is None or b is None else max(-1.5, min(1.5, math.log(a / b)))

        # The median of logarithms is the logarithm of the median only for odd counts.
        m = math.exp(statistics.median(math.log(x) for x in far)) if far else None
        rows.append(
            [
                ratio(p, m), ratio(n, m), ratio(p, older), ratio(n, p),
                ratio(p, math.exp(statistics.mean(near))) if near else 0.0,
                ratio(p, None if q is None else math.exp(q)),
                min(statistics.pstdev(near), 1.5) if near else 0.0, ratio(m, 0.8),
            ]
        )  # fmt: skip
    return rows


@pytest.mark.parametrize("context", list(Context))
@pytest.mark.parametrize("beats", [0, 1, 2, 3, 10, 200])
def test_the_features_are_those_of_the_formulas(context: Context, beats: int) -> None:
    rng = np.random.default_rng(beats)
    peaks = np.cumsum(rng.gamma(20, 0.04, beats))
    found = rr_features(peaks, context)
    assert found.shape == (beats, len(FEATURES))
    np.testing.assert_allclose(found, np.array(slow(peaks.tolist(), context)).reshape(beats, 8), atol=1e-5)


def test_rate_and_time_of_day_do_not_matter() -> None:
    peaks = np.cumsum(np.random.default_rng(0).gamma(30, 0.03, 60))
    right, faster = rr_features(peaks), rr_features(peaks * 0.7 + 100)
    np.testing.assert_allclose(faster[:, :-1], right[:, :-1], atol=1e-5)
    np.testing.assert_allclose(faster[:, -1], right[:, -1] + np.log(0.7), atol=1e-5)


def test_the_past_does_not_know_the_future() -> None:
    peaks = np.cumsum(np.random.default_rng(0).gamma(30, 0.03, 80))
    changed = np.concatenate([peaks[:50], peaks[50:] * 1.1])
    np.testing.assert_array_equal(rr_features(peaks, Context.PAST)[:50], rr_features(changed, Context.PAST)[:50])
    assert (rr_features(peaks)[49] != rr_features(changed)[49]).any()


def test_a_premature_beat_stands_out() -> None:
    rr = np.full(30, 0.8)
    rr[15], rr[16] = 0.5, 1.1
    found = rr_features(np.cumsum(rr))
    assert found[:, 0].argmin() == 15
    assert found[15, 0] == pytest.approx(np.log(0.5 / 0.8), abs=1e-6)
    assert found[15, 3] == pytest.approx(np.log(1.1 / 0.5), abs=1e-6)
