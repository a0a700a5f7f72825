"""ECG paper measures true: positions of the ink in millimetres against the recording in microvolts."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from biosig.channels import LEADS_12
from biosig.errors import BiosigError
from biosig.plot import ecg_paper, save
from biosig.recording import Event, Modality, Recording
from biosig.simulate import ecg

MM = 25.4


def recording(channels: tuple[str, ...], seconds: float = 10.0, rate: float = 100.0, **more: object) -> Recording:
    rng = np.random.default_rng(1)
    signal = 300 * rng.standard_normal((len(channels), round(seconds * rate)))
    kinds = (Modality.ECG,) * len(channels)
    return Recording(signal, channels, rate, kinds, record_id="r1", **more)  # type: ignore[arg-type]


def page(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for text in page(figure).texts]


def inked(figure: Figure) -> list[Line2D]:
    """The traces: lines of many points; the calibration pulse has six, a separator two."""
    return [line for line in page(figure).lines if len(line.get_xdata()) > 6]


def test_a_unit_of_the_page_is_a_millimetre_of_paper() -> None:
    figure = ecg_paper(recording(LEADS_12))
    axes, size = page(figure), figure.get_size_inches() * MM
    place = axes.get_position()
    assert place.width * size[0] == pytest.approx(np.ptp(axes.get_xlim()))
    assert place.height * size[1] == pytest.approx(np.ptp(axes.get_ylim()))


def test_speed_and_gain_are_25_mm_a_second_and_10_mm_a_millivolt() -> None:
    source = recording(("II", "V5"), seconds=8.0)
    figure = ecg_paper(source)
    for line, lead in zip(inked(figure), source.signal, strict=True):
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        np.testing.assert_allclose(np.diff(x), 25 / 100)
        np.testing.assert_allclose(y - y[0], (lead - lead[0]) * 10 / 1000, atol=1e-4)


def test_the_calibration_pulse_is_a_millivolt_for_a_fifth_of_a_second() -> None:
    pulses = [line for line in page(ecg_paper(recording(("II",)))).lines if len(line.get_xdata()) == 6]
    assert len(pulses) == 1
    assert np.ptp(pulses[0].get_ydata()) == pytest.approx(10)
    x, y = np.asarray(pulses[0].get_xdata()), np.asarray(pulses[0].get_ydata())
    assert np.ptp(x[y == y.max()]) == pytest.approx(5)


def test_baselines_lie_on_heavy_lines_and_the_grid_has_both() -> None:
    axes = page(ecg_paper(recording(LEADS_12)))
    for pulse in (line for line in axes.lines if len(line.get_xdata()) == 6):
        assert min(pulse.get_ydata()) % 5 == pytest.approx(0, abs=1e-9)
    fine, coarse = axes.collections
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    assert len(fine.get_segments()) == width + height + 2
    assert len(coarse.get_segments()) == width // 5 + height // 5 + 2


def test_three_by_four_with_a_rhythm_strip_is_what_twelve_leads_get() -> None:
    figure = ecg_paper(recording(LEADS_12))
    assert labels(figure) == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    spans = [np.ptp(np.asarray(line.get_xdata())) / 25 for line in inked(figure)]
    assert spans == pytest.approx([2.5] * 3 * 4 + [10.0], abs=0.03)


def test_time_runs_on_from_column_to_column() -> None:
    source = recording(LEADS_12)
    lines = inked(ecg_paper(source))
    v1 = lines[2]  # third of the first row: from 5 to 7.5 s
    x, y = np.asarray(v1.get_xdata()), np.asarray(v1.get_ydata())
    assert (x[0] - np.asarray(lines[0].get_xdata())[0]) / 25 == pytest.approx(5.0, abs=0.011)
    shown = source.signal[6, 500 : 500 + len(y)] / 100
    np.testing.assert_allclose(y - y[0], shown - shown[0], atol=1e-4)


@pytest.mark.parametrize(
    ("layout", "rows", "traces"), [("6x2", 6, 12), ("12x1", 12, 12), ("3x4+3", 6, 15), ("4x3", 4, 12)]
)
def test_other_layouts(layout: str, rows: int, traces: int) -> None:
    figure = ecg_paper(recording(LEADS_12), layout=layout)
    assert len([line for line in page(figure).lines if len(line.get_xdata()) == 6]) == rows
    assert len(inked(figure)) == traces


@pytest.mark.parametrize("channels", [("MLII", "V5"), ("ECG",), ("X", "Y", "Z"), tuple(f"ECG{k}" for k in range(15))])
def test_any_number_of_leads_gets_a_row_each(channels: tuple[str, ...]) -> None:
    figure = ecg_paper(recording(channels))
    assert labels(figure) == list(channels)
    assert len(inked(figure)) == len(channels)


@pytest.mark.parametrize("layout", ["3by4", "0x4", "", "3x4+9", "100x1"])
def test_a_layout_that_cannot_be_read_is_refused(layout: str) -> None:
    with pytest.raises(BiosigError, match="expected a layout such as 3x4"):
        ecg_paper(recording(LEADS_12), layout=layout)


def test_a_layout_without_room_is_refused() -> None:
    with pytest.raises(BiosigError, match="6 places, but there are 12 leads"):
        ecg_paper(recording(LEADS_12), layout="3x2")


def test_a_missing_lead_leaves_its_place_empty_and_says_so() -> None:
    source = recording(LEADS_12).pick([name for name in LEADS_12 if name != "V3"])
    figure = ecg_paper(source)
    assert "not recorded" in labels(figure)
    assert labels(figure).count("V3") == 1
    assert len(inked(figure)) == 12


def test_gaps_leave_blanks() -> None:
    source = recording(("II", "V1"))
    signal = source.signal.copy()
    signal[0, 300:400] = np.nan
    signal[1] = np.nan
    figure = ecg_paper(Recording(signal, source.channels, 100.0, source.modality))
    first = next(line for line in inked(figure) if np.isfinite(line.get_ydata()).any())
    assert np.isnan(np.asarray(first.get_ydata())[300:400]).all()
    assert np.isfinite(np.asarray(first.get_ydata())[:300]).all()
    assert "not recorded" in labels(figure)


def test_a_long_recording_shows_ten_seconds_from_where_it_is_told() -> None:
    source = recording(("MLII", "V1"), seconds=60.0)
    shown, later = (inked(ecg_paper(source, start=start))[0] for start in (0.0, 42.0))
    assert len(shown.get_xdata()) == len(later.get_xdata()) == 1001
    y = np.asarray(later.get_ydata())
    np.testing.assert_allclose(y - y[0], (source.signal[0, 4200:5201] - source.signal[0, 4200]) / 100, atol=1e-4)
    texts = [text.get_text() for text in ecg_paper(source, start=42.0).texts]
    assert "42–52 s of 60 s" in texts


@pytest.mark.parametrize("bad", [{"start": 10.0}, {"start": -1.0}, {"seconds": 0.0}, {"seconds": 1e9}])
def test_what_lies_outside_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BiosigError, match="r1: expected a start from 0 to 10 s"):
        ecg_paper(recording(("II",)), **bad)  # type: ignore[arg-type]


def test_a_recording_without_ecg_is_refused_and_other_channels_are_left_out() -> None:
    brain = Recording(np.zeros((1, 10), np.float32), ("Cz",), 10.0, (Modality.EEG,), record_id="b")
    with pytest.raises(BiosigError, match="b: no ECG lead"):
        ecg_paper(brain)
    both = Recording(np.zeros((2, 100)), ("Cz", "ECG"), 10.0, (Modality.EEG, Modality.ECG))  # type: ignore[arg-type]
    assert labels(ecg_paper(both))[0] == "ECG"


def test_the_header_says_who_and_what() -> None:
    source = ecg(["427172004"], seed=5)
    texts = [text.get_text() for text in ecg_paper(source, concepts=["premature beats"]).texts]
    person = next(text for text in texts if "years" in text)
    assert source.record_id in texts
    assert "premature beats" in texts
    assert source.report in texts
    assert f"{source.meta['age']:.0f} years" in person
    assert source.meta["sex"] in person
    assert "/min" in person
    assert "25 mm/s   10 mm/mV   500 Hz" in texts


def test_unusual_beats_are_marked_where_they_are() -> None:
    events = tuple(
        Event(time, 0.0, code) for time, code in ((1.0, "N"), (2.0, "N"), (2.6, "V"), (4.0, "N"), (4.5, "+"))
    )
    marks = [text for text in page(ecg_paper(recording(("II",), events=events))).texts if text.get_text() == "V"]
    assert [mark.get_position()[0] for mark in marks] == [12 + 25 * 2.6]
    assert "N" not in labels(ecg_paper(recording(("II",), events=events)))


def test_a_hostile_amplitude_or_name_does_not_break_the_page() -> None:
    source = Recording(
        1e9 * np.ones((1, 500), np.float32) * np.sign(np.arange(500) % 50 - 1.0), ("$\\bad{",), 100.0, (Modality.ECG,),
        record_id="$x^{", report="$ 5 mg _ { \n" * 80,
    )  # fmt: skip
    figure = ecg_paper(source)
    figure.canvas.draw()
    assert figure.get_size_inches()[1] * MM < 100


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_equal_pictures_are_equal_files_of_true_size(tmp_path: Path, ending: str) -> None:
    figure = ecg_paper(recording(("II",)))
    one, two = (save(figure, tmp_path / "new" / f"{k}.{ending}").read_bytes() for k in range(2))
    assert one == two
    if ending == "svg":
        assert f'width="{figure.get_size_inches()[0] * 72:.6g}pt"'.encode()[:10] in one


def test_an_unknown_kind_of_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BiosigError, match=r"expected a picture ending in \.png, \.svg, \.pdf, got '\.bmp'"):
        save(ecg_paper(recording(("II",))), tmp_path / "a.bmp")


def test_pyplot_knows_nothing_of_the_figures() -> None:
    ecg_paper(recording(("II",)))
    assert plt.get_fignums() == []


def svg_lines(path: Path) -> list[np.ndarray]:
    """The polygons and lines of an SVG as points in millimetres, by the size that it says it has on paper."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    width = float(root.attrib["width"].removesuffix("pt")) / 72 * MM
    scale = width / float(root.attrib["viewBox"].split()[2])
    found = []
    for element in root.iter("{http://www.w3.org/2000/svg}path"):
        numbers = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", element.attrib.get("d", ""))
        found.append(scale * np.array(numbers, dtype=float))
    return found


