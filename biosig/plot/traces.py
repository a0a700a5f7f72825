"""Any channels below each other: EEG with its events, or everything a recording holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from biosig.errors import BiosigError
from biosig.plot.heat import Heat, draw_heat, heat_bar
from biosig.plot.lettering import fit, width_of
from biosig.plot.output import MM_PER_INCH, new_figure
from biosig.plot.scalp import front_to_back
from biosig.recording import Event, Modality, Recording

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 277.0, 22.0, 23.0, 20.0, 13.0
_COLOUR = {
    Modality.EEG: "#1f3a5f",
    Modality.ECG: "#9b1c31",
    Modality.EOG: "#2f6b4f",
    Modality.EMG: "#7a4b12",
    Modality.RESPIRATION: "#5b3b86",
}
_OTHER = "#4a4a4a"
_IN_MICROVOLTS = frozenset({Modality.EEG, Modality.ECG, Modality.EOG, Modality.EMG})
_MOST_LABELS, _LONGEST_LABEL = 40, 32


def traces(
    recording: Recording,
    *,
    start: float = 0.0,
    seconds: float = 10.0,
    channels: Sequence[str] | None = None,
    row_height: float | None = None,
    title: str = "",
    heat: Heat | None = None,
) -> Figure:
    """Channels as traces below each other, with a scale bar for each modality, stimuli and other events above.

    Each channel is drawn about its median; channels of one modality share one scale, so their sizes compare. Gaps (NaN)
    stay blank.

    Args:
        recording: Any.
        start: First second shown.
        seconds: How many are shown; a shorter recording fills the picture with what it has.
        channels: Which, and in what order; by default all, electrodes from front to back and left to right.
        row_height: Millimetres a channel; by default 12 for few channels, down to 2.4 for hundreds.
        title: Instead of the record's name.
        heat: Colour behind the lines, with a bar that says what it means.

    Raises:
        BiosigError: If a named channel is not there, or nothing lies in that stretch.
    """
    shown = recording.pick(front_to_back(recording) if channels is None else channels)
    if not shown.channels or not 0 <= start < recording.duration or not 0 < seconds < float("inf"):
        raise BiosigError(
            f"{recording.record_id or 'recording'}: expected channels and a start from 0 to {recording.duration:g} s, "
            f"got {len(shown.channels)} channels, {seconds:g} s from {start:g} s"
        )
    rate, count = recording.sampling_rate, len(shown.channels)
    first, last = round(start * rate), min(round((start + seconds) * rate) + 1, recording.n_times)
    signal = shown.signal[:, first:last].astype(float)
    time = np.arange(first, last) / rate
    row = row_height or (float(np.clip(200 / count, 5, 12)) if count <= 80 else max(400 / count, 2.4))
    stop = min(start + seconds, recording.duration)
    height = row * (count + 1)
    figure = new_figure(_WIDTH, height + _TOP + _BOTTOM)
    axes = figure.add_axes(
        (
            _LEFT / _WIDTH, _BOTTOM / (height + _TOP + _BOTTOM),
            (_WIDTH - _LEFT - _RIGHT) / _WIDTH, height / (height + _TOP + _BOTTOM),
        )
    )  # fmt: skip
    axes.set(xlim=(start, stop), ylim=(-count, 1), xlabel="seconds")
    axes.set_yticks(-np.arange(count), shown.channels, fontsize=float(np.clip(row * 1.1, 5, 9)), parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.label.set_fontsize(8)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.grid(axis="x", color="#d9d9d9", linewidth=0.5)

    for kind in dict.fromkeys(shown.modality):
        rows = [k for k in range(count) if shown.modality[k] is kind]
        unit = _scale(signal[rows])
        colour = _COLOUR.get(kind, _OTHER)
        for k in rows:
            middle = np.nanmedian(signal[k]) if np.isfinite(signal[k]).any() else 0.0
            if heat is not None:
                draw_heat(axes, heat, shown.channels[k], (start, stop), (start, stop, -k - 0.5, -k + 0.5))
            axes.plot(time, -k + (signal[k] - middle) / unit, color=colour, linewidth=0.6, clip_on=True)
        _scale_bar(axes, -rows[0], unit, colour, kind)
    _events(axes, recording.events, start, stop)
    _titles(figure, recording, title, start, seconds)
    if heat is not None:
        heat_bar(figure, heat, middle=_WIDTH - _RIGHT - 40, bottom=2.2)
    return figure


def _scale(signal: Float[np.ndarray, "channel time"]) -> float:
    """Units a row: the usual swing of a channel fills about nine tenths of it, rounded to 1, 2 or 5."""
    finite = [row[np.isfinite(row)] for row in signal]
    spans = [np.ptp(np.percentile(row, [0.5, 99.5])) for row in finite if len(row)]
    span = float(np.median([span for span in spans if span > 0])) if any(span > 0 for span in spans) else 1.0
    return _nice(span / 0.9)


def _nice(value: float) -> float:
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * next(step for step in (1, 2, 5, 10) if step * power >= value * 0.999))


def _scale_bar(axes: Axes, y: float, unit: float, colour: str, kind: Modality) -> None:
    """At the right edge, one row high: what a row means."""
    size = f"{unit:g}"
    if kind in _IN_MICROVOLTS:
        size = f"{unit / 1000:g} mV" if unit >= 1000 else f"{unit:g} µV"
    text = f"{size} {kind.upper() if len(kind) == 3 else kind}"
    place = blended_transform_factory(axes.transAxes, axes.transData)
    axes.plot([1.012, 1.012], [y - 0.5, y + 0.5], transform=place, color=colour, linewidth=1.4, clip_on=False)
    axes.text(
        1.02, y, text, transform=place, fontsize=7, color=colour, va="center", clip_on=False
    )  # fmt: skip


def _events(axes: Axes, events: Sequence[Event], start: float, end: float) -> None:
    """A line where each begins, a bar on top while it lasts, its stimulus or code above unless there are too many."""
    inside = [event for event in events if event.onset < end and event.onset + event.duration >= start]
    place = blended_transform_factory(axes.transData, axes.transAxes)
    labels, right = len(inside) <= _MOST_LABELS, -np.inf
    for event in inside:
        begin = max(event.onset, start)
        if event.onset >= start:
            axes.axvline(event.onset, color="#c77700", linewidth=0.6, alpha=0.8)
        if event.duration > 0:
            stop = min(event.onset + event.duration, end)
            axes.plot([begin, stop], [1.0, 1.0], transform=place, color="#c77700", linewidth=3, clip_on=False)
        # A label that would run into the one before is left out.
        text = (event.stimulus or event.code or event.text)[:_LONGEST_LABEL]
        if labels and begin > right:
            axes.text(
                begin, 1.008, text, transform=place, fontsize=7, color="#8a5200", va="bottom", clip_on=False,
                parse_math=False,
            )  # fmt: skip
            right = begin + (end - start) * 0.0075 * (len(text) + 1)


def _titles(figure: Figure, recording: Recording, title: str, start: float, seconds: float) -> None:
    width, height = (size * MM_PER_INCH for size in figure.get_size_inches())
    stop = min(start + seconds, recording.duration)
    facts = f"{start:g}–{stop:g} s of {recording.duration:.4g} s   {recording.sampling_rate:g} Hz"
    name = title or recording.record_id or "recording"
    y = 1 - 7 / height
    right = figure.text(1 - 4 / width, y, facts, fontsize=8, color="#111318", ha="right")
    left = figure.text(4 / width, y, name, fontsize=12, fontweight="bold", color="#111318", parse_math=False)
    fit(left, figure, width - 12 - width_of(right, figure))
    if recording.subject_id:
        figure.text(
            4 / width, 1 - 12 / height, f"subject {recording.subject_id}", fontsize=8, color="#555555", parse_math=False
        )
