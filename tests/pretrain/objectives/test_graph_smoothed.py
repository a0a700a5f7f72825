"""Graph-smoothed contrast against a hand-written one, and in its limits."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import ontology
from ontology.kernels import KERNELS
from pretrain.objectives import GraphSmoothed
from pretrain.objectives.graph_smoothed import batch_targets, concept_targets
from tests.pretrain.objectives.dense import dense_loss, unit

KERNEL = torch.tensor([[1.0, 0.5, 0.2, 0.0], [0.5, 1.0, 0.3, 0.0], [0.2, 0.3, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
LABELS = torch.tensor([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0]]).bool()
KNOWN = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1]]).bool()
SCALE = torch.tensor(5.0)


def towers(records: int = 5, concepts: int = 4) -> dict[str, Tensor]:
    return {"signal": unit(records, seed=0), "concept": unit(concepts, seed=1)}


def loss(
    form: str, epsilon: float, *, kernel: Tensor | None = KERNEL, known: Tensor | None = None
) -> tuple[Tensor, ...]:
    features = towers()
    objective = GraphSmoothed(kernel=kernel, epsilon=epsilon, form=form, temperature=0.2)
    batch = {"labels": LABELS} if known is None else {"labels": LABELS, "known": known}
    return objective(features, batch)[form], features["signal"], features["concept"]


def slow_concept_target(carried: list[int], known: list[int], epsilon: float) -> Tensor:
    """One record's target, the way the docstring says it."""
    q = torch.zeros(4)
    total = sum(float(KERNEL[c, k]) for c in carried for k in known)
    for k in known:
        q[k] = (1 - epsilon) * (k in carried) / len(carried)
        q[k] += epsilon * sum(float(KERNEL[c, k]) for c in carried) / total
    return q


