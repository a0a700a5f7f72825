"""What every objective promises, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import ontology
from pretrain.objectives import OBJECTIVES, Objective
from pretrain.objectives.base import LogitScale
from tests.pretrain.objectives.dense import unit

GRAPH = ontology.cardiac()
K = len(GRAPH.observed)
TOKENS = 9
# What each objective reads of a record: leaves that want their gradient.
READS = {
    "signal_language": "signal",
    "graph_smoothed": "signal",
    "temporal_asynchronous": "tokens",
    "instance": "signal",
    "patient": "signal",
    "latent_views": "view_a",
    "masked_prediction": "predicted",
    "patch_physiology": "patch_physiology",
    "rhythm_physiology": "rhythm_physiology",
}


def features(records: int = 12, *, seed: int = 0) -> dict[str, Tensor]:
    return {
        "signal": unit(records, seed=seed),
        "text": unit(records, seed=seed + 1),
        "concept": unit(K, seed=seed + 2),
        "tokens": unit(records * TOKENS, seed=seed + 3).detach().view(records, TOKENS, 8).requires_grad_(),
        "token_rate": torch.tensor(4.0),
        "view_a": unit(records, seed=seed + 4),
        "view_b": unit(records, seed=seed + 5),
        **told_by_heads(records, torch.Generator().manual_seed(seed)),
    }


def told_by_heads(records: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Guesses and what they should be; some of it is not asked, or not known."""
    shapes = {"predicted": (4, 3, 6), "patches": (4, 3, 6), "patch_physiology": (4, 7), "rhythm_physiology": (5,)}
    found = {name: torch.randn(records, *shape, generator=generator) for name, shape in shapes.items()}
    for name in ("predicted", "patch_physiology", "rhythm_physiology"):
        found[name].requires_grad_()
    for name in ("patch", "rhythm"):
        target = torch.randint(0, 2, found[f"{name}_physiology"].shape, generator=generator).float()
        found[f"{name}_target"] = target.masked_fill(torch.rand(target.shape, generator=generator) < 0.2, torch.nan)
    return {**found, "masked": torch.rand(records, 4, 3, generator=generator) < 0.5}


def batch(records: int = 12, *, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    known = torch.rand(records, K, generator=generator) < 0.9
    return {
        "report_id": torch.randint(-1, 6, (records,), generator=generator),
        "labels": (torch.rand(records, K, generator=generator) < 0.1) & known,
        "known": known,
        "moment": torch.randint(-1, 3, (records,), generator=generator),
        "subject": torch.randint(0, 4, (records,), generator=generator),
        "mask": torch.ones(records, 12, dtype=torch.bool),
        "instance": torch.arange(records) // 2,
        "segment": torch.arange(records) % 2,
        "lead": torch.full((records,), -1),
    }


def build(name: str) -> Objective:
    return OBJECTIVES[name].build({}, GRAPH)


def scales_of(objective: Objective) -> list[LogitScale]:
    """Of those that train their temperature."""
    return [part for part in objective.modules() if isinstance(part, LogitScale)]


every = pytest.mark.parametrize("name", OBJECTIVES)


def taken(values: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    return {key: value if key in {"concept", "token_rate"} else value[rows] for key, value in values.items()}


def silence(told: dict[str, Tensor], rows: slice) -> None:
    told["report_id"][rows], told["labels"][rows], told["moment"][rows] = -1, False, -1
    told["mask"][rows] = False


def hush(inputs: dict[str, Tensor], rows: slice) -> dict[str, Tensor]:
    """Features of records whose heads are asked nothing."""
    inputs["masked"][rows] = False
    inputs["patch_target"][rows] = inputs["rhythm_target"][rows] = torch.nan
    return inputs


def test_every_objective_is_tested() -> None:
    assert set(READS) == set(OBJECTIVES)


@every
def test_losses_are_named_finite_scalars_and_move_every_parameter(name: str) -> None:
    objective, inputs = build(name), features()
    losses = objective(inputs, batch())
    assert losses
    assert all(loss.shape == () and torch.isfinite(loss) and loss > 0 for loss in losses.values())
    sum(losses.values(), torch.tensor(0.0)).backward()
    gradient = inputs[READS[name]].grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
    assert [parameter for parameter in objective.parameters() if parameter.grad is None] == []


@every
def test_the_order_of_the_batch_does_not_matter(name: str) -> None:
    objective = build(name).eval()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    one, other = objective(features(), batch()), objective(taken(features(), order), taken(batch(), order))
    for key in one:
        torch.testing.assert_close(one[key], other[key])


# A window without partner is a candidate of the others in the contrast of windows: see test_pairs.py.
@pytest.mark.parametrize("name", sorted(set(OBJECTIVES) - {"temporal_asynchronous"}))
def test_records_that_say_nothing_change_nothing(name: str) -> None:
    objective, told = build(name).eval(), batch()
    silence(told, slice(7, None))
    few = torch.arange(7)
    inputs = hush(features(), slice(7, None))
    whole, part = objective(inputs, told), objective(taken(inputs, few), taken(told, few))
    for key in whole:
        torch.testing.assert_close(whole[key], part[key])


@every
@pytest.mark.parametrize("records", [0, 1, 5])
def test_a_batch_that_says_nothing_has_no_loss(name: str, records: int) -> None:
    objective, silent, inputs = build(name), batch(records), hush(features(records), slice(None))
    silence(silent, slice(None))
    assert objective(inputs, silent) == {}, "a 0 would count as a loss that was found"


@every
def test_a_missing_tower_and_a_wrong_option_are_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected features of a {READS[name]} tower, got those of text"):
        build(name)({"text": unit(12, seed=0)}, batch())
    with pytest.raises(ValueError, match=r"^temprature: no such field"):
        OBJECTIVES[name].build({"temprature": 0.1}, GRAPH)
    if "temperature" not in OBJECTIVES[name].options.model_fields:
        return
    with pytest.raises(ValueError, match=r"^temperature: .*greater than 0, got -1"):
        OBJECTIVES[name].build({"temperature": -1}, GRAPH)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if scales_of(build(name))])
def test_the_scale_begins_at_the_temperature_and_stays_below_its_limit(name: str) -> None:
    for scale in scales_of(OBJECTIVES[name].build({"temperature": 0.2}, GRAPH)):
        assert scale().item() == pytest.approx(5.0)
        nn.init.constant_(scale.log_scale, 9.0)
        assert scale().item() == pytest.approx(100.0)
        # It can come back: the limit does not cut the gradient.
        scale().backward()
        assert scale.log_scale.grad is not None
        assert scale.log_scale.grad > 0
