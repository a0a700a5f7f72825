"""Embedding maps: every record drawn once, in the colour of its label."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.plot import embedding_map
from biosig.plot.embedding import project

POINTS = np.random.default_rng(0).standard_normal((60, 2))
LABELS = ["AF"] * 30 + ["NSR"] * 20 + [""] * 10


def test_every_record_is_drawn_once_in_a_group_of_its_label() -> None:
    axes = embedding_map(POINTS, LABELS).axes[0]
    drawn = {str(group.get_label()): np.asarray(group.get_offsets()) for group in axes.collections}
    assert set(drawn) == {"AF (30)", "NSR (20)", "other (10)"}
    np.testing.assert_allclose(drawn["NSR (20)"], POINTS[30:50])
    assert sum(map(len, drawn.values())) == 60


def test_rare_labels_share_the_grey_one() -> None:
    labels = [f"l{k % 20}" for k in range(60)]
    groups = embedding_map(POINTS, labels, most_colours=4).axes[0].collections
    assert len(groups) == 5
    assert str(groups[0].get_label()) == "other (48)"


def test_more_dimensions_are_projected_on_the_axes_that_vary_most() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((50, 16)) * np.r_[50.0, 20.0, np.full(14, 0.1)]
    groups = embedding_map(features, ["x"] * 50).axes[0].collections
    points = np.asarray(groups[0].get_offsets())
    np.testing.assert_allclose(np.sort(points.std(0)), np.sort(features[:, :2].std(0)), rtol=0.02)


@pytest.mark.slow
def test_neighbours_stay_neighbours_in_tsne() -> None:
    rng = np.random.default_rng(2)
    features = np.concatenate([rng.standard_normal((30, 8)), rng.standard_normal((30, 8)) + 20])
    points = np.asarray(embedding_map(features, ["x"] * 60, projection="tsne").axes[0].collections[0].get_offsets())
    one, two = points[:30].mean(0), points[30:].mean(0)
    assert np.linalg.norm(one - two) > 2 * max(points[:30].std(), points[30:].std())


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((3, 1)), ["a"] * 3, r"expected \(record, dim >= 2\)"),
        (np.zeros((3, 2)), ["a"] * 2, "a label each"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), ["a"] * 2, "row 1 of the features is not finite"),
    ],
)
def test_senseless_features_are_refused(features: np.ndarray, labels: list[str], message: str) -> None:
    with pytest.raises(BiosigError, match=message):
        embedding_map(features, labels)


@pytest.mark.parametrize("projection", ["pca", "tsne", "umap"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_records_have_places_too(projection: str, count: int) -> None:
    features = np.random.default_rng(count).standard_normal((count, 8))
    points = project(features, projection)
    assert points.shape == (count, 2)
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-12)
    if count == 2:
        assert np.ptp(points[:, 0]) == pytest.approx(np.linalg.norm(features[0] - features[1]))


def test_umap_is_the_same_again_and_silent() -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.standard_normal((20, 8)), rng.standard_normal((20, 8)) + 9])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        one, other = (project(features, "umap") for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (
        np.linalg.norm(one[:20].mean(0) - one[20:].mean(0)) > np.linalg.norm(one[:20] - one[:20].mean(0), axis=1).max()
    )


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="umap-learn is installed here")
def test_umap_says_how_to_get_it() -> None:
    with pytest.raises(BiosigError, match="pip install umap-learn"):
        embedding_map(np.zeros((5, 4)), ["a"] * 5, projection="umap")


def test_long_names_stay_on_the_page() -> None:
    long = "left ventricular hypertrophy with secondary repolarisation abnormality and many more words besides"
    figure = embedding_map(np.random.default_rng(0).standard_normal((6, 2)), [long, "first degree AV block"] * 3)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    figure.canvas.draw()
    assert legend.get_window_extent().x1 <= figure.bbox.x1
    assert max(text.get_text().count("\n") for text in legend.get_texts()) == 1
