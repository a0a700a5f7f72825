"""Damaged files of every kind, a few of each; `python -m tests.fuzz --seconds 600` tries as many as it can."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.errors import CorpusError
from ontology import OntologyError, read_owl, read_rf2
from pretrain.errors import ModelError, RecipeError
from pretrain.recipe import load, parse
from tests.fuzz.attempt import prepared
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import TARGETS
from tests.ontology import rf2_release


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_damaged_file_is_read_or_refused_in_one_line(name: str) -> None:
    with prepared(TARGETS[name]) as attempt:

        @settings(max_examples=12, deadline=None, derandomize=True, database=None)
        @given(st.integers(0, 2**32))
        def tried(seed: int) -> None:
            attempt.run(attempt.damaged(seed))

        tried()


def test_damage_is_the_same_for_the_same_number() -> None:
    content = bytes(range(256)) * 20
    damaged = [mutate(random.Random(seed), content) for seed in range(200)]
    assert damaged == [mutate(random.Random(seed), content) for seed in range(200)]
    assert sum(each != content for each in damaged) > 190


@pytest.mark.parametrize("text", ["a: 2024-99-99", "[" * 5000, "a: 1__:99:99", "b: !!python/object/apply:os.getcwd []"])
def test_yaml_that_python_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="recipe: "):
        parse(text)
    with pytest.raises(RecipeError, match="recipe: "):
        parse("steps: 1", overrides=[f"steps={text}"])


def test_a_recipe_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(b"name: \xff")
    with pytest.raises(RecipeError, match=r"r.yaml: expected text in UTF-8: invalid start byte at byte 6"):
        load(tmp_path / "r.yaml")


def test_entities_that_grow_are_refused(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    (tmp_path / "laughs.owl").write_text(f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">{levels}]><a>&l9;</a>')
    with pytest.raises(OntologyError, match="nested, long, or one of too many"):
        read_owl(tmp_path / "laughs.owl")


def test_a_zip_that_grows_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(rf2_release.CONCEPT, b"\0" * (64 << 20))
    with pytest.raises(OntologyError, match=r"bomb\.zip"):
        read_rf2(tmp_path / "bomb.zip")


def test_a_model_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    path = TARGETS["model-config"].make(tmp_path)
    path.write_text(path.read_text("utf-8").replace("resnet1d18", "resnet1d58"), "utf-8")
    with pytest.raises(ModelError, match=r"config\.json: describes a model that cannot be built: no encoder named"):
        TARGETS["model-config"].parse(path)


def test_a_table_whose_columns_have_line_breaks_is_refused_in_one_line(tmp_path: Path) -> None:
    path = TARGETS["folder-table"].make(tmp_path)
    path.write_text('"a\nb",subject\n1,2\n', "utf-8")
    with pytest.raises(CorpusError, match=r"expected a column 'record', found a b, subject"):
        TARGETS["folder-table"].parse(path)


def test_json_that_nests_too_deeply_is_refused(tmp_path: Path) -> None:
    path = TARGETS["model-config"].make(tmp_path)
    path.write_text("[" * 100_000, "utf-8")
    with pytest.raises(ModelError, match=r"config\.json: not JSON: nested more deeply"):
        TARGETS["model-config"].parse(path)
