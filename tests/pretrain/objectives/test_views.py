"""Contrasts between views of a recording, each against one written with loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pretrain.objectives import Coding, Instance, LatentViews, Patient
from tests.pretrain.objectives.dense import dense_loss, unit

DOUBLE = torch.float64


def told(**ids: list[int]) -> dict[str, Tensor]:
    batch = {name: torch.tensor(values) for name, values in ids.items()}
    rows = len(next(iter(batch.values())))
    return {"mask": torch.ones(rows, 12, dtype=torch.bool), **batch}


def same_gradients(fast: Tensor, slow: Tensor, *leaves: Tensor) -> None:
    torch.testing.assert_close(fast, slow, atol=1e-10, rtol=1e-10)
    for one, other in zip(torch.autograd.grad(fast, leaves), torch.autograd.grad(slow, leaves), strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-8)


def nt_xent(signal: Tensor, window: list[int], temperature: float) -> Tensor:
    """Algorithm 1 of SimCLR, for any number of views of a window."""
    losses = []
    for i, of_i in enumerate(window):
        others = [j for j in range(len(window)) if j != i]
        logits = torch.stack([signal[i] @ signal[j] / temperature for j in others])
        positives = [place for place, j in enumerate(others) if window[j] == of_i]
        if positives:
            losses.append(logits.logsumexp(0) - logits[positives].mean())
    return torch.stack(losses).mean()


@pytest.mark.parametrize(
    "window", [[0, 0, 1, 1, 2, 2], [5, 3, 5, 3, 7, 3], [1, 1, 2, 3, 4, 1]], ids=["pairs", "any order", "alone"]
)
def test_instance_contrast_is_the_loop(window: list[int]) -> None:
    signal = unit(6, seed=0, dtype=DOUBLE)
    fast = Instance(temperature=0.2)({"signal": signal}, told(instance=window))["views"]
    same_gradients(fast, nt_xent(signal, window, 0.2), signal)


def test_identical_views_of_windows_that_have_nothing_in_common() -> None:
    for windows, temperature in ((2, 0.1), (5, 0.5), (8, 1.0)):
        signal = torch.eye(windows, dtype=DOUBLE).repeat_interleave(2, 0)
        found = Instance(temperature=temperature)(
            {"signal": signal}, told(instance=[i // 2 for i in range(2 * windows)])
        )
        expected = math.log(1 + (2 * windows - 2) * math.exp(-1 / temperature))
        assert found["views"].item() == pytest.approx(expected, rel=1e-12)


def test_a_window_whose_vectors_are_all_one_is_one_among_many() -> None:
    """Collapse: nothing tells candidates apart, and the loss is the logarithm of their number."""
    signal = torch.ones(8, 1, dtype=DOUBLE)
    found = Instance()({"signal": signal}, told(instance=[0, 0, 1, 1, 2, 2, 3, 3]))["views"]
    assert found.item() == pytest.approx(math.log(7))


# Two segments of two leads of four recordings, the last two of one subject.
GRID = told(
    subject=[s for s in (7, 8, 9, 9) for _ in range(4)],
    segment=[0, 0, 1, 1] * 4,
    lead=[0, 1, 0, 1] * 4,
)


def clocs(signal: Tensor, batch: Mapping[str, Tensor], compares: Callable[..., bool], temperature: float) -> Tensor:
    """Each view with each other: those of one subject find each other, rows and columns counted alike."""
    views = sorted(set(zip(batch["segment"].tolist(), batch["lead"].tolist(), strict=True)))
    subject = batch["subject"].tolist()
    losses = []
    for one, other in combinations(views, 2):
        if not compares(one, other):
            continue
        a, b = (
            [i for i in range(len(signal)) if (int(batch["segment"][i]), int(batch["lead"][i])) == view]
            for view in (one, other)
        )
        both = []
        for rows, columns in ((a, b), (b, a)):
            each = []
            for i in rows:
                logits = torch.stack([signal[i] @ signal[j] / temperature for j in columns])
                positives = [place for place, j in enumerate(columns) if subject[j] == subject[i]]
                each.append(logits.logsumexp(0) - logits[positives].mean())
            both.append(torch.stack(each).mean())
        losses.append(torch.stack(both).mean())
    return torch.stack(losses).mean()


RULES: dict[Coding, Callable[..., bool]] = {
    Coding.CMSC: lambda one, other: one[1] == other[1],
    Coding.CMLC: lambda one, other: one[0] == other[0],
    Coding.CMSMLC: lambda one, other: True,
}


@pytest.mark.parametrize("coding", Coding)
def test_patient_contrast_is_the_loop(coding: Coding) -> None:
    signal = unit(16, seed=1, dtype=DOUBLE)
    fast = Patient(coding=coding, temperature=0.3)({"signal": signal}, GRID)["subject"]
    same_gradients(fast, clocs(signal, GRID, RULES[coding], 0.3), signal)


def test_two_segments_of_different_subjects_are_clip_between_segments() -> None:
    signal = unit(10, seed=2, dtype=DOUBLE)
    batch = told(subject=[i // 2 for i in range(10)], segment=[0, 1] * 5, lead=[-1] * 10)
    found = Patient(temperature=0.1)({"signal": signal}, batch)["subject"]
    expected = dense_loss(signal[::2], signal[1::2], torch.tensor(10.0, dtype=DOUBLE), torch.eye(5))
    torch.testing.assert_close(found, expected)


def test_a_lead_that_a_recording_lacks_takes_no_part() -> None:
    signal, batch = unit(16, seed=3, dtype=DOUBLE), {**GRID, "mask": GRID["mask"].clone()}
    gone = [1, 6]
    batch["mask"][gone] = False
    kept = [i for i in range(16) if i not in gone]
    found = Patient(coding="cmsmlc")({"signal": signal}, batch)["subject"]
    fewer = Patient(coding="cmsmlc")({"signal": signal[kept]}, {name: value[kept] for name, value in GRID.items()})
    torch.testing.assert_close(found, fewer["subject"])
    (gradient,) = torch.autograd.grad(found, signal)
    assert not gradient[gone].any()
    assert (gradient[kept].abs().sum(1) > 0).all()


@pytest.mark.parametrize(
    ("coding", "changed"),
    [
        ("cmsc", {"subject": [4] * 16}),  # nobody else
        ("cmsc", {"segment": [0] * 16}),
        ("cmsc", {"segment": [-1] * 16}),
        ("cmlc", {"lead": [-1] * 16}),
        ("cmsmlc", {"segment": [-1] * 16, "lead": [-1] * 16}),
        ("cmsc", {"subject": list(range(16))}),  # nobody twice
    ],
)
def test_without_two_subjects_and_two_views_there_is_no_loss(coding: str, changed: dict[str, list[int]]) -> None:
    batch = GRID | {name: torch.tensor(values) for name, values in changed.items()}
    assert Patient(coding=coding)({"signal": unit(16, seed=4)}, batch) == {}


def test_the_coding_is_one_of_three() -> None:
    with pytest.raises(ValueError, match=r"^coding: .*'cmsc', 'cmlc' or 'cmsmlc'"):
        Patient.build({"coding": "cppc"})


def test_latent_views_without_dropout_are_clip_of_the_two_layers() -> None:
    one, other = (3 * unit(6, seed=seed, dtype=DOUBLE) for seed in (5, 6))
    leaves = [x.detach().requires_grad_() for x in (one, other)]
    found = LatentViews(temperature=0.2).eval()(dict(zip(("view_a", "view_b"), leaves, strict=True)), told(row=[0] * 6))
    a, b = (functional.normalize(x, dim=1) for x in leaves)
    same_gradients(found["views"], dense_loss(a, b, torch.tensor(5.0, dtype=DOUBLE), torch.eye(6)), *leaves)


def test_latent_views_drop_numbers_of_each_view_apart() -> None:
    layer = torch.ones(64, 200)
    objective, batch = LatentViews(dropout=0.25), told(row=list(range(64)))
    torch.manual_seed(0)
    one, other = objective._view(layer), objective._view(layer)
    assert (one == 0).float().mean() == pytest.approx(0.25, abs=0.01)
    assert ((one == 0) & (other == 0)).float().mean() == pytest.approx(0.25**2, abs=0.01)
    torch.testing.assert_close(one.norm(dim=1), torch.ones(64))
    features = {"view_a": unit(64, seed=7), "view_b": unit(64, seed=8)}
    assert objective(features, batch)["views"] != objective(features, batch)["views"]


@pytest.mark.parametrize("dropout", [0, 1])
def test_dropout_is_a_share(dropout: float) -> None:
    with pytest.raises(ValueError, match=r"^dropout: "):
        LatentViews.build({"dropout": dropout})
