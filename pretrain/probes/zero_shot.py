"""Concepts by their own vectors, or by the sentences that describe them: no label is learnt from."""

from __future__ import annotations

from pretrain.errors import TrainingError
from pretrain.probes.base import PROBES, Probe, Watched
from pretrain.probes.scores import macro_auroc, scorable
from pretrain.zero_shot import by_concepts, by_sentences


@PROBES.register("zero_shot")
def zero_shot(watched: Watched) -> Probe:
    """Cosine on the sphere; see `pretrain.zero_shot`. By sentences where there is a text tower.

    Raises:
        TrainingError: If there is neither a text nor a concept tower, or no concept can be scored.
    """
    model, rows = watched.learner.model, watched.rows("validation")
    if model.text is None and model.concept is None:
        raise TrainingError("the model has neither a text nor a concept tower")
    labels, graph = watched.labels(rows), watched.graph
    columns = scorable(labels)
    concepts = [graph.observed[column] for column in columns]

    def ask() -> dict[str, float]:
        signal = watched.embed(rows, "signal")
        if model.text is not None:
            scores = by_sentences(signal, model.encode_text, graph, concepts)
        else:
            scores = by_concepts(signal, model.encode_concepts(), model.concepts, concepts)
        return macro_auroc(scores, labels.of_concepts(columns))

    return ask
