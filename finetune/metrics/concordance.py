"""How often the one who dies first was given the higher risk."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float, Float64

# Pairs held at once.
_PAIRS = 4_000_000


def concordance_index(
    risk: Float[np.ndarray, " subject"], time: Float[np.ndarray, " subject"], event: Bool[np.ndarray, " subject"]
) -> float:
    r"""Harrell's C: the share of comparable pairs that risk puts in the right order.

    Two subjects are comparable if the one with the shorter time had the event; at equal times, if one had the event
    and the other was censored, who outlived them. Equal risks count a half. From late to early times, subjects enter
    a Fenwick tree of the ranks of risks, which counts the lower ones among those who live longer: O(n log n).

    Args:
        risk: The higher, the sooner.
        time: Of event or censoring.
        event: False where censored.

    Returns:
        0 to 1, 0.5 for risks that say nothing; NaN without a comparable pair.

    References:
        Harrell et al., Evaluating the yield of medical tests, JAMA 1982.
    """
    levels, rank = np.unique(risk, return_inverse=True)
    tree, entered, correct, pairs = [0] * (len(levels) + 1), 0, 0.0, 0
    order = np.lexsort((event, -time))  # late first; at equal times the censored before the events
    moments = zip(time[order].tolist(), event[order].tolist(), (rank[order] + 1).tolist(), strict=True)
    for (_, died), group in groupby(moments, key=lambda one: one[:2]):
        ranks = [place for _, _, place in group]
        if died:
            for place in ranks:
                lower, not_higher = _sum(tree, place - 1), _sum(tree, place)
                correct += (lower + not_higher) / 2
            pairs += entered * len(ranks)
        for place in ranks:
            _add(tree, place)
        entered += len(ranks)
    return correct / pairs if pairs else float("nan")


def concordance_draws(
    risk: Float[np.ndarray, " subject"],
    time: Float[np.ndarray, " subject"],
    event: Bool[np.ndarray, " subject"],
    weights: Float64[np.ndarray, "subject draws"],
) -> Float64[np.ndarray, " draws"]:
    r"""`concordance_index` of every draw of a bootstrap: a subject of weight w counts as w of that kind.

        C = sum_ij w_i w_j a_ij c_ij / sum_ij w_i w_j a_ij

    a_ij is 1 where i had the event and j outlived them, c_ij 1, 1/2 or 0 as the risk of i is higher, equal or lower.
    A product of matrices in blocks of rows: quadratic in the subjects, one pass for all draws.

    Returns:
        NaN in draws without a comparable pair.
    """
    top, bottom = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    died = np.flatnonzero(event)
    for part in np.array_split(died, max(1, -(-len(died) * len(risk) // _PAIRS))):
        later = (time > time[part, None]) | ((time == time[part, None]) & ~event)
        won = later * (0.5 * (risk <= risk[part, None]) + 0.5 * (risk < risk[part, None]))
        top += (weights[part] * (won @ weights)).sum(0)
        bottom += (weights[part] * (later @ weights)).sum(0)
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)


def _sum(tree: list[int], place: int) -> int:
    """How many have entered with a rank of at most `place`."""
    total = 0
    while place > 0:
        total += tree[place]
        place &= place - 1
    return total


def _add(tree: list[int], place: int) -> None:
    while place < len(tree):
        tree[place] += 1
        place += place & -place
