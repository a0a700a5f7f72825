"""Views of a window: the rows of a batch that show the same few seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pretrain.models.montage import in_order
from pretrain.specs.views import Copies, LeadViews, Views

#: The lead of a row that shows all that there are.
ALL_LEADS = -1


def shown(
    batch: Mapping[str, Tensor],
    views: Views,
    names: Sequence[tuple[str, ...]],
    fixed: tuple[str, ...] | None,
    first: int,
) -> dict[str, Tensor]:
    """The views of each window beside each other.

    Args:
        batch: Windows.
        views: How each is shown.
        names: Of the channels of each.
        fixed: The montage of the batch, where all windows have the same.
        first: Number of the first of these windows, where they are a part of a batch.

    Returns:
        All that `batch` holds, `views.count` rows for each; `instance (B,)` int64, equal for views of one window;
        `lead (B,)` int64, which of `views.leads` a row shows, -1 where it shows all. A lead that a record does not have
        is a row without any channel.
    """
    count, windows = views.count, len(batch["row"])
    lead = torch.full((windows * count,), ALL_LEADS)
    match views:
        case LeadViews():
            each = [_one_lead(batch, name, names, fixed) for name in views.leads]
            batch = {name: torch.stack([one[name] for one in each], dim=1).flatten(0, 1) for name in batch}
            lead = torch.arange(count).repeat(windows)
        case Copies() if count > 1:
            batch = {name: value.repeat_interleave(count, dim=0) for name, value in batch.items()}
    return {**batch, "instance": torch.arange(first, first + windows).repeat_interleave(count), "lead": lead}


def _one_lead(
    batch: Mapping[str, Tensor], lead: str, names: Sequence[tuple[str, ...]], fixed: tuple[str, ...] | None
) -> dict[str, Tensor]:
    """Windows without all leads but one. Where nothing fixes the montage they have no other channel."""
    if fixed is None:
        return in_order(batch, names, (lead,))
    mask = batch["mask"] & torch.tensor([name == lead for name in fixed])
    return {**batch, "mask": mask, "signal": batch["signal"] * mask[..., None]}
