"""Every alignment against a loop over tokens, in its limits and invariances."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from pretrain.objectives import Alignment, similarity
from pretrain.objectives.alignment import aligner
from tests.pretrain.objectives import slow_alignment as slow
from tests.pretrain.objectives.dense import unit

DOUBLE = torch.float64

# One of each kind, as (alignment, options, the same as a loop).
KINDS: list[tuple[str, dict[str, Any], slow.Slow]] = [
    ("pooled", {}, slow.pooled),
    ("pooled", {"summary": "mean_variance"}, slow.pooled_with_variance),
    ("synchronous", {}, slow.synchronous),
    *(
        (name, {"window": window, **options}, make(window=window, **options))
        for window in (0, 1, 3, None)
        for name, options, make in (
            ("coherent", {}, slow.coherent),
            ("coherent", {"softness": 0.1}, slow.coherent),
            ("coherent", {"overlap": "overlap"}, slow.coherent),
            ("top_k", {"top_k": 1}, slow.banded),
            ("top_k", {"top_k": 3}, slow.banded),
            ("banded", {"top_k": 1, "span": 5}, slow.banded),
            ("banded", {"top_k": 2, "span": 3}, slow.banded),
        )
    ),
]
every = pytest.mark.parametrize(("name", "options", "loop"), KINDS, ids=lambda x: str(x) if not callable(x) else "")


def windows(count: int, n_tokens: int, *, seed: int, dim: int = 4, dtype: torch.dtype = DOUBLE) -> Tensor:
    return unit(count * n_tokens, dim, seed=seed, dtype=dtype).detach().view(count, n_tokens, dim).requires_grad_()


def test_every_alignment_is_tested() -> None:
    assert {name for name, *_ in KINDS} == set(Alignment)


@every
@pytest.mark.parametrize("n_tokens", [2, 5, 6])
def test_value_and_gradients_equal_the_loop(name: str, options: dict[str, Any], loop: slow.Slow, n_tokens: int) -> None:
    a, b = windows(3, n_tokens, seed=0), windows(4, n_tokens, seed=1)
    weights = torch.randn(3, 4, generator=torch.Generator().manual_seed(2), dtype=DOUBLE)
    fast, by_hand = similarity(a, b, name, chunk=2, **options), slow.matrix(loop, a, b)
    torch.testing.assert_close(fast, by_hand, atol=1e-12, rtol=1e-11)
    for one, other in zip(
        torch.autograd.grad(fast, (a, b), weights), torch.autograd.grad(by_hand, (a, b), weights), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-10)


@every
def test_gradients_by_differences(name: str, options: dict[str, Any], loop: slow.Slow) -> None:
    a, b = windows(2, 5, seed=3), windows(2, 5, seed=4)
    assert torch.autograd.gradcheck(lambda x, y: similarity(x, y, name, **options), (a, b))


@every
def test_exchanging_the_sets_transposes(name: str, options: dict[str, Any], loop: slow.Slow) -> None:
    a, b = windows(3, 7, seed=5), windows(4, 7, seed=6)
    torch.testing.assert_close(similarity(a, b, name, **options), similarity(b, a, name, **options).T)


@every
def test_chunks_do_not_matter_and_the_range_is_that_of_a_cosine(
    name: str, options: dict[str, Any], loop: slow.Slow
) -> None:
    a, b = windows(5, 6, seed=7), windows(3, 6, seed=8)
    whole = similarity(a, b, name, **options)
    for chunk in (1, 2, 5, 100):
        torch.testing.assert_close(similarity(a, b, name, chunk=chunk, **options), whole)
    assert whole.abs().max() <= 1
    assert similarity(a[:0], b, name, **options).shape == (0, 3)
    assert similarity(a, b[:0], name, **options).shape == (5, 0)


@every
def test_float32_is_near(name: str, options: dict[str, Any], loop: slow.Slow) -> None:
    a, b = windows(3, 21, seed=9, dim=8), windows(3, 21, seed=10, dim=8)
    exact = similarity(a, b, name, **options)
    torch.testing.assert_close(similarity(a.float(), b.float(), name, **options), exact.float(), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "same", "same_options"),
    [
        ("coherent", {"window": 0}, "synchronous", {}),
        ("coherent", {"window": 0, "softness": 0.3}, "synchronous", {}),
        ("top_k", {"window": 0, "top_k": 1}, "synchronous", {}),
        ("top_k", {"window": 0, "top_k": 4}, "synchronous", {}),
        ("banded", {"window": 2, "top_k": 2, "span": 1}, "top_k", {"window": 2, "top_k": 2}),
        ("top_k", {"window": None}, "top_k", {"window": 6}),
        ("coherent", {"window": None}, "coherent", {"window": 99}),
        ("coherent", {"window": 3, "softness": 1e-4}, "coherent", {"window": 3}),
    ],
)
def test_limits(name: str, options: dict[str, Any], same: str, same_options: dict[str, Any]) -> None:
    a, b = windows(3, 7, seed=11), windows(4, 7, seed=12)
    torch.testing.assert_close(
        similarity(a, b, name, **options), similarity(a, b, same, **same_options), atol=1e-3, rtol=0
    ) if options.get("softness") == 1e-4 else torch.testing.assert_close(
        similarity(a, b, name, **options), similarity(a, b, same, **same_options)
    )


def test_one_partner_and_any_latency_is_colbert() -> None:
    a, b = windows(3, 7, seed=13), windows(4, 7, seed=14)
    products = torch.einsum("atd,bud->abtu", a, b)
    max_sim = (products.amax(3).sum(2) + products.amax(2).sum(2)) / 2
    torch.testing.assert_close(similarity(a, b, "top_k", top_k=1), max_sim / 7)


def test_a_latency_within_the_window_is_found_and_one_beyond_it_is_not() -> None:
    long = windows(1, 40, seed=15, dim=16)[0].detach()
    a, b = long[None, 5:25], long[None, 8:28]
    for name in ("coherent", "banded", "top_k"):
        assert similarity(a, b, name, window=3) > 0.8, name
        assert similarity(a, b, name, window=2) < 0.6, name
    # All 17 tokens that both have agree; the 3 without a partner count as unlike, or not at all.
    torch.testing.assert_close(similarity(a, b, "coherent", window=3).item(), 17 / 20)
    torch.testing.assert_close(similarity(a, b, "coherent", window=3, overlap="overlap").item(), 1.0)


@pytest.mark.parametrize("top_k", [1, 2, 3])
@pytest.mark.parametrize("name", ["top_k", "banded", "coherent"])
def test_equal_tokens_share_the_gradient(name: str, top_k: int) -> None:
    # A flat window: every token is the same, so every partner is as good. No gradient is counted twice.
    a = windows(1, 1, seed=16).detach().expand(1, 6, 4).clone().requires_grad_()
    b = windows(2, 1, seed=17).detach().expand(2, 6, 4).clone().requires_grad_()
    options = {"softness": 0.0} if name == "coherent" else {"top_k": top_k, "window": 2}
    value = similarity(a, b, name, **options)
    torch.testing.assert_close(value, a[:, 0] @ b[:, 0].T)
    (gradient,) = torch.autograd.grad(value.sum(), a)
    torch.testing.assert_close(gradient.sum(1), b[:, 0].sum(0)[None])


def test_some_equal_products_leave_the_greater_ones_their_whole_share() -> None:
    a = torch.tensor([[[1.0, 0.0]]], dtype=DOUBLE).expand(1, 4, 2).clone().requires_grad_()
    b = torch.tensor([[[0.9, 0.0], [0.5, 0.0], [0.5, 0.0], [0.1, 0.0]]], dtype=DOUBLE, requires_grad=True)
    value = similarity(a, b, "top_k", top_k=2)
    torch.testing.assert_close(value.item(), ((0.9 + 0.5) / 2 + (0.9 + 0.5 + 0.5 + 0.1) / 4) / 2)
    (gradient,) = torch.autograd.grad(value, b)
    of_a, of_b = torch.tensor([1 / 2, 1 / 4, 1 / 4, 0], dtype=DOUBLE), torch.full((4,), 1 / 4, dtype=DOUBLE)
    torch.testing.assert_close(gradient[0, :, 0], (of_a + of_b) / 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alignment": "top_k", "top_k": 0}, "top_k: expected at least 1 partner, got 0"),
        ({"alignment": "banded", "span": 4}, "span: expected an odd number of tokens, got 4"),
        ({"alignment": "banded", "span": -1}, "span: expected an odd number of tokens, got -1"),
        ({"alignment": "coherent", "window": -1}, "window: expected at least 0 tokens, got -1"),
        ({"alignment": "coherent", "softness": -0.1}, "softness: expected a number of at least 0, got -0.1"),
        ({"alignment": "coherent", "softness": float("nan")}, "softness: .* got nan"),
        ({"alignment": "pool"}, "'pool' is not a valid Alignment"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aligner(n_tokens=5, **options)


def test_windows_are_of_one_shape() -> None:
    a = windows(2, 5, seed=0)
    with pytest.raises(ValueError, match=r"windows of one shape \(token, dim\), got \(2, 5, 4\) and \(2, 6, 4\)"):
        similarity(a, windows(2, 6, seed=0), "coherent")
    with pytest.raises(ValueError, match="tokens: expected at least 1 in a window, got 0"):
        similarity(a[:, :0], a[:, :0], "top_k")
