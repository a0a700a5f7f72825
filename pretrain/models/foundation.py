"""FoundationModel: named towers on one sphere, saved so that it cannot be misread or misfed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from rich.progress import track
from torch import Tensor, nn

from biosig import encoders
from biosig.recording import Recording
from biosig.store import Store
from ontology.graph import ConceptGraph
from pretrain.errors import ModelError
from pretrain.masked.tower import MaskedTower
from pretrain.models.concepts import ConceptTower
from pretrain.models.config import ModelConfig
from pretrain.models.fingerprint import check_fingerprint, fingerprint
from pretrain.models.hub import model_folder, push
from pretrain.models.leakage import TrainingSet
from pretrain.models.tensors import TensorReport, load_weights
from pretrain.models.text import ReportEncoder
from pretrain.models.towers import SignalTower, TextTower, TokenTower, ViewTower
from pretrain.physiology.tower import PhysiologyTower
from pretrain.saving import load_sealed, save_bytes, save_sealed, save_tensors

CONFIG, WEIGHTS, TRAINING_SET, README = "config.json", "model.safetensors", "training_set.json", "README.md"


class Space(StrEnum):
    """Where an embedding lives.

    `features`: the encoder's pooled features, for heads. `sphere`: their unit projection, for similarities.
    """

    FEATURES = "features"
    SPHERE = "sphere"


class FoundationModel(nn.Module):
    """Towers `signal`, `text` and `concept`, each ending on one unit sphere, and `token`, on a sphere of its own.

    Args:
        config: Architecture, intake, ontology, provenance. A tower is built if the architecture names it.

    Example:
        >>> model = FoundationModel.from_pretrained("runs/quickstart/model")
        >>> model.encode(biosig.read("recording.hea")).shape
        (1, 256)
    """

    #: Features that are not one row a record.
    shared: ClassVar[frozenset[str]] = frozenset({"concept", "token_rate"})

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        spec = config.architecture
        self.graph: ConceptGraph | None = config.ontology.graph() if config.ontology else None
        text_dim = config.report_encoder.dim if config.report_encoder else 0
        self.signal = SignalTower(spec.signal, spec.dim, config.intake)
        self.token = TokenTower(spec.token, self.signal.encoder.dim) if spec.token else None
        self.views = ViewTower(spec.views, self.signal.encoder.dim, spec.dim) if spec.views else None
        self.text = TextTower(spec.text, text_dim, spec.dim) if spec.text else None
        self.concept: ConceptTower | None = None
        if spec.concept:
            if self.graph is None:
                raise ModelError("a concept tower needs an ontology")
            self.concept = ConceptTower(self.graph, spec.dim, spec.concept.embedding, text_dim)
        self.masked = MaskedTower(spec.masked, self.signal.encoder) if spec.masked else None
        rate = config.intake.sampling_rate
        self.physiology = PhysiologyTower(spec.physiology, self.signal.encoder, rate) if spec.physiology else None
        self.training_set: TrainingSet | None = None
        self.tensor_report: TensorReport | None = None
        self._reports: ReportEncoder | None = None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts of the concept tower, in the order of its rows; empty without one."""
        return self.graph.observed if self.concept is not None and self.graph is not None else ()

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `features`."""
        return self.features(batch)

    def features(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Unit vectors by tower: `signal (B, D)`, `text (B, D)`, `concept (K, D)`, `tokens (B, N, D')`.

        Args:
            batch: As `biosig.store.batch` gives it. There is `text` if the batch has `report (B, E)`, the vectors of
                the frozen report encoder, and the model has a text tower. There are `tokens`, and `token_rate`
                (a scalar, tokens a second), if the architecture has a `token`; `view_a` and `view_b (B, D)`, of any
                length, if it has `views`.

        `pooled (B, F)`, of any length, is what `signal` is projected from. What a masked tower and heads of physiology
        add is said in `pretrain.masked.tower.Glimpse` and `pretrain.physiology.tower.PhysiologyTower`.
        """
        glimpse = self.masked(self.signal.encoder, self.signal.intake.admit(batch)) if self.masked else None
        if glimpse is not None and glimpse.anchors:
            tokens, kept = glimpse.tokens, glimpse.seen
        else:
            tokens, kept = self.signal.tokens(batch)
        pooled = self.signal.pool(tokens, kept)
        features = {"signal": self.signal(pooled), "pooled": pooled}
        if glimpse is not None:
            features |= glimpse.features
        if self.physiology is not None:
            features |= self.physiology(tokens, kept, pooled, self.signal.intake.admit(batch))
        if self.token is not None:
            features["tokens"] = self.token(tokens, kept)
            features["token_rate"] = torch.tensor(self.signal.token_rate, device=tokens.device)
        if self.views is not None:
            features["view_a"], features["view_b"] = self.views(tokens, kept)
        if self.text is not None and "report" in batch:
            features["text"] = self.text(batch["report"])
        if self.concept is not None:
            features["concept"] = self.concept()
        return features

    @torch.no_grad()
    def measure(self, batches: Iterable[Mapping[str, Tensor]], reports: Float32[np.ndarray, "report text"]) -> None:
        """Set the standardisation of the projections from typical data, before the first training step."""
        training = self.training
        self.eval()
        encoded, told = [], []
        for batch in batches:
            encoded.append(self.signal.tokens(batch))
            if self.physiology is not None:
                told.append(self.signal.intake.admit(batch))
        self.signal.projection.measure(torch.cat([self.signal.pool(*each) for each in encoded]))
        if self.token is not None:
            self.token.projection.measure(torch.cat([tokens[kept] for tokens, kept in encoded]))
        if self.views is not None:
            self.views.measure(torch.cat([encoders.pool(*each) for each in encoded]))
        if self.physiology is not None:
            self.physiology.measure(encoded, [self.signal.pool(*each) for each in encoded], told)
        if self.text is not None:
            self.text.projection.measure(torch.from_numpy(reports))
        self.train(training)

    def embed(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "batch feature"]:
        """The encoder's pooled features of a batch, before any projection: what probes stand on."""
        return self.signal.pool(*self.signal.tokens(batch))

    def tokens(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "batch token dim"]:
        """A batch token by token, each on the sphere of tokens, `signal.token_rate` a second; 0 in the padding.

        Raises:
            ModelError: If the architecture has no `token`.
        """
        if self.token is None:
            raise ModelError("the model gives no tokens: its architecture has no `token`")
        return self.token(*self.signal.tokens(batch))

    @torch.no_grad()
    def encode(
        self,
        source: Recording | Sequence[Recording] | Store,
        rows: Int[np.ndarray, " row"] | None = None,
        *,
        space: Space = Space.FEATURES,
        batch_size: int = 64,
        progress: bool = False,
    ) -> Float32[np.ndarray, "record dim"]:
        """One vector for each recording: the mean over windows that cover it.

        Recordings are preprocessed as the training data were. Records of a store must have been already.

        Args:
            source: A recording, several, or a store.
            rows: Which records of the store; all by default.
            space: The encoder's features, or the sphere.
            batch_size: Windows in one pass.
            progress: Whether to show a bar.

        Raises:
            ModelError: If a recording or store cannot be brought to what the model was made for.
        """
        plan = self.config.intake.plan(source, rows)
        training = self.training
        # Walking through every module, and a bar that nobody sees, take longer than a small encoder.
        if training:
            self.eval()
        batches = plan.batches(batch_size)
        if progress:
            batches = iter(track(batches, "encode", plan.n_batches(batch_size)))
        sums: np.ndarray | None = None
        counts = np.zeros(plan.records)
        try:
            for owners, batch in batches:
                pooled = self.embed({name: value.to(self.device) for name, value in batch.items()})
                vectors = (self.signal(pooled) if space is Space.SPHERE else pooled).float().cpu().numpy()
                sums = np.zeros((plan.records, vectors.shape[1])) if sums is None else sums
                np.add.at(sums, owners, vectors)
                np.add.at(counts, owners, 1)
        finally:
            if training:
                self.train()
        if sums is None:
            width = self.config.architecture.dim if space is Space.SPHERE else self.signal.encoder.dim
            return np.zeros((0, width), dtype=np.float32)
        means = sums / counts[:, None]
        if space is Space.SPHERE:
            means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        return means.astype(np.float32)

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> Float32[np.ndarray, "text dim"]:
        """Sentences on the sphere.

        Raises:
            ModelError: If the model has no text tower, or the report encoder is not the one it was trained with.
        """
        if self.text is None or self.config.report_encoder is None:
            raise ModelError("the model has no text tower: it was pretrained without reports")
        if self._reports is None:
            stated = self.config.report_encoder
            encoder = ReportEncoder(stated.name)
            if encoder.fingerprint != stated.fingerprint:
                raise ModelError(f"report encoder {stated.name!r}: not the weights that the model was trained with")
            self._reports = encoder
        vectors = torch.from_numpy(self._reports.encode(texts)).to(self.device)
        return self.text(vectors).cpu().numpy()

    @torch.no_grad()
    def encode_concepts(self) -> Float32[np.ndarray, "concept dim"]:
        """The concepts `self.concepts` on the sphere.

        Raises:
            ModelError: If the model has no concept tower.
        """
        if self.concept is None:
            raise ModelError("the model has no concept tower: it was pretrained without an ontology")
        return self.concept().cpu().numpy()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json`, `model.safetensors` and, after a training, `training_set.json`.

        The configuration comes last: a folder without one is not a model.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).unlink(missing_ok=True)
        if self.training_set is not None:
            self.training_set.save(folder / TRAINING_SET)
        save_tensors(self.state_dict(), folder / WEIGHTS)
        self.config = self.config.model_copy(update={"fingerprint": fingerprint(self)})
        save_sealed(self.config.model_dump(mode="json"), folder / CONFIG)

    def push_to_hub(self, repo_id: str, *, private: bool = True, message: str = "", token: str | None = None) -> str:
        """Send what `save_pretrained` writes to the Hugging Face hub, with a card made from the configuration.

        Of the people it was trained on `training_set.json` holds hashes; who knows a corpus and its name of a person
        can ask whether the person is among them. Weights may hold traces of their training records.

        Args:
            repo_id: `owner/name`; made if it is not there.
            private: Whether a repository that is made is seen by its owner only.
            message: Of the commit.
            token: Of the hub; the one that `hf auth login` keeps by default.

        Returns:
            The commit, for `from_pretrained(repo_id, revision=...)`.

        Raises:
            ModelError: If the hub does not take it.
        """
        from pretrain.sharing.card import readme  # noqa: PLC0415  above this module
        from pretrain.sharing.facts import facts  # noqa: PLC0415

        def save(folder: Path) -> None:
            self.save_pretrained(folder)
            save_bytes(readme(facts(self), repo_id=repo_id).encode(), folder / README)

        return push(save, repo_id, private=private, message=message, token=token)

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None) -> Self:
        """Load a folder or a hub id, strictly; in evaluation mode.

        `tensor_report` says which tensors matched.

        Args:
            name: Of the folder or the hub's repository.
            revision: Of the repository; the one in the local cache, or the newest, by default.

        Raises:
            ModelError: If the configuration, the weights, the training set or the fingerprint do not fit together.
        """
        folder = model_folder(name, revision)
        path = folder / CONFIG
        if not path.is_file():
            within = f"; there is one in {folder / 'model'}" if (folder / "model" / CONFIG).is_file() else ""
            raise ModelError(f"{folder}: not a biosig model: there is no {CONFIG}{within}")
        try:
            content, wrong = load_sealed(path)
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: not JSON: {error}") from error
        config = ModelConfig.parse(content, str(path))
        if wrong is not None:
            raise ModelError(f"{path}: {wrong}")
        try:
            model = cls(config)
        except ModelError:
            raise
        # A name that no registry has, a width that does not divide, more memory than there is, ...
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"{path}: describes a model that cannot be built: {reason}") from error
        model.tensor_report = load_weights(model, folder / WEIGHTS)
        model.eval()
        if model.config.fingerprint is not None:
            check_fingerprint(model, model.config.fingerprint, model.config.tolerance)
        if model.config.provenance is not None:
            model.training_set = TrainingSet.load(folder / TRAINING_SET, model.config.provenance.training_set)
        return model


def random_like(model: FoundationModel, seed: int) -> FoundationModel:
    """The same architecture with fresh random weights: the row every table needs beside a pretrained model.

    The global random state is left as it was.
    """
    config = model.config.model_copy(update={"provenance": None, "fingerprint": None})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = FoundationModel(config)
    if fresh.concept is not None and model.concept is not None:
        # The words of the concepts are data, not weights.
        fresh.concept.load_state_dict(dict(model.concept.named_buffers()), strict=False)
    return fresh.eval().to(model.device)
