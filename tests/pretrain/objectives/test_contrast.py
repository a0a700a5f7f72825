"""The tiled loss against a dense one written the slow way, in its limits and invariances."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pretrain.objectives import Dense, Direction, Empty, Groups, LowRank, Targets, soft_info_nce, tiles
from tests.benchmarks.bench_loss import peak_megabytes
from tests.pretrain.objectives.dense import dense_loss, unit


def matrix(targets: Targets) -> Tensor:
    match targets:
        case Groups(rows, columns):
            return (rows[:, None] == columns).float()
        case LowRank(u, v):
            return u.double() @ v.double().T
        case Dense(whole):
            return whole
    raise AssertionError(targets)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def assert_same(fast: Tensor, slow: Tensor, inputs: tuple[Tensor, ...]) -> None:
    """Values to 1e-5, gradients to 1e-6, in the proportions of a logit: float32 holds no more digits."""
    scale = max(1.0, float(inputs[-1].detach().abs()))
    precision = 1e-10 if fast.dtype is torch.float64 else 1e-6
    torch.testing.assert_close(fast, slow, rtol=10 * precision, atol=precision * max(10, scale))
    gradients = zip(torch.autograd.grad(fast, inputs), torch.autograd.grad(slow, inputs), strict=True)
    for fast_gradient, slow_gradient in gradients:
        torch.testing.assert_close(fast_gradient, slow_gradient, rtol=10 * precision, atol=precision * scale)


CASES = {
    "one pair": Groups(torch.zeros(1).long(), torch.zeros(1).long()),
    "clip": Groups(torch.arange(9), torch.arange(9)),
    "groups": Groups(torch.arange(9) // 3, torch.tensor([0, 0, 1, 2, 2])),
    "negative ids": Groups(torch.tensor([-7, 4, 4]), torch.tensor([4, -7])),
    "low rank": LowRank(random(9, 3), random(5, 3) + 0.1),
    "few columns": Dense(random(9, 2)),
    "many columns": Dense(random(2, 9)),
}


@pytest.fixture(params=[0, 200, 1 << 20], ids=["one tile kept", "some kept", "all kept"])
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_CPU_KEPT_BYTES", request.param)


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(0.0, torch.float32), (14.0, torch.float32), (100.0, torch.float32), (1000.0, torch.float64)],
)
@pytest.mark.parametrize("chunk", [None, 1, 4])
@pytest.mark.parametrize("targets", CASES.values(), ids=CASES)
def test_value_and_gradients_equal_the_dense_form(
    targets: Targets, chunk: int | None, scale: float, dtype: torch.dtype, direction: Direction
) -> None:
    rows, columns = targets.shape
    inputs = (
        unit(rows, seed=1, dtype=dtype),
        unit(columns, seed=2, dtype=dtype),
        torch.tensor(scale, dtype=dtype, requires_grad=True),
    )
    fast = soft_info_nce(*inputs[:2], scale=inputs[2], targets=targets, direction=direction, chunk=chunk)
    assert_same(fast, dense_loss(*inputs, matrix(targets), both=direction is Direction.BOTH), inputs)


@pytest.mark.parametrize("scale", [5.0, 90.0])
@pytest.mark.parametrize("chunk", [1, 3, None])
def test_empty_rows_and_columns_are_left_out_of_the_mean_but_stay_candidates(chunk: int | None, scale: float) -> None:
    target = random(7, 6)
    target[[0, 4]], target[:, 5] = 0, 0
    inputs = (unit(7, seed=1), unit(6, seed=2), torch.tensor(scale, requires_grad=True))
    fast = soft_info_nce(*inputs[:2], scale=inputs[2], targets=Dense(target), empty=Empty.IGNORE, chunk=chunk)
    assert_same(fast, dense_loss(*inputs, target), inputs)


@pytest.mark.parametrize("scale", [5.0, 90.0])
@pytest.mark.parametrize("chunk", [1, 3, None])
@pytest.mark.parametrize(
    "targets",
    [
        Groups(torch.tensor([0, 1, 0, 1, 2, 0, 3]), torch.tensor([0, 1, 0, 1, 2, 0, 3])),
        LowRank(random(7, 3), random(7, 3)),
        # Row 0 has 1e-6 of its own weight on others: a difference of sums in float32 would be mostly rounding.
        LowRank(torch.eye(7) + 1e-6 * random(7, 7), torch.eye(7)),
        Dense(random(7, 7)),
    ],
    ids=["groups", "low rank", "nearly alone", "dense"],
)
def test_nothing_is_its_own_positive_or_negative(targets: Targets, chunk: int | None, scale: float) -> None:
    inputs = (unit(7, seed=1), unit(7, seed=2), torch.tensor(scale, requires_grad=True))
    fast = soft_info_nce(*inputs[:2], scale=inputs[2], targets=targets, exclude="self", empty=Empty.IGNORE, chunk=chunk)
    assert_same(fast, dense_loss(*inputs, matrix(targets), exclude=torch.eye(7).bool()), inputs)


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("scale", [5.0, 90.0])
@pytest.mark.parametrize("chunk", [1, 3, None])
def test_masked_pairs_take_no_part(chunk: int | None, scale: float) -> None:
    exclude = random(7, 6, seed=3) < 0.4
    # A row without any candidate, a column without one, and a column whose first candidates come late.
    exclude[2], exclude[:, 4], exclude[:5, 1] = True, True, True
    inputs = (unit(7, seed=1), unit(6, seed=2), torch.tensor(scale, requires_grad=True))
    target = random(7, 6)
    fast = soft_info_nce(
        *inputs[:2], scale=inputs[2], targets=Dense(target), exclude=exclude, empty=Empty.IGNORE, chunk=chunk
    )
    assert_same(fast, dense_loss(*inputs, target, exclude=exclude), inputs)


def test_columns_can_be_candidates_without_a_loss_of_their_own() -> None:
    averaged = torch.tensor([True, False, True])
    inputs = (unit(5, seed=1), unit(3, seed=2), torch.tensor(9.0, requires_grad=True))
    target = random(5, 3) + 0.1
    fast = soft_info_nce(*inputs[:2], scale=inputs[2], targets=Dense(target), columns_averaged=averaged, chunk=2)
    assert_same(fast, dense_loss(*inputs, target, columns_averaged=averaged), inputs)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_batch_equals_the_dense_form(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 12), "rows"), data.draw(st.integers(1, 12), "columns")
    seed = data.draw(st.integers(0, 10_000), "seed")
    scale = data.draw(st.floats(-120, 120), "scale")
    density = data.draw(st.floats(0, 1), "density")
    target = random(rows, columns, seed=seed) * (random(rows, columns, seed=seed + 1) < density)
    exclude = random(rows, columns, seed=seed + 2) < data.draw(st.floats(0, 1), "excluded")
    both = data.draw(st.booleans(), "both")
    inputs = (unit(rows, seed=seed), unit(columns, seed=seed + 3), torch.tensor(scale, requires_grad=True))
    fast = soft_info_nce(
        *inputs[:2],
        scale=inputs[2],
        targets=Dense(target),
        empty="ignore",
        direction="both" if both else "rows",
        exclude=exclude,
        chunk=data.draw(st.integers(1, 13), "chunk"),
    )
    assert_same(fast, dense_loss(*inputs, target, both=both, exclude=exclude), inputs)


@pytest.mark.parametrize("scale", [3.0, 80.0])
@pytest.mark.parametrize("exclude", [None, "self"])
def test_gradients_equal_finite_differences(scale: float, exclude: str | None) -> None:
    inputs = (
        unit(5, seed=1, dtype=torch.float64),
        unit(5, seed=2, dtype=torch.float64),
        torch.tensor(scale, dtype=torch.float64, requires_grad=True),
    )
    targets = LowRank(random(5, 2).double(), random(5, 2, seed=1).double())

    def loss(a: Tensor, b: Tensor, s: Tensor) -> Tensor:
        return soft_info_nce(a, b, scale=s, targets=targets, exclude=exclude, chunk=2)  # type: ignore[arg-type]

    assert loss(*inputs).dtype is torch.float64
    torch.autograd.gradcheck(loss, inputs)


def test_embeddings_that_are_one_tensor_get_both_gradients() -> None:
    z, scale = unit(6, seed=1), torch.tensor(7.0, requires_grad=True)
    targets = LowRank(random(6, 2), random(6, 2, seed=1))
    fast = soft_info_nce(z, z, scale=scale, targets=targets, exclude="self", chunk=2)
    assert_same(fast, dense_loss(z, z, scale, matrix(targets), exclude=torch.eye(6).bool()), (z, scale))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_embeddings_are_contrasted_in_float32(dtype: torch.dtype) -> None:
    a, b = (unit(6, seed=seed).detach().to(dtype).requires_grad_() for seed in (1, 2))
    scale, targets = torch.tensor(50.0, requires_grad=True), Groups(torch.arange(6), torch.arange(6))
    with torch.autocast("cpu", torch.bfloat16):
        loss = soft_info_nce(a, b, scale=scale, targets=targets)
    exact = dense_loss(a.float(), b.float(), scale, matrix(targets))
    torch.testing.assert_close(loss, exact)
    gradients = torch.autograd.grad(loss, (a, b))
    assert [gradient.dtype for gradient in gradients] == [dtype, dtype]
    for gradient, of in zip(gradients, torch.autograd.grad(exact, (a, b)), strict=True):
        torch.testing.assert_close(gradient, of)


def test_an_outer_factor_scales_the_gradient() -> None:
    inputs = (unit(4, seed=1), unit(4, seed=2), torch.tensor(9.0, requires_grad=True))
    loss = soft_info_nce(*inputs[:2], scale=inputs[2], targets=Groups(torch.arange(4), torch.arange(4)))
    for whole, half in zip(
        torch.autograd.grad(loss, inputs, retain_graph=True), torch.autograd.grad(0.5 * loss, inputs), strict=True
    ):
        torch.testing.assert_close(half, 0.5 * whole)


def test_without_gradients_the_value_is_the_same() -> None:
    inputs = (unit(9, seed=1), unit(9, seed=2), torch.tensor(9.0, requires_grad=True))
    targets = Groups(torch.arange(9) // 2, torch.arange(9) // 2)
    with torch.no_grad():
        value = soft_info_nce(*inputs[:2], scale=inputs[2], targets=targets, chunk=4)
    assert not value.requires_grad
    assert value == soft_info_nce(*inputs[:2], scale=inputs[2], targets=targets, chunk=4)


def test_one_pair_has_nothing_to_contrast_with() -> None:
    targets = Groups(torch.zeros(1).long(), torch.zeros(1).long())
    loss = soft_info_nce(unit(1, seed=1), unit(1, seed=2), scale=torch.tensor(14.0), targets=targets)
    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_no_similarity_at_all_costs_the_entropy_of_chance() -> None:
    targets = Groups(torch.arange(8), torch.arange(8))
    loss = soft_info_nce(unit(8, seed=1), unit(8, seed=2), scale=torch.tensor(0.0), targets=targets)
    assert loss.item() == pytest.approx(math.log(8))


def test_order_of_the_batch_does_not_matter() -> None:
    a, b, ids = unit(8, seed=1), unit(8, seed=2), torch.arange(8) // 2
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    one = soft_info_nce(a, b, scale=torch.tensor(14.0), targets=Groups(ids, ids))
    other = soft_info_nce(a[order], b, scale=torch.tensor(14.0), targets=Groups(ids[order], ids))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_a_batch_without_any_target_has_no_loss_and_gradients_of_zero(rows: int) -> None:
    inputs = (unit(rows, seed=1), unit(3, seed=2), torch.tensor(14.0, requires_grad=True))
    loss = soft_info_nce(*inputs[:2], scale=inputs[2], targets=Dense(torch.zeros(rows, 3)), empty=Empty.IGNORE)
    assert loss.item() == 0
    for gradient, of in zip(torch.autograd.grad(loss, inputs), inputs, strict=True):
        assert torch.equal(gradient, torch.zeros_like(of))


IDS = Groups(torch.arange(3), torch.arange(3))


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (r"row 2 has no target \(1 such rows of 3\)", {"targets": Groups(torch.arange(3), torch.tensor([0, 1, 1]))}),
        (r"column 0 has no target \(2 such columns of 3\)", {"targets": Groups(*torch.tensor([[1, 1, 1], [0, 1, 2]]))}),
        (
            r"row 0 has no target \(3 such rows of 3\)",
            {"targets": LowRank(torch.eye(3) * 0.1, torch.eye(3) * 0.3), "exclude": "self"},
        ),
        (r"expected at least one row, got none", {"a": torch.zeros(0, 8), "targets": Dense(torch.zeros(0, 3))}),
        (r"expected targets of shape \(3, 3\), got \(2, 3\)", {"targets": Dense(torch.ones(2, 3))}),
        (r"got \(3, 8\) and \(3, 7\)", {"b": torch.zeros(3, 7)}),
        (r"row 0 is not finite \(3 such rows of 3\)", {"a": torch.full((3, 8), torch.nan)}),
        (
            r"column 1 is not finite \(1 such columns of 3\)",
            {"b": torch.ones(3, 8).index_fill(0, torch.tensor(1), math.inf)},
        ),
        (r"scale: expected a finite number, got inf", {"scale": torch.tensor(torch.inf)}),
        (r"scale: expected one number", {"scale": torch.ones(2)}),
        (r"logits overflow", {"a": torch.full((3, 8), 1e30), "b": torch.full((3, 8), 1e30)}),
        (r"chunk: expected at least 1 row, got 0", {"chunk": 0}),
        (
            r"rows and columns alike, got 3 and 2",
            {"b": torch.zeros(2, 8), "targets": Dense(torch.ones(3, 2)), "exclude": "self"},
        ),
        (r"'sideways' is not a valid Direction", {"direction": "sideways"}),
    ],
)
def test_what_cannot_be_contrasted_is_refused(message: str, changes: dict[str, object]) -> None:
    arguments = {"a": torch.ones(3, 8), "b": torch.ones(3, 8), "scale": torch.tensor(1.0), "targets": IDS, **changes}
    with pytest.raises(ValueError, match=message):
        soft_info_nce(arguments.pop("a"), arguments.pop("b"), **arguments)  # type: ignore[arg-type]


def test_a_mask_of_pairs_needs_a_target_that_can_be_masked() -> None:
    with pytest.raises(TypeError, match="got Groups"):
        soft_info_nce(
            torch.ones(3, 8), torch.ones(3, 8), scale=torch.tensor(1.0), targets=IDS, exclude=torch.eye(3).bool()
        )


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_targets_are_finite_and_not_negative(bad: float) -> None:
    spoilt = torch.tensor([[1.0, bad]])
    for make in (
        lambda: Dense(spoilt),
        lambda: LowRank(spoilt, torch.ones(1, 2)),
        lambda: LowRank(torch.ones(1, 2), spoilt),
    ):
        with pytest.raises(ValueError, match="expected finite numbers of at least 0"):
            make()


def test_ranks_agree() -> None:
    with pytest.raises(ValueError, match="ranks differ"):
        LowRank(torch.ones(4, 2), torch.ones(4, 3))


def test_no_matrix_of_rows_and_columns_is_ever_held() -> None:
    batch = 8192
    # The logits alone would be 256 MB, and their gradient as much again. Kept tiles are 128 MB.
    assert peak_megabytes(batch, dim=32) < 240


@pytest.mark.slow
def test_a_batch_of_thirty_thousand_fits_a_laptop() -> None:
    assert peak_megabytes(32768, dim=64) < 500
