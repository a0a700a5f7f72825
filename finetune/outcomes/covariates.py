"""What is known without the signal: age and sex, the rival that a clinician has for nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

from biosig.errors import BiosigError
from biosig.store import Store
from finetune.outcomes.task import OutcomeTask
from finetune.protocols import Role


def covariates(store: Store, task: OutcomeTask) -> tuple[Float64[np.ndarray, "row covariate"], tuple[str, ...]]:
    """Age and sex of every row, and their names; without the target itself, and without what is known of nobody.

    What is not known is the mean of the training records, and a column of its own says so where some are unknown.
    """
    table = store.frame("age", "sex")
    sex = table["sex"].fillna("").astype(str).str.lower()
    each = {
        "age": table["age"].to_numpy(dtype=np.float64),
        "sex": np.select([sex == "female", sex == "male"], [1.0, 0.0], np.nan),
    }
    train = task.rows[Role.TRAIN]
    columns, names = [], []
    for name, values in each.items():
        if name == task.target.name or not np.isfinite(values[train]).any():
            continue
        column, known = filled(values, task)
        columns.append(column)
        names.append(name)
        if not known[train].all():
            columns.append(known.astype(np.float64))
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(store), 0))
    return stacked, tuple(names)


def filled(
    values: Float64[np.ndarray, " row"], task: OutcomeTask
) -> tuple[Float64[np.ndarray, " row"], Bool[np.ndarray, " row"]]:
    """A column with the mean of the training records where it is not known, and where it is.

    Raises:
        BiosigError: If it is known of no training record.
    """
    known, train = np.isfinite(values), task.rows[Role.TRAIN]
    if not known[train].any():
        raise BiosigError("--beside: expected a column that is known of some training records, got one of none")
    return np.where(known, values, values[train][known[train]].mean()), known
