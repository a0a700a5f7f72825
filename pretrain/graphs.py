"""Which concept graph a recipe teaches."""

from __future__ import annotations

from ontology.convert import load
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.registry import UnknownNameError
from pretrain.errors import RecipeError
from pretrain.objectives import OBJECTIVES
from pretrain.specs.recipe import Ontology, Recipe

#: Kernels are dense: so many concepts take 0.2 GB.
MOST_CONCEPTS = 5000


def graph_of(recipe: Recipe, *, progress: bool = False) -> ConceptGraph | None:
    """The ontology that a recipe names; None where neither a tower nor an objective has a use for concepts.

    Args:
        recipe: Its field `ontology` says which.
        progress: Whether to show the reading of a SNOMED-CT release.

    Raises:
        RecipeError: In one line: concepts are needed and there is no graph, it cannot be read, or it is too large.
    """
    users = ["model.concept"] if recipe.model.concept is not None else []
    users += [f"objectives.{spec.name}" for spec in recipe.objectives if OBJECTIVES[spec.name].uses_graph]
    if not users:
        return None
    if recipe.ontology is None:
        raise RecipeError(f"{recipe.name}: ontology: expected a graph, for {users[0]} needs concepts; got none")
    return _loaded(recipe, recipe.ontology, progress=progress)


def graph_for_probes(recipe: Recipe, source: str | None) -> ConceptGraph:
    """The concepts that probes ask for, whether or not the recipe learns from any.

    Args:
        recipe: Whose `ontology` is taken by default; `cardiac` where it has none.
        source: As in `ontology.source`.

    Raises:
        RecipeError: See `graph_of`.
    """
    asked = recipe.ontology if source is None else Ontology(source=source)
    return _loaded(recipe, asked or Ontology(source="cardiac"), progress=False)


def _loaded(recipe: Recipe, asked: Ontology, *, progress: bool) -> ConceptGraph:
    try:
        graph = load(
            asked.source,
            descendants_of=asked.descendants_of or None,
            ancestors_of=asked.ancestors_of or None,
            language=asked.language,
            progress=progress,
        )
    except (OntologyError, UnknownNameError) as error:
        raise RecipeError(f"{recipe.name}: ontology: {error}") from error
    if len(graph.observed) > MOST_CONCEPTS:
        raise RecipeError(
            f"{recipe.name}: ontology: expected at most {MOST_CONCEPTS:,} concepts, got {len(graph.observed):,} from "
            f"{asked.source}; ontology.descendants_of takes a part"
        )
    return graph
