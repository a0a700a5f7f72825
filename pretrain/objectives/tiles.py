"""Room for a matrix that is walked over in row chunks, forth and back, and never held whole."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

# One tile unless the caller says otherwise (small ones stay in the cache of a CPU, a GPU wants long ones), and all the
# tiles that are kept from the way forth for the way back.
_CPU_TILE_BYTES, _CPU_KEPT_BYTES = 16 << 20, 128 << 20
_GPU_TILE_BYTES, _GPU_KEPT_BYTES = 256 << 20, 1 << 30
# With fewer rows products are slow, however wide the rows are.
_FEWEST_ROWS = 64


class Tiles:
    """Row chunks of a matrix, and memory for them; what was written last stays in hand.

    Args:
        n_rows: Of the matrix.
        n_columns: Of the matrix.
        like: Device and type.
        chunk: Rows of a tile; by default what fills 16 MB on a CPU and 256 MB elsewhere.
        keep: Whether there is a way back: then 128 MB (1 GB) of tiles are kept, else one.

    Attributes:
        rows: Of each tile.
        scratch: Room for one tile more.
    """

    def __init__(self, n_rows: int, n_columns: int, like: Tensor, *, chunk: int | None, keep: bool) -> None:
        on_cpu, row_bytes = like.device.type == "cpu", n_columns * like.element_size()
        if chunk is None:
            chunk = max(_FEWEST_ROWS, (_CPU_TILE_BYTES if on_cpu else _GPU_TILE_BYTES) // row_bytes)
        self.rows = [slice(start, min(start + chunk, n_rows)) for start in range(0, n_rows, chunk)]
        longest = self.rows[0].stop
        self.scratch = like.new_empty(longest, n_columns)
        room = (_CPU_KEPT_BYTES if on_cpu else _GPU_KEPT_BYTES) // (longest * row_bytes) if keep else 1
        # One by one: a large block would go back to the system, and come anew page by page, at every call.
        self._kept = [torch.empty_like(self.scratch) for _ in range(min(len(self.rows), max(1, room)))]

    def __getitem__(self, k: int) -> Float[Tensor, "chunk column"]:
        rows = self.rows[k]
        return self._kept[k % len(self._kept)][: rows.stop - rows.start]

    def in_hand(self, k: int) -> bool:
        """Whether tile k is still what was written on the way forth, on the way back to it."""
        return k >= len(self.rows) - len(self._kept)
