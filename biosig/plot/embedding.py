"""Where a model puts recordings: features in two dimensions, coloured by what is known of them."""

from __future__ import annotations

import importlib.util
import textwrap
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from biosig.errors import BiosigError
from biosig.plot.output import new_figure

# Okabe and Ito's colours tell apart for colour-blind readers too; then three of Tol's.
_COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
    "#b2a100",
    "#332288",
    "#882255",
    "#44aa99",
)
_REST = "#bdbdbd"
_LETTERS_A_LINE = 32

# Fewer records than that are no cloud.
_NEIGHBOURHOOD = 5


class Projection(StrEnum):
    """How many dimensions become two."""

    PCA = "pca"
    TSNE = "tsne"
    UMAP = "umap"


def embedding_map(
    features: Float[np.ndarray, "record dim"],
    labels: Sequence[str],
    *,
    projection: Projection | str = Projection.PCA,
    title: str = "",
    seed: int = 0,
    most_colours: int = len(_COLOURS),
) -> Figure:
    """A scatter plot of features, one colour a label; the rarest labels share a grey one.

    Args:
        features: Two columns are drawn as they are; more are projected.
        labels: One a row; an empty one is unknown.
        projection: `pca` keeps distances and is exact; `tsne` and `umap` (extra package) show neighbourhoods only.
        title: Above the plot.
        seed: Of t-SNE and UMAP.
        most_colours: Labels with a colour of their own.

    Raises:
        BiosigError: If rows and labels differ in number, a feature is not finite, or UMAP is not installed.
    """
    features = np.asarray(features, dtype=float)
    if features.ndim != 2 or features.shape[1] < 2 or len(features) != len(labels) or not len(labels):
        raise BiosigError(f"expected (record, dim >= 2) features and a label each, got {features.shape}, {len(labels)}")
    if not np.isfinite(features).all():
        raise BiosigError(f"row {int(np.argwhere(~np.isfinite(features))[0, 0])} of the features is not finite")
    chosen = _within(projection, len(features))
    points = features if features.shape[1] == 2 else project(features, chosen, seed=seed)
    counts = Counter(label for label in labels if label)
    named = [label for label, _ in counts.most_common(min(most_colours, len(_COLOURS)))]

    figure = new_figure(175, 120)
    axes = figure.add_axes((0.07, 0.10, 0.62, 0.80))
    groups = np.array([named.index(label) if label in named else -1 for label in labels])
    size = float(np.clip(4000 / len(labels), 3, 22))
    # Grey first, so that it lies below.
    for group in (-1, *range(len(named))):
        here = groups == group
        if here.any():
            name = f"{named[group] if group >= 0 else 'other'} ({here.sum()})"
            # Two lines of the legend at most, within the page.
            name = "\n".join(textwrap.wrap(name, _LETTERS_A_LINE, max_lines=2, placeholder=" …"))
            colour = _COLOURS[group] if group >= 0 else _REST
            x, y = points[here].T
            axes.scatter(x, y, s=size, color=colour, label=name, alpha=0.75, linewidths=0)
    handles, names = axes.get_legend_handles_labels()
    last = int(groups.min() < 0)  # grey is drawn first and named last
    order = [*range(last, len(handles)), *range(last)]
    legend = axes.legend(
        [handles[k] for k in order],
        [names[k] for k in order],
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        fontsize=7,
        frameon=False,
        markerscale=1.6,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a label may hold a dollar sign
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=10, loc="left", parse_math=False)
    note = f"{len(labels)} records" + (
        "" if features.shape[1] == 2 else f", {_NAMES[chosen]} of {features.shape[1]} dimensions"
    )
    axes.set_xlabel(note, fontsize=7, color="#555")
    return figure


def project(
    features: Float[np.ndarray, "record dim"], projection: Projection | str = Projection.PCA, *, seed: int = 0
) -> Float[np.ndarray, "record 2"]:
    """Features in two dimensions; so few that they have no neighbourhoods by PCA.

    Raises:
        BiosigError: If UMAP is not installed.
    """
    return _PROJECT[_within(projection, len(features))](features, seed)


def _within(projection: Projection | str, records: int) -> Projection:
    return Projection(projection) if records >= _NEIGHBOURHOOD else Projection.PCA


def _pca(features: Float[np.ndarray, "record dim"], _: int) -> Float[np.ndarray, "record 2"]:
    from sklearn.decomposition import PCA  # noqa: PLC0415  # slow to import, and not needed for points

    # Both are exact; of many rows the covariance is the far faster way.
    many = len(features) >= 10 * features.shape[1]
    if len(features) < 2:  # no second component
        return np.zeros((len(features), 2))
    return np.asarray(PCA(2, svd_solver="covariance_eigh" if many else "full").fit_transform(features))


def _tsne(features: Float[np.ndarray, "record dim"], seed: int) -> Float[np.ndarray, "record 2"]:
    from sklearn.manifold import TSNE  # noqa: PLC0415  # as above

    perplexity = min(30.0, (len(features) - 1) / 3)
    return np.asarray(TSNE(2, init="pca", random_state=seed, perplexity=perplexity).fit_transform(features))


def _umap(features: Float[np.ndarray, "record dim"], seed: int) -> Float[np.ndarray, "record 2"]:
    if importlib.util.find_spec("umap") is None:
        raise BiosigError("the projection umap needs the package umap-learn (pip install umap-learn); pca is built in")
    from umap import UMAP  # noqa: PLC0415  # an optional package

    # A seed allows one thread only, and UMAP warns if it was not told so.
    return np.asarray(UMAP(n_components=2, random_state=seed, n_jobs=1).fit_transform(features))


_NAMES = {Projection.PCA: "PCA", Projection.TSNE: "t-SNE", Projection.UMAP: "UMAP"}
_PROJECT = {Projection.PCA: _pca, Projection.TSNE: _tsne, Projection.UMAP: _umap}
