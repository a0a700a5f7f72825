"""The page: whole, self-contained, well formed, and deaf to what the data would have it run."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from finetune.diagnosis.result import Difference, Encoder, Estimate, Evaluation, Finding, Protocol, Severity
from finetune.report.document import Example, Map, Named, lines, write_report
from finetune.report.page import bracket, decimal
from finetune.report.table import as_table
from tests.finetune.fakes import make_evaluation, make_task

ATTACK = '<script>alert("x")</script><img src=x onerror=alert(1)> & "quoted"'
VOID = {"meta", "img", "br", "link", "hr"}


class Page(HTMLParser):
    """Keeps the tags and their attributes; every tag that opens must close, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def example(text: str) -> Example:
    named = [Named(text, 0.9, 0.5, predicted=True, true=True), Named("other", 0.1, 0.3, predicted=False, true=None)]
    figure = Figure()
    figure.add_subplot().plot([0, 1])
    return Example(record=text, caption=text, report=text, named=named, figure=figure)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    task = make_task(240, 5)
    return make_evaluation(replace(task, scored=np.array([True, True, True, True, False])))


def page_of(evaluation: Evaluation, folder: Path, *, text: str = "plain") -> tuple[str, Page]:
    write_report(evaluation, folder / "report.html", example=example(text), map_=Map(example("").figure, text))
    written = (folder / "report.html").read_text(encoding="utf-8")
    return written, Page(written)


def test_the_page_is_well_formed_and_needs_nothing_else(evaluation: Evaluation, tmp_path: Path) -> None:
    _, page = page_of(evaluation, tmp_path)
    assert page.open == []
    images = [attributes for tag, attributes in page.seen if tag == "img"]
    assert len(images) == 5
    for attributes in images:
        assert attributes["alt"]
        kind, content = re.fullmatch(r"data:image/(png|svg\+xml);base64,([\w+/=]+)", attributes["src"] or "").groups()
        content = base64.b64decode(content)
        if kind == "png":
            assert content.startswith(b"\x89PNG")
        else:
            assert ET.fromstring(content).tag.endswith("svg")
    assert not {"script", "link", "iframe", "object", "style src"} & {tag for tag, _ in page.seen}
    assert not any("src" in attributes and not attributes["src"].startswith("data:") for _, attributes in page.seen)
    assert not any("href" in attributes for _, attributes in page.seen)
    assert "url(" not in page.words


def test_text_of_the_data_is_shown_and_never_run(tmp_path: Path) -> None:
    task = make_task(200, 3)
    attacked = make_evaluation(task, term=ATTACK, findings=(Finding(severity=Severity.REFUSAL, text=ATTACK),))
    attacked = attacked.model_copy(
        update={
            "store": {"title": ATTACK, "corpus": ATTACK},
            "model": {"name": ATTACK},
            "settings": attacked.settings | {"protocol": [ATTACK]},
        }
    )
    written, page = page_of(attacked, tmp_path, text=ATTACK)
    assert "<script" not in written
    assert "onerror" not in "".join(str(attributes) for _, attributes in page.seen)
    assert page.words.count('<script>alert("x")</script>') >= 8
    assert page.open == []


def test_the_same_numbers_give_the_same_bytes(evaluation: Evaluation, tmp_path: Path) -> None:
    one, _ = page_of(evaluation, tmp_path)
    other, _ = page_of(evaluation, tmp_path)
    assert one == other


def test_every_row_and_its_interval_is_on_the_page_and_on_the_terminal(evaluation: Evaluation, tmp_path: Path) -> None:
    _, page = page_of(evaluation, tmp_path)
    console = Console(width=160, record=True, file=(tmp_path / "terminal").open("w"))
    console.print(as_table(evaluation, width=160))
    terminal = console.export_text()
    assert len(evaluation.rows) == 13
    for row in evaluation.rows:
        for words in (page.words, terminal):
            assert decimal(row.auroc.subjects.value) in words
            assert bracket(row.auroc.subjects) in words
            assert bracket(row.auprc.subjects) in words
    for gap in evaluation.differences:
        estimate = gap.auroc.subjects_and_seeds or gap.auroc.subjects
        assert decimal(estimate.value, sign=True) in page.words
        assert bracket(estimate, sign=True) in terminal


