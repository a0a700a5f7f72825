"""A model's name -> the folder that holds it: a folder on disk, or a repository of the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

from pretrain.errors import ModelError

# Never the pickled twins of the weights.
_PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def model_folder(name: str | Path) -> Path:
    """The folder of a model; the network is touched only for a hub id that is not in the local hub cache.

    Args:
        name: A folder, or a hub id such as `ncbi/MedCPT-Query-Encoder`.

    Raises:
        ModelError: If there is no such folder, or the hub cannot give it.
    """
    folder = Path(name).expanduser()
    if str(name) and folder.is_dir():
        return folder
    if isinstance(name, Path) or not _HUB_ID.fullmatch(name):
        raise ModelError(f"{name}: expected the folder of a model, or the id of one on the Hugging Face hub")
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ModelError(f"{name}: no such folder (a hub id needs: pip install 'biosig[text]')") from error
    try:
        return Path(snapshot_download(name, allow_patterns=list(_PATTERNS), local_files_only=True))
    except (OSError, ValueError):  # not in the local cache
        try:
            return Path(snapshot_download(name, allow_patterns=list(_PATTERNS)))
        except (OSError, ValueError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"{name}: no such folder, and the hub did not give it: {reason}") from error
