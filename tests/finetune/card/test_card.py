"""A card says what was measured, in three forms that agree, and nothing of the data can become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml

from biosig.store import Store
from finetune.adaptation.fit import Tuned, Tuning, finetune
from finetune.card.contents import Contents
from finetune.card.document import NUMBERS, PAGE, README, cell, front_matter, write_card
from finetune.card.measure import measure
from finetune.diagnosis.result import Finding, Severity
from finetune.metrics.ranking import rank_metrics
from finetune.protocols import Role


@pytest.fixture(scope="module")
def tuned(model: Path, store: Path) -> Tuned:
    return finetune(model, Store(store), Tuning(min_positives=2, draws=50))


@pytest.fixture(scope="module")
def contents(tuned: Tuned) -> Contents:
    return measure(tuned.made, least=2, draws=50)


@pytest.fixture(scope="module")
def folder(contents: Contents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card")
    write_card(contents, path)
    return path


def test_its_numbers_are_those_of_the_test_side(tuned: Tuned, contents: Contents, store: Path) -> None:
    made, opened = tuned.made, Store(store)
    test = made.task.rows[Role.TEST]
    said = tuned.diagnoser.probabilities(opened, test)
    labels, known = made.task.labels[test], made.task.known[test]
    ranks = rank_metrics(said, labels, known)
    np.testing.assert_allclose([one.auroc.value for one in contents.scores], ranks.auroc[:, 0], atol=1e-5)
    assert contents.auroc.value == pytest.approx(tuned.diagnoser.config.macro_auroc.value)
    for column, one in enumerate(contents.scores):
        named, rows = said[:, column] >= one.threshold, known[:, column]
        assert one.sensitivity.value == pytest.approx(named[rows & labels[:, column]].mean())
        assert one.specificity.value == pytest.approx(1 - named[rows & ~labels[:, column]].mean())
        assert one.test_records == (rows & labels[:, column]).sum()
    assert sum(contents.diagram.count) == known.sum()
    assert [side.records for side in contents.sides] == [len(made.task.rows[role]) for role in Role]


def test_changed_records_are_beside_the_same_records_as_they_are(tuned: Tuned, contents: Contents, store: Path) -> None:
    first, *changed = contents.strange
    test = tuned.made.task.rows[Role.TEST]
    ranks = tuned.diagnoser.novelty.rank(tuned.diagnoser.model.encode(Store(store), test))
    assert first.records == len(test) <= 100
    assert first.median_share == pytest.approx(float(np.median(ranks)), abs=0.01)
    assert first.called_unlike == pytest.approx(float((ranks > contents.unlike).mean()), abs=0.01)
    assert len({one.median_share for one in changed}) > 2


def test_the_three_forms_agree(contents: Contents, folder: Path) -> None:
    assert Contents.model_validate_json((folder / NUMBERS).read_text(encoding="utf-8")) == contents
    text, page = ((folder / name).read_text(encoding="utf-8") for name in (README, PAGE))
    shown = f"{contents.auroc.value:.3f}"
    for form in (text, page):
        assert shown in form
        assert "Not a medical device" in form
        for one in contents.scores:
            assert one.term in form
            assert f"{one.sensitivity.value:.3f}" in form
        for group in contents.groups:
            assert group.name in form
        assert contents.store["citation"][:40] in form.replace("\\", "")


def test_its_head_is_what_a_model_hub_reads(contents: Contents, folder: Path) -> None:
    text = (folder / README).read_text(encoding="utf-8")
    head = yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])
    assert head["license"] == "apache-2.0"
    assert head["datasets"] == ["simulated"]
    result = head["model-index"][0]["results"][0]
    assert {one["type"]: one["value"] for one in result["metrics"]}["roc_auc"] == round(contents.auroc.value, 4)
    assert {"ecg", "probe"} <= set(head["tags"])
    other = yaml.safe_load(
        front_matter(contents.model_copy(update={"store": contents.store | {"licence": "as: held"}}))
    )
    assert (other["license"], other["license_name"]) == ("other", "as: held")


class _Outward(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag] * (tag in {"script", "link", "iframe"})
        self.found += [value or "" for name, value in attrs if name == "src" and not (value or "").startswith("data:")]


def test_the_page_needs_nothing_and_data_stay_data(contents: Contents, tmp_path: Path) -> None:
    evil = "<script>x</script> | *a* [b](c) `d`"
    store = contents.store | {"title": evil}
    scores = (contents.scores[0].model_copy(update={"term": evil}), *contents.scores[1:])
    findings = (Finding(severity=Severity.REFUSAL, text=evil), Finding(severity=Severity.NOTE, text=evil))
    write_card(contents.model_copy(update={"store": store, "scores": scores, "findings": findings}), tmp_path)
    page = _Outward()
    page.feed((tmp_path / PAGE).read_text(encoding="utf-8"))
    assert page.found == []
    text = (tmp_path / README).read_text(encoding="utf-8").split("\n---\n", 1)[1]
    assert "<script>" not in text.replace("\\<", "")
    assert "not a fair test" in text
    row = next(line for line in text.splitlines() if line.startswith("| \\<script"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 10  # nine cells


def test_a_cell_keeps_its_words() -> None:
    assert cell("a\n b|c") == "a b\\|c"


def test_training_records_are_named_only_if_they_are_kept(contents: Contents, tuned: Tuned, folder: Path) -> None:
    assert contents.remembered == len(tuned.made.rows)
    assert "training_records.parquet" in (folder / README).read_text(encoding="utf-8")
    tuned.diagnoser.neighbours, kept = None, tuned.diagnoser.neighbours
    try:
        assert measure(replace(tuned.made), least=2, draws=2).remembered == 0
    finally:
        tuned.diagnoser.neighbours = kept
