"""Nearest training records against brute force, and files that come back, or do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

import ontology
from finetune.trust.choices import Remember
from finetune.trust.neighbours import Neighbours
from pretrain.errors import ModelError


def made(n: int = 300, dim: int = 8, seed: int = 0) -> Neighbours:
    generator = np.random.default_rng(seed)
    vectors = (generator.normal(size=(n, dim)) * np.arange(1, dim + 1) + 5).astype(np.float32)
    concepts = [[str(place % 3)] * (place % 2) for place in range(n)]
    findings = [[f"finding {one}" for one in each] for each in concepts]
    records = [f"r{place}" for place in range(n)]
    return Neighbours(vectors, vectors.mean(0), vectors.std(0), records, ["sim"] * n, concepts, findings)


@given(seed=st.integers(0, 20), k=st.integers(0, 12), n=st.integers(2, 40))
@settings(max_examples=30, deadline=None)
def test_they_are_those_of_brute_force(seed: int, k: int, n: int) -> None:
    known = made(n)
    asked = made(5, seed=seed + 1).vectors
    for one, found in zip(asked, known.nearest(asked, k), strict=True):
        z, every = (
            (part - known.mean) / np.where(known.deviation > 0, known.deviation, 1) for part in (one, known.vectors)
        )
        slow = sorted(((1 - cosine(z, other), -place) for place, other in enumerate(every)), reverse=True)[:k]
        np.testing.assert_allclose([each.similarity for each in found], [each[0] for each in slow], atol=1e-5)
        assert len(found) == min(k, n)


def test_a_finding_outside_the_graph_of_the_model_has_its_name() -> None:
    # Left atrial hypertrophy, which LUDB states and the cardiac graph does not hold, and a code that nobody knows.
    frame = pd.DataFrame({"record": ["1"], "corpus": ["ludb"], "concepts": [["446813000", "164889003", "1"]]})
    store = SimpleNamespace(frame=lambda *_: frame)
    novelty = SimpleNamespace(mean=np.zeros(2), deviation=np.ones(2))
    known = Neighbours.of(store, np.array([0]), np.ones((1, 2), np.float32), novelty, ontology.cardiac())  # type: ignore[arg-type]  # a stand-in
    assert known.findings == [("left atrial hypertrophy", "atrial fibrillation", "1")]


def test_a_record_is_its_own_neighbour_with_its_findings() -> None:
    known = made()
    for place in (0, 7, 299):
        first, second = known.nearest(known.vectors[[place]], 2)[0]
        assert first.record == f"r{place}"
        assert first.similarity == pytest.approx(1, abs=1e-6)
        assert first.findings == tuple(known.findings[place])
        assert second.similarity < first.similarity


def test_equals_come_in_order_and_units_do_not_matter() -> None:
    one = made(20)
    twice = Neighbours(
        np.vstack([one.vectors, one.vectors]), one.mean, one.deviation, *([[*part, *part] for part in (
            one.records, one.corpora, one.concepts, one.findings)])
    )  # fmt: skip
    assert [each.record for each in twice.nearest(one.vectors[[3]], 2)[0]] == ["r3", "r3"]
    unit = np.geomspace(0.01, 100, 8).astype(np.float32)
    other = Neighbours(
        one.vectors * unit, one.mean * unit, one.deviation * unit, one.records, one.corpora, one.concepts, one.findings
    )
    asked = made(5, seed=3).vectors
    for here, there in zip(one.nearest(asked, 4), other.nearest(asked * unit, 4), strict=True):
        assert [each.record for each in here] == [each.record for each in there]


def test_they_come_back_from_a_file(tmp_path: Path) -> None:
    known = made()
    known.save(tmp_path / "records.parquet")
    loaded = Neighbours.load(tmp_path / "records.parquet", known.mean, known.deviation)
    asked = made(4, seed=9).vectors
    assert loaded.nearest(asked, 5) == known.nearest(asked, 5)
    assert len(loaded) == len(known)


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.parquet"
    known = made()
    known.save(path)
    with pytest.raises(ModelError, match=r"records\.parquet: vector: expected 4 numbers each, got 8"):
        Neighbours.load(path, known.mean[:4], known.deviation[:4])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelError, match=r"records\.parquet: training records that cannot be read"):
        Neighbours.load(path, known.mean, known.deviation)


@pytest.mark.parametrize(
    ("licence", "kept"),
    [
        ("CC BY 4.0", True),
        ("ODC-By 1.0", True),
        ("Apache-2.0", True),
        ("as you hold them", False),
        ("CC BY-NC 4.0", False),
        ("by application to the owners", False),
        ("", False),
    ],
)
def test_what_is_not_open_is_kept_only_when_asked_for(licence: str, kept: bool) -> None:
    assert Remember.AUTO.applies(licence) is kept
    assert Remember.YES.applies(licence)
    assert not Remember.NO.applies(licence)
