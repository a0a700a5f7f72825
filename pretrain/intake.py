"""What a model takes in: rate, window, kinds of channel and the preprocessing that its training data went through."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float32, Int64
from pydantic import Field, PositiveFloat
from torch import Tensor

from biosig.channels import LEADS_12, positions
from biosig.preprocess import Preprocessing
from biosig.recording import Modality, Recording
from biosig.store import MODALITIES, SCALE, Store, batch
from pretrain.architecture import Spec
from pretrain.errors import ModelError
from pretrain.plan import Plan

# Cosine of the angle between two axes that are the same lead.
_SAME_AXIS = 0.999
# A few electrodes all over the head, for the fixed input of an EEG model.
_ELECTRODES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")


class Intake(Spec):
    """What a model was made for, and how other recordings are brought to it.

    Attributes:
        sampling_rate: Hz, after preprocessing.
        window_seconds: What the towers see at once; longer recordings are averaged over windows.
        modalities: Channels of other kinds are left out.
        leads: The fixed montage of a network without a montage-free front end, in its order; None takes any.
        preprocessing: What the training data went through.
    """

    sampling_rate: PositiveFloat
    window_seconds: PositiveFloat
    modalities: tuple[Modality, ...] = Field(min_length=1)
    leads: tuple[str, ...] | None = None
    preprocessing: Preprocessing

    @property
    def samples(self) -> int:
        """Samples in a window."""
        return round(self.sampling_rate * self.window_seconds)

    def adapt(self, recording: Recording) -> Recording:
        """Preprocess a recording as the training data were, and keep the channels the model knows.

        Raises:
            ModelError: If it has no channel of those kinds, no sample, or still another rate.
        """
        name = recording.record_id or "recording"
        known = [c for c, kind in zip(recording.channels, recording.modality, strict=True) if kind in self.modalities]
        if not known or recording.n_times == 0:
            found = ", ".join(dict.fromkeys(recording.modality)) or "no channel"
            raise ModelError(
                f"{name}: the model was made for {', '.join(self.modalities)}; the recording has {found}, "
                f"{recording.n_times} samples"
            )
        if self.leads is not None and not set(self.leads) & set(recording.channels):
            raise ModelError(
                f"{name}: the model was made for the leads {', '.join(self.leads)}; the recording has "
                f"{', '.join(recording.channels)}"
            )
        adapted = self.preprocessing.apply(recording.pick(known))
        if adapted.sampling_rate != self.sampling_rate:
            raise ModelError(
                f"{name}: the model was made for {self.sampling_rate:g} Hz; its preprocessing leaves "
                f"{adapted.sampling_rate:g} Hz of {recording.sampling_rate:g} Hz"
            )
        return adapted

    def check_store(self, store: Store) -> None:
        """That a store went through the model's preprocessing.

        Raises:
            ModelError: Naming the store, what was expected and what was found.
        """
        if store.sampling_rate != self.sampling_rate:
            raise ModelError(
                f"{store.path}: the model was made for {self.sampling_rate:g} Hz, the store is at "
                f"{store.sampling_rate:g} Hz; prepare it with --rate {self.sampling_rate:g}"
            )
        if store.info.preprocessing != self.preprocessing:
            raise ModelError(
                f"{store.path}: the model was made for data preprocessed by {self.preprocessing.model_dump_json()}, "
                f"the store by {store.info.preprocessing.model_dump_json()}"
            )

    def plan(
        self, source: Recording | Sequence[Recording] | Store, rows: Int64[np.ndarray, " row"] | None = None
    ) -> Plan:
        """Windows that cover recordings, or records of a store.

        Raises:
            ModelError: See `adapt` and `check_store`.
        """
        if isinstance(source, Store):
            self.check_store(source)
            chosen = np.arange(len(source)) if rows is None else np.asarray(rows)
            return Plan.covering(
                source.samples[chosen].tolist(),
                self.samples,
                lambda owners, starts: self.arrange(batch(source, chosen[owners], starts, self.samples)),
            )
        if rows is not None:
            raise ModelError("rows are chosen of a store; of recordings, pass those that are wanted")
        adapted = [self.adapt(one) for one in ([source] if isinstance(source, Recording) else source)]
        return Plan.covering(
            [one.n_times for one in adapted],
            self.samples,
            lambda owners, starts: collate([adapted[owner] for owner in owners], starts, self.samples),
        )

    def arrange(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A batch as the towers want it: unknown kinds of channel missing, a fixed montage in its order.

        The leads of a fixed montage are known by their axes, so any order and any other channels may come in; a lead
        that is not there is masked. What is arranged already stays as it is.
        """
        device = batch["modality"].device
        known = torch.tensor([MODALITIES.index(kind) for kind in self.modalities], device=device)
        kept = torch.isin(batch["modality"], known) & batch["mask"]
        if self.leads is None:
            return {**batch, "mask": kept, "signal": batch["signal"] * kept[..., None]}
        axes = torch.from_numpy(positions(self.leads, Modality.ECG)).to(device)
        ecg = kept & (batch["modality"] == MODALITIES.index(Modality.ECG))
        # (batch, lead, channel): axes of different leads are 15 degrees apart at least.
        same = (axes @ batch["position"].transpose(1, 2) > _SAME_AXIS) & ecg[:, None]
        found, place = same.any(2), same.int().argmax(2)
        signal = batch["signal"].gather(1, place[..., None].expand(-1, -1, batch["signal"].shape[2]))
        return {
            **batch,
            "signal": signal * found[..., None],
            "mask": found,
            "position": axes.expand(len(found), -1, -1),
            "modality": torch.full_like(place, MODALITIES.index(Modality.ECG)),
        }

    def example(self) -> tuple[Float32[np.ndarray, "channel 3"], Int64[np.ndarray, " channel"]]:
        """Positions and modality numbers of a usual montage of the first modality, for a fixed input."""
        kind = self.modalities[0]
        names = LEADS_12 if kind is Modality.ECG else _ELECTRODES
        where = np.nan_to_num(positions(names, kind), nan=0.0)
        return where, np.full(len(names), MODALITIES.index(kind), dtype=np.int64)


def collate(recordings: Sequence[Recording], starts: Int64[np.ndarray, " window"], length: int) -> dict[str, Tensor]:
    """One window of each recording, as `biosig.store.batch` makes it of records: same units, masks and padding."""
    channels = max(len(one.channels) for one in recordings)
    signal = np.zeros((len(recordings), channels, length), dtype=np.float32)
    mask = np.zeros(signal.shape[:2], dtype=bool)
    where = np.zeros((*signal.shape[:2], 3), dtype=np.float32)
    modality = np.full(signal.shape[:2], MODALITIES.index(Modality.OTHER), dtype=np.int64)
    valid = np.zeros(len(recordings), dtype=np.int64)
    for row, (one, start) in enumerate(zip(recordings, starts, strict=True)):
        window = one.signal[:, start : start + length]
        count = len(window)
        scale = np.array([SCALE.get(kind, 1.0) for kind in one.modality], dtype=np.float32)
        gaps = ~np.isfinite(window)
        signal[row, :count, : window.shape[1]] = np.where(gaps, 0, window / scale[:, None])
        mask[row, :count] = ~gaps.all(axis=1)
        where[row, :count] = np.nan_to_num(positions(one.channels, one.modality), nan=0.0)
        modality[row, :count] = [MODALITIES.index(kind) for kind in one.modality]
        valid[row] = window.shape[1]
    arrays = {"signal": signal, "mask": mask, "position": where, "modality": modality, "valid": valid}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