def test_millimetres_are_measured_in_the_svg(tmp_path: Path) -> None:
    """A triangle of 1 mV a second apart: what a ruler on the printed page would say."""
    signal = np.zeros((1, 1000), np.float32)
    signal[0, [200, 300, 700]] = [1000, 1000, 2000]
    source = Recording(signal, ("II",), 100.0, (Modality.ECG,))
    lines = svg_lines(save(ecg_paper(source), tmp_path / "a.svg"))
    trace = max((line for line in lines if len(line)), key=lambda line: (np.ptp(line[:, 0]) > 240) * len(line))
    baseline = np.median(trace[:, 1])
    tips = trace[trace[:, 1] < baseline - 5]
    assert np.diff(tips[:, 0]) == pytest.approx([25, 100], abs=0.02)
    assert baseline - tips[:, 1] == pytest.approx([10, 10, 20], abs=0.02)
    upright = sorted({round(float(line[0, 0]), 3) for line in lines if len(line) == 2 and np.ptp(line[:, 0]) < 1e-6})
    assert np.diff(upright) == pytest.approx(np.ones(len(upright) - 1), abs=0.01), "a line each millimetre"
    pulse = next(line for line in lines if len(line) == 6)
    assert np.ptp(pulse[:, 1]) == pytest.approx(10, abs=0.02)
    assert np.ptp(pulse[pulse[:, 1] < pulse[:, 1].mean(), 0]) == pytest.approx(5, abs=0.02)


