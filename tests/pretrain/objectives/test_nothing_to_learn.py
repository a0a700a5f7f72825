"""A contrast with a single choice has the loss 0 whatever the vectors are: it is not found, rather than counted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import ontology
from pretrain.objectives import OBJECTIVES
from tests.pretrain.objectives.dense import unit

GRAPH = ontology.cardiac()
K = len(GRAPH.observed)


def losses_of(name: str, told: dict[str, Tensor], **options: object) -> set[str]:
    records = len(next(iter(told.values())))
    features = {
        "signal": unit(records, seed=0),
        "text": unit(records, seed=1),
        "concept": unit(K, seed=2),
        "tokens": unit(records * 5, seed=3).view(records, 5, 8),
        "token_rate": torch.tensor(4.0),
    }
    found = OBJECTIVES[name].build(options, GRAPH)(features, told)
    assert all(value > 0 for value in found.values())
    return set(found)


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ([-1, -1, -1], set()),
        ([-1, 4, -1], set()),
        ([4, -1, 4], set()),
        ([4, -1, 5], {"report"}),
        ([0, 1, 1], {"report"}),
    ],
    ids=["none", "one", "one twice", "two", "two, one of them twice"],
)
def test_reports_need_another_to_be_told_from(ids: list[int], found: set[str]) -> None:
    assert losses_of("signal_language", {"report_id": torch.tensor(ids)}) == found


@pytest.mark.parametrize(
    ("concepts", "found"),
    [
        ([(), (), ()], set()),
        ([(3,), (), ()], {"concept"}),
        ([(3,), (3,), ()], {"concept"}),
        ([(3,), (4,), (5,)], {"concept"}),
        ([(3,), (3,), (5,)], {"concept", "batch"}),
    ],
    ids=["no label", "one record", "two that agree", "three that do not", "two that agree and another"],
)
def test_records_need_one_that_agrees_and_one_that_does_not(concepts: list[tuple[int, ...]], found: set[str]) -> None:
    labels = torch.zeros(len(concepts), K, dtype=torch.bool)
    for record, carried in enumerate(concepts):
        labels[record, list(carried)] = True
    told = {"labels": labels, "known": torch.ones_like(labels)}
    assert losses_of("graph_smoothed", told, kernel="identity", form="both") == found


def test_who_might_agree_is_no_choice() -> None:
    labels = torch.zeros(3, K, dtype=torch.bool)
    labels[0, 3] = labels[1, 3] = labels[2, 5] = True
    known = torch.ones_like(labels)
    # The third could carry what the others do, so there is nothing that they are not.
    known[2, 3] = False
    assert losses_of("graph_smoothed", {"labels": labels, "known": known}, kernel="identity", form="batch") == set()


@pytest.mark.parametrize(
    ("moments", "subjects", "found"),
    [
        ([-1, -1, -1], [0, 1, 2], set()),
        ([7, 8, 9], [0, 1, 2], set()),
        ([7, 7, -1], [0, 0, 1], set()),
        ([7, 7], [0, 1], set()),
        ([7, 7, 8], [0, 1, 1], {"moment"}),
        ([7, 7, -1], [0, 1, 1], {"moment"}),
    ],
    ids=["no moment", "different ones", "one subject", "nobody else", "another moment", "no moment besides"],
)
def test_windows_need_a_partner_and_a_stranger(moments: list[int], subjects: list[int], found: set[str]) -> None:
    told = {"moment": torch.tensor(moments), "subject": torch.tensor(subjects)}
    assert losses_of("temporal_asynchronous", told) == found
