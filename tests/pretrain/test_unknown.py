"""A label that nobody gave moves nothing: not the loss, not its gradients, not the score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch

from finetune.metrics.ranking import best_thresholds, decide, rank_metrics
from ontology import cardiac, concepts
from pretrain.data.labels import Labels
from pretrain.objectives import OBJECTIVES
from pretrain.objectives.graph_smoothed import Form
from pretrain.specs.recipe import LabelScope

GRAPH = cardiac()
RECORDS = (
    ("cinc2021", "ningbo", "snomed-ct", ("426783006",)),
    ("cinc2021", "ningbo", "snomed-ct", ("164890007", "426177001")),
    ("cinc2021", "ptb-xl", "snomed-ct", ("164884008", "426783006")),
    ("cinc2021", "ptb-xl", "snomed-ct", ("164889003",)),
    ("cinc2021", "georgia", "snomed-ct", ("17338001", "427084000")),
    ("cinc2021", "georgia", "snomed-ct", ("426783006",)),
    ("cinc2021", "cpsc_2018", "snomed-ct", ("59118001",)),
    ("cinc2021", "st_petersburg_incart", "snomed-ct", ("11157007", "427393009")),
    ("cinc2021", "ningbo", "", ()),
    ("ptb-xl", "", "scp-ecg", ("SBRAD", "1AVB")),
    ("ludb", "", "ludb", ("Sinus rhythm",)),
)


def frame(records: Sequence[tuple[str, str, str, tuple[str, ...]]] = RECORDS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "corpus": [corpus for corpus, *_ in records],
            "sub_corpus": [database for _, database, *_ in records],
            "codes": [[{"system": system, "code": code} for code in codes] for *_, system, codes in records],
            "concepts": [
                sorted(frozenset().union(*(concepts(system, code) for code in codes))) for *_, system, codes in records
            ],
        }
    )


def column(name: str) -> int:
    return GRAPH.index(GRAPH.find(name).id)


@pytest.mark.parametrize("scope", list(LabelScope))
def test_what_a_database_never_annotates_is_unknown_in_it(scope: LabelScope) -> None:
    labels = Labels.of(frame(), GRAPH, scope)
    known = labels.known[:, column("AF")]
    assert known.tolist() == [False, False, True, True, True, True, True, True, False, True, True]
    # 164884008 is a kind of PVC, bigeminy implies PVC, and neither tells what the other records there have.
    assert labels.known[:, column("PVC")].tolist() == [True] * 2 + [False] * 2 + [True] * 2 + [False] * 3 + [True] * 2
    assert not labels.known[8].any(), "a record with an empty #Dx"
    assert labels.known[9, column("SB")]
    assert not labels.known[9, column("Brady")], "PTB-XL has no word for it"
    assert not labels.known[9, column("LAD")], "without heart_axis"


def test_what_is_known_has_both_values_within_a_database() -> None:
    """Or could have: no column is known for its positives alone."""
    labels = Labels.of(frame(), GRAPH, LabelScope.ANCESTORS)
    silent = Labels.of(
        frame([(c, s, system, ("427393009",)) for c, s, system, codes in RECORDS if system == "snomed-ct"]),
        GRAPH,
        LabelScope.ANCESTORS,
    )
    coded = [row for row, (_, _, system, _) in enumerate(RECORDS) if system == "snomed-ct"]
    np.testing.assert_array_equal(labels.known[coded], silent.known & labels.known[coded])


def test_a_hedged_finding_is_unknown_and_a_denied_one_absent() -> None:
    said = ("Sinus rhythm", "Possible inferior infarct - age undetermined", "No ST elevation")
    labels = Labels.of(frame([("mimic-iv-ecg", "", "mimic-iv-ecg", said)]), GRAPH, LabelScope.STATED)
    for name, stated, known in (
        ("NSR", True, True), ("MI", False, False), ("STE", False, True), ("AF", False, True),
    ):  # fmt: skip
        assert (labels.stated[0, column(name)], labels.known[0, column(name)]) == (stated, known), name


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("kernel", ["identity", "hop"])
def test_an_unknown_label_moves_neither_loss_nor_gradient(form: Form, kernel: str) -> None:
    labels = Labels.of(frame(), GRAPH, LabelScope.ANCESTORS)
    generator = torch.Generator().manual_seed(0)
    signal = torch.nn.functional.normalize(torch.randn(len(RECORDS), 8, generator=generator), dim=1)
    concept = torch.nn.functional.normalize(torch.randn(len(GRAPH.observed), 8, generator=generator), dim=1)

    def losses(stated: np.ndarray) -> tuple[dict[str, float], list[torch.Tensor]]:
        objective = OBJECTIVES["graph_smoothed"].build({"kernel": kernel, "form": form}, GRAPH)
        features = {"signal": signal.clone().requires_grad_(), "concept": concept.clone().requires_grad_()}
        batch = {"labels": torch.from_numpy(stated), "known": torch.from_numpy(labels.known)}
        found = objective(features, batch)
        sum(found.values()).backward()
        gradients = [one.grad for one in features.values() if one.grad is not None]
        return {name: float(value.detach()) for name, value in found.items()}, gradients

    value, gradients = losses(labels.stated)
    unknown = ~labels.known
    assert unknown.sum() > 50
    for flipped in (labels.stated | unknown, labels.stated & ~unknown, labels.stated ^ unknown):
        other, others = losses(flipped)
        assert other == value
        assert all(map(torch.equal, others, gradients))
    known_af = labels.stated.copy()
    known_af[5, column("AF")] = True
    assert losses(known_af)[0] != value, "a known one does"


def test_an_unknown_label_moves_no_score() -> None:
    rng = np.random.default_rng(0)
    labels = Labels.of(frame(RECORDS * 20), GRAPH, LabelScope.ANCESTORS)
    scores = rng.random(labels.stated.shape)
    weights = rng.poisson(1, (len(scores), 5)).astype(float)

    def table(stated: np.ndarray) -> list[np.ndarray]:
        ranks = rank_metrics(scores, stated, labels.known, weights)
        thresholds = best_thresholds(scores, stated, labels.known)
        decisions = decide(scores, stated, labels.known, thresholds)
        return [ranks.auroc, ranks.auprc, thresholds, decisions.sensitivity, decisions.specificity, decisions.f1]

    found = table(labels.stated)
    assert np.isfinite(found[0][column("AF")]).all()
    for other in (labels.stated | ~labels.known, labels.stated ^ ~labels.known):
        for one, same in zip(found, table(other), strict=True):
            np.testing.assert_array_equal(one, same)
    known_af = labels.stated.copy()
    known_af[5, column("AF")] = True
    assert table(known_af)[0][column("AF"), 0] != found[0][column("AF"), 0], "a known one does"
