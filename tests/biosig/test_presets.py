"""Presets, and pipelines from files: what they hold, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig.errors import BiosigError
from biosig.preprocess import Bandpass, Preprocessing, Reference, Resample
from biosig.presets import PRESETS, describe, load, parse
from biosig.recording import Modality, Recording
from ontology.registry import UnknownNameError
from tests.biosig.preprocess.brain import CAP, eeg, smooth


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_read_described_and_applied(name: str) -> None:
    pipeline = load(name)
    assert describe(name).endswith(".")
    assert len(describe(name)) < 150
    assert Preprocessing.model_validate_json(pipeline.model_dump_json()) == pipeline
    found = pipeline.apply(eeg(smooth(6)))
    assert found.sampling_rate == (250.0 if name == "raw-250" else 128.0)
    assert np.isfinite(found.signal).all()


def test_the_first_preset_is_what_prepare_does_by_default() -> None:
    assert load("raw-250") == Preprocessing()


def test_only_the_causal_preset_calls_itself_so() -> None:
    assert [name for name in PRESETS if load(name).causal] == ["eeg-causal"]


@pytest.mark.parametrize("rate", [100.0, 128.0, 160.0, 500.0])
def test_the_eeg_preset_fits_slow_recordings_and_leaves_an_ecg_as_recorded(rate: float) -> None:
    x = np.vstack([smooth(8, rate=rate), 1000 * np.sin(2 * np.pi * 0.2 * np.arange(int(8 * rate)) / rate)])
    found = load("eeg").apply(eeg(x, (*CAP, "ECG"), rate=rate))
    assert np.abs(found.signal[-1]).max() == pytest.approx(1000, rel=0.02)
    np.testing.assert_allclose(found.signal[:-1].mean(axis=0), 0, atol=1e-3)


def test_the_eeg_preset_takes_out_mains_and_drift() -> None:
    time = np.arange(5000) / 250
    x = smooth(20)
    dirty = x + 300 * np.sin(2 * np.pi * 50 * time) + 200 * np.sin(2 * np.pi * 0.05 * time + np.arange(19)[:, None])
    clean, found = (load("eeg").apply(eeg(each)).signal[:, 640:-640] for each in (x, dirty))
    assert np.std(found - clean) < 0.02 * np.std(clean)


def test_the_joint_preset_is_that_of_eeg_and_leaves_an_ecg_its_st_segments() -> None:
    rate, time = 500, np.arange(10_000) / 500
    # A beat a second whose ST segment is 200 microvolts up for 0.2 s, with drift and mains on top.
    phase = time % 1
    beat = 1000 * np.exp(-(((phase - 0.3) / 0.012) ** 2)) + 200 * ((phase > 0.36) & (phase < 0.56))
    worn = beat + 500 * np.sin(2 * np.pi * 0.1 * time) + 300 * np.sin(2 * np.pi * 50 * time)
    brain = smooth(20, rate=rate)
    found = load("joint-128").apply(eeg(np.vstack([brain, worn]), (*CAP, "ECG"), rate=rate))
    alone = load("eeg").apply(eeg(brain, CAP, rate=rate))
    np.testing.assert_array_equal(found.signal[:-1], alone.signal)
    x, now = found.signal[-1], np.arange(found.n_times) / 128
    inside, before = (
        ((now % 1) > low) & ((now % 1) < high) & (now > 2) & (now < 18) for low, high in ((0.42, 0.5), (0.15, 0.24))
    )
    elevation = np.array(
        [x[inside & (now // 1 == k)].mean() - x[before & (now // 1 == k)].mean() for k in range(3, 17)]
    )
    np.testing.assert_allclose(elevation, 200, atol=40)
    assert elevation.std() < 10, "neither drift nor mains is left"


def test_a_file_of_steps(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("steps:\n- {kind: resample, rate: 100}\n- kind: bandpass\n  low: 1\n- kind: reference\n")
    assert load(file).steps == (Resample(rate=100), Bandpass(low=1), Reference())
    assert load(str(file)) == load(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [{kind: resample, rats: 1}]", r"a\.yaml: steps\.0\.resample\.rate: Field required \(and 1 more\)"),
        ("steps: [{kind: resample, rate: 1, rats: 1}]", r"a\.yaml: steps\.0\.resample\.rats: no such field"),
        ("steps: [{kind: whiten}]", r"a\.yaml: steps\.0\.kind: expected 'resample', .*got 'whiten'"),
        ("steps: [{rate: 100}]", r"a\.yaml: steps\.0: expected a field 'kind', got \{'rate': 100\}"),
        ("steps: [{kind: bandpass, low: 40, high: 1}]", r"steps\.0\.bandpass: expected low < high, got 40 and 1 Hz"),
        ("steps: [{kind: notch, frequency: x}]", r"steps\.0\.notch\.frequency: .*got 'x'"),
        ("steps: 3", r"a\.yaml: steps: .*got 3"),
        ("rate: 100", r"a\.yaml: steps: expected a list of steps, got \{'rate': 100\}"),
        ("", r"a\.yaml: steps: expected a list of steps, got None"),
        ("steps: [", r"a\.yaml: not YAML: .*line 1"),
        ("steps: [!!python/object/apply:os.system ['true']]", r"a\.yaml: not YAML: .*could not determine"),
        ("steps: []\nmore: 1", r"a\.yaml: more: no such field"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_field(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(BiosigError, match=message) as error:
        load(file)
    assert "\n" not in str(error.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no preprocessing preset named 'egg' \(did you mean 'eeg'\?\)"):
        load("egg")
    with pytest.raises(BiosigError, match="no such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BiosigError, match=r"odd\.yaml: expected text in UTF-8"):
        load(tmp_path / "odd.yaml")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_pipeline_or_an_error_of_ours(text: str) -> None:
    found: Preprocessing | str
    try:
        found = parse(text)
    except BiosigError as error:
        found = str(error)
    assert isinstance(found, Preprocessing) or "\n" not in found


def test_a_recording_without_eeg_is_only_resampled() -> None:
    given_ = Recording(np.ones((1, 500), np.float32), ("II",), 500.0, (Modality.ECG,))
    for name in set(PRESETS) - {"joint-128"}:  # which has a band for ECG as well
        np.testing.assert_allclose(load(name).apply(given_).signal, 1, atol=1e-6)
