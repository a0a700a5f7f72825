"""What a model says of a store that was prepared otherwise."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from biosig import presets
from pretrain.errors import ModelError
from pretrain.models.intake import Intake
from pretrain.recipe import load


def test_of_another_preprocessing_only_what_differs_is_said() -> None:
    ours, theirs = presets.load("eeg"), presets.load("eeg-causal")
    intake = Intake.of(load("clisa"), ours)
    store = SimpleNamespace(path=Path("other"), sampling_rate=128.0, info=SimpleNamespace(preprocessing=theirs))
    with pytest.raises(ModelError, match=r"other: prepare it with the --preprocessing of the model's data") as caught:
        intake.check_store(store)  # type: ignore[arg-type]  # a stand-in
    said = str(caught.value)
    assert '"phase":"causal"' in said.partition("the store has")[2]
    assert '"reference"' not in said
    store.info.preprocessing = ours
    intake.check_store(store)  # type: ignore[arg-type]  # a stand-in
