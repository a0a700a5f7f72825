"""Which records belong to which group of a mixture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from biosig.recording import Modality
from biosig.store import Store
from pretrain.specs.samplers import Group

# The group of a record that none takes.
_NONE = -1


def main_modality(kinds: Sequence[Modality], among: Sequence[Modality]) -> Modality | None:
    """The modality that most channels of a record are of, of equally many the one named first; None without any.

    A record has one, so that it is in one group: nineteen electrodes and a lead of ECG are an EEG. It keeps all its
    channels there.

    Args:
        kinds: Of the channels.
        among: Those that count.

    Example:
        >>> main_modality([Modality.EEG] * 19 + [Modality.ECG], [Modality.ECG, Modality.EEG])
        <Modality.EEG: 'eeg'>
    """
    counted = [kind for kind in among if kind in kinds]
    return max(counted, key=list(kinds).count, default=None)


def rows_of_groups(
    groups: Sequence[Group],
    stores: Sequence[Store],
    rows: Sequence[Int64[np.ndarray, " row"]],
    modalities: Sequence[Modality],
) -> dict[str, list[Int64[np.ndarray, " row"]]]:
    """Of each group, by name, its rows of each store: a record belongs to the first group that takes it, or to none.

    Args:
        groups: Of the recipe.
        stores: All of them.
        rows: Of each store, which records there are.
        modalities: Those of the recipe.
    """
    found: dict[str, list[Int64[np.ndarray, " row"]]] = {group.name: [] for group in groups}
    for store, some in zip(stores, rows, strict=True):
        corpus = store.info.corpus.name
        of_layout = np.array([_group(groups, corpus, main_modality(kinds, modalities)) for _, kinds in store.layouts])
        number = of_layout[np.array(store.layout_of, dtype=np.int64)[some]]
        for place, name in enumerate(found):
            found[name].append(some[number == place])
    return found


def _group(groups: Sequence[Group], corpus: str, modality: Modality | None) -> int:
    takes = (
        number
        for number, group in enumerate(groups)
        if group.modality in {None, modality} and (not group.corpora or corpus in group.corpora)
    )
    return next(takes, _NONE)
