"""Recordings to and from pandas: a frame of samples, and one of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import numpy as np

from biosig.errors import BiosigError
from biosig.interchange.arrays import from_numpy
from biosig.recording import Event, Modality, Recording

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = tuple(field.name for field in fields(Event))
# How far a time may be off its even place, as a share of the step: files of text round.
_UNEVEN = 0.1


def to_pandas(recording: Recording) -> pd.DataFrame:
    """One row a sample, one column a channel, in microvolts; the index `time` is seconds after the first sample.

    `frame.attrs` holds `sampling_rate`, `record` and `subject`; pandas does not keep it through every operation.

    Example:
        >>> to_pandas(recording).loc[10:12, ["II"]].plot()
    """
    import pandas as pd  # noqa: PLC0415  slow to import

    time = pd.Index(np.arange(recording.n_times) / recording.sampling_rate, name="time")
    frame = pd.DataFrame(recording.signal.T.copy(), index=time, columns=list(recording.channels))
    frame.attrs = {
        "sampling_rate": recording.sampling_rate,
        "record": recording.record_id,
        "subject": recording.subject_id,
    }
    return frame


def events_to_pandas(recording: Recording) -> pd.DataFrame:
    """One row an event: onset and duration in seconds, code, text, stimulus, trial (missing where there is none)."""
    import pandas as pd  # noqa: PLC0415  slow to import

    frame = pd.DataFrame([asdict(event) for event in recording.events], columns=list(_COLUMNS))
    return frame.astype({"onset": float, "duration": float, "trial": "Int64"})


def from_pandas(
    frame: pd.DataFrame,
    *,
    unit: str | Sequence[str],
    events: pd.DataFrame | None = None,
    sampling_rate: float | None = None,
    modality: Modality | Sequence[Modality] | None = None,
    record_id: str = "",
    subject_id: str = "",
    session: str = "",
) -> Recording:
    """A recording from a frame of one row a sample and one column a channel.

    Args:
        frame: Its index is time: seconds as numbers, or `TimedeltaIndex`; the first sample may be at any time, to which
            events are relative as well.
        unit: Of the numbers, see `from_numpy`.
        events: As `events_to_pandas` gives it; only `onset` is needed.
        sampling_rate: Hz; by default what the index says, which must be even.
        modality: See `from_numpy`.
        record_id: Its name.
        subject_id: The person.
        session: Which sitting of the person.

    Raises:
        BiosigError: If the index is no even time, a column no number, or what `from_numpy` refuses.

    Example:
        >>> from_pandas(pd.read_csv("ecg.csv", index_col="time"), unit="mV")
    """
    import pandas as pd  # noqa: PLC0415  slow to import

    name = record_id or "frame"
    for column, kind in frame.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise BiosigError(f"{name}: column {column!r}: expected numbers, got {kind}")
    time = _seconds(frame.index, name)
    rate = _rate(time, name) if sampling_rate is None else float(sampling_rate)
    return from_numpy(
        frame.to_numpy(dtype=np.float64, na_value=np.nan).T,
        [str(column) for column in frame.columns],
        rate,
        unit=unit,
        modality=modality,
        events=() if events is None else _events(events, float(time[0]) if len(time) else 0.0, name),
        record_id=record_id,
        subject_id=subject_id,
        session=session,
    )


def _seconds(index: pd.Index, name: str) -> np.ndarray:
    import pandas as pd  # noqa: PLC0415  slow to import

    if isinstance(index, pd.TimedeltaIndex):
        return index.total_seconds().to_numpy()
    if not pd.api.types.is_numeric_dtype(index.dtype):
        raise BiosigError(f"{name}: index: expected seconds or a TimedeltaIndex, got {index.dtype}")
    return index.to_numpy(dtype=np.float64)


def _rate(time: np.ndarray, name: str) -> float:
    """Samples a second; a whole number where the times allow one."""
    if len(time) < 2:
        raise BiosigError(f"{name}: index: expected two times or more to tell the rate, got {len(time)}; say it")
    step = (time[-1] - time[0]) / (len(time) - 1)
    off = _off(time, step)
    worst = int(np.argmax(off)) if np.isfinite(off).all() else int(np.argmin(np.isfinite(off)))
    if not (step > 0 and off[worst] <= _UNEVEN * step):
        raise BiosigError(
            f"{name}: index: expected even times, {step:g} s apart; row {worst} is at {time[worst]:g} s, "
            f"{off[worst]:g} s off (resample it, or give sampling_rate)"
        )
    whole = round(1 / step)
    if whole and _off(time, 1 / whole).max() <= _UNEVEN / whole:
        return float(whole)
    # Seconds in binary are no more exact than that.
    return float(f"{1 / step:.9g}")


def _off(time: np.ndarray, step: float) -> np.ndarray:
    """How far each time is from its place among even ones."""
    return np.abs(time - (time[0] + step * np.arange(len(time))))


def _events(frame: pd.DataFrame, start: float, name: str) -> list[Event]:
    if "onset" not in frame.columns:
        raise BiosigError(f"{name}: events: expected a column 'onset', got {', '.join(map(str, frame.columns))}")
    known = [column for column in _COLUMNS if column in frame.columns]
    found = []
    for row in frame[known].astype(object).where(frame[known].notna(), None).to_dict("records"):
        said = {column: value for column, value in row.items() if value is not None}
        try:
            found.append(
                Event(
                    onset=float(said["onset"]) - start,
                    duration=float(said.get("duration", 0)),
                    **{column: str(said.get(column, "")) for column in ("code", "text", "stimulus")},
                    trial=int(said["trial"]) if "trial" in said else None,
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BiosigError(f"{name}: events: expected onset and duration in seconds, got {said}") from error
    return found
