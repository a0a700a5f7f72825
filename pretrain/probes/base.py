"""A probe: numbers of a model while it trains, from records that validate. It changes nothing of the training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Int64
from rich.console import Console

from ontology.graph import ConceptGraph
from ontology.registry import Registry
from pretrain.data.labels import Labels
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.graphs import graph_for_probes
from pretrain.parallel.distributed import ALONE, Processes
from pretrain.specs.execution import Probing
from pretrain.specs.recipe import Recipe
from pretrain.training.learner import Learner

#: Asked as often as wanted; the first number is the one that counts.
Probe = Callable[[], dict[str, float]]

# Keeps the choice of records apart from what the same seed draws elsewhere.
_CHOICE = 11
# Records embedded at once.
_BATCH = 64
# Of random numbers: none is drawn in evaluation, and whatever draws all the same draws what it drew the last time.
_KEY = 0


@dataclass
class Watched:
    """What a probe may look at.

    Attributes:
        recipe: Of the run.
        learner: Model and objectives.
        data: Stores, and who trains and validates.
        processes: Who shares the embedding.
        spec: How many records, neighbours, ...
    """

    recipe: Recipe
    learner: Learner
    data: PretrainingData
    processes: Processes
    spec: Probing

    @cached_property
    def graph(self) -> ConceptGraph:
        """The concepts that are asked for."""
        return graph_for_probes(self.recipe, self.spec.ontology)

    def rows(self, role: Literal["train", "validation"]) -> list[Int64[np.ndarray, " row"]]:
        """Records of a role, of each store: all, or `records` of them chosen once and for all."""
        every = self.data.examples.train if role == "train" else self.data.examples.validation
        numbered = np.concatenate([np.full(len(rows), store) for store, rows in enumerate(every)])
        chosen = np.random.default_rng([self.recipe.seed, _CHOICE]).permutation(len(numbered))[: self.spec.records]
        picked = np.zeros(len(numbered), dtype=bool)
        picked[chosen] = True
        ends = np.cumsum([len(rows) for rows in every])[:-1]
        return [rows[part] for rows, part in zip(every, np.split(picked, ends), strict=True)]

    def labels(self, rows: list[Int64[np.ndarray, " row"]]) -> Labels:
        """What is said of those records, over the concepts of the graph."""
        stores = self.data.stores.values()
        tables = [store.records.iloc[part] for store, part in zip(stores, rows, strict=True)]
        return Labels.of(pd.concat(tables, ignore_index=True), self.graph, self.recipe.data.labels)

    @torch.no_grad()
    def embed(self, rows: list[Int64[np.ndarray, " row"]], name: str) -> Float32[np.ndarray, "record dim"]:
        """A feature of the first window of those records, as the towers are now; all processes must ask for it.

        Args:
            rows: Of each store.
            name: `pooled`, the encoder's features, or `signal`, their projection onto the sphere.
        """
        found = []
        self.learner.eval()
        for store, chosen in zip(self.data.stores.values(), rows, strict=True):
            processes = self.processes if len(chosen) >= self.processes.count else ALONE
            own = []
            for part in processes.parts(len(chosen), _BATCH) if len(chosen) else ():
                batch = self.data.intake.windows(store, chosen[part], np.zeros(part.stop - part.start, dtype=np.int64))
                device = self.learner.model.device
                there = {key: value.to(device) for key, value in batch.items()}
                own.append(self.learner.features(there, _KEY)[name].float())
            if own:
                found.append(processes.gather(torch.cat(own)).cpu().numpy())
        return np.concatenate(found)


#: Makes a probe, or says in a `TrainingError` why there is nothing to ask.
PROBES: Registry[Callable[[Watched], Probe]] = Registry("probe")


def probes_of(
    recipe: Recipe, learner: Learner, data: PretrainingData, processes: Processes, console: Console
) -> dict[str, Probe]:
    """The probes that a recipe names, or all that there is something to ask of.

    Args:
        recipe: Its field `training.probes` is not None.
        learner: Model and objectives.
        data: Stores, and who trains and validates.
        processes: Who shares the work.
        console: Where it is said what is left out.

    Raises:
        TrainingError: If a probe is named that cannot be asked, or does not exist.
    """
    spec = recipe.training.probes
    assert spec is not None
    watched, found = Watched(recipe, learner, data, processes, spec), {}
    for name in spec.names or PROBES:
        if name not in PROBES:
            raise TrainingError(f"training.probes.names: expected some of {', '.join(PROBES)}, got {name!r}")
        try:
            found[name] = PROBES[name](watched)
        except TrainingError as error:
            if spec.names:
                raise TrainingError(f"training.probes: {name}: {error}") from error
            console.print(f"no probe {name}: {error}", style="yellow", highlight=False, markup=False)
    return found
