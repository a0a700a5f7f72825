"""The two pictures that need recordings and features: a typical test record, and the map of the test side."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from biosig.plot import ecg_paper, embedding_map
from biosig.plot.embedding import Projection
from biosig.recording import Modality
from finetune.diagnosis.bench import Bench
from finetune.diagnosis.joined import Joined
from finetune.protocols import Role, Task
from finetune.report.document import Example, Map, Named
from ontology.graph import ConceptGraph

#: The organisers of the shipped graph under which rhythms are, and single beats among them.
RHYTHM, ECTOPY = "biosig:rhythm", "biosig:ectopy"


def typical_example(bench: Bench, graph: ConceptGraph, thresholds: Float[np.ndarray, " concept"]) -> Example | None:
    """The test record whose loss is the median of those with a concept: neither the best nor the worst.

    None without a probe, or without an ECG.
    """
    task, test = bench.task, bench.task.rows[Role.TEST]
    if bench.probe is None:
        return None
    probabilities = bench.probe.probabilities(bench.features[test]).clip(1e-6, 1 - 1e-6)
    labels, usable = task.labels[test], task.known[test] & task.scored
    loss = -np.where(labels, np.log(probabilities), np.log1p(-probabilities))
    mean_loss = (loss * usable).sum(1) / usable.sum(1).clip(1)
    candidates = np.flatnonzero((labels & usable).any(1))
    if not len(candidates):
        return None
    place = candidates[np.argsort(mean_loss[candidates], kind="stable")[len(candidates) // 2]]
    recording = bench.records.recording(int(test[place]))
    if Modality.ECG not in recording.modality:
        return None
    named = [
        Named(
            term=graph[task.concepts[column]].term,
            probability=float(probabilities[place, column]),
            threshold=float(thresholds[column]),
            predicted=bool(probabilities[place, column] >= thresholds[column]),
            true=bool(labels[place, column]) if task.known[test[place], column] else None,
        )
        for column in np.argsort(-probabilities[place], kind="stable")
        if task.scored[column] and not np.isnan(thresholds[column])
    ]
    facts = [
        f"{recording.meta['age']:.0f} years" if recording.meta.get("age") is not None else "",
        str(recording.meta.get("sex") or ""),
        "chosen as the test record of median loss: a typical one, not the best",
    ]
    return Example(
        record=recording.record_id,
        caption=" · ".join(fact for fact in facts if fact),
        report=recording.report,
        named=[one for one in named if one.predicted or one.true],
        figure=ecg_paper(replace(recording.pick(Modality.ECG), report="")),  # the page has it below
    )


def embedding_picture(bench: Bench, graph: ConceptGraph) -> Map:
    """The pretrained features of the test side in two dimensions, coloured by rhythm, or by the one thing asked for.

    UMAP where `umap-learn` is installed, t-SNE otherwise, of standardised features. No label takes part in the layout.
    """
    task, features = bench.task, bench.features
    test = task.rows[Role.TEST]
    std = features[test].std(0)
    scaled = (features[test] - features[test].mean(0)) / np.where(std > 0, std, 1.0)
    method, name = (Projection.UMAP, "UMAP") if find_spec("umap") else (Projection.TSNE, "t-SNE")
    # Threads of a few hundred points mostly wait for each other; only a library that is loaded can be told.
    import sklearn.manifold  # noqa: F401, PLC0415 -- to be loaded, no more

    with threadpool_limits(1):
        picture = embedding_map(scaled, rhythms(bench.records, task, graph), projection=method)
    what = "labelled rhythm" if len(task.concepts) > 1 else graph[task.concepts[0]].term
    return Map(picture, f"{name} of the pretrained features, coloured by the {what}; labels took no part in it.")


def rhythms(records: Joined, task: Task, graph: ConceptGraph) -> list[str]:
    """The rhythm of each test record by its labels: of several the rarest, so that a fibrillation is not hidden.

    Where one thing alone is asked for, whether it is there.
    """
    if len(task.concepts) == 1:
        return [graph[task.concepts[0]].term if has else "" for has in task.labels[task.rows[Role.TEST], 0]]
    wanted = set(graph.observed)
    if RHYTHM in graph:
        wanted &= set(graph.descendants(RHYTHM))
    if ECTOPY in graph:
        wanted -= set(graph.descendants(ECTOPY))
    sets = [wanted & set(concepts) for concepts in records.frame("concepts")["concepts"].iloc[task.rows[Role.TEST]]]
    counts = Counter(concept for one in sets for concept in one)
    chosen = [min(one, key=lambda concept: (counts[concept], concept), default="") for one in sets]
    return [graph[concept].term if concept else "" for concept in chosen]
