"""What a recipe makes and what it wants, said of all recipes alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from biosig.preprocess import Preprocessing
from pretrain.graphs import graph_of
from pretrain.models.config import ModelConfig, OntologyConfig, ReportEncoderConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.models.text import ReportEncoder
from pretrain.objectives import OBJECTIVES
from pretrain.recipe import load
from pretrain.specs.recipe import Recipe
from pretrain.specs.samplers import SegmentSampler

_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")


@dataclass(frozen=True)
class Entry:
    """A recipe as it is listed.

    Attributes:
        recipe: All of it.
        parameters: Weights that train, model and objectives together. A frozen report encoder is not among them.
        learns_from: The kinds of signal, and what is wanted of a recording besides; in a few words each.
        papers: arXiv numbers.
    """

    recipe: Recipe
    parameters: int
    learns_from: tuple[str, ...]
    papers: tuple[str, ...]


def entry(name: str) -> Entry:
    """A shipped recipe, or one in a file.

    Raises:
        RecipeError: See `pretrain.recipe.load`.
    """
    recipe = load(name)
    papers = dict.fromkeys(number for text in recipe.references for number in _ARXIV.findall(text))
    return Entry(recipe, _parameters(recipe), _learns_from(recipe), tuple(papers))


def _learns_from(recipe: Recipe) -> tuple[str, ...]:
    data = recipe.data
    kind = " and ".join(modality.upper() for modality in data.modalities)
    wants = [f"{kind} at {data.sampling_rate:g} Hz, {data.window_seconds:g} s"]
    if isinstance(data.sampler, SegmentSampler):
        wants.append(f"recordings of at least {data.sampler.segments * data.window_seconds:g} s")
    wants += [OBJECTIVES[spec.name].learns_from for spec in recipe.objectives]
    return tuple(filter(None, dict.fromkeys(wants)))


def _parameters(recipe: Recipe) -> int:
    """Counted, not computed: on the device `meta` a tensor has a shape and nothing else."""
    graph = graph_of(recipe)
    reports = None
    if name := recipe.model.report_encoder:
        reports = ReportEncoderConfig(name=name, fingerprint="", dim=ReportEncoder(name, cache=None).dim)
    config = ModelConfig(
        architecture=recipe.model,
        intake=Intake.of(recipe, Preprocessing()),
        ontology=None if graph is None else OntologyConfig.of(graph),
        report_encoder=reports,
    )
    with torch.device("meta"):
        model = FoundationModel(config)
    parts: list[torch.nn.Module] = [model]
    parts += [OBJECTIVES[spec.name].build(spec.options, graph) for spec in recipe.objectives]
    return sum(weight.numel() for part in parts for weight in part.parameters() if weight.requires_grad)
