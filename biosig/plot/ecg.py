"""A 12-lead ECG, or any number of ECG leads, on paper at 25 mm/s and 10 mm/mV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from biosig.errors import BiosigError
from biosig.plot.beats import annotated_beats, counted_rate
from biosig.plot.heat import Heat, draw_heat, heat_bar
from biosig.plot.layout import Cell, lay_out
from biosig.plot.lettering import fit, width_of
from biosig.plot.output import MM_PER_INCH, new_figure
from biosig.plot.paper import GAIN, INK, PAPER, SPEED, calibration_pulse, paper
from biosig.plot.shade import Shade, draw_shades
from biosig.recording import Modality, Recording

_LEFT = 12.0  # for the calibration pulse
_TITLE, _LINE, _FOOTER, _BORDER = 9.0, 5.0, 7.0, 4.0
_HEAD = 5.0  # of paper above the first row: the calibration pulse ends below the edge
_MARK = "#0b4f8a"
# Room above and below a baseline: at least for labels and ordinary complexes, at most for very tall ones.
_ABOVE, _BELOW = (10.0, 30.0), (5.0, 25.0)


def ecg_paper(
    recording: Recording,
    *,
    layout: str = "auto",
    start: float = 0.0,
    seconds: float = 10.0,
    title: str = "",
    concepts: Sequence[str] = (),
    heart_rate: float | None = None,
    shades: Sequence[Shade] = (),
    heat: Heat | None = None,
) -> Figure:
    """The ECG leads of a recording on millimetre paper; printed at its own size it measures true.

    Each lead is drawn about the median of what is shown (an electrode's offset would push it off the paper); nothing
    else is filtered. A gap (NaN) stays blank, and so does the place of a standard lead that was not recorded.

    Args:
        recording: Its channels of other modalities are left out.
        layout: See `biosig.plot.layout.lay_out`: `3x4+1`, `6x2`, `12x1`, `auto`, ...
        start: First second shown.
        seconds: How many are shown; a shorter recording leaves the rest of the paper blank.
        title: Instead of the record's name.
        concepts: Diagnoses in words, for the header.
        heart_rate: Beats a minute, for the header; without it, it is counted from annotated beats where there are any.
        shades: Stretches of leads to mark behind their lines.
        heat: Colour behind the lines, with a bar that says what it means.

    Raises:
        BiosigError: If there is no ECG lead, or nothing lies in that stretch.
    """
    leads = recording.pick(Modality.ECG)
    if not leads.channels:
        raise BiosigError(f"{recording.record_id or 'recording'}: no ECG lead among {recording.channels}")
    if not 0 <= start < recording.duration or not 0 < seconds <= 120:
        raise BiosigError(
            f"{recording.record_id or 'recording'}: expected a start from 0 to {recording.duration:g} s and 120 s at "
            f"most, got {seconds:g} s from {start:g} s"
        )
    strip = _Strip.of(leads, start, seconds)
    rows = lay_out(layout, leads.channels, seconds)
    rooms = [_room(strip, row) for row in rows]
    height = _HEAD + sum(above + below for above, below in rooms)
    width = 5 * np.ceil((_LEFT + SPEED * seconds + 1) / 5)
    lines = [line for line in (", ".join(concepts), " ".join(recording.report.split())) if line]
    figure = new_figure(width + 2 * _BORDER, height + _TITLE + _LINE * len(lines) + _FOOTER)
    axes = paper(figure, left=_BORDER, bottom=_FOOTER, width=width, height=height)
    baseline = height - _HEAD
    for row, (above, below) in zip(rows, rooms, strict=True):
        baseline -= above
        calibration_pulse(axes, 2.5, baseline)
        for cell in row:
            draw_shades(
                axes, shades, cell, left=_LEFT, start=start, bottom=baseline - below, top=baseline + above
            )  # fmt: skip
            if heat is not None:
                sides = (_LEFT + SPEED * cell.begin, _LEFT + SPEED * cell.end, baseline - below, baseline + above)
                draw_heat(axes, heat, cell.lead, (start + cell.begin, start + cell.end), sides)
            _draw(axes, strip, cell, baseline)
        for cell, _ in pairwise(row):
            x = _LEFT + SPEED * cell.end
            axes.plot([x, x], [baseline - 3, baseline + 3], color=INK, linewidth=0.6)
        baseline -= below
    rate = heart_rate if heart_rate is not None else counted_rate(recording, start, seconds)
    _mark_beats(axes, recording, start, seconds)
    _header(figure, title or recording.record_id or "ECG", _person(recording, rate), lines)
    _footer(figure, recording, start, seconds)
    if heat is not None:
        heat_bar(figure, heat, middle=width / 2 + _BORDER, bottom=1.9)
    return figure


@dataclass(frozen=True)
class _Strip:
    """What is shown: millivolts about the median of each lead."""

    time: Float[np.ndarray, " time"]
    leads: dict[str, Float[np.ndarray, " time"]]

    @classmethod
    def of(cls, recording: Recording, start: float, seconds: float) -> _Strip:
        rate = recording.sampling_rate
        first, last = round(start * rate), min(round((start + seconds) * rate) + 1, recording.n_times)
        shown = recording.signal[:, first:last] / 1000
        leads = {}
        for name, lead in zip(recording.channels, shown, strict=True):
            known = lead[np.isfinite(lead)]
            leads[name] = lead - np.median(known) if len(known) else lead
        return cls(np.arange(last - first) / rate, leads)

    def cell(self, cell: Cell) -> tuple[Float[np.ndarray, " part"], Float[np.ndarray, " part"]]:
        """Seconds and millivolts of a cell; empty where the lead was not recorded."""
        if cell.lead not in self.leads:
            return np.empty(0), np.empty(0)
        inside = (self.time >= cell.begin) & (self.time <= cell.end)
        return self.time[inside], self.leads[cell.lead][inside]


def _room(strip: _Strip, row: Sequence[Cell]) -> tuple[float, float]:
    """Millimetres above and below the baseline of a row: whole squares, so that baselines lie on heavy lines."""
    parts = [millivolts for cell in row for millivolts in [strip.cell(cell)[1]] if np.isfinite(millivolts).any()]
    top = max((float(np.nanmax(part)) for part in parts), default=0.0)
    bottom = max((float(-np.nanmin(part)) for part in parts), default=0.0)
    above, below = (
        float(np.clip(5 * np.ceil((GAIN * peak + 1.5) / 5), *bounds))
        for peak, bounds in ((top, _ABOVE), (bottom, _BELOW))
    )
    return above, below


def _draw(axes: Axes, strip: _Strip, cell: Cell, baseline: float) -> None:
    x = _LEFT + SPEED * cell.begin
    seconds, millivolts = strip.cell(cell)
    axes.plot(
        _LEFT + SPEED * seconds, baseline + GAIN * millivolts, color=INK, linewidth=0.8, solid_joinstyle="round",
        clip_on=True,
    )  # fmt: skip
    # Behind the line, before the grid: a name never hides a wave.
    name = axes.text(
        x + 1.0,
        baseline + 6.2,
        cell.lead,
        fontsize=9,
        fontweight="bold",
        color=INK,
        va="bottom",
        zorder=1.5,
        parse_math=False,
    )
    name.set_path_effects([withStroke(linewidth=2.2, foreground=PAPER)])
    if not np.isfinite(millivolts).any():
        axes.text(x + 1.0, baseline + 1.0, "not recorded", fontsize=7, color="#8a5a5a", va="bottom")


def _mark_beats(axes: Axes, recording: Recording, start: float, seconds: float) -> None:
    """The symbols of beats unlike the commonest, along the lower edge: they belong to every row above."""
    beats = annotated_beats(recording)
    usual = Counter(beat.code for beat in beats).most_common(1)
    for beat in beats:
        if beat.code != usual[0][0] and start <= beat.onset < start + seconds:
            x = _LEFT + SPEED * (beat.onset - start)
            axes.text(
                x,
                0.8,
                beat.code,
                fontsize=7.5,
                color=_MARK,
                ha="center",
                va="bottom",
                fontweight="bold",
                parse_math=False,
            )


def _person(recording: Recording, rate: float | None) -> str:
    age, sex = recording.meta.get("age"), recording.meta.get("sex")
    known = (
        f"{rate:.0f} /min" if rate is not None else "",
        f"{age:.0f} years" if isinstance(age, int | float) and np.isfinite(age) else "",
        str(sex) if sex else "",
        f"subject {recording.subject_id}" if recording.subject_id else "",
    )
    return "   ".join(text for text in known if text)


def _header(figure: Figure, title: str, person: str, lines: Sequence[str]) -> None:
    """Name and person, then what is known in words; empty lines take no room."""
    width, height = figure.get_size_inches() * MM_PER_INCH
    y = 1 - 6.5 / height
    name = figure.text(_BORDER / width, y, title, fontsize=12, fontweight="bold", color=INK, parse_math=False)
    who = figure.text(1 - _BORDER / width, y, person, fontsize=9, color=INK, ha="right", parse_math=False)
    # The end of who it is, the subject, is what may go on short paper; of the name, at least its beginning stays.
    fit(who, figure, width - 2 * _BORDER - min(width_of(name, figure), 0.4 * width) - 3)
    fit(name, figure, width - 2 * _BORDER - width_of(who, figure) - 3)
    for place, line in enumerate(lines):
        y = 1 - (6.5 + _LINE * (place + 1)) / height
        colour = INK if place == 0 else "#555555"
        words = figure.text(_BORDER / width, y, line, fontsize=8.5, color=colour, parse_math=False)
        fit(words, figure, width - 2 * _BORDER)


def _footer(figure: Figure, recording: Recording, start: float, seconds: float) -> None:
    width, height = figure.get_size_inches() * MM_PER_INCH
    scale = f"{SPEED:g} mm/s   {GAIN:g} mm/mV   {recording.sampling_rate:g} Hz"
    shown = f"{start:g}–{min(start + seconds, recording.duration):g} s of {recording.duration:.4g} s"
    figure.text(_BORDER / width, 2.2 / height, scale, fontsize=7.5, color=INK)
    figure.text(1 - _BORDER / width, 2.2 / height, shown, fontsize=7.5, color=INK, ha="right")
