"""Questions with one answer, put to recordings of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from biosig.corpora import CORPORA
from finetune.diagnosis.questions import QUESTIONS
from ontology import cardiac


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "folder", "question"),
    [("cinc2011", "cinc2011", "quality"), ("code15-samitrop", "code15-samitrop", "chagas")],
)
def test_every_record_of_its_corpus_answers_and_both_ways(
    name: str, folder: str, question: str, biosig_data: Path
) -> None:
    source = biosig_data / "ecg" / folder
    if not source.is_dir():
        pytest.skip(f"no {source}")
    corpus = CORPORA[name]
    found = [corpus.read(entry) for entry in list(corpus.find(source))[::12]]
    codes = [[{"system": code.system, "code": code.code} for code in one.codes] for one in found]
    labels = QUESTIONS[question].label(pd.DataFrame({"codes": codes}), QUESTIONS[question].graph(_Untaught()))
    assert labels.known.all()
    assert 0 < labels.stated.mean() < 1
    if question == "chagas":
        # By the design of that study.
        here = np.array([one.meta["sub_corpus"] == "sami-trop" for one in found])
        assert labels.stated[here].all()
    assert set(QUESTIONS[question].graph(_Untaught()).observed).isdisjoint(cardiac().observed)


class _Untaught:
    """A model that was taught no concept."""

    graph = None
