"""Which group a record is in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.recording import Modality
from biosig.store import Store
from pretrain.sampling.groups import main_modality, rows_of_groups
from pretrain.specs.samplers import Group
from tests.pretrain.joint import joint_stores

ECG, EEG, EOG = Modality.ECG, Modality.EEG, Modality.EOG


@pytest.mark.parametrize(
    ("kinds", "among", "main"),
    [
        ((EEG,) * 19 + (ECG,), (ECG, EEG), EEG),
        ((ECG,) * 12, (ECG, EEG), ECG),
        ((ECG, EEG), (ECG, EEG), ECG),
        ((ECG, EEG), (EEG, ECG), EEG),
        ((EOG, EOG, EEG), (ECG, EEG), EEG),
        ((EEG, EEG, ECG), (ECG,), ECG),
        ((EOG,), (ECG, EEG), None),
    ],
    ids=["eegmat", "twelve leads", "a tie", "another tie", "does not count", "only one counts", "none"],
)
def test_a_record_is_of_what_most_of_its_channels_are(
    kinds: tuple[Modality, ...], among: tuple[Modality, ...], main: Modality | None
) -> None:
    assert main_modality(kinds, among) is main


def test_a_record_is_in_the_first_group_that_takes_it(tmp_path: Path) -> None:
    stores = [Store(path) for path in joint_stores(tmp_path)]
    rows = [np.array([3, 1, 4]), np.array([2, 0])]

    def found(*groups: Group) -> dict[str, list[list[int]]]:
        given = rows_of_groups(groups, stores, rows, (ECG, EEG))
        return {name: [some.tolist() for some in those] for name, those in given.items()}

    hearts, brains, rest = Group(name="hearts", modality=ECG), Group(name="brains", modality=EEG), Group(name="rest")
    assert found(hearts, brains) == {"hearts": [[3, 1, 4], []], "brains": [[], [2, 0]]}
    assert found(brains, rest) == {"brains": [[], [2, 0]], "rest": [[3, 1, 4], []]}
    assert found(rest, brains) == {"rest": [[3, 1, 4], [2, 0]], "brains": [[], []]}
    assert found(brains) == {"brains": [[], [2, 0]]}
    corpus = Group(name="corpus", modality=EEG, corpora=("simulated",))
    assert found(corpus, rest) == {"corpus": [[], []], "rest": [[3, 1, 4], [2, 0]]}
