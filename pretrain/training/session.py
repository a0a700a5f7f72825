"""From a recipe and stores to a finished model: everything around the loop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.console import Console

from ontology.graph import ConceptGraph
from pretrain.data.examples import Examples
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError, TrainingError
from pretrain.graphs import graph_of
from pretrain.models.config import ModelConfig, OntologyConfig, ReportEncoderConfig, StoreUse
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.objectives import OBJECTIVES, Objective
from pretrain.parallel.distributed import Processes
from pretrain.parallel.launch import fabric_of, together
from pretrain.parallel.sharding import is_sharded, whole
from pretrain.saving import whole_folder, writing
from pretrain.specs.execution import Compile, Device, Final
from pretrain.specs.recipe import Recipe
from pretrain.training.compiling import compile_norms, compile_towers
from pretrain.training.gradcache import GradCache
from pretrain.training.learner import Learner
from pretrain.training.origin import provenance, run_facts, uses_of
from pretrain.training.precision import resolve_precision
from pretrain.training.rng import seed_everything
from pretrain.training.run import Run
from pretrain.training.trainer import Outcome, Trainer


@dataclass(frozen=True)
class Summary:
    """What came out of a pretraining.

    Attributes:
        model: Folder of the finished model.
        outcome: Steps, time, losses.
        data: What it was trained on.
        parameters: Weights that trained.
        duplicates: Training records left out because the same waveform validates or tests.
    """

    model: Path
    outcome: Outcome
    data: tuple[StoreUse, ...]
    parameters: int
    duplicates: int


@dataclass(frozen=True)
class Trained:
    """A finished model in memory, with what a summary says of it.

    Attributes:
        model: On the CPU, in evaluation mode, with its provenance; not saved.
        outcome: Steps, time, losses.
        data: What it was trained on.
        parameters: Weights that trained.
        duplicates: Training records left out because the same waveform validates or tests.
    """

    model: FoundationModel
    outcome: Outcome
    data: tuple[StoreUse, ...]
    parameters: int
    duplicates: int


def pretrain(
    recipe: Recipe, stores: Sequence[Path], out: Path, *, resume: bool = False, console: Console | None = None
) -> Summary:
    """Train a foundation model and save it.

    Only records of the role `train` of each store's split are learnt from; those of `validation` are watched; `test` is
    never opened. The order: audit of the subjects, reports through the frozen encoder, training, saving.

    Args:
        recipe: What to do.
        stores: Folders that `biosig prepare` made.
        out: The run's folder; see `pretrain.training.run`.
        resume: Go on with a run that was broken off. The recipe and the stores must be the same.
        console: Where progress is shown.

    Raises:
        TrainingError: If the run or the stores cannot be used; see also `Trainer.fit`.
    """
    fabric = fabric_of(recipe.training)
    console = Console(quiet=True) if not fabric.is_global_zero else console or Console(stderr=True)
    folder = Run(out).model
    with together(fabric):
        trained = train(recipe, stores, out, resume=resume, console=console, fabric=fabric)
        if fabric.is_global_zero:
            with writing(folder), whole_folder(folder) as partial:
                trained.model.save_pretrained(partial)
    return Summary(folder, trained.outcome, trained.data, trained.parameters, trained.duplicates)


def train(
    recipe: Recipe,
    stores: Sequence[Path],
    out: Path,
    *,
    console: Console,
    resume: bool = False,
    examples: Examples | None = None,
    fabric: Fabric | None = None,
) -> Trained:
    """See `pretrain`; the model is not saved.

    Args:
        recipe: What to do.
        stores: Folders that `biosig prepare` made.
        out: The run's folder.
        console: Where progress is shown.
        resume: Go on with a run that was broken off.
        examples: Which records train and validate, instead of those of the stores' own roles.
        fabric: The processes that share the run; this one alone by default.

    Raises:
        TrainingError: See `pretrain`.
    """
    fabric = fabric or fabric_of(recipe.training, alone=True)
    run, started = Run(out), out.exists()
    if started and not resume:
        raise TrainingError(f"{out}: exists already; give --resume to go on, or another folder")
    graph = graph_of(recipe, progress=console.is_terminal)
    seed_everything(recipe.seed)
    words = recipe.model.report_encoder
    encoder = None if words is None else ReportEncoder(words, device=_device(recipe))
    # The first process encodes the reports, the others find them in the cache.
    with fabric.rank_zero_first():
        data = PretrainingData(stores, recipe, graph, encoder, examples=examples, progress=console.is_terminal)
    for note in data.notes:
        console.print(note, style="yellow", highlight=False, markup=False)
    uses = uses_of(list(data.stores.values()), examples)
    if recipe.training.final is Final.BEST and not data.validation_size:
        raise TrainingError("training.final: best needs records that validate, and there are none")
    learner = build_learner(recipe, data, graph, encoder)
    if recipe.training.compile is Compile.INDUCTOR:
        compile_towers(learner, fabric.device)
    elif recipe.training.compile is Compile.NORMS:
        compile_norms(learner, resolve_precision(recipe.training.precision, recipe.training.device), fabric.device)
    # What does not fit together should be said before there is a folder.
    for name in _finds_nothing(recipe, learner, data, Processes(fabric.global_rank, fabric.world_size)):
        console.print(f"{name} finds nothing to learn from in the first batch", style="yellow", highlight=False)
    facts = run_facts(recipe, uses, graph) | {"processes": fabric.world_size}
    if started:
        for note in run.check(recipe, facts):
            said = f"resumed elsewhere: {note}; the result may differ in the last bits"
            console.print(said, style="yellow", markup=False)
    elif fabric.is_global_zero:
        run.start(recipe, facts)
    fabric.barrier()
    with run.held() if fabric.is_global_zero else nullcontext():
        trainer = Trainer(recipe, learner, data, run, console, fabric=fabric)
        outcome = trainer.fit(resume=resume)
        steps = outcome.steps
        if recipe.training.final is Final.BEST:
            if outcome.best is None:
                raise TrainingError(f"training.final: best, but {recipe.training.watch.metric} was never finite")
            steps = outcome.best.step
            # The first process may not have finished writing it.
            fabric.barrier()
            trainer.checkpoints.load_weights(steps, learner)
    parameters = sum(parameter.numel() for parameter in learner.parameters() if parameter.requires_grad)
    model = _alone(learner.model)
    model.training_set = data.training_set()
    model.config = model.config.model_copy(
        update={"provenance": provenance(recipe, uses, model.training_set.sha256, steps)}
    )
    model.cpu().eval()
    return Trained(model, outcome, uses, parameters, data.examples.duplicates)


def _finds_nothing(recipe: Recipe, learner: Learner, data: PretrainingData, processes: Processes) -> list[str]:
    """The objectives without a loss in the first batch, of each group if there are several.

    Raises:
        RecipeError: If model, objectives and data do not fit together.
    """
    cache, found = GradCache(learner.eval(), recipe.optimiser.micro_batch), set[str]()
    try:
        for step in data.opening(1):
            losses = cache.evaluate(data.train_parts(step, processes))
            found |= {name.partition("/")[0] for name in losses}
    except ValueError as error:
        raise RecipeError(f"{recipe.name}: {error}") from error
    return [name for name in learner.objectives if name not in found]


def build_learner(
    recipe: Recipe, data: PretrainingData, graph: ConceptGraph | None, encoder: ReportEncoder | None
) -> Learner:
    """Model and objectives of a recipe, initialised from torch's random state.

    Raises:
        RecipeError: If encoder or objective refuse their options.
    """
    objectives = build_objectives(recipe, graph)
    try:
        model = FoundationModel(configure(recipe, data, graph, encoder))
    except ValueError as error:
        raise RecipeError(f"{recipe.name}: model.signal: {error}") from error
    model.measure(data.typical_batches(), data.reports.vectors)
    if model.concept is not None and graph is not None and encoder is not None:
        model.concept.describe(graph, encoder)
    return Learner(model, objectives, {objective.name: objective.weight for objective in recipe.objectives})


def build_objectives(recipe: Recipe, graph: ConceptGraph | None) -> dict[str, Objective]:
    """The objectives of a recipe, by name.

    Raises:
        RecipeError: If one refuses its options, naming it.
    """
    built = {}
    for spec in recipe.objectives:
        try:
            built[spec.name] = OBJECTIVES[spec.name].build(spec.options, graph)
        except (TypeError, ValueError) as error:
            raise RecipeError(f"{recipe.name}: objectives.{spec.name}.options: {error}") from error
    return built


def configure(
    recipe: Recipe, data: PretrainingData, graph: ConceptGraph | None, encoder: ReportEncoder | None
) -> ModelConfig:
    """The configuration of the model that a recipe asks for, fed by these data."""
    reports = None
    if encoder is not None:
        reports = ReportEncoderConfig(name=encoder.name, fingerprint=encoder.fingerprint, dim=encoder.dim)
    return ModelConfig(
        architecture=recipe.model,
        intake=data.intake,
        ontology=None if graph is None else OntologyConfig.of(graph),
        report_encoder=reports,
    )


def _alone(model: FoundationModel) -> FoundationModel:
    """The model as a process has it that works alone: put together where it is sharded."""
    if not is_sharded(model):
        return model
    weights = {name: whole(value).cpu() for name, value in model.state_dict().items()}
    alone = FoundationModel(model.config)
    alone.load_state_dict(weights)
    return alone


def _device(recipe: Recipe) -> str:
    return "cuda" if recipe.training.device is not Device.CPU and torch.cuda.is_available() else "cpu"
