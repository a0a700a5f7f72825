"""Graph-smoothed contrast: a recording finds its concepts, and a related concept is not as wrong as any other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from ontology.graph import ConceptGraph
from ontology.kernels import KERNELS
from pretrain.objectives.base import OBJECTIVES, LogitScale, Objective, Options, feature, parse
from pretrain.objectives.contrast import Dense, Direction, Empty, LowRank, Targets, excluding, soft_info_nce


class Form(StrEnum):
    """What a recording is contrasted with."""

    CONCEPT = "concept"
    """The vectors of the concepts."""
    BATCH = "batch"
    """The other recordings of the batch."""
    BOTH = "both"
    """Both; the losses have a name each."""


class GraphSmoothedOptions(Options):
    """Options of `graph_smoothed`.

    Attributes:
        kernel: A name in `ontology.kernels.KERNELS`.
        sigma: Width of the kernel, for those that have one (`hop`, `random`); the kernel's own default without it.
        kernel_options: Further options of the kernel.
        epsilon: Share of the smooth target.
        form: `concept`, `batch` or `both`.
        direction: Of the concept form: `both`, or `rows` (recordings find concepts, not the reverse).
        temperature: At first; it is trained.
    """

    kernel: str = "hop"
    sigma: float | None = Field(default=None, ge=0)
    kernel_options: dict[str, Any] = Field(default_factory=dict)
    epsilon: float = Field(default=0.5, ge=0, le=1)
    form: Form = Form.CONCEPT
    direction: Direction = Direction.BOTH
    temperature: float = Field(default=0.07, gt=0)


@OBJECTIVES.register("graph_smoothed")
class GraphSmoothed(Objective):
    r"""Contrast whose targets are softened by a kernel K on the concepts.

    With Y the multi-hot labels, the **concept form** has, over concepts k,

        q_i(k) = (1 - eps) Y_ik / |Y_i|  +  eps (Y K)_ik / sum_k (Y K)_ik,        L = CE(q_i, softmax_k s z_i.e_k)

    and the same over the columns of q in the direction from concepts to recordings. CE is KL(q || p) plus the entropy
    of q, a constant: gradients are those of the KL divergence, the least value is not 0. A kernel that is the identity
    (sigma -> 0) gives multi-positive InfoNCE; one of all ones (sigma -> infinity, eps = 1) the uniform target.

    The **batch form** has, over the other recordings j, T_ij = y_i^T ((1 - eps) I + eps K) y_j with y = Y / |Y|: the
    mean nearness of a label of i and a label of j. A recording is never its own positive or negative.

    What is not known is not held against anyone:

    - A recording without labels is left out: no row, no positive, no negative. If none has one there is no loss, and
      none of the batch form if no two agree in anything, or there is no third.
    - A concept that the coding of a recording cannot express (`known` is false) is no target of that recording and
      not in its softmax. It neither draws nor repels; the other targets are normalised without it.
    - A concept that no recording of the batch carries gets no cross-entropy of its own (columns). It stays among the
      candidates of the recordings, where it may be a smooth target.
    - In the batch form, a pair without a common label is left out if one carries a concept that the other's coding
      cannot express: they might agree. This needs a matrix of recordings x recordings, which is otherwise never made.

    Losses: `concept`, `batch`.

    Args:
        kernel: (K, K), non-negative, the order of the labels' columns; the identity without it.
        epsilon: Share of the smooth target.
        form: `concept`, `batch` or `both`.
        direction: Of the concept form.
        temperature: At first; it is trained, for each form.

    References:
        Xu et al., From reports to ontologies: ontology-guided representation learning for 12-lead ECG (MAR-ECG),
        arXiv 2605.25883, which names the idea; the equations are ours. Khosla et al., arXiv 2004.11362.
    """

    options = GraphSmoothedOptions
    learns_from = "concepts of an ontology"
    uses_graph = True
    kernel: Tensor | None

    def __init__(
        self,
        *,
        kernel: Float[Tensor, "concept concept"] | None = None,
        epsilon: float = 0.5,
        form: Form | str = Form.CONCEPT,
        direction: Direction | str = Direction.BOTH,
        temperature: float = 0.07,
    ) -> None:
        super().__init__()
        self.epsilon, self.form, self.direction = epsilon, Form(form), Direction(direction)
        # Made anew from the graph whenever the objective is: not a weight.
        self.register_buffer("kernel", None if kernel is None else kernel.float(), persistent=False)
        self.logit_scale = LogitScale(temperature) if self.form is not Form.BATCH else None
        self.batch_scale = LogitScale(temperature) if self.form is not Form.CONCEPT else None

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None) -> Self:
        """See `Objective.build`; the kernel is over the observed concepts of the graph."""
        if graph is None:
            raise ValueError("graph_smoothed needs an ontology")
        chosen = parse(cls.options, options)
        width = {} if chosen.sigma is None else {"sigma": chosen.sigma}
        try:
            kernel = KERNELS[chosen.kernel](graph, **width, **chosen.kernel_options)
        except (TypeError, KeyError) as error:
            raise ValueError(f"kernel: {error}") from None
        return cls(
            kernel=torch.from_numpy(kernel),
            epsilon=chosen.epsilon,
            form=chosen.form,
            direction=chosen.direction,
            temperature=chosen.temperature,
        )

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `signal`, `concept` (concept form), `labels` and, if there, `known`."""
        labels = batch["labels"].bool()
        if self.kernel is not None and self.kernel.shape[1] != labels.shape[1]:
            raise ValueError(f"graph_smoothed: labels of {labels.shape[1]} concepts, a kernel of {len(self.kernel)}")
        known = batch["known"].bool() if "known" in batch else torch.ones_like(labels)
        carried = labels & known
        labelled = carried.any(1)
        if not labelled.any():
            return {}
        signal, carried, known = (
            feature(features, "signal", "graph_smoothed")[labelled],
            carried[labelled],
            known[labelled],
        )
        losses = {}
        # Targets are float32 as the loss is, whatever the towers computed in.
        with torch.autocast(signal.device.type, enabled=False):
            if self.logit_scale is not None:
                losses["concept"] = soft_info_nce(
                    signal,
                    feature(features, "concept", "graph_smoothed"),
                    scale=self.logit_scale(),
                    targets=Dense(concept_targets(carried, known, self.kernel, self.epsilon)),
                    direction=self.direction,
                    empty=Empty.IGNORE,
                    exclude=~known,
                    columns_averaged=carried.any(0),
                )
            if self.batch_scale is not None:
                targets, exclude = batch_targets(carried, known, self.kernel, self.epsilon)
                if _is_contrast(targets, exclude):
                    losses["batch"] = soft_info_nce(
                        signal,
                        signal,
                        scale=self.batch_scale(),
                        targets=targets,
                        empty=Empty.IGNORE,
                        exclude=exclude,
                    )
        return losses


