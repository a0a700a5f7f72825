"""The similarities of two windows as loops over tokens: what the fast ones are measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Two windows (token, dim) -> their similarity.
Slow = Callable[[Tensor, Tensor], Tensor]


def pooled(a: Tensor, b: Tensor) -> Tensor:
    return torch.cosine_similarity(a.mean(0), b.mean(0), dim=0)


def pooled_with_variance(a: Tensor, b: Tensor) -> Tensor:
    levels = [((x - x.mean(0)).square().mean(0) + 1e-6).log() for x in (a, b)]
    levels = [level - level.mean() for level in levels]
    return (pooled(a, b) + torch.cosine_similarity(levels[0], levels[1], dim=0)) / 2


def synchronous(a: Tensor, b: Tensor) -> Tensor:
    return mean([a[t] @ b[t] for t in range(len(a))])


def coherent(*, window: int | None, softness: float = 0.0, overlap: str = "window") -> Slow:
    def compare(a: Tensor, b: Tensor) -> Tensor:
        n, lags = len(a), []
        w = n - 1 if window is None else min(window, n - 1)
        for lag in range(-w, w + 1):
            products = [a[t] @ b[t + lag] for t in range(n) if 0 <= t + lag < n]
            lags.append(torch.stack(products).sum() / (n if overlap == "window" else len(products)))
        if not softness:
            return torch.stack(lags).max()
        return softness * torch.stack([(value / softness).exp() for value in lags]).mean().log()

    return compare


def banded(*, window: int | None, top_k: int, span: int = 1) -> Slow:
    def compare(a: Tensor, b: Tensor) -> Tensor:
        n, half = len(a), span // 2
        w = n - 1 if window is None else window

        def along_diagonal(t: int, u: int) -> Tensor:
            inside = [j for j in range(-half, half + 1) if 0 <= t + j < n and 0 <= u + j < n]
            return mean([a[t + j] @ b[u + j] for j in inside])

        def best(products: list[Tensor]) -> Tensor:
            return mean(sorted(products, key=lambda product: product.item(), reverse=True)[:top_k])

        reach = [[u for u in range(n) if abs(u - t) <= w] for t in range(n)]
        there = mean([best([along_diagonal(t, u) for u in reach[t]]) for t in range(n)])
        back = mean([best([along_diagonal(t, u) for t in reach[u]]) for u in range(n)])
        return (there + back) / 2

    return compare


def matrix(compare: Slow, a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([torch.stack([compare(x, y) for y in b]) for x in a])


def contrast(compare: Slow, tokens: Tensor, scale: Tensor, moment: Sequence[int], subject: Sequence[int]) -> Tensor:
    """Every window finds its partners: moment equal and not -1, subject another. Two directions, as the words say."""
    count, directions = len(tokens), []
    alike = matrix(compare, tokens, tokens)
    for logits in (scale * alike, scale * alike.T):
        losses = []
        for i in range(count):
            same = [moment[j] == moment[i] != -1 for j in range(count)]
            partners = [j for j in range(count) if same[j] and subject[j] != subject[i]]
            candidates = [j for j in range(count) if j != i and not (same[j] and subject[j] == subject[i])]
            if partners:
                losses.append(logits[i, candidates].logsumexp(0) - logits[i, partners].mean())
        directions.append(mean(losses))
    return mean(directions)


def mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean(0)
