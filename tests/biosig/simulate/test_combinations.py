"""Which diagnoses come together, how often, and in which words."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import ontology
from biosig.simulate import SIMULATED_CONCEPTS, conflicts, draw, ecg
from biosig.simulate.combinations import next_visit
from ontology import crosswalk
from tests.biosig.simulate.measure import IDS

N = 4000


@pytest.fixture(scope="module")
def drawn() -> list[frozenset[str]]:
    return [draw(seed) for seed in range(N)]


def test_a_third_is_plain_sinus_rhythm(drawn: list[frozenset[str]]) -> None:
    assert sum(concepts == {IDS["NSR"]} for concepts in drawn) / N == pytest.approx(0.33, abs=0.03)


@pytest.mark.parametrize("concept", list(IDS))
def test_every_concept_occurs_in_three_percent(drawn: list[frozenset[str]], concept: str) -> None:
    assert sum(IDS[concept] in concepts for concepts in drawn) / N >= 0.03


def test_no_combination_holds_a_conflict(drawn: list[frozenset[str]]) -> None:
    for concepts in set(drawn):
        assert not any(conflicts(id_) & concepts for id_ in concepts)


def test_every_combination_names_its_rhythm(drawn: list[frozenset[str]]) -> None:
    rhythms = {IDS[name] for name in ("NSR", "SB", "STach", "SA", "AF", "AFL", "PR", "IIAVB", "CHB")}
    assert all(concepts & rhythms for concepts in drawn)


def test_there_are_many_combinations_and_few_concepts_in_each(drawn: list[frozenset[str]]) -> None:
    assert len(set(drawn)) > 300
    assert max(len(concepts) for concepts in drawn) <= 6


def test_equal_seeds_draw_equally() -> None:
    assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]


def test_the_next_visit_keeps_what_lasts(drawn: list[frozenset[str]]) -> None:
    changed = 0
    for seed, concepts in enumerate(drawn[:500]):
        later = next_visit(concepts, np.random.default_rng(seed))
        lasting = {id_ for id_ in concepts if SIMULATED_CONCEPTS[id_].lasting}
        assert lasting <= later
        assert all(id_ in concepts or not SIMULATED_CONCEPTS[id_].lasting for id_ in later)
        assert not any(conflicts(id_) & later for id_ in later)
        changed += later != concepts
    assert 100 < changed < 350


def test_the_cardiac_graph_knows_every_concept_as_itself() -> None:
    graph = ontology.cardiac()
    assert set(SIMULATED_CONCEPTS) <= set(graph.observed)
    assert all(crosswalk.concepts("simulated", id_) == {id_} for id_ in SIMULATED_CONCEPTS)


# What each report must say in one of its many phrasings.
WORDS = {
    "AF": ("fibrillation", "afib", "a-fib"),
    "AFL": ("flut",),
    "PR": ("pace", "pacing"),
    "LBBB": ("left bundle", "lbbb"),
    "RBBB": ("right bundle", "rbbb"),
    "IAVB": ("av block", "atrioventricular block", "av conduction"),
    "LVH": ("left ventricular hypertrophy", "lvh"),
    "PVC": ("ventricular", "pvc", "ves"),
    "LQT": ("qt",),
    "STD": ("st ",),
    "LQRSV": ("low",),
    "SB": ("brady", "slow"),
}


@pytest.mark.parametrize("concept", list(WORDS))
def test_a_report_says_what_was_found_in_varied_words(concept: str) -> None:
    reports = [ecg([IDS[concept]], seed=seed, sampling_rate=100.0, duration=4.0).report for seed in range(25)]
    assert all(any(word in report.lower() for word in WORDS[concept]) for report in reports)
    assert len(set(reports)) >= 5
    assert any(report.isupper() for report in reports)
    assert any(not report.isupper() and report.endswith(".") for report in reports)


def test_reports_are_one_line_without_open_places() -> None:
    for seed in range(80):
        report = ecg(draw(seed), seed=seed, sampling_rate=100.0, duration=4.0).report
        assert "\n" not in report
        assert not set("{}") & set(report)
        assert ". ." not in report
        assert "  " not in report


def test_a_report_denies_only_what_is_absent() -> None:
    denials = Counter()
    for seed in range(400):
        concepts = draw(seed)
        report = ecg(concepts, seed=seed, sampling_rate=100.0, duration=3.0, noise=None).report
        if "No " in report:
            denials[report[report.index("No ") :]] += 1
        if "No ST elevation" in report:
            assert IDS["STE"] not in concepts
        if "No ventricular ectopy" in report:
            assert IDS["PVC"] not in concepts
        if "No significant ST changes" in report:
            assert not {IDS["STD"], IDS["STE"], IDS["TInv"]} & concepts
        if any(words in report for words in ("Normal ECG", "NORMAL ECG", "normal limits")) and "ABNORMAL" not in report:
            assert concepts == {IDS["NSR"]}
    assert denials
