"""An explanation drawn: colour behind the leads on ECG paper, or behind EEG traces and over the scalp."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from biosig.plot import Heat, ecg_paper, topomaps, traces
from biosig.plot.lettering import fit
from biosig.plot.output import MM_PER_INCH
from biosig.plot.topomap import LEAST_KNOWN
from biosig.preprocess.electrodes import derivation, places
from biosig.recording import Modality
from finetune.explain.attribution import Attribution
from finetune.explain.choices import Method

# The most that fits on a page.
_SECONDS = 10.0
# Seconds whose paper has room for the words above it.
_LEAST = 5.0


def figure(attribution: Attribution, title: str) -> Figure:
    """The recording as the model sees it, coloured where it speaks for or against an answer.

    Of a longer recording the ten seconds that matter most are shown. A recording of ECG leads alone is on ECG paper, a
    row for each lead, any other is shown as traces.

    Args:
        attribution: What is drawn.
        title: What was asked, and the answer.
    """
    recording = attribution.recording
    seconds = min(_SECONDS, recording.duration)
    start = attribution.busiest(seconds) if recording.duration > _SECONDS else 0.0
    heat = Heat.of(attribution.smooth(), recording.channels, recording.sampling_rate)
    heading = f"{recording.record_id}   {title}".strip()
    if set(recording.modality) == {Modality.ECG}:
        layout = f"{len(recording.channels)}x1"
        shown = ecg_paper(
            recording,
            layout=layout,
            start=start,
            seconds=max(float(np.ceil(seconds)), _LEAST),
            title=heading,
            concepts=[words(attribution)],
            heat=heat,
        )
    else:
        shown = traces(recording, start=start, seconds=seconds, title=heading, heat=heat)
        width, height = shown.get_size_inches() * MM_PER_INCH
        said = shown.text(1 - 4 / width, 1 - 12 / height, words(attribution), fontsize=8, ha="right", parse_math=False)
        fit(said, shown, 0.75 * width)
    return shown


def scalp(attribution: Attribution, title: str) -> Figure | None:
    """How far each electrode moved an answer, as a map of the scalp; None without electrodes whose places are known.

    By occlusion, what is lost without the electrode; else the sum over its samples.
    """
    recording = attribution.recording
    known = [
        row
        for row, (name, kind) in enumerate(zip(recording.channels, recording.modality, strict=True))
        if kind is Modality.EEG and derivation(name) is None and np.isfinite(places([name])).all()
    ]
    values = attribution.leads[known]
    if np.isfinite(values).sum() < LEAST_KNOWN:
        return None
    limit = float(np.nanmax(np.abs(values))) or 1.0
    names = [recording.channels[row] for row in known]
    lost = attribution.method is Method.OCCLUSION
    unit = "log odds lost without it" if lost else "log odds, sum of its samples"
    shown = topomaps(values[None], names, limits=(-limit, limit), unit=unit, title=title, names=True)
    bar = shown.axes[-1]
    bar.set_title("for", fontsize=7)
    bar.set_xlabel("against", fontsize=7)
    return shown


def words(attribution: Attribution) -> str:
    """In one line: which leads moved the answer, when, and how far the attributions can be trusted to be complete."""
    shares = attribution.shares()
    order = [row for row in np.argsort(-shares, kind="stable")[:3] if shares[row] > 0]
    leads = ", ".join(f"{attribution.recording.channels[row]} {100 * shares[row]:.0f} %" for row in order)
    begin = attribution.busiest(1.0)
    end = min(begin + 1.0, attribution.recording.duration)
    said = f"most of it: {leads or 'no lead'}; {begin:.1f} to {end:.1f} s"
    if attribution.method is Method.OCCLUSION:
        return f"{said}; log odds {attribution.answer:+.2f}; occlusion"
    return (
        f"{said}; log odds {attribution.answer:+.2f}, of the {attribution.baseline} baseline "
        f"{attribution.reference:+.2f}; sum off by {100 * attribution.gap:.1f} %"
    )
