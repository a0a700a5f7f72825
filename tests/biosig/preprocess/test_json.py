"""Pipelines that are saved already are read, and written, word for word."""

from __future__ import annotations

import pytest

from biosig.preprocess import Bandpass, Crop, Notch, Preprocessing, Reference, Resample
from biosig.recording import Modality

OLD = (
    '{"steps":[{"kind":"crop","start":1.0,"stop":9.0},{"kind":"resample","rate":100.0},'
    '{"modality":"ecg","kind":"bandpass","low":0.5,"high":40.0,"order":4},'
    '{"modality":null,"kind":"notch","frequency":50.0,"quality":30.0,"harmonics":true},'
    '{"kind":"reference","channels":["M1","M2"],"modality":"eeg"},'
    '{"kind":"reference","channels":"average","modality":"eeg"},'
    '{"modality":null,"kind":"bandpass","low":null,"high":3.0,"order":2}]}'
)


def test_what_older_stores_have_is_written_the_same() -> None:
    pipeline = Preprocessing(
        steps=(
            Crop(start=1.0, stop=9.0),
            Resample(rate=100.0),
            Bandpass(low=0.5, high=40.0, modality=Modality.ECG),
            Notch(frequency=50.0, harmonics=True),
            Reference(channels=("M1", "M2")),
            Reference(),
            Bandpass(high=3, order=2),
        )
    )
    assert pipeline.model_dump_json() == OLD
    again = Preprocessing.model_validate_json(OLD)
    assert again == pipeline
    assert hash(again) == hash(pipeline)
    assert again.model_dump_json() == OLD


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Resample(rate=100.0, phase="causal"), '"phase":"causal"'),
        (Bandpass(low=1.0, phase="causal"), '"phase":"causal"'),
        (Notch(frequency=50.0, beyond="skip"), '"beyond":"skip"'),
    ],
)
def test_what_is_new_is_said_only_where_it_is_not_the_default(step: object, said: str) -> None:
    pipeline = Preprocessing(steps=(step,))  # type: ignore[arg-type]
    text = pipeline.model_dump_json()
    assert said in text
    assert text.count("phase") + text.count("beyond") == 1
    assert Preprocessing.model_validate_json(text) == pipeline


def test_another_rate_goes_into_the_last_resampling() -> None:
    steps = (Resample(rate=500.0), Bandpass(low=1.0), Resample(rate=128.0, phase="causal"), Reference())
    found = Preprocessing(steps=steps).at_rate(100.0)
    assert found.steps == (*steps[:2], Resample(rate=100.0, phase="causal"), Reference())
    assert Preprocessing(steps=(Reference(),)).at_rate(64.0).steps == (Reference(), Resample(rate=64.0))
