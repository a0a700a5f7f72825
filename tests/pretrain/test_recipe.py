"""Recipes: the shipped ones load, and every mistake is one line that names the field."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from pretrain import recipe
from pretrain.errors import RecipeError
from pretrain.specs.recipe import Optimiser

SMALL = """
name: small
title: A test
data: {sampling_rate: 100, window_seconds: 2, augment: [{kind: gain}, {kind: noise, sigma: 0.1}]}
model: {dim: 8, signal: {encoder: resnet1d18}, text: {}}
objectives: [{name: signal_language}, {name: graph_smoothed, weight: 0.5, options: {sigma: 1}}]
optimiser: {steps: 10, batch_size: 4, learning_rate: 1e-3}
"""


@pytest.mark.parametrize("name", recipe.shipped())
def test_a_shipped_recipe_says_what_it_is_and_survives_a_round_trip(name: str) -> None:
    loaded = recipe.load(name)
    assert loaded.name == name
    assert loaded.references
    assert loaded.reconstruction
    assert recipe.parse(loaded.to_yaml()) == loaded


def test_the_recipes_that_were_promised_are_shipped() -> None:
    promised = {"quickstart", "graph_smoothed_ecg", "ecg_language_ontology"}
    assert promised <= set(recipe.shipped())


def test_a_recipe_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL)
    assert recipe.load(path) == recipe.load(str(path)) == recipe.parse(SMALL)


@pytest.mark.parametrize(
    ("override", "where", "value"),
    [
        ("optimiser.steps=100", ("optimiser", "steps"), 100),
        ("training.precision=float32", ("training", "precision"), "float32"),
        ("objectives.1.weight=2", ("objectives", 1, "weight"), 2.0),
        ("objectives.graph_smoothed.options.sigma=0.5", ("objectives", 1, "options", "sigma"), 0.5),
        ("data.augment.noise.sigma=3e-2", ("data", "augment", 1, "sigma"), 0.03),
        ("data.augment=[]", ("data", "augment"), []),
        ("model.text=null", ("model", "text"), None),
        ("model.concept.embedding=graph", ("model", "concept", "embedding"), "graph"),
    ],
)
def test_one_field_is_changed_from_the_command_line(override: str, where: tuple[str | int, ...], value: object) -> None:
    content = yaml.safe_load(recipe.parse(SMALL, overrides=[override]).to_yaml())
    for part in where:
        content = content[part]
    assert content == value


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimiser.stepz=100", r"recipe: optimiser\.stepz: no such field \(did you mean 'steps'\?\)"),
        ("optimiser.steps=-1", r"recipe: optimiser\.steps: Input should be greater than 0, got -1"),
        ("optimiser.steps=many", r"recipe: optimiser\.steps: .*, got 'many'"),
        ("optimiser.warmup_steps=10", r"recipe: optimiser: expected warmup_steps below steps \(10\), got 10"),
        ("optimiser.learning_rate=.nan", r"recipe: optimiser\.learning_rate: "),
        ("training.precision=half", r"recipe: training\.precision: .*'auto', 'bf16' or 'float32', got 'half'"),
        ("data.augment.0.kind=blur", r"recipe: data\.augment\.0\.kind: expected .*got 'blur'"),
        ("objectives=[]", r"recipe: objectives: "),
        ("objectives.1.name=signal_language", r"recipe: recipe: objective 'signal_language' occurs twice"),
        ("objectives.third.weight=1", r"expected one of \['signal_language', 'graph_smoothed'\] or a place below 2"),
        ("name.first=1", r"recipe: name\.first: name has no fields"),
        ("name.first.second=1", r"recipe: name\.first\.second: nothing under 'first'"),
        ("steps", r"expected an override such as optimiser\.steps=100, got 'steps'"),
        ("optimiser.steps=[1", r"recipe: optimiser\.steps: not YAML"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_field(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        recipe.parse(SMALL, overrides=[override])
    assert "\n" not in str(caught.value)


def test_a_missing_field_and_the_number_of_further_mistakes_are_named() -> None:
    content = {**yaml.safe_load(SMALL), "seed": -1}
    del content["optimiser"]["steps"]
    with pytest.raises(RecipeError, match=r"recipe: seed: .*got -1 \(and 1 more\)"):
        recipe.parse(yaml.safe_dump(content))


@pytest.mark.parametrize("text", ["", "- a", "a: [", "!!python/object/apply:os.system ['true']"])
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="recipe: "):
        recipe.parse(text)


def test_a_name_is_mended() -> None:
    with pytest.raises(RecipeError, match=r"no recipe named 'quikstart' \(did you mean 'quickstart'\?\); there are: "):
        recipe.load("quikstart")
    with pytest.raises(RecipeError, match=r"mine\.yaml: no such recipe file"):
        recipe.load("mine.yaml")


def test_the_rate_warms_up_then_falls_to_zero() -> None:
    spec = Optimiser(steps=100, batch_size=2, learning_rate=1.0, warmup_steps=9)
    rates = [spec.learning_rate_at(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == max(rates) == 1.0
    assert all(a < b for a, b in pairwise(rates[:10]))
    assert all(a > b for a, b in pairwise(rates[9:]))
    assert rates[100] == pytest.approx(0)
