"""Which columns are right for which rows: the non-negative matrix T of the loss, never held whole.

A target is a linear operator. The loss asks three things of it: its row sums, its column sums, and the products of
T, weighted by rows and columns, with the embeddings. `LowRank` and `Groups` answer without any row x column matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Targets(Protocol):
    """A non-negative target matrix T of one row and one column an embedding."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of T."""

    def row_sums(self) -> Float[Tensor, " row"]:
        """What every row has in all."""

    def column_sums(self) -> Float[Tensor, " column"]:
        """What every column has in all."""

    def diagonal(self) -> Float[Tensor, " row"]:
        """T_ii, where rows and columns are the same things."""

    def products(
        self,
        a: Float[Tensor, "row dim"],
        b: Float[Tensor, "column dim"],
        row_weight: Float[Tensor, " row"],
        column_weight: Float[Tensor, " column"],
    ) -> tuple[Float[Tensor, "row dim"], Float[Tensor, "column dim"]]:
        """P b and P^T a, where P_ij = T_ij (row_weight_i + column_weight_j)."""


@dataclass(frozen=True, eq=False)
class Groups:
    """T_ij = 1 where row i and column j carry the same id: CLIP with unique ids, SupCon with class ids."""

    row_ids: Int[Tensor, " row"]
    column_ids: Int[Tensor, " column"]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.row_ids), len(self.column_ids)

    def row_sums(self) -> Float[Tensor, " row"]:
        return _counts(of=self.row_ids, among=self.column_ids)

    def column_sums(self) -> Float[Tensor, " column"]:
        return _counts(of=self.column_ids, among=self.row_ids)

    def diagonal(self) -> Float[Tensor, " row"]:
        return (self.row_ids == self.column_ids).float()

    def products(
        self, a: Tensor, b: Tensor, row_weight: Tensor, column_weight: Tensor
    ) -> tuple[Float[Tensor, "row dim"], Float[Tensor, "column dim"]]:
        # Members of a group share its sums: (P b)_i = row_weight_i * sum of b + sum of column_weight * b.
        names, group = torch.unique(torch.cat([self.row_ids, self.column_ids]), return_inverse=True)
        row_group, column_group = group[: len(a)], group[len(a) :]

        def across(x: Tensor, from_group: Tensor, to_group: Tensor) -> Tensor:
            return x.new_zeros(len(names), x.shape[1]).index_add_(0, from_group, x)[to_group]

        r, c = row_weight[:, None], column_weight[:, None]
        return (
            across(b, column_group, row_group) * r + across(c * b, column_group, row_group),
            across(r * a, row_group, column_group) + across(a, row_group, column_group) * c,
        )


@dataclass(frozen=True, eq=False)
class LowRank:
    """T = U V^T with non-negative factors. Graph-smoothed contrast has U = Y K, V = Y: code sets Y, concept kernel K.

    Raises:
        ValueError: If the ranks differ, or a factor holds a negative or non-finite number.
    """

    row_factor: Float[Tensor, "row rank"]
    column_factor: Float[Tensor, "column rank"]

    def __post_init__(self) -> None:
        if self.row_factor.shape[1] != self.column_factor.shape[1]:
            raise ValueError(f"ranks differ: {tuple(self.row_factor.shape)} and {tuple(self.column_factor.shape)}")
        _check_non_negative("row_factor", self.row_factor)
        _check_non_negative("column_factor", self.column_factor)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.row_factor), len(self.column_factor)

    def row_sums(self) -> Float[Tensor, " row"]:
        return self.row_factor.double() @ self.column_factor.double().sum(0)

    def column_sums(self) -> Float[Tensor, " column"]:
        return self.column_factor.double() @ self.row_factor.double().sum(0)

    def diagonal(self) -> Float[Tensor, " row"]:
        return (self.row_factor.double() * self.column_factor.double()).sum(1)

    def products(
        self, a: Tensor, b: Tensor, row_weight: Tensor, column_weight: Tensor
    ) -> tuple[Float[Tensor, "row dim"], Float[Tensor, "column dim"]]:
        # diag(r) U V^T + U V^T diag(c) = [r U, U] [V, c V]^T: weighting doubles the rank and keeps it low.
        u, v = self.row_factor.to(a.dtype), self.column_factor.to(a.dtype)
        left = torch.cat([row_weight[:, None] * u, u], dim=1)
        right = torch.cat([v, column_weight[:, None] * v], dim=1)
        return left @ (right.T @ b), right @ (left.T @ a)