def test_gains_are_said_to_count_seeds_only_where_they_do(evaluation: Evaluation, tmp_path: Path) -> None:
    def noted(of: Evaluation) -> bool:
        console = Console(width=80, record=True, file=(tmp_path / "terminal").open("w"))
        console.print(as_table(of, width=80))
        return "gains over subjects and seeds" in " ".join(console.export_text().split())

    def over(gap: Difference, seeds: Estimate | None) -> Difference:
        return gap.model_copy(update={"auroc": gap.auroc.model_copy(update={"subjects_and_seeds": seeds})})

    for seeds in (None, Estimate(value=0.1, low=0.0, high=0.2)):
        gaps = tuple(over(gap, seeds) for gap in evaluation.differences)
        assert noted(evaluation.model_copy(update={"differences": gaps})) == (seeds is not None)


def test_eighty_columns_are_enough_for_values_and_gains(evaluation: Evaluation, tmp_path: Path) -> None:
    console = Console(width=80, record=True, file=(tmp_path / "terminal").open("w"))
    console.print(as_table(evaluation, width=80))
    terminal = console.export_text()
    assert "…" not in terminal
    for row in evaluation.rows:
        assert f"{decimal(row.auroc.subjects.value)} {bracket(row.auroc.subjects)}" in terminal
    for gap in evaluation.differences:
        assert bracket(gap.auroc.subjects_and_seeds or gap.auroc.subjects, sign=True) in terminal


def test_rivals_stand_beside_the_pretrained_row(evaluation: Evaluation) -> None:
    groups: dict[str, list[str]] = {}
    for line in lines(evaluation):
        groups.setdefault(line.group, []).append(line.encoder.split(",")[0])
    assert len(groups) == 5
    for name, encoders in groups.items():
        expected = ["pretrained", "random encoder"] + ([] if "zero-shot" in name else ["supervised from scratch"])
        assert encoders == expected


def test_what_was_not_scored_is_listed_with_its_reason(evaluation: Evaluation, tmp_path: Path) -> None:
    _, page = page_of(evaluation, tmp_path)
    assert "Not scored: finding 4 (2 positive test subjects)" in page.words


def test_a_refusal_that_was_overruled_is_loud(evaluation: Evaluation, tmp_path: Path) -> None:
    quiet, _ = page_of(evaluation, tmp_path)
    loud = evaluation.model_copy(update={"findings": (Finding(severity=Severity.REFUSAL, text="trained on test"),)})
    _, page = page_of(loud, tmp_path)
    assert "not a fair test" not in quiet
    assert page.words.index("These numbers are not a fair test.") < page.words.index("trained on test")
    assert page.words.index("trained on test") < page.words.index("Results")


def test_zero_shot_alone_makes_a_page_too(evaluation: Evaluation, tmp_path: Path) -> None:
    rows = tuple(row for row in evaluation.rows if row.fraction is None)
    gaps = tuple(gap for gap in evaluation.differences if gap.fraction is None)
    alone = evaluation.model_copy(update={"rows": rows, "differences": gaps, "thresholds": ()})
    write_report(alone, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert "One test record" not in page.words
    assert alone.row(Encoder.PRETRAINED, Protocol.PROBE, 1.0) is None


def test_numbers_read_alike_everywhere() -> None:
    assert decimal(0.12345) == "0.123"
    assert decimal(-0.02, sign=True) == "−0.020"
    assert decimal(None) == "–"
    assert bracket(Estimate(value=0.5, low=None, high=0.6)) == "[–, 0.600]"
