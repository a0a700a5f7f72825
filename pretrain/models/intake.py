"""What a model takes in: rate, window, kinds of channel and the preprocessing that its training data went through."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32, Int64
from pydantic import Field, PositiveFloat
from torch import Tensor

from biosig.channels import LEADS_12, positions
from biosig.preprocess import Preprocessing
from biosig.recording import Modality, Recording
from biosig.store import MODALITIES, Store, batch
from pretrain.errors import ModelError
from pretrain.models.montage import collate, in_order, is_in_order, of_kinds
from pretrain.models.plan import Plan
from pretrain.specs.architecture import Spec
from pretrain.specs.recipe import Recipe

# The front end that takes the twelve leads one by one.
_FIXED = "leads12"
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

    @classmethod
    def of(cls, recipe: Recipe, preprocessing: Preprocessing) -> "Intake":
        """Of a model that a recipe makes.

        Args:
            recipe: Rate, window, kinds of channel, and the front end.
            preprocessing: What its data went through.
        """
        return cls(
            sampling_rate=recipe.data.sampling_rate,
            window_seconds=recipe.data.window_seconds,
            modalities=recipe.data.modalities,
            leads=LEADS_12 if recipe.model.signal.options.get("front_end") == _FIXED else None,
            preprocessing=preprocessing,
        )

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

    def missing(self, recording: Recording) -> tuple[str, ...]:
        """The leads of a fixed montage that a recording does not have; none of a model for any montage."""
        return tuple(lead for lead in self.leads or () if lead not in recording.channels)

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
            made, found = (
                [step.model_dump_json() for step in one.steps] for one in (self.preprocessing, store.info.preprocessing)
            )
            # The same steps in another order differ in all of them.
            lacks = [step for step in made if step not in found] or made
            has = [step for step in found if step not in made] or found
            raise ModelError(
                f"{store.path}: prepare it with the --preprocessing of the model's data: that has "
                f"{', '.join(lacks)}, the store has {', '.join(has) or 'nothing'} instead"
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
                lambda owners, starts: self.windows(source, chosen[owners], starts),
            )
        if rows is not None:
            raise ModelError("rows are chosen of a store; of recordings, pass those that are wanted")
        adapted = [self.adapt(one) for one in ([source] if isinstance(source, Recording) else source)]
        return Plan.covering(
            [one.n_times for one in adapted],
            self.samples,
            lambda owners, starts: self._of([adapted[owner] for owner in owners], starts),
        )

    def arrange(self, batch: Mapping[str, Tensor], names: Sequence[tuple[str, ...]]) -> dict[str, Tensor]:
        """A batch with its channels where the encoder wants them.

        Args:
            batch: As `biosig.store.batch` gives it.
            names: Of the channels of each record.
        """
        return dict(batch) if self.leads is None else in_order(batch, names, self.leads)

    def admit(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A batch in which channels of kinds that the model does not know are missing.

        Raises:
            ModelError: If the model has a fixed montage and the batch is not arranged.
        """
        if self.leads is not None and not is_in_order(batch, self.leads):
            raise ModelError(
                f"the model was made for the leads {', '.join(self.leads)} in this order; a batch of "
                f"{batch['mask'].shape[1]} channels is not (see Intake.windows)"
            )
        return of_kinds(batch, self.modalities)

    def windows(
        self, store: Store, rows: Int64[np.ndarray, " window"], starts: Int64[np.ndarray, " window"]
    ) -> dict[str, Tensor]:
        """Windows of a store, arranged."""
        names = [store.layout(int(row))[0] for row in rows]
        return self.arrange(batch(store, rows, starts, self.samples), names)

    def example(self) -> tuple[Float32[np.ndarray, "channel 3"], Int64[np.ndarray, " channel"]]:
        """Positions and modality numbers of a usual montage of the first modality, for a fixed input."""
        kind = self.modalities[0]
        names = LEADS_12 if kind is Modality.ECG else _ELECTRODES
        where = np.nan_to_num(positions(names, kind), nan=0.0)
        return where, np.full(len(names), MODALITIES.index(kind), dtype=np.int64)

    def _of(self, recordings: Sequence[Recording], starts: Int64[np.ndarray, " window"]) -> dict[str, Tensor]:
        return self.arrange(collate(recordings, starts, self.samples), [one.channels for one in recordings])
