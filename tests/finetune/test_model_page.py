"""The card and the page of a pretrained model say what its configuration says, and escape what is not ours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from biosig.cli import build
from biosig.errors import BiosigError
from finetune.card.model_page import evaluated, page
from finetune.diagnosis.result import Encoder, Estimate, Evaluation, Metric, Protocol, Row, Side
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel
from pretrain.sharing.card import readme
from pretrain.sharing.facts import facts
from pretrain.sharing.licences import hub_licence
from tests.pretrain.untrained import trained, untrained


@pytest.fixture(scope="module")
def model() -> FoundationModel:
    return trained()


def evaluation(training_set: str | None) -> Evaluation:
    def row(encoder: Encoder, value: float) -> Row:
        metric = Metric(subjects=Estimate(value=value, low=value - 0.1, high=value + 0.1), subjects_and_seeds=None)
        return Row(
            encoder=encoder,
            protocol=Protocol.PROBE,
            fraction=0.1,
            seeds=(0,),
            train_records=(3,),
            train_subjects=(3,),
            auroc=metric,
            auprc=metric,
            n_concepts=2,
            n_undefined=0,
            concepts=(),
            details={},
            seconds=1.0,
        )

    return Evaluation(
        model={"training_set_sha256": training_set},
        store={"title": "Lobachevsky", "corpus": "ludb"},
        sides=(Side(role="test", folds=(8,), records=60, subjects=60),),
        concepts=(),
        prevalence=0.2,
        findings=(),
        rows=(row(Encoder.PRETRAINED, 0.8), row(Encoder.RANDOM, 0.7)),
        differences=(),
        thresholds=(),
        settings={},
        versions={},
        seconds=1.0,
    )


def test_the_card_says_build_data_licences_and_hashes(model: FoundationModel) -> None:
    text = readme(facts(model), repo_id="someone/it")
    fields = yaml.safe_load(text.split("---")[1])
    assert fields == {
        "license": "odc-by",
        "library_name": "biosig",
        "tags": ["biosig", "ecg", "biosignals", "foundation-model"],
        "datasets": ["ludb"],
    }
    for said in ("eeg\\_conv", "ODC-By 1.0", "aaaaaaaaaaaaaaaa", "100 Hz", "signal\\_language", "Not measured here"):
        assert said in text, said
    assert facts(model).identity in text


def test_a_model_that_nobody_has_trained_says_so() -> None:
    text = readme(facts(untrained("model.signal={encoder: eeg_conv, options: {width: 8}}")))
    assert "its weights are random" in text
    assert "license_name: not stated" in text
    assert "training_set.json" not in text


def test_what_was_measured_is_on_it_with_the_random_row(model: FoundationModel, tmp_path: Path) -> None:
    known = facts(model)
    (tmp_path / "result.json").write_text(evaluation(known.training_set).model_dump_json())
    found = evaluated(tmp_path / "result.json", known)
    for text in (readme(known, evaluations=[found]), page(known, where="x", evaluations=[found])):
        assert "Lobachevsky, 60 test records of 60 people" in text
        assert "0.800 [0.700, 0.900]" in text
        assert "random" in text
        assert "10 %" in text
    (tmp_path / "other.json").write_text(evaluation("b" * 64).model_dump_json())
    with pytest.raises(ModelError, match=r"other\.json: is of another model"):
        evaluated(tmp_path / "other.json", known)
    (tmp_path / "no.json").write_text(json.dumps({"rows": 1}))
    with pytest.raises(ModelError, match=r"no\.json: expected a result of biosig evaluate"):
        evaluated(tmp_path / "no.json", known)


def test_the_page_is_whole_and_escapes(model: FoundationModel) -> None:
    text = page(replace(facts(model), title="<script>alert(1)</script>"), where='a"b')
    assert "<script>" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:)", text)
    opened: list[str] = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "img", "br"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Balanced().feed(text)
    assert not opened
    assert "`" not in readme(replace(facts(model), title="`x`")).split("## Use")[0].replace("\\`", "")


def test_licences() -> None:
    assert hub_licence(["CC BY 4.0", "CC BY 4.0"]) == {"license": "cc-by-4.0"}
    assert hub_licence(["CC BY 4.0", "ODC-By 1.0"]) == {"license": "other", "license_name": "CC BY 4.0, ODC-By 1.0"}


def test_the_command_writes_either(model: FoundationModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    for name, begins in (("page.html", "<!DOCTYPE html>"), ("README.md", "---\nlicense: odc-by")):
        arguments = ["model-page", str(tmp_path / "model"), "--out", str(tmp_path / name), "--name", "Our model"]
        result = CliRunner().invoke(build(), arguments)
        assert result.exit_code == 0, result.output
        text = (tmp_path / name).read_text()
        assert text.startswith(begins)
        assert "Our model" in text
    wrong = CliRunner().invoke(build(), ["model-page", str(tmp_path / "model"), "--out", str(tmp_path / "page.pdf")])
    assert isinstance(wrong.exception, BiosigError)
