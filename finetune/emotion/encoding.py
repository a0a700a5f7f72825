"""What an encoder says of a trial, second by second; and which electrodes it listens to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from biosig.store import Store, batch
from finetune.emotion.features import Windowed
from finetune.emotion.targets import Trials
from pretrain.models.towers import SignalTower

_BATCH = 64
# Tokens of a second may be all alike; their deviation is not below this.
_LEAST_VARIANCE = 1e-6


def windows_of(
    store: Store, trials: Trials, chosen: Sequence[int], length: int
) -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
    """Trials cut into windows side by side, in batches; the last of a trial is marked as shorter where it is.

    Yields:
        The trial of each window, and the batch (`biosig.store.batch`).
    """
    pairs = [
        (trial, int(trials.start[trial]) + shift, min(length, int(trials.samples[trial]) - shift))
        for trial in chosen
        for shift in range(0, int(trials.samples[trial]), length)
    ]
    for first in range(0, len(pairs), _BATCH):
        part = pairs[first : first + _BATCH]
        owners = np.array([trial for trial, _, _ in part])
        made = batch(store, trials.row[owners], [start for _, start, _ in part], length)
        # Beyond the end of a trial the record may go on: what is there belongs to another.
        made["valid"] = torch.tensor([valid for _, _, valid in part])
        yield owners, made


def pooled(
    tokens: Float[Tensor, "window token dim"], kept: Bool[Tensor, "window token"], bins: Float[Tensor, "token bin"]
) -> tuple[Float[Tensor, "window bin feature"], Float[Tensor, "window bin"]]:
    """Mean and half the log-variance of the tokens in each bin of time, and how many tokens there were.

    Half the logarithm of a variance is, but for a constant, a differential entropy: of what the encoder has found
    rather than of a frequency band.
    """
    weights = bins * kept[..., None]
    count = weights.sum(1)
    some = count.clamp_min(1)[..., None]
    filled = tokens.masked_fill(~kept[..., None], 0)
    mean = weights.transpose(1, 2) @ filled / some
    # Two passes: the difference of mean squares loses digits where the mean is large.
    spread = torch.stack(
        [((filled - mean[:, [one]]) ** 2 * weights[:, :, [one]]).sum(1) for one in range(bins.shape[1])], dim=1
    )
    return torch.cat([mean, 0.5 * (spread / some + _LEAST_VARIANCE).log()], dim=-1), count


def seconds_of(tower: SignalTower, n_tokens: int) -> Float[Tensor, "token second"]:
    """1 where a token begins within a second of the window."""
    onset = torch.arange(n_tokens) / tower.token_rate
    return nn.functional.one_hot(onset.long()).float()


@torch.inference_mode()
def encode(tower: SignalTower, store: Store, trials: Trials, chosen: Sequence[int]) -> Windowed:
    """Mean and half log-variance of the tokens of every second of the chosen trials.

    A second with fewer than half of its tokens, at the end of a trial or of a window, is left out.
    """
    tower.eval()
    parts, owners = [], []
    for of, windows in windows_of(store, trials, chosen, tower.intake.samples):
        tokens, kept = tower.tokens(windows)
        found, count = pooled(tokens.float(), kept, seconds_of(tower, tokens.shape[1]))
        there = count >= max(tower.token_rate / 2, 1)
        parts.append(found[there].numpy())
        owners.append(np.repeat(of, there.sum(1).numpy()))
    return Windowed(np.concatenate(parts).astype(np.float64), np.concatenate(owners))


@torch.inference_mode()
def occlusion(
    tower: SignalTower, store: Store, trials: Trials, chosen: Sequence[int], names: Sequence[str]
) -> Float64[np.ndarray, " electrode"]:
    r"""How much of what the tokens say is lost with an electrode: sum |z - z_without|^2 / sum |z - mean z|^2.

    z are the tokens of the chosen trials. No label has a part in it: it tells what the encoder listens to, not what a
    classifier makes of it.

    References:
        Zeiler, Fergus, Visualizing and understanding convolutional networks, arXiv 1311.2901 (occlusion).
    """
    tower.eval()
    lost = np.zeros(len(names))
    first, second, count = torch.zeros(()), 0.0, 0
    for of, windows in windows_of(store, trials, chosen, tower.intake.samples):
        layouts = [store.layout(int(row))[0] for row in trials.row[of]]
        whole, kept = tower.tokens(windows)
        said = whole[kept].double()
        first, second, count = first + said.sum(0), second + float((said**2).sum()), count + len(said)
        for place, name in enumerate(names):
            mask = windows["mask"].clone()
            for window, layout in enumerate(layouts):
                mask[window, layout.index(name)] = False
            without, _ = tower.tokens({**windows, "mask": mask})
            lost[place] += float(((whole - without)[kept].double() ** 2).sum())
    variance = second - float((first**2).sum()) / max(count, 1)
    return lost / max(variance, 1e-12)
