"""Differential entropy and a network that is rewarded for not knowing whose it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from finetune.emotion.bench import Work
from finetune.emotion.features import Windowed
from finetune.emotion.linear import trial_loss, trial_weights
from finetune.emotion.protocols import Access
from finetune.emotion.rivals.base import BOTH, RIVALS, Outcome, Rival
from finetune.emotion.rivals.entropy import normalised
from finetune.emotion.training import Stopped, train

_WIDTH = 64
_BATCH = 256


class _Reverse(torch.autograd.Function):
    """The identity, whose gradient is turned round and scaled."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(x: Float[Tensor, "*any"], strength: float) -> Float[Tensor, "*any"]:
    """The same; what flows back through it is -strength times the gradient."""
    reversed_: Tensor = _Reverse.apply(x, strength)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return reversed_


class AdversarialNetwork(nn.Module):
    """Features -> class logits and, behind a gradient reversal, subject logits.

    Args:
        n_features: Of a window.
        n_classes: To be told.
        n_domains: Subjects to be confused.

    References:
        Ganin et al., Domain-adversarial training of neural networks, arXiv 1505.07818.
    """

    def __init__(self, n_features: int, n_classes: int, n_domains: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(n_features, _WIDTH), nn.ReLU(), nn.Dropout(0.25), nn.Linear(_WIDTH, _WIDTH), nn.ReLU()
        )
        self.label = nn.Linear(_WIDTH, n_classes)
        self.domain = nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, n_domains))

    def forward(self, x: Float[Tensor, "window feature"], strength: float = 0.0) -> tuple[Tensor, Tensor]:
        """Class logits, and subject logits whose gradient is reversed on its way to the features."""
        hidden = self.features(x)
        return self.label(hidden), self.domain(reverse_gradient(hidden, strength))


def strength_at(done: float) -> float:
    """The published schedule: 2 / (1 + exp(-10 p)) - 1, from 0 to almost 1."""
    return 2 / (1 + float(np.exp(-10 * done))) - 1


def _adversarial(work: Work) -> Outcome:
    predictions, details = {}, {}
    for access in work.access:
        windows = normalised(work, work.bench.entropies(access), access)
        network, stopped = _train(work, windows, access)
        tested = windows.of(work.fold.test)
        with torch.inference_mode():
            predictions[access] = tested.with_values(_probabilities(network, tested))
        details[access.value] = vars(stopped)
    return Outcome(predictions, details)


def _train(work: Work, windows: Windowed, access: Access) -> tuple[AdversarialNetwork, Stopped]:
    trials, fold = work.trials, work.fold
    torch.manual_seed(work.seed)
    generator = np.random.default_rng([work.seed, 13])
    # Where the test stream may be used, its windows are a domain too, without labels.
    met = fold.learnt if access is Access.CAUSAL else (*fold.learnt, *fold.test)
    labelled, unlabelled = windows.of(fold.learnt), windows.of(met)
    people, domains = np.unique(trials.subject[unlabelled.trial], return_inverse=True)
    network = AdversarialNetwork(windows.values.shape[1], len(trials.classes), len(people))
    x, all_x = (torch.from_numpy(part.values).float() for part in (labelled, unlabelled))
    labels, subjects = torch.from_numpy(trials.label[labelled.trial]), torch.from_numpy(domains)
    weights = trial_weights(labelled.trial, trials, fold)
    judged = windows.of(fold.validation)

    def loss_of(done: float) -> Tensor:
        drawn = torch.from_numpy(generator.choice(len(x), _BATCH, p=weights / weights.sum()))
        anyone = torch.from_numpy(generator.integers(len(all_x), size=_BATCH))
        strength = strength_at(done)
        class_loss = nn.functional.cross_entropy(network(x[drawn])[0], labels[drawn])
        return class_loss + nn.functional.cross_entropy(network(all_x[anyone], strength)[1], subjects[anyone])

    def validate() -> float:
        return trial_loss(_probabilities(network, judged), judged.trial, trials)

    return network, train(network, loss_of, validate, steps=work.bench.experiment.budget.adversarial_steps)


def _probabilities(network: AdversarialNetwork, windows: Windowed) -> np.ndarray:
    logits = network(torch.from_numpy(windows.values).float())[0]
    found: np.ndarray = logits.double().softmax(1).numpy()
    return found


RIVALS.add(
    "de-adversarial",
    Rival(
        "DE + adversarial",
        _adversarial,
        BOTH,
        "A network of two layers on differential entropy, trained with labels, whose hidden layer must not tell the "
        "subjects apart. Causal: the training subjects are the domains. Transductive: the subject under test is one "
        "too, without its labels, and each subject is normalised by its own stream.",
    ),
)
