"""Who met which stimulus when: the presentations of a store as one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from biosig.store.reader import Store

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("row", "record", "subject", "session", "stimulus", "trial", "code", "start", "samples", "late")


def trials(store: Store, rows: Sequence[int] | Int64[np.ndarray, " row"] | None = None) -> pd.DataFrame:
    """One row for each presentation of a stimulus, in the order of the store.

    A presentation is an event that names its stimulus. What of it lies outside the record is cut off; one that lies
    outside altogether, or has no duration, is not in the table.

    Args:
        store: The store.
        rows: Which records; all by default.

    Returns:
        row: Of the record in the store.
        record: Its name.
        subject: The person.
        session: The sitting.
        stimulus: The same for everybody who met it.
        trial: Which presentation of the sitting; missing where the source does not say.
        code: Of the event.
        start: First sample.
        samples: How many.
        late: Samples of the stimulus that are missing before `start`, because the record begins within it: the moment
            of the stimulus at sample `start + n` is `late + n`.
    """
    import pandas as pd  # noqa: PLC0415 -- as slow as the rest of the package together

    records, events = store.records, store.events
    events = events[(events["stimulus"] != "") & (events["duration"] > 0)]
    row_of = pd.Series(np.arange(len(store)), index=records["record"].to_numpy())
    row = row_of.loc[events["record"]].to_numpy(dtype=np.int64)
    kept = np.ones(len(row), dtype=bool) if rows is None else np.isin(row, np.asarray(rows))
    events, row = events[kept], row[kept]
    rate, length = store.rates[row], store.samples[row]
    onset = np.rint(events["onset"].to_numpy() * rate).astype(np.int64)
    end = np.rint((events["onset"] + events["duration"]).to_numpy() * rate).astype(np.int64)
    start = np.maximum(onset, 0)
    table = pd.DataFrame(
        {
            "row": row,
            "record": events["record"].to_numpy(),
            "subject": records["subject"].to_numpy()[row],
            "session": records["session"].to_numpy()[row],
            "stimulus": events["stimulus"].to_numpy(),
            "trial": events["trial"].astype("Int64").to_numpy(),
            "code": events["code"].to_numpy(),
            "start": start,
            "samples": np.minimum(end, length) - start,
            "late": start - onset,
        },
        columns=COLUMNS,
    ).astype({"trial": "Int64"})
    return table[table["samples"] > 0].reset_index(drop=True)