@dataclass(frozen=True, eq=False)
class Dense:
    """T given whole: for few columns (records x concepts), or for a target without structure in a small batch.

    Raises:
        ValueError: If the matrix holds a negative or non-finite number.
    """

    matrix: Float[Tensor, "row column"]

    def __post_init__(self) -> None:
        _check_non_negative("matrix", self.matrix)

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix.shape[0], self.matrix.shape[1]

    def row_sums(self) -> Float[Tensor, " row"]:
        return self.matrix.sum(1, dtype=torch.float64)

    def column_sums(self) -> Float[Tensor, " column"]:
        return self.matrix.sum(0, dtype=torch.float64)

    def diagonal(self) -> Float[Tensor, " row"]:
        return self.matrix.diagonal()

    def products(
        self, a: Tensor, b: Tensor, row_weight: Tensor, column_weight: Tensor
    ) -> tuple[Float[Tensor, "row dim"], Float[Tensor, "column dim"]]:
        weighted = (row_weight[:, None] + column_weight).mul_(self.matrix)
        return weighted @ b, weighted.T @ a

    def without(self, pairs: Bool[Tensor, "row column"]) -> Dense:
        """The same targets, zero at the given pairs."""
        return Dense(self.matrix.masked_fill(pairs, 0))


@dataclass(frozen=True, eq=False)
class WithoutSelf:
    """Another target with its diagonal taken out: rows and columns are the same things, and none is its own positive.

    The arithmetic is in float64: what remains may be far smaller than what is taken away.
    """

    whole: Targets

    @property
    def shape(self) -> tuple[int, int]:
        return self.whole.shape

    def row_sums(self) -> Float[Tensor, " row"]:
        return self._less_self(self.whole.row_sums())

    def column_sums(self) -> Float[Tensor, " column"]:
        return self._less_self(self.whole.column_sums())

    def diagonal(self) -> Float[Tensor, " row"]:
        return torch.zeros_like(self.whole.diagonal())

    def products(
        self, a: Tensor, b: Tensor, row_weight: Tensor, column_weight: Tensor
    ) -> tuple[Float[Tensor, "row dim"], Float[Tensor, "column dim"]]:
        a64, b64, r, c = a.double(), b.double(), row_weight.double(), column_weight.double()
        own = ((r + c) * self.whole.diagonal())[:, None]
        with_b, with_a = self.whole.products(a64, b64, r, c)
        return (with_b - own * b64).to(a.dtype), (with_a - own * a64).to(a.dtype)

    def _less_self(self, sums: Tensor) -> Tensor:
        rest = sums.double() - self.whole.diagonal()
        # Sums of float32 factors leave a remainder of rounding where nothing is left.
        return torch.where(rest > 1e-12 * sums, rest, 0)


def _check_non_negative(name: str, values: Tensor) -> None:
    if values.numel() and not (values.min() >= 0 and values.max() < torch.inf):
        raise ValueError(f"{name}: expected finite numbers of at least 0, got {values.min():g} to {values.max():g}")


def _counts(*, of: Tensor, among: Tensor) -> Tensor:
    """How often each id of the first occurs in the second."""
    ordered = among.sort().values
    return (torch.searchsorted(ordered, of, right=True) - torch.searchsorted(ordered, of)).float()
