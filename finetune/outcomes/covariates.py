"""What is known without the signal: age and sex, the rival that a clinician has for nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

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
        known = np.isfinite(values)
        if name == task.target.name or not known[train].any():
            continue
        columns.append(np.where(known, values, values[train][known[train]].mean()))
        names.append(name)
        if not known[train].all():
            columns.append(known.astype(np.float64))
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(store), 0))
    return stacked, tuple(names)