def assert_same(fast: Tensor, slow: Tensor, *inputs: Tensor) -> None:
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-5)
    for one, other in zip(torch.autograd.grad(fast, inputs), torch.autograd.grad(slow, inputs), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("partial", [False, True])
def test_the_concept_form_is_cross_entropy_with_the_smoothed_target(epsilon: float, partial: bool) -> None:
    known = KNOWN if partial else torch.ones_like(KNOWN)
    fast, signal, concept = loss("concept", epsilon, known=known if partial else None)
    rows = [0, 1, 3, 4]
    q = torch.stack(
        [
            slow_concept_target(LABELS[i].nonzero().flatten().tolist(), known[i].nonzero().flatten().tolist(), epsilon)
            for i in rows
        ]
    )
    # No record carries concept 3: it has no mean of its own.
    carried = torch.tensor([True, True, True, False])
    slow = dense_loss(signal[rows], concept, SCALE, q, exclude=~known[rows], columns_averaged=carried)
    assert_same(fast, slow, signal, concept)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("partial", [False, True])
def test_the_batch_form_weighs_pairs_by_the_nearness_of_their_labels(epsilon: float, partial: bool) -> None:
    fast, signal, _ = loss("batch", epsilon, known=KNOWN if partial else None)
    rows = [0, 1, 3, 4]
    mixed = (1 - epsilon) * torch.eye(4) + epsilon * KERNEL
    target, exclude = torch.zeros(4, 4), torch.eye(4).bool()
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            ours, theirs = LABELS[one].nonzero().flatten().tolist(), LABELS[other].nonzero().flatten().tolist()
            target[i, j] = sum(float(mixed[c, k]) for c in ours for k in theirs) / len(ours) / len(theirs)
            unsaid = any(not KNOWN[one, k] for k in theirs) or any(not KNOWN[other, c] for c in ours)
            if partial and unsaid and not set(ours) & set(theirs):
                exclude[i, j] = True
    assert exclude.sum() == (6 if partial else 4)
    assert_same(fast, dense_loss(signal[rows], signal[rows], SCALE, target, exclude=exclude), signal)


@pytest.mark.parametrize("form", ["concept", "batch"])
def test_a_narrow_kernel_gives_multi_positive_contrast(form: str) -> None:
    graph = ontology.cardiac()
    labels = torch.rand(9, len(graph.observed), generator=torch.Generator().manual_seed(0)) < 0.1
    labels[:, 0] = True
    features = towers(9, len(graph.observed))
    narrow = GraphSmoothed.build({"sigma": 0.02, "epsilon": 1.0, "form": form}, graph)(features, {"labels": labels})
    hard = GraphSmoothed(form=form)(features, {"labels": labels})
    torch.testing.assert_close(narrow[form], hard[form])
    # Hard: the mean over the positives of -log softmax, written out for the rows.
    if form == "concept":
        log_p = (features["signal"] @ features["concept"].T / 0.07).log_softmax(1)
        by_row = torch.stack([-log_p[i][labels[i]].mean() for i in range(9)]).mean()
        rows_only = GraphSmoothed(form=form, direction="rows")(features, {"labels": labels})
        torch.testing.assert_close(rows_only[form], by_row)


def test_a_wide_kernel_gives_the_uniform_target() -> None:
    graph = ontology.cardiac()
    kernel = torch.from_numpy(KERNELS["hop"](graph, sigma=math.inf)).float()
    labels = torch.rand(9, len(kernel), generator=torch.Generator().manual_seed(0)) < 0.1
    labels[:, 0] = True
    known = torch.ones_like(labels)
    q = concept_targets(labels, known, kernel, epsilon=1.0)
    torch.testing.assert_close(q, torch.full_like(q, 1 / len(kernel)))
    targets, _ = batch_targets(labels, known, kernel, epsilon=1.0)
    weight = torch.ones(9) / 9
    mean, _ = targets.products(torch.eye(9), torch.eye(9), weight, torch.zeros(9))
    torch.testing.assert_close(mean, torch.full((9, 9), 1 / 9))


def test_an_unrelated_concept_leaves_the_relative_targets() -> None:
    wider = torch.eye(5)
    wider[:4, :4] = KERNEL
    labels, known = LABELS[[0, 1, 3, 4]], torch.ones(4, 4).bool()
    more = torch.nn.functional.pad(labels, (0, 1))
    before = concept_targets(labels, known, KERNEL, 0.4)
    after = concept_targets(more, torch.ones(4, 5).bool(), wider, 0.4)
    torch.testing.assert_close(after[:, :4], before)
    assert not after[:, 4].any()


def test_what_a_coding_system_cannot_express_neither_draws_nor_repels() -> None:
    concept = towers()["concept"]
    labels, known = LABELS[:1], torch.tensor([[True, True, False, True]])
    signal = unit(1, seed=0)
    objective = GraphSmoothed(kernel=KERNEL, epsilon=1.0, direction="rows")
    value = objective({"signal": signal, "concept": concept}, {"labels": labels, "known": known})["concept"]
    (gradient,) = torch.autograd.grad(value, concept)
    assert not gradient[2].any()
    assert gradient[[0, 1, 3]].abs().sum(1).gt(0).all()


def test_a_label_outside_what_is_known_does_not_count() -> None:
    batch = {"labels": LABELS, "known": KNOWN}
    stated = {"labels": LABELS & KNOWN, "known": KNOWN}
    objective = GraphSmoothed(kernel=KERNEL)
    torch.testing.assert_close(objective(towers(), batch), objective(towers(), stated))


def test_both_forms_have_a_loss_and_a_scale_each() -> None:
    objective = GraphSmoothed(kernel=KERNEL, form="both")
    losses = objective(towers(), {"labels": LABELS.float()})
    assert set(losses) == {"concept", "batch"}
    assert {name for name, _ in objective.named_parameters()} == {"logit_scale.log_scale", "batch_scale.log_scale"}
    torch.testing.assert_close(losses["concept"], GraphSmoothed(kernel=KERNEL)(towers(), {"labels": LABELS})["concept"])


def test_the_loss_is_float32_under_autocast() -> None:
    objective, batch = GraphSmoothed(kernel=KERNEL, form="both"), {"labels": LABELS}
    with torch.autocast("cpu", torch.bfloat16):
        inside = objective(towers(), batch)
    torch.testing.assert_close(inside, objective(towers(), batch), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("^kernel: no kernel named 'hopp' .did you mean 'hop'", {"kernel": "hopp"}),
        ("^kernel: .*unexpected keyword argument 'sigma'", {"kernel": "identity", "sigma": 1}),
        ("^epsilon: .*less than or equal to 1, got 2", {"epsilon": 2}),
        ("^form: .*'concept', 'batch' or 'both', got 'neither'", {"form": "neither"}),
        ("^sigma: ", {"sigma": -1}),
    ],
)
def test_wrong_options_are_named(message: str, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=message):
        GraphSmoothed.build(options, ontology.cardiac())


def test_other_kernels_and_their_options() -> None:
    graph = ontology.cardiac()
    objective = GraphSmoothed.build({"kernel": "random", "sigma": 2, "kernel_options": {"seed": 3}}, graph)
    expected = KERNELS["random"](graph, sigma=2, seed=3)
    torch.testing.assert_close(objective.kernel, torch.from_numpy(expected).float())
    with pytest.raises(ValueError, match="needs an ontology"):
        GraphSmoothed.build({}, None)
    with pytest.raises(ValueError, match="labels of 4 concepts, a kernel of 40"):
        objective(towers(), {"labels": LABELS})
