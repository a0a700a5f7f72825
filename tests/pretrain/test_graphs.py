"""A recipe chooses its ontology, and a model keeps it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rich.console import Console

import ontology
from ontology.convert import convert
from pretrain import graphs
from pretrain.errors import RecipeError, TrainingError
from pretrain.graphs import graph_of
from pretrain.models.foundation import FoundationModel
from pretrain.recipe import Recipe, parse
from pretrain.training.session import pretrain
from tests.ontology.rf2_release import concept_id, save, small

WORDLESS = ("model.concept=null", "objectives=[{name: signal_language}]")


def test_the_cardiac_graph_is_taken_unless_another_is_named(tiny: Callable[..., Recipe]) -> None:
    assert graph_of(tiny()) == ontology.cardiac()
    assert graph_of(tiny("ontology=sleep")) == ontology.sleep()
    part = graph_of(tiny("ontology={source: cardiac, descendants_of: [BBB]}"))
    assert part is not None
    bundle = ontology.cardiac().find("BBB").id
    assert set(part.ids) == {bundle, *ontology.cardiac().descendants(bundle)}


def test_an_owl_file_tables_and_a_licensed_release_are_graphs_too(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    for name in ("emotion.owl", "emotion.csv"):
        _, files = convert("emotion", tmp_path / name)
        found = graph_of(tiny(f"ontology={files[0]}"))
        assert found is not None
        assert set(found.ids) == set(ontology.emotion().ids)
    release = save(small(6, [(2, 1), (3, 1), (4, 2), (5, 2), (6, 3)]), tmp_path / "release")
    whole = graph_of(tiny(f"ontology={release}"))
    part = graph_of(tiny(f"ontology={{source: {release}, descendants_of: ['{concept_id(2)}']}}"))
    assert whole is not None
    assert part is not None
    assert len(whole) == 6
    assert set(part.ids) == {concept_id(number) for number in (2, 4, 5)}


def test_a_recipe_that_uses_no_concept_has_no_graph(tiny: Callable[..., Recipe], store: Path, tmp_path: Path) -> None:
    for more in ((), ("ontology=none",), ("ontology=null",)):
        assert graph_of(tiny(*WORDLESS, *more)) is None
    recipe = tiny(*WORDLESS, "optimiser.steps=2")
    model = FoundationModel.from_pretrained(
        pretrain(recipe, [store], tmp_path / "run", console=Console(quiet=True)).model
    )
    assert model.graph is None
    assert model.config.ontology is None


def test_a_recipe_survives_a_round_trip_with_its_ontology(tiny: Callable[..., Recipe]) -> None:
    for override in ("ontology=sleep", "ontology=none", "ontology={source: a.zip, descendants_of: ['123037004']}"):
        recipe = tiny(override)
        assert parse(recipe.to_yaml()) == recipe
    assert yaml.safe_load(tiny().to_yaml())["ontology"]["source"] == "cardiac"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["ontology=none"], r"tiny: ontology: expected a graph, for model\.concept needs concepts; got none"),
        (["ontology=none", "model.concept=null"], r"for objectives\.graph_smoothed needs concepts"),
        (["ontology=cardiak"], r"tiny: ontology: no graph named 'cardiak' \(did you mean 'cardiac'\?\)"),
        (["ontology=nowhere/mine.owl"], r"tiny: ontology: nowhere/mine\.owl: no such file"),
        (["ontology={source: cardiac, descendants_of: [atrial fibrilation]}"], r"did you mean 'atrial fibrillation'"),
    ],
)
def test_a_graph_that_cannot_be_had_is_one_line(
    overrides: list[str], message: str, tiny: Callable[..., Recipe]
) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        graph_of(tiny(*overrides))
    assert "\n" not in str(caught.value)


def test_a_misspelt_field_is_named(tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RecipeError, match=r"descendant_of: no such field \(did you mean 'descendants_of'\?\)"):
        tiny("ontology={source: cardiac, descendant_of: [AF]}")


def test_a_graph_whose_kernel_would_not_fit_is_refused(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "MOST_CONCEPTS", 39)
    with pytest.raises(RecipeError, match=r"at most 39 concepts, got 40 from cardiac; ontology\.descendants_of"):
        graph_of(tiny())


def test_a_model_keeps_the_graph_and_a_run_does_not_go_on_with_another(
    tiny: Callable[..., Recipe], store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.owl"
    convert("cardiac", path, descendants_of=["biosig:rhythm"])
    recipe = tiny(f"ontology={path}", "optimiser.steps=2")
    model = FoundationModel.from_pretrained(
        pretrain(recipe, [store], tmp_path / "run", console=Console(quiet=True)).model
    )
    assert model.graph == ontology.read_owl(path)
    assert model.concepts == ontology.read_owl(path).observed
    assert model.encode_concepts().shape == (len(model.concepts), 16)
    convert("cardiac", path, descendants_of=["AF"])
    with pytest.raises(TrainingError, match=r"cannot resume with another data: ontology was"):
        pretrain(recipe, [store], tmp_path / "run", resume=True, console=Console(quiet=True))
