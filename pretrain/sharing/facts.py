"""What can be said of a model from what it holds itself, for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from biosig.corpora import CORPORA
from pretrain.models.foundation import FoundationModel
from pretrain.sharing.identity import identity


@dataclass(frozen=True)
class Corpus:
    """What a model was pretrained on.

    Attributes:
        name: Of the corpus.
        title: In words; the name, where this installation does not know the corpus.
        licence: Of the recordings.
        citation: Whom to cite.
        url: Where it is.
        sha256: Of the store.
        records: By role.
        subjects: By role.
        folds: By role.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    sha256: str
    records: Mapping[str, int]
    subjects: Mapping[str, int]
    folds: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Facts:
    """Of a pretrained model.

    Attributes:
        name: What it is called.
        title: Of its recipe; empty for a model that nobody has trained.
        identity: See `pretrain.sharing.identity`.
        weights: How many.
        modalities: Of the channels it takes.
        architecture: Name and value of each fact of its build.
        intake: Of what it takes in.
        training: Of its pretraining; empty for a model that nobody has trained.
        references: Of the recipe.
        corpora: What it was trained on.
        known: How many people, and how many waveforms, its training set lists; null without one.
        training_set: SHA-256 of that list.
        versions: Of the packages it was trained with.
    """

    name: str
    title: str
    identity: str
    weights: int
    modalities: tuple[str, ...]
    architecture: Mapping[str, str]
    intake: Mapping[str, str]
    training: Mapping[str, str]
    references: tuple[str, ...]
    corpora: tuple[Corpus, ...]
    known: tuple[int, int] | None
    training_set: str | None
    versions: Mapping[str, str]

    @property
    def citations(self) -> tuple[str, ...]:
        """Whom to cite, each once."""
        return tuple(dict.fromkeys(f"{one.citation} {one.url}".strip() for one in self.corpora))


def facts(model: FoundationModel, name: str | None = None) -> Facts:
    """Everything that its configuration says.

    Args:
        model: Loaded, or just trained.
        name: What to call it; as its recipe by default.
    """
    config = model.config
    origin = config.provenance
    recipe: dict[str, Any] = origin.recipe if origin else {}
    seen = model.training_set
    return Facts(
        name=name or str(recipe.get("name") or "untrained"),
        title=str(recipe.get("title", "")),
        identity=identity(model),
        weights=_weights(model),
        modalities=tuple(kind.value for kind in config.intake.modalities),
        architecture=_architecture(model),
        intake=_intake(model),
        training={} if origin is None else _training(recipe, origin.steps, origin.precision),
        references=tuple(recipe.get("references", ())),
        corpora=tuple(_corpus(use.model_dump()) for use in origin.stores) if origin else (),
        known=None if seen is None else (len(seen.subjects), len(seen.waveforms)),
        training_set=None if origin is None else origin.training_set,
        versions={} if origin is None else origin.versions,
    )


def _weights(model: FoundationModel) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _architecture(model: FoundationModel) -> dict[str, str]:
    spec = model.config.architecture
    options = ", ".join(f"{key}={value}" for key, value in spec.signal.options.items())
    weights = _weights(model)
    encoder = sum(parameter.numel() for parameter in model.signal.encoder.parameters())
    said = {
        "encoder": f"{spec.signal.encoder}{f' ({options})' if options else ''}",
        "weights": f"{weights:,}, of the encoder {encoder:,}",
        "features": f"{model.signal.encoder.dim} numbers, {model.signal.token_rate:.3g} tokens a second, "
        f"{spec.signal.pooling.value} pooling",
        "sphere": f"{spec.dim} dimensions",
        "towers": ", ".join(
            tower for tower in ("signal", "text", "concept", "token") if getattr(model, tower) is not None
        ),
    }
    if model.config.ontology is not None:
        concepts = len(model.config.ontology.concepts)
        said["ontology"] = f"{concepts} SNOMED-CT concepts, fingerprint {model.config.ontology.fingerprint[:12]}"
    if model.config.report_encoder is not None:
        said["report encoder"] = f"{model.config.report_encoder.name}, frozen, not in the file"
    return said


def _intake(model: FoundationModel) -> dict[str, str]:
    intake = model.config.intake
    return {
        "channels": ", ".join(intake.leads)
        if intake.leads
        else f"any {' or '.join(intake.modalities).upper()}, in any order",
        "sampling rate": f"{intake.sampling_rate:g} Hz",
        "window": f"{intake.window_seconds:g} s; longer recordings are averaged over windows",
        "preprocessing": " | ".join(map(_step, intake.preprocessing.model_dump(mode="json")["steps"])) or "none",
    }


def _step(step: Mapping[str, Any]) -> str:
    """`resample rate 100, phase zero`."""
    options = ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in step.items()
        if key != "kind"
    )
    return f"{step['kind']} {options}".strip()


def _training(recipe: Mapping[str, Any], steps: int, precision: str) -> dict[str, str]:
    objectives = [
        str(one["name"]) + ("" if one.get("weight", 1) == 1 else f" (weight {one['weight']:g})")
        for one in recipe.get("objectives", ())
    ]
    optimiser = recipe.get("optimiser", {})
    return {
        "recipe": str(recipe.get("name", "")),
        "objectives": ", ".join(objectives),
        "steps": f"{steps:,} of {optimiser.get('batch_size', '?')} records",
        "learning rate": f"{optimiser.get('learning_rate', '?')}",
        "seed": f"{recipe.get('seed', '?')}",
        "arithmetic": precision,
    }


def _corpus(use: Mapping[str, Any]) -> Corpus:
    known = CORPORA[use["corpus"]] if use["corpus"] in CORPORA else None  # noqa: SIM401  a registry has no `get`
    return Corpus(
        name=use["corpus"],
        title=known.title if known else use["corpus"],
        licence=known.licence if known else "unknown here",
        citation=known.citation if known else "unknown here",
        url=known.url if known else "",
        sha256=use["sha256"],
        records=use["records"],
        subjects=use["subjects"],
        folds=use["folds"],
    )