def test_a_name_lies_behind_the_line_and_the_pulse_below_the_edge() -> None:
    axes = page(ecg_paper(recording(("II",))))
    name = next(text for text in axes.texts if text.get_text() == "II")
    assert name.get_zorder() < min(line.get_zorder() for line in axes.lines)
    pulse = next(line for line in axes.lines if len(line.get_xdata()) == 6)
    assert max(pulse.get_ydata()) <= axes.get_ylim()[1] - 5


@pytest.mark.parametrize("seconds", [1.0, 2.5, 10.0])
@pytest.mark.parametrize("name", ["r1", "a record with a name that is much longer than such paper", "W" * 300])
def test_no_text_leaves_the_paper_or_meets_another(seconds: float, name: str) -> None:
    facts = {"age": 61, "sex": "female"}
    source = recording(("II",), report="Sinus rhythm. " * 40, subject_id="17014", meta=facts)
    figure = ecg_paper(source, seconds=seconds, title=name, concepts=["right bundle branch block"] * 9, heart_rate=71)
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    places = [text.get_window_extent(renderer) for text in figure.texts]
    for place in places:
        assert place.x0 >= figure.bbox.x0
        assert place.x1 <= figure.bbox.x1 or seconds < 2
    assert not places[0].overlaps(places[1])
    assert figure.texts[1].get_text().startswith("71 /min") or seconds < 2
    assert (figure.texts[0].get_text() == name) or figure.texts[0].get_text().endswith("…")
