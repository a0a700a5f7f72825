"""What a model sees: cosines by hand, vectors kept and found again, and stores that it cannot take."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from biosig.cli import main
from biosig.errors import BiosigError
from biosig.plot.embedding import Projection
from biosig.store import Store
from pretrain.browse import embeddings as kept
from pretrain.browse.catalogue import Catalogue
from pretrain.browse.query import Query, Rank
from pretrain.browse.sight import Sight
from pretrain.browse.vocabulary import Vocabulary
from pretrain.models.foundation import FoundationModel, Space, random_like
from tests.networks import prepared
from tests.pretrain.browse.conftest import client

Vectors = Callable[[int], np.ndarray]


@pytest.mark.parametrize(
    ("by", "to"), [(Rank.SENTENCE, "atrial fibrillation"), (Rank.CONCEPT, "AF"), (Rank.RECORD, "store/sim000007")]
)
def test_the_order_is_that_of_cosines_computed_one_by_one(
    sight: Sight, model: FoundationModel, vectors: Vectors, by: Rank, to: str
) -> None:
    catalogue, query = sight.catalogue, Query(sex="male", by=by, to=to)
    if by is Rank.SENTENCE:
        target = model.encode_text([to])[0]
    elif by is Rank.CONCEPT:
        assert model.graph is not None
        target = model.encode_concepts()[model.concepts.index(model.graph.find(to).id)]
    else:
        target = model.encode(catalogue.stores[0].recording(7), space=Space.SPHERE)[0]
    rows = catalogue.find(query)
    slow = {int(row): float(vectors(row) @ target) for row in rows}
    found, cosines = sight.order(query, rows)
    np.testing.assert_allclose(cosines, [slow[int(row)] for row in found], atol=1e-5)
    assert sorted(found.tolist()) == rows.tolist()
    assert np.all(np.diff(cosines) <= 0)


def test_a_record_is_most_like_itself(sight: Sight, catalogue: Catalogue) -> None:
    found, cosines = sight.order(Query(by=Rank.RECORD, to="store/sim000007"), np.arange(len(catalogue)))
    # The second store holds the same recordings again.
    assert {catalogue.entry(int(row)).record for row in found[:2]} == {"sim000007"}
    np.testing.assert_allclose(cosines[:2], 1, atol=1e-5)


def test_the_share_of_a_score_is_counted_over_all_records(
    sight: Sight, catalogue: Catalogue, model: FoundationModel, vectors: Vectors
) -> None:
    directions = model.encode_concepts()
    every = np.array([vectors(row) @ directions.T for row in range(len(catalogue))])
    scores = sight.scores(11)
    assert len(scores) == len(model.concepts)
    for score in scores:
        column = every[:, model.concepts.index(score.concept)]
        assert score.cosine == pytest.approx(float(column[11]), abs=1e-5)
        assert score.share == pytest.approx(float((column < column[11] - 1e-6).mean()), abs=0.02)
    assert [score.share for score in scores] == sorted((score.share for score in scores), reverse=True)


def test_vectors_are_kept_by_model_and_store(
    model: FoundationModel, fewer: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kept.embeddings(model, Store(fewer), tmp_path)
    np.testing.assert_allclose(first, model.encode(Store(fewer), space=Space.SPHERE), atol=1e-6)
    assert isinstance(first, np.memmap)
    (file,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(FoundationModel, "encode", lambda *_, **__: pytest.fail("computed again"))
        np.testing.assert_array_equal(kept.embeddings(model, Store(fewer), tmp_path), first)
    names = {kept.key(one, Store(path)) for one in (model, random_like(model, 1)) for path in (fewer, store)}
    assert len(names) == 4
    whole = file.read_bytes()
    for damaged in (b"", whole[:-100], b"x" * len(whole), whole.replace(b"}", b" ", 1)):
        file.unlink()  # what is mapped stays as it was
        file.write_bytes(damaged)
        np.testing.assert_array_equal(kept.embeddings(model, Store(fewer), tmp_path), first)
        assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == [file.name], "nothing half-written is left"


def test_a_store_the_model_cannot_take_is_left_without_scores(
    corpus: Path, store: Path, model: FoundationModel, tmp_path: Path
) -> None:
    slow = prepared(corpus, tmp_path / "slow", rate=50.0, limit=3)
    catalogue = Catalogue([Store(slow), Store(store)], Vocabulary(model.graph))
    sight = Sight(model, catalogue, tmp_path / "vectors")
    assert "made for 100 Hz, the store is at 50 Hz" in sight.refused["slow"]
    assert sight.vector(2) is None
    assert sight.vector(3) is not None
    assert sight.scores(0) == []
    assert np.isnan(sight.map[:3]).all()
    assert np.isfinite(sight.map[3:]).all()
    with client(catalogue, sight) as page:
        text = unescape(page.get("/?by=concept&to=AF").text)
        assert "left out: slow" in text
        assert f"<b>{len(Store(store))}</b> of {len(catalogue)} records" in text
        assert "made for 100 Hz" in page.get("/record?in=slow&id=sim000001").text
        assert "made for 100 Hz" in page.get("/?by=record&to=slow/sim000001").text
    with pytest.raises(BiosigError, match="made for 100 Hz"):
        Sight(model, Catalogue([Store(slow)], Vocabulary()), tmp_path / "vectors")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("by=concept&to=joy", "no concept"),
        ("by=concept&to=cardiac+rhythm", "an organiser"),
        ("by=record&to=store/nobody", "no record"),
        ("by=record&to=nobody", "no record"),
    ],
)
def test_what_it_cannot_compare_is_said(seen: TestClient, asked: str, words: str) -> None:
    answer = seen.get(f"/?{asked}")
    assert answer.status_code == 400
    assert words in unescape(answer.text)


def test_the_map_shows_what_passes_the_filters(seen: TestClient, catalogue: Catalogue, sight: Sight) -> None:
    text = seen.get("/map?sex=female").text
    points = re.findall(r'</title><circle class="c\d" cx="([\d.]+)" cy="([\d.]+)"', text)
    rows = catalogue.find(Query(sex="female"))
    assert len(points) == len(rows)
    assert all(0 <= float(x) <= 150 and 0 <= float(y) <= 100 for x, y in points)
    assert "did you mean" in unescape(seen.get("/map?concept=artrial+fibrillation").text)
    assert sight.map.shape == (len(catalogue), 2)


def test_a_map_of_unknown_kind_is_refused_by_the_command(capsys: pytest.CaptureFixture[str], store: Path) -> None:
    for arguments, words in (
        (["--projection", "flat"], f"projection: expected {', '.join(Projection)}"),
        (["--model", str(store)], "not a biosig model"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["browse", str(store), *arguments])
        assert stop.value.code == 2
        assert words in capsys.readouterr().err


def test_scores_colour_the_graph_and_mark_labels(seen: TestClient, catalogue: Catalogue) -> None:
    row = next(row for row in range(len(catalogue)) if catalogue.entry(row).concepts)
    entry = catalogue.entry(row)
    text = seen.get(f"/graph?in={entry.store}&id={entry.record}").text
    assert len(re.findall(r'class="box labelled shade-\d"', text)) == len(entry.concepts)
    assert seen.get("/graph?graph=sleep").status_code == 200


def test_the_record_page_says_what_the_model_sees(seen: TestClient) -> None:
    text = unescape(seen.get("/record?in=store&id=sim000007").text)
    assert text.count("<meter") >= 10
    assert 'href="/?by=record&to=store%2Fsim000007"' in text
    assert text.count('<li><a href="/record?') == 6
