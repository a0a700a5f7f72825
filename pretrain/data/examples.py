"""Which records of which stores are learnt from, and which are watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from biosig.recording import Modality
from biosig.store import Store
from pretrain.errors import TrainingError
from pretrain.models.leakage import fingerprints, held_out_waveforms


@dataclass(frozen=True)
class Examples:
    """Rows of each store, in the order of the stores.

    Attributes:
        train: Of the records that train.
        validation: Of the records that validate.
        duplicates: Training records left out because the same waveform (`pretrain.models.leakage`) validates or tests.
    """

    train: tuple[Int64[np.ndarray, " _"], ...]
    validation: tuple[Int64[np.ndarray, " _"], ...]
    duplicates: int

    @classmethod
    def of(cls, stores: Mapping[str, Store], modalities: Sequence[Modality]) -> Examples:
        """Records of the two roles that have a channel of those kinds."""
        held_out = held_out_waveforms(stores.values())
        train, validation, duplicates = [], [], 0
        for store in stores.values():
            usable = _usable(store, modalities)
            rows = store.rows("train")[usable[store.rows("train")]]
            copies = np.array([waveform in held_out for waveform in fingerprints(store, rows)], dtype=bool)
            train.append(rows[~copies])
            validation.append(store.rows("validation")[usable[store.rows("validation")]])
            duplicates += int(copies.sum())
        return cls(tuple(train), tuple(validation), duplicates)

    def check(self, stores: Mapping[str, Store], modalities: Sequence[Modality]) -> None:
        """That rows chosen by a caller can be learnt from, and nobody is on both sides.

        Raises:
            TrainingError: Naming the store and the record, or the subject.
        """
        if not len(stores) == len(self.train) == len(self.validation):
            raise TrainingError(
                f"examples: expected rows of {len(stores)} stores, got {len(self.train)} that train and "
                f"{len(self.validation)} that validate"
            )
        trains: dict[tuple[str, str], str] = {}
        for (name, store), train, validation in zip(stores.items(), self.train, self.validation, strict=True):
            usable = _usable(store, modalities)
            for rows in (train, validation):
                foreign = rows[(rows < 0) | (rows >= len(store))]
                if len(foreign):
                    raise TrainingError(f"{name}: examples: expected rows below {len(store)}, got {foreign[0]}")
                if not usable[rows].all():
                    record = store.record(int(rows[~usable[rows]][0]))
                    raise TrainingError(f"{name}: {record}: expected a channel of {', '.join(modalities)}, it has none")
            trains |= {store.subjects[row]: name for row in train.tolist()}
        for (name, store), validation in zip(stores.items(), self.validation, strict=True):
            for corpus, subject in {store.subjects[row] for row in validation.tolist()} & trains.keys():
                raise TrainingError(f"{name}: examples: subject {subject!r} of {corpus} both trains and validates")

    def used(self, stores: Sequence[Store]) -> Bool[np.ndarray, " row"]:
        """Of all records of the stores, one store after another, those of the two roles."""
        parts = []
        for store, train, validation in zip(stores, self.train, self.validation, strict=True):
            part = np.zeros(len(store), dtype=bool)
            part[train] = part[validation] = True
            parts.append(part)
        return np.concatenate(parts)


def _usable(store: Store, modalities: Sequence[Modality]) -> Bool[np.ndarray, " row"]:
    """Which records have a channel of those kinds."""
    of_layout = np.array([any(kind in modalities for kind in kinds) for _, kinds in store.layouts], dtype=bool)
    return of_layout[np.array(store.layout_of, dtype=np.int64)]
