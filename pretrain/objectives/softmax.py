"""Row and column softmax of a matrix seen tile by tile, row chunk after row chunk."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

# exp stays far from overflow and from rounding to 0 in float32 between -_IN_RANGE and +_IN_RANGE, and so do its sums.
_IN_RANGE = 50.0


def softmax_of(
    largest: float,
    a: Float[Tensor, "row dim"],
    b: Float[Tensor, "column dim"],
    scratch: Float[Tensor, "chunk column"],
) -> DirectSoftmax | ShiftedSoftmax:
    """What fits the logits a b^T.

    Args:
        largest: No logit is larger in absolute value.
        a: Scaled rows.
        b: Columns.
        scratch: Room for one tile.
    """
    kind = DirectSoftmax if largest <= _IN_RANGE else ShiftedSoftmax
    return kind(a.new_zeros(len(a)), b.new_zeros(len(b)), scratch)


class DirectSoftmax:
    """For moderate logits: exp needs no shift, so one exponential a logit serves its row and its column."""

    def __init__(self, rows: Tensor, columns: Tensor, scratch: Tensor) -> None:
        self._rows, self._columns, self._scratch = rows, columns, scratch

    def prepare(self, logits: Float[Tensor, "chunk column"]) -> Float[Tensor, "chunk column"]:
        """What the other methods take, in the place of the logits."""
        return logits.exp_()

    def add(self, prepared: Float[Tensor, "chunk column"], rows: slice) -> None:
        """Count these rows in."""
        torch.sum(prepared, 1, out=self._rows[rows])
        self._columns += prepared.sum(0)

    def close(
        self, row_weight: Float[Tensor, " row"], column_weight: Float[Tensor, " column"]
    ) -> tuple[Float[Tensor, " row"], Float[Tensor, " column"]]:
        """Log-sum-exp of rows and columns, all chunks counted in; the weights are for `weighted`."""
        rows, columns = _positive(self._rows), _positive(self._columns)
        self._row_factor, self._column_factor = row_weight / rows, column_weight / columns
        return rows.log(), columns.log()

    def weighted(self, prepared: Float[Tensor, "chunk column"], rows: slice) -> Float[Tensor, "chunk column"]:
        """row_weight_i softmax_j S_ij + column_weight_j softmax_i S_ij, in place."""
        factor = torch.add(self._row_factor[rows, None], self._column_factor, out=self._scratch[: len(prepared)])
        return prepared.mul_(factor)


class ShiftedSoftmax:
    """For logits of any size: the largest one is subtracted before each exponential, for rows and columns apart.

    It is never folded into the log-sum-exp: where logits are large, that sum would round away what softmax needs.
    """

    def __init__(self, rows: Tensor, columns: Tensor, scratch: Tensor) -> None:
        self._rows, self._columns, self._scratch = rows, columns, scratch
        # Lowest, not -inf: a row whose pairs are all excluded (-inf) stays free of inf - inf.
        lowest = torch.finfo(rows.dtype).min
        self._row_largest, self._column_largest = torch.full_like(rows, lowest), torch.full_like(columns, lowest)

    def prepare(self, logits: Float[Tensor, "chunk column"]) -> Float[Tensor, "chunk column"]:
        """What the other methods take: the logits themselves."""
        return logits

    def add(self, prepared: Float[Tensor, "chunk column"], rows: slice) -> None:
        """Count these rows in."""
        scratch = self._scratch[: len(prepared)]
        largest = torch.maximum(self._row_largest[rows], prepared.amax(1))
        torch.sum(torch.sub(prepared, largest[:, None], out=scratch).exp_(), 1, out=self._rows[rows])
        self._row_largest[rows] = largest
        largest = torch.maximum(self._column_largest, prepared.amax(0))
        self._columns *= (self._column_largest - largest).exp_()
        self._columns += torch.sub(prepared, largest, out=scratch).exp_().sum(0)
        self._column_largest = largest

    def close(
        self, row_weight: Float[Tensor, " row"], column_weight: Float[Tensor, " column"]
    ) -> tuple[Float[Tensor, " row"], Float[Tensor, " column"]]:
        """Log-sum-exp of rows and columns, all chunks counted in; the weights are for `weighted`."""
        rows, columns = _positive(self._rows), _positive(self._columns)
        self._row_factor, self._column_factor = row_weight / rows, column_weight / columns
        return rows.log() + self._row_largest, columns.log() + self._column_largest

    def weighted(self, prepared: Float[Tensor, "chunk column"], rows: slice) -> Float[Tensor, "chunk column"]:
        """row_weight_i softmax_j S_ij + column_weight_j softmax_i S_ij, in place."""
        by_column = torch.sub(prepared, self._column_largest, out=self._scratch[: len(prepared)]).exp_()
        prepared.sub_(self._row_largest[rows, None]).exp_().mul_(self._row_factor[rows, None])
        return prepared.addcmul_(by_column, self._column_factor)


def _positive(sums: Tensor) -> Tensor:
    """Only what has no weight can have an empty sum, all its pairs excluded; it must not make 0 * inf."""
    return sums.clamp_min(torch.finfo(sums.dtype).tiny)
