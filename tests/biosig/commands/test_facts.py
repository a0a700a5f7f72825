"""What concepts are called, whichever graph they are of."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from biosig.commands.facts import facts
from biosig.quality import in_words
from biosig.simulate import Experiment, eeg
from ontology.terms import term


@pytest.mark.parametrize(
    ("concept", "called"),
    [
        ("164889003", "atrial fibrillation"),
        ("biosig:stage-n2", "stage N2 sleep"),
        ("biosig:emotion-positive", "positive emotion"),
        ("biosig:no-such-thing", ""),
        ("12", ""),
    ],
)
def test_a_concept_is_called_what_its_graph_calls_it(concept: str, called: str) -> None:
    assert term(concept) == called


def test_the_channels_at_fault_are_named() -> None:
    recording = eeg(Experiment(duration=4.0, sampling_rate=128.0), 0, 0)
    signal = recording.signal.copy()
    signal[:, -128:] = 0.0  # padding
    signal[2], signal[5, 7] = 0.0, np.nan

    def said(signal: np.ndarray) -> str:
        console = Console(width=200, file=StringIO())
        console.print(facts(replace(recording, signal=signal)))
        assert isinstance(console.file, StringIO)
        return next(line for line in console.file.getvalue().splitlines() if line.startswith("quality"))

    names = recording.channels
    assert said(signal).split(None, 1)[1].strip() == f"flat ({names[2]}), nan ({names[5]}), {in_words(('padded',))}"
    signal[0:9, 40] = np.nan
    assert f"nan ({' '.join(names[:6])} and 3 more)" in said(signal)


def test_every_concept_of_every_graph_is_called_something() -> None:
    from ontology import shipped

    for graph in shipped.GRAPHS:
        for concept in shipped.table(graph):
            assert term(concept), concept
