"""Which model this is, in one word."""

from __future__ import annotations

import hashlib

from biosig.sealed import sealed
from pretrain.models.fingerprint import fingerprint
from pretrain.models.foundation import FoundationModel
from pretrain.saving import json_bytes


def identity(model: FoundationModel) -> str:
    """SHA-256 of the `config.json` that `save_pretrained` writes.

    It holds the architecture, the preprocessing, the hash of the training set and what the weights answer to a fixed
    input: another model has another one.
    """
    config = model.config
    if config.fingerprint is None:
        config = config.model_copy(update={"fingerprint": fingerprint(model)})
    return hashlib.sha256(json_bytes(sealed(config.model_dump(mode="json")))).hexdigest()
