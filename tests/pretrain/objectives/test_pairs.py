"""The contrast of windows with each other against one written with loops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pretrain.objectives.alignment import aligner, rows_at_once
from pretrain.objectives.pairs import Partners, pairwise_info_nce
from tests.benchmarks.bench_alignment import Case, peak
from tests.pretrain.objectives import slow_alignment as slow
from tests.pretrain.objectives.test_alignment import DOUBLE, KINDS, windows

# Two or three subjects a moment, one moment met by one alone, one met twice by the same, and windows without a moment.
MOMENT = (0, 0, 1, 1, 1, 2, 3, 3, -1, -1)
SUBJECT = (0, 1, 0, 1, 2, 0, 1, 1, 0, 1)
every = pytest.mark.parametrize(("name", "options", "loop"), KINDS, ids=lambda x: str(x) if not callable(x) else "")


def partners(moment: tuple[int, ...] = MOMENT, subject: tuple[int, ...] = SUBJECT, *, same: bool = True) -> Partners:
    return Partners(torch.tensor(moment), torch.tensor(subject), same)


def scale() -> Tensor:
    return torch.tensor(7.0, dtype=DOUBLE, requires_grad=True)


def contrast(tokens: Tensor, name: str, s: Tensor, who: Partners, chunk: int = 4, **options: object) -> Tensor:
    kind = aligner(name, tokens.shape[1], **options)  # type: ignore[arg-type]
    return pairwise_info_nce(kind.prepare(tokens), kind.compare, scale=s, partners=who, chunk=chunk)


@every
def test_value_and_gradients_equal_the_loop(name: str, options: dict[str, object], loop: slow.Slow) -> None:
    tokens, s = windows(len(MOMENT), 3, seed=0), scale()
    fast, by_hand = contrast(tokens, name, s, partners(), **options), slow.contrast(loop, tokens, s, MOMENT, SUBJECT)
    torch.testing.assert_close(fast, by_hand, atol=1e-11, rtol=1e-11)
    for one, other in zip(
        torch.autograd.grad(fast, (tokens, s)), torch.autograd.grad(by_hand, (tokens, s)), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-10)


@pytest.mark.parametrize("chunk", [1, 3, 10, 64])
def test_chunks_do_not_matter(chunk: int) -> None:
    tokens, s = windows(len(MOMENT), 5, seed=1), scale()
    for name in ("coherent", "top_k"):
        one, other = (contrast(tokens, name, s, partners(), chunk=size) for size in (chunk, 4))
        torch.testing.assert_close(one, other)
        for gradient, again in zip(
            torch.autograd.grad(one, (tokens, s)), torch.autograd.grad(other, (tokens, s)), strict=True
        ):
            torch.testing.assert_close(gradient, again)


def test_the_order_of_the_batch_does_not_matter() -> None:
    tokens, s, who = windows(len(MOMENT), 5, seed=2), scale(), partners()
    order = torch.randperm(len(MOMENT), generator=torch.Generator().manual_seed(0))
    value = contrast(tokens, "coherent", s, who)
    shuffled = contrast(tokens[order], "coherent", s, Partners(who.moment[order], who.subject[order]))
    torch.testing.assert_close(value, shuffled)
    for one, other in zip(torch.autograd.grad(value, tokens), torch.autograd.grad(shuffled, tokens), strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_by_differences() -> None:
    tokens, s = windows(len(MOMENT), 3, seed=3), scale()
    for name in ("coherent", "top_k", "pooled"):
        assert torch.autograd.gradcheck(lambda x, y, name=name: contrast(x, name, y, partners()), (tokens, s))


def test_windows_without_partner_are_candidates_only() -> None:
    tokens, s = windows(4, 5, seed=4), scale()
    pair = partners((0, 0), (0, 1))
    alone = contrast(tokens[:2], "synchronous", s, pair)
    torch.testing.assert_close(alone.item(), 0.0)  # nobody else to be taken for the partner
    more = contrast(tokens, "synchronous", s, partners((0, 0, -1, 5), (0, 1, 2, 3)))
    assert more > 0.01
    (gradient,) = torch.autograd.grad(more, tokens)
    assert gradient.abs().sum((1, 2)).min() > 0


def test_windows_of_the_same_subject_may_be_left_out() -> None:
    tokens, s = windows(4, 5, seed=5), scale()
    moment, subject = (0, 0, 1, 1), (0, 1, 0, 1)
    # Without them every window has its partner and one stranger.
    logits = slow.matrix(slow.synchronous, tokens, tokens) * s
    by_hand = torch.stack(
        [logits[i, [p, q]].logsumexp(0) - logits[i, p] for i, p, q in ((0, 1, 3), (1, 0, 2), (2, 3, 1), (3, 2, 0))]
    ).mean()
    without = contrast(tokens, "synchronous", s, partners(moment, subject, same=False))
    torch.testing.assert_close(without, by_hand)
    assert contrast(tokens, "synchronous", s, partners(moment, subject)) > without


def test_partners_are_counted() -> None:
    who = partners()
    positive, candidates = who.block(slice(0, 10))
    assert torch.equal(positive.sum(1), who.counts())
    assert who.counts().tolist() == [1, 1, 2, 2, 2, 0, 0, 0, 0, 0]
    assert not (positive & ~candidates).any()
    assert torch.equal(positive, positive.T)
    assert not candidates[6, 7]  # the same subject at the same moment: neither partner nor stranger
    part = who.block(slice(3, 6))
    assert torch.equal(part[0], positive[3:6])
    assert torch.equal(part[1], candidates[3:6])
    # Neither moments nor subjects need be numbered from 0, nor small.
    far = partners(tuple(x if x < 0 else 2**62 + x for x in MOMENT), tuple(2**62 - x for x in SUBJECT))
    assert torch.equal(far.counts(), who.counts())


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_batch_without_partners_has_no_loss(count: int) -> None:
    tokens, s = windows(count, 5, seed=6), scale()
    value = contrast(tokens, "synchronous", s, partners(tuple(range(count)), tuple(range(count))))
    value.backward()
    assert value.item() == 0
    assert tokens.grad is not None
    assert not tokens.grad.any()
    assert s.grad == 0


def test_wrong_inputs_are_named() -> None:
    tokens, s = windows(4, 5, seed=7), scale()
    with pytest.raises(ValueError, match="a moment and a subject for each of 4 windows, got 10 and 10"):
        contrast(tokens, "synchronous", s, partners())
    pair = partners((0, 0, 1, 1), (0, 1, 0, 1))
    with pytest.raises(ValueError, match="chunk: expected at least 1 row, got 0"):
        contrast(tokens, "synchronous", s, pair, chunk=0)
    broken = tokens.detach().clone()
    broken[2, 1, 0] = float("nan")
    with pytest.raises(ValueError, match="similarities: expected finite numbers, got a loss of nan"):
        contrast(broken, "coherent", s, pair)


def test_no_gradient_is_computed_where_none_is_asked_for() -> None:
    tokens, s = windows(4, 5, seed=8), scale()
    pair = partners((0, 0, 1, 1), (0, 1, 0, 1))
    with torch.no_grad():
        value = contrast(tokens, "coherent", s, pair)
    assert not value.requires_grad
    torch.testing.assert_close(value, contrast(tokens, "coherent", s, pair).detach())


def test_a_tile_takes_what_it_says() -> None:
    kind = aligner("coherent", 80, window=32)
    prepared = kind.prepare(windows(8, 80, seed=9, dim=32, dtype=torch.float32))
    rows = rows_at_once(kind, prepared.expand(8, -1, -1))
    assert rows * 8 * kind.numbers(prepared) * 4 <= 32 << 20 < (rows + 1) * 8 * kind.numbers(prepared) * 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "limit"),
    [
        (Case("coherent", 512, 80, {"window": 32}), 300),
        (Case("coherent", 1024, 80, {"window": 32}), 450),
        (Case("top_k", 512, 40, {"top_k": 1}), 300),
    ],
    ids=["coherent", "coherent, twice as many", "top_k"],
)
def test_memory_is_linear_in_the_batch(case: Case, limit: int) -> None:
    megabytes, _ = peak(case)
    assert megabytes < limit
