"""Recipes: everything that decides a pretraining, in one YAML file whose errors name the field."""

import difflib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

import biosig.explain
from pretrain.errors import RecipeError
from pretrain.specs.architecture import Spec
from pretrain.specs.recipe import Recipe

__all__ = ["Recipe", "explain", "load", "parse", "shipped"]


def shipped() -> tuple[str, ...]:
    """The names of the recipes that come with the package."""
    return tuple(sorted(path.name.removesuffix(".yaml") for path in _folder().iterdir() if path.name.endswith(".yaml")))


def load(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe, shipped or in a file, and change single fields of it.

    Args:
        name_or_path: `quickstart`, or `my/recipe.yaml`.
        overrides: `optimiser.steps=100`, `objectives.graph_smoothed.options.sigma=0.5`; values are YAML.

    Raises:
        RecipeError: In one line, naming the recipe, the field, what was expected and what was found.
    """
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        if not path.is_file():
            raise RecipeError(f"{path}: no such recipe file")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise RecipeError(f"{path.name}: expected text in UTF-8: {error.reason} at byte {error.start}") from None
    elif str(name_or_path) in shipped():
        text = (_folder() / f"{name_or_path}.yaml").read_text(encoding="utf-8")
    else:
        near = difflib.get_close_matches(str(name_or_path), shipped(), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise RecipeError(f"no recipe named {str(name_or_path)!r}{hint}; there are: {', '.join(shipped())}")
    return parse(text, name=path.name, overrides=overrides)


def parse(text: str, *, name: str = "recipe", overrides: Sequence[str] = ()) -> Recipe:
    """A recipe from YAML text; see `load`."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # dates and numbers that cannot be are ValueErrors
        raise RecipeError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{name}: expected fields with values, got {type(content).__name__}")
    for override in overrides:
        _override(content, override, name)
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{name}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    """A validation error in one line: the first field at fault, and how many more there are."""
    return biosig.explain.explain(error, whole="recipe", fields=_field_names(Spec))


def _override(content: dict[str, Any], override: str, name: str) -> None:
    key, equals, value = override.partition("=")
    if not (key and equals):
        raise RecipeError(f"{name}: expected an override such as optimiser.steps=100, got {override!r}")
    *path, last = key.split(".")
    try:
        new = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{name}: {key}: not YAML: {' '.join(str(error).split())}") from error
    where: Any = content
    for part in path:
        where = _step(where, part, key, name)
    if isinstance(where, list):
        where[_index(where, last, key, name)] = new
    elif isinstance(where, dict):
        where[last] = new
    else:
        raise RecipeError(f"{name}: {key}: {'.'.join(path)} has no fields")


def _step(where: Any, part: str, key: str, name: str) -> Any:
    if isinstance(where, list):
        return where[_index(where, part, key, name)]
    if not isinstance(where, dict):
        raise RecipeError(f"{name}: {key}: nothing under {part!r}")
    if where.get(part) is None:
        where[part] = {}
    return where[part]


def _index(where: list[Any], part: str, key: str, name: str) -> int:
    # An item of a list is named by its place, or by its own name: objectives.0, objectives.graph_smoothed.
    names = [item.get("name", item.get("kind")) if isinstance(item, dict) else None for item in where]
    if part in names:
        return names.index(part)
    if part.isdigit() and int(part) < len(where):
        return int(part)
    raise RecipeError(f"{name}: {key}: expected one of {[n for n in names if n]} or a place below {len(where)}")


def _field_names(spec: type[Spec]) -> set[str]:
    """Of a kind of fields and of all kinds of it."""
    return set(spec.model_fields).union(*map(_field_names, spec.__subclasses__()))


def _folder() -> Any:
    return resources.files("pretrain") / "recipes"