def concept_targets(
    carried: Bool[Tensor, "record concept"],
    known: Bool[Tensor, "record concept"],
    kernel: Float[Tensor, "concept concept"] | None,
    epsilon: float,
) -> Float[Tensor, "record concept"]:
    """The q of `GraphSmoothed`: a distribution over the known concepts of each recording that carries one."""
    hard = carried.float()
    smooth = hard if kernel is None else (hard @ kernel) * known
    return (1 - epsilon) * _distribution(hard) + epsilon * _distribution(smooth)


def batch_targets(
    carried: Bool[Tensor, "record concept"],
    known: Bool[Tensor, "record concept"],
    kernel: Float[Tensor, "concept concept"] | None,
    epsilon: float,
) -> tuple[Targets, Literal["self"] | Bool[Tensor, "record record"]]:
    """T of the batch form, and the pairs to leave out: each recording with itself, or more."""
    y = _distribution(carried.float())
    mixed = y if kernel is None else (1 - epsilon) * y + epsilon * (y @ kernel)
    targets = LowRank(mixed, y)
    if not ((~known).any(0) & carried.any(0)).any():
        return targets, "self"
    hard, unknown = carried.float(), (~known).float()
    unsaid = unknown @ hard.T
    doubtful = (unsaid + unsaid.T > 0) & (hard @ hard.T == 0)
    return Dense(mixed @ y.T), doubtful.fill_diagonal_(fill_value=True)


def _is_contrast(targets: Targets, exclude: Literal["self"] | Bool[Tensor, "record record"]) -> bool:
    """Whether a recording has a target and something else to choose from."""
    aimed = excluding(targets, exclude).row_sums() > 0
    others = len(aimed) - 1 if isinstance(exclude, str) else (~exclude).sum(1)
    return bool((aimed & (torch.as_tensor(others, device=aimed.device) > 1)).any())


def _distribution(weights: Float[Tensor, "record concept"]) -> Float[Tensor, "record concept"]:
    return weights / weights.sum(1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
