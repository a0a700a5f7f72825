"""A run on disk: what was asked, what it was fed, what happened, and where it stands.

recipe.yaml     the whole recipe, defaults filled in
run.json        the stores and the ontology by hash, package versions, precision
log.jsonl       one line for each logged step and each validation
checkpoints/    the last few, and that of the best validation, for an exact resume
model/          the finished foundation model
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from pretrain.errors import TrainingError
from pretrain.saving import load_json, remove_remains, save_bytes, save_json, whole_folder, writing
from pretrain.specs.recipe import Recipe

if sys.platform != "win32":
    import fcntl

# How a run is carried out, not what it computes: it may go on with others.
_CARRIED_OUT = (
    ("optimiser", "micro_batch"),
    ("training", "processes"),
    ("training", "timeout_minutes"),
    ("training", "keep_checkpoints"),
    ("training", "strategy"),
    ("training", "compile"),
    ("training", "probes"),
    ("training", "tensorboard"),
    ("training", "profile"),
)
#: Packages whose version may change a number.
_PACKAGES = ("biosig", "torch", "numpy", "lightning-fabric", "transformers", "scipy")


class Run:
    """A run folder.

    Args:
        folder: Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """The folder of the finished model."""
        return self.folder / "model"

    @property
    def log(self) -> Path:
        """The log, one JSON object a line."""
        return self.folder / "log.jsonl"

    def start(self, recipe: Recipe, facts: Mapping[str, Any]) -> None:
        """Make the folder, whole or not at all.

        Raises:
            TrainingError: If something is there already, or the folder cannot be written.
        """
        if self.folder.exists():
            raise TrainingError(f"{self.folder}: exists already; give --resume to go on, or another folder")
        with writing(self.folder), whole_folder(self.folder, new=True) as partial:
            save_bytes(recipe.to_yaml().encode(), partial / "recipe.yaml")
            save_json(dict(facts), partial / "run.json")

    def check(self, recipe: Recipe, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """That the run was started with this recipe and these data.

        Returns:
            What else has changed and may change the last bits: package versions, arithmetic, the number of processes,
            the size of micro-batches, what is compiled or sharded. One line each.

        Raises:
            TrainingError: Naming the first field that differs.
        """
        try:
            written = yaml.safe_load((self.folder / "recipe.yaml").read_text(encoding="utf-8"))
            old_recipe = _fields(written, "recipe.yaml")
            old_facts = _fields(load_json(self.folder / "run.json"), "run.json")
            versions_before = _fields(old_facts.get("versions", {}), "run.json: versions")
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            why = " ".join(str(error).split())
            raise TrainingError(f"{self.folder}: not a run that can be resumed: {why}") from error
        for what, old, new in (
            ("recipe", _computed(old_recipe), _computed(yaml.safe_load(recipe.to_yaml()))),
            ("data", _data(old_facts), json.loads(json.dumps(_data(facts)))),
        ):
            if differing := difference(old, new):
                field, before, now = differing
                raise TrainingError(
                    f"{self.folder}: cannot resume with another {what}: {field} was {before!r}, is now {now!r}"
                )
        pairs = {name: (versions_before.get(name), facts["versions"].get(name)) for name in facts["versions"]}
        pairs["precision"] = (old_facts.get("precision"), facts["precision"])
        pairs["processes"] = (old_facts.get("processes", 1), facts.get("processes", 1))
        for part, name in (("optimiser", "micro_batch"), ("training", "strategy"), ("training", "compile")):
            pairs[name] = (old_recipe[part].get(name), getattr(getattr(recipe, part), name))
        return tuple(f"{name} was {before}, is now {now}" for name, (before, now) in pairs.items() if before != now)

    @contextmanager
    def held(self) -> Iterator[None]:
        """For one process at a time: two that go on with one run would write into each other's files.

        Raises:
            TrainingError: If another one is at it.
        """
        if sys.platform == "win32":  # has no such locks
            yield
            return
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise TrainingError(f"{self.folder}: another process is at this run; wait for it, or end it") from None
        except OSError:
            pass  # a file system without locks
        try:
            yield
        finally:
            os.close(descriptor)

    def cut_log(self, step: int) -> None:
        """Forget what was logged after a step: those steps will be done again. What a killed writer left goes as well.

        Raises:
            TrainingError: If the log cannot be written.
        """
        with writing(self.folder):
            remove_remains(self.folder)
        if self.log.is_file():
            with writing(self.log):
                # A line that is damaged goes with those of a killed writer.
                lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
                save_bytes("".join(line for line in lines if _step(line) <= step).encode(), self.log)

    def write_log(self, entry: Mapping[str, Any]) -> None:
        """Add a line.

        Raises:
            TrainingError: If it cannot be written.
        """
        with writing(self.log), self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, allow_nan=False) + "\n")

    def flush_log(self) -> None:
        """Put the log on the disk.

        Raises:
            TrainingError: If it cannot be written.
        """
        if self.log.is_file():
            with writing(self.log), self.log.open("rb") as file:
                os.fsync(file.fileno())


def versions() -> dict[str, str]:
    """The versions of the packages a number may depend on."""
    installed = {}
    for name in _PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed had no part in the run
    return installed


def difference(old: Any, new: Any, field: str = "") -> tuple[str, Any, Any] | None:
    """The first field in which two trees of dictionaries and lists differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        parts = [(str(key), old.get(key), new.get(key)) for key in keys]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        parts = [(str(index), *pair) for index, pair in enumerate(zip(old, new, strict=True))]
    else:
        return None if old == new else (field, old, new)
    found = (difference(before, now, f"{field}.{key}" if field else key) for key, before, now in parts)
    return next((one for one in found if one), None)


def _fields(found: Any, where: str) -> dict[str, Any]:
    if isinstance(found, dict):
        return found
    raise ValueError(f"{where}: expected fields with values, got {found!r:.80}")


def _computed(recipe: Any) -> Any:
    """A recipe without what may change under a run."""
    if not isinstance(recipe, dict):
        return recipe
    return {
        part: {name: value for name, value in fields.items() if (part, name) not in _CARRIED_OUT}
        if isinstance(fields, dict)
        else fields
        for part, fields in recipe.items()
    }


def _data(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What may not change under a run."""
    return {"stores": facts.get("stores"), "ontology": facts.get("ontology")}


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # the last line of a writer that was killed
