"""The prepared data on disk: made once by `prepare`, read by `Store`, and doubted by `audit`.

Nothing here imports torch or pandas until a batch or a table is asked for.
"""

from __future__ import annotations

from biosig.store.audit import AuditReport, audit, leaks
from biosig.store.batch import MODALITIES, SCALE, batch, collate
from biosig.store.layout import StoreInfo
from biosig.store.reader import Store
from biosig.store.trials import trials
from biosig.store.windows import Windows, batches
from biosig.store.writer import PrepareReport, prepare

__all__ = [
    "MODALITIES",
    "SCALE",
    "AuditReport",
    "PrepareReport",
    "Store",
    "StoreInfo",
    "Windows",
    "audit",
    "batch",
    "batches",
    "collate",
    "leaks",
    "prepare",
    "trials",
]
