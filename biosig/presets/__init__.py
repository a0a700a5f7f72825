"""Preprocessing by name, and from a user's file.

Names and what they mean cost nothing to ask for: the command line has them in its help.
"""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from biosig.errors import BiosigError
from biosig.explain import explain, shown
from ontology.registry import Registry

if TYPE_CHECKING:
    from biosig.preprocess import Preprocessing

PRESETS: Registry[Traversable] = Registry("preprocessing preset")
_files = {file.name.removesuffix(".yaml"): file for file in resources.files("biosig.presets").iterdir()}
for _name in sorted(_files):
    if _files[_name].name.endswith(".yaml"):
        PRESETS.add(_name, _files[_name])


def describe(preset: str) -> str:
    """What a preset does, in a sentence: the comment that its file begins with."""
    with PRESETS[preset].open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()


def load(name_or_path: str | Path) -> Preprocessing:
    """A preset, or the steps in a YAML file.

    Args:
        name_or_path: A name in `PRESETS`, or a file ending in `.yaml` or `.yml`.

    Raises:
        BiosigError: In one line, naming the file, the field, what was expected and what was found.
        UnknownNameError: If there is no such preset.
    """
    path = Path(name_or_path)
    if path.suffix.lower() in {".yaml", ".yml"}:
        if not path.is_file():
            raise BiosigError(f"{path}: no such file of preprocessing steps")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BiosigError(f"{path.name}: expected text in UTF-8: {error.reason} at byte {error.start}") from None
        return parse(text, name=path.name)
    return parse(PRESETS[str(name_or_path)].read_text(encoding="utf-8"), name=str(name_or_path))


def parse(text: str, *, name: str = "preprocessing") -> Preprocessing:
    """A pipeline from YAML text; see `load`."""
    import yaml  # noqa: PLC0415 -- who asks for names needs none of this
    from pydantic import ValidationError  # noqa: PLC0415 -- as above

    from biosig.preprocess import Preprocessing  # noqa: PLC0415 -- as above

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # dates and numbers that cannot be are ValueErrors
        raise BiosigError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or "steps" not in content:
        raise BiosigError(f"{name}: steps: expected a list of steps, got {shown(content)}")
    try:
        return Preprocessing.model_validate(content)
    except ValidationError as error:
        raise BiosigError(f"{name}: {explain(error)}") from None
