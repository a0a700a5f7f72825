"""The same encoder, trained with the labels alone."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from biosig.store import batch
from finetune.emotion.bench import Work
from finetune.emotion.encoding import pooled, windows_of
from finetune.emotion.features import Windowed
from finetune.emotion.linear import trial_loss, trial_weights
from finetune.emotion.pretraining import random_tower
from finetune.emotion.protocols import Access
from finetune.emotion.rivals.base import RIVALS, Outcome, Rival
from finetune.emotion.training import train
from finetune.heads.linear import LinearHead
from pretrain.models.towers import SignalTower

_BATCH = 32
_MEASURED = 256
_LEAST_DEVIATION = 1e-3


class Classifier(nn.Module):
    """An encoder, mean and half log-variance of its tokens over a window, and a linear head.

    Args:
        tower: The encoder.
        classes: To be told.
    """

    def __init__(self, tower: SignalTower, classes: int) -> None:
        super().__init__()
        self.tower = tower
        self.head = LinearHead(2 * tower.encoder.dim, classes)

    def features(self, windows: dict[str, Tensor]) -> Float[Tensor, "window feature"]:
        """What the head sees, before it standardises."""
        tokens, kept = self.tower.tokens(windows)
        return pooled(tokens, kept, tokens.new_ones(tokens.shape[1], 1))[0][:, 0]

    def forward(self, windows: dict[str, Tensor]) -> Float[Tensor, "window class"]:
        """Logits."""
        logits: Tensor = self.head(self.features(windows))
        return logits


def _supervised(work: Work) -> Outcome:
    torch.manual_seed(work.seed)
    trials, fold, store = work.trials, work.fold, work.bench.store
    generator = np.random.default_rng([work.seed, 17])
    network = Classifier(random_tower(work).requires_grad_(), len(trials.classes))
    length = network.tower.intake.samples
    learnt = np.asarray(fold.learnt)
    chances = trial_weights(learnt, trials, fold)

    def draw(count: int) -> tuple[dict[str, Tensor], Tensor]:
        chosen = generator.choice(learnt, count, p=chances / chances.sum())
        room = np.maximum(trials.samples[chosen] - length, 0)
        windows = batch(store, trials.row[chosen], trials.start[chosen] + generator.integers(room + 1), length)
        windows["valid"] = torch.from_numpy(np.minimum(trials.samples[chosen], length))
        return windows, torch.from_numpy(trials.label[chosen])

    _measure(network, draw(_MEASURED)[0])

    def loss_of(done: float) -> Tensor:  # noqa: ARG001 -- every loss is told
        windows, labels = draw(_BATCH)
        return nn.functional.cross_entropy(network(windows), labels)

    def validate() -> float:
        found = _predict(network, work, fold.validation)
        return trial_loss(found.values, found.trial, trials)

    steps = work.bench.experiment.budget.supervised_steps
    stopped = train(network, loss_of, validate, steps=steps, learning_rate=1e-3)
    found = _predict(network, work, fold.test)
    return Outcome({Access.CAUSAL: work.smoothed(found, Access.CAUSAL)}, vars(stopped))


@torch.inference_mode()
def _measure(network: Classifier, windows: dict[str, Tensor]) -> None:
    """The standardisation before the head, from random windows of the training side."""
    std, mean = torch.std_mean(network.features(windows), dim=0)
    network.head.mean.copy_(mean)
    network.head.std.copy_(std.clamp_min(_LEAST_DEVIATION))


@torch.inference_mode()
def _predict(network: Classifier, work: Work, chosen: tuple[int, ...]) -> Windowed:
    network.eval()
    found, owners = [], []
    for of, windows in windows_of(work.bench.store, work.trials, chosen, network.tower.intake.samples):
        found.append(network(windows).double().softmax(1).numpy())
        owners.append(of)
    return Windowed(np.concatenate(found), np.concatenate(owners))


RIVALS.add(
    "supervised",
    Rival(
        "supervised network",
        _supervised,
        (Access.CAUSAL,),
        "The architecture of the encoders above, all weights trained with the labels of the training subjects; stopped "
        "by validation subjects.",
    ),
)
