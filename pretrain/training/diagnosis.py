"""Which records of a batch made a loss or a gradient that is not finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from pretrain.data.parts import Parts
from pretrain.errors import LossError
from pretrain.parallel.sharding import is_sharded
from pretrain.training.learner import Learner

# More names than this do not help to find the culprit.
_NAMED = 256

_Flags = Bool[Tensor, " record"]


def culprits(learner: Learner, batch: Parts, key: int) -> tuple[str, _Flags] | None:
    """What is not finite first on the way of a batch through a step, and of which records.

    Looked at in this order: samples; vectors of reports; what the towers make of a record; the gradient of the losses
    by that; what a record by itself contributes to the gradient of the weights. The step is done again for it, with the
    same random numbers, but for the last: alone, a record meets another dropout. Nothing is changed. All processes must
    call it, and find the same.

    Args:
        learner: As it was in the step.
        batch: Of this process.
        key: Of the step's random numbers.

    Returns:
        In words, and a flag for each record of the batches of all processes; None if no record is at fault by itself.
    """
    for what, own in _stages(learner, batch, key):
        whole = learner.processes.gather(own)
        if whole.any():
            return what, whole.cpu()
    return None


def listed(names: Sequence[str]) -> str:
    """Names in one line, not too many of them."""
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _stages(learner: Learner, batch: Parts, key: int) -> Iterator[tuple[str, _Flags]]:
    yield "samples that are not finite", torch.cat([_bad_samples(part) for part in batch.each()])
    if "report" in batch:
        yield "a report vector that is not finite", _bad(batch["report"])
    with torch.no_grad():
        embedded = [learner.features(part, key, number) for number, part in enumerate(batch.each())]
    shared = learner.model.shared
    features = {
        name: first if name in shared else torch.cat([one[name] for one in embedded])
        for name, first in embedded[0].items()
    }
    for name, value in features.items():
        if name not in shared and value.is_floating_point():
            yield f"an embedding ({name}) that is not finite", _bad(value)
    yield from _gradients(learner, batch, features, key)


def _gradients(
    learner: Learner, batch: Parts, features: Mapping[str, Tensor], key: int
) -> Iterator[tuple[str, _Flags]]:
    leaves = {n: v.requires_grad_() if v.is_floating_point() and v.ndim else v for n, v in features.items()}
    wanted = {n: v for n, v in leaves.items() if v.requires_grad}
    try:
        loss = learner.losses(leaves, batch, key)["loss"]
    except LossError:
        return
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    by = {name: grad for name, grad in zip(wanted, found, strict=True) if grad is not None}
    own = {name: grad for name, grad in by.items() if name not in learner.model.shared}
    for name, grad in own.items():
        yield f"a loss whose gradient by the embedding ({name}) is not finite", _bad(grad)
    # Shards of weights are gathered by all processes at once, and one record is in but one of them.
    if not is_sharded(learner):
        yield "towers whose gradient is not finite", torch.cat(list(_alone(learner, batch, own, key)))


def _alone(learner: Learner, batch: Parts, by: Mapping[str, Tensor], key: int) -> Iterator[_Flags]:
    """Record by record, whether what it contributes to the gradient of the weights is not finite."""
    weights = [weight for weight in learner.model.parameters() if weight.requires_grad]
    place = 0
    for number, part in enumerate(batch.each()):
        for row in range(len(part["signal"])):
            one = {name: value[row : row + 1] if value.ndim else value for name, value in part.items()}
            features = learner.features(one, key, number)
            total = sum((features[name] * grad[place : place + 1]).sum() for name, grad in by.items())
            found = torch.autograd.grad(total, weights, allow_unused=True) if isinstance(total, Tensor) else ()
            finite = all(bool(grad.isfinite().all()) for grad in found if grad is not None)
            yield torch.tensor([not finite], device=part["signal"].device)
            place += 1


def _bad_samples(part: Mapping[str, Tensor]) -> _Flags:
    # What is masked may hold anything.
    return _bad(part["signal"].masked_fill(~part["mask"][..., None], 0))


def _bad(values: Tensor) -> _Flags:
    return ~values.isfinite().flatten(1).all(1)
