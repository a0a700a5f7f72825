"""A model's name -> the folder that holds it: a folder on disk, or a repository of the Hugging Face hub; and back."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from pretrain.errors import ModelError

# Never the pickled twins of the weights.
_PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model")
# What is sent: weights, configuration and pages. No table of records, whatever a folder holds.
_SENT = ("*.json", "*.safetensors", "README.md", "card.html")
# A name without an owner is a folder that is not there, not a reason to ask the network.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_EXTRA = "pip install 'biosig[hub]'"


def model_folder(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a model; the network is touched only for a hub id that is not in the local hub cache.

    With `HF_HUB_OFFLINE=1` not even then.

    Args:
        name: A folder, or a hub id such as `ncbi/MedCPT-Query-Encoder`.
        revision: A branch, tag or commit of the hub's repository; a commit is the same for ever.

    Raises:
        ModelError: If there is no such folder, or the hub cannot give it.
    """
    folder = Path(name).expanduser()
    if str(name) and folder.is_dir():
        if revision is not None:
            raise ModelError(f"{name}: expected a hub id with revision {revision!r}, found a folder, which has none")
        return folder
    # `runs/mistyped` is a path as long as there is a folder `runs`.
    if isinstance(name, Path) or not _HUB_ID.fullmatch(name) or Path(name).parent.is_dir():
        raise ModelError(f"{name}: expected the folder of a model, or OWNER/NAME of one on the Hugging Face hub")
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ModelError(f"{name}: no such folder (a hub id needs: {_EXTRA})") from error
    patterns = list(_PATTERNS)
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns, local_files_only=True))
    except (OSError, ValueError):  # not in the local cache
        try:
            return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
        except (OSError, ValueError) as error:
            raise ModelError(f"{name}: no such folder, and the hub did not give it: {_first_line(error)}") from error


def push(
    save: Callable[[Path], None], repo_id: str, *, private: bool = True, message: str = "", token: str | None = None
) -> str:
    """Save a model into a new folder and send that to a repository of the Hugging Face hub, in one commit.

    Only JSON, safetensors and the model's page are sent; nothing that is pickled, and no table of records.

    Args:
        save: Writes the folder.
        repo_id: `owner/name`; it is made if it is not there.
        private: Whether a repository that is made is seen by its owner only.
        message: Of the commit.
        token: Of the hub; the one that `hf auth login` keeps by default.

    Returns:
        The commit, for `from_pretrained(repo_id, revision=...)`.

    Raises:
        ModelError: If the name is none, or the hub does not take it.
    """
    with tempfile.TemporaryDirectory() as partial:
        save(Path(partial))
        return push_folder(partial, repo_id, private=private, message=message, token=token)


def push_folder(
    folder: str | Path, repo_id: str, *, private: bool = True, message: str = "", token: str | None = None
) -> str:
    """Send the folder of a model, a diagnoser or a delineator as it is, with its card; see `push`.

    Args:
        folder: As `save_pretrained` has left it.
        repo_id: See `push`, as for the others.
        private: Whether a repository that is made is seen by its owner only.
        message: Of the commit.
        token: Of the hub.

    Raises:
        ModelError: If the folder holds no weights, the name is none, or the hub does not take it.
    """
    if not any(Path(folder).glob("*.safetensors")):
        raise ModelError(f"{folder}: expected the folder of a model, found no weights (*.safetensors) in it")
    if not _HUB_ID.fullmatch(repo_id):
        raise ModelError(f"{repo_id}: expected the id of a repository on the Hugging Face hub, like owner/name")
    try:
        from huggingface_hub import HfApi  # noqa: PLC0415  # an extra
        from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415
    except ImportError as error:
        raise ModelError(f"{repo_id}: sending a model needs: {_EXTRA}") from error
    api = HfApi(token=token)
    try:
        api.create_repo(repo_id, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            allow_patterns=list(_SENT),
            commit_message=message or "A model of biosig",
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelError(f"{repo_id}: the hub did not take the model: {_first_line(error)}") from error
    return str(commit.oid)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
