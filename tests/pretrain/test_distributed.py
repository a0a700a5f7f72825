"""The gather, its way back, and what it does where parts are uneven."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, distributed
from torch.testing import assert_close

from pretrain.parallel.distributed import ALONE, Gathered, Processes
from tests.pretrain.gloo import in_processes

# One process has nothing, and the tensors that come with it have fewer channels.
ROWS = (2, 0, 3)


@pytest.mark.parametrize("size", range(8))
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shares_are_the_whole_in_order_and_even(size: int, count: int) -> None:
    shares = [list(range(size))[Processes(rank, count).share(size)] for rank in range(count)]
    assert list(chain(*shares)) == list(range(size))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_nothing_is_gathered() -> None:
    own = torch.randn(3, requires_grad=True)
    assert ALONE.gather(own) is own
    assert ALONE.leads


class Counting(Processes):
    """Says that there is another process, and only notes what is to be gathered."""

    def gather(self, own: Tensor) -> Tensor:
        asked.append(tuple(own.shape))
        return torch.cat([own, own])


asked: list[tuple[int, ...]] = []


def test_only_what_is_asked_for_is_gathered_and_once() -> None:
    asked.clear()
    own = {"signal": torch.zeros(2, 4), "raw": torch.zeros(2, 12, 500), "concept": torch.zeros(9, 4)}
    whole = Gathered({**own, "token_rate": torch.tensor(4.0)}, Counting(0, 2), shared={"concept"})
    assert "raw" in whole
    assert list(whole) == ["signal", "raw", "concept", "token_rate"]
    assert len(whole) == 4
    assert not asked
    for _ in range(2):
        assert whole["signal"].shape == (4, 4)
        assert whole["concept"] is own["concept"]
        assert whole["token_rate"] == 4
    assert asked == [(2, 4)]


def inputs(rank: int, rows: int) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(rank)
    return {
        "vectors": torch.randn(rows, 3, generator=draw),
        "mask": torch.rand(rows, 4 - rank, generator=draw) < 0.5,
        "ids": torch.randint(2**40, (rows,), generator=draw),
    }


def reference_gather(own: Tensor) -> Tensor:
    """Forth by torch's differentiable broadcast of every part, whose way back is the true adjoint: a sum over all."""
    from torch.distributed.nn.functional import broadcast

    rank, parts = distributed.get_rank(), []
    for source, rows in enumerate(ROWS):
        part = own if source == rank else own.new_zeros(rows, *own.shape[1:])
        parts.append(broadcast(part if part.requires_grad else part.requires_grad_(), source))
    return torch.cat(parts)


def loss_of(vectors: Tensor, weight: Tensor) -> Tensor:
    return ((vectors @ vectors.T).tanh() * weight).sum()


def gather_here(folder: Path) -> None:
    distributed.init_process_group("gloo")
    processes = Processes(distributed.get_rank(), distributed.get_world_size())
    own = inputs(processes.rank, ROWS[processes.rank])
    found = {f"{name}": processes.gather(value) for name, value in own.items()}
    for name, gather in (("ours", processes.gather), ("reference", reference_gather)):
        vectors, weight = own["vectors"].clone().requires_grad_(), torch.tensor(2.0, requires_grad=True)
        loss_of(gather(vectors), weight).backward()
        assert vectors.grad is not None
        assert weight.grad is not None
        found |= {f"{name}.vectors": vectors.grad, f"{name}.weight": weight.grad}
    save_file(found, folder / f"{processes.rank}.safetensors")


@pytest.mark.slow
def test_uneven_parts_and_their_gradients(tmp_path: Path) -> None:
    in_processes(len(ROWS), gather_here, tmp_path)
    parts = [inputs(rank, rows) for rank, rows in enumerate(ROWS)]
    whole = torch.cat([part["vectors"] for part in parts]).requires_grad_()
    weight = torch.tensor(2.0, requires_grad=True)
    loss_of(whole, weight).backward()
    assert whole.grad is not None
    starts = [sum(ROWS[:rank]) for rank in range(len(ROWS))]
    for rank, rows in enumerate(ROWS):
        found = load_file(tmp_path / f"{rank}.safetensors")
        assert_close(found["vectors"], whole.detach(), rtol=0, atol=0)
        assert torch.equal(found["ids"], torch.cat([part["ids"] for part in parts]))
        padded = [torch.nn.functional.pad(part["mask"], (0, 4 - part["mask"].shape[1])) for part in parts]
        assert torch.equal(found["mask"], torch.cat(padded))
        mine = slice(starts[rank], starts[rank] + rows)
        # The rule: before the gather the gradient is so many times that of the loss, behind it it is the loss's own.
        assert_close(found["ours.vectors"], len(ROWS) * whole.grad[mine])
        assert_close(found["ours.weight"], weight.grad)
        assert_close(found["ours.vectors"], found["reference.vectors"])
