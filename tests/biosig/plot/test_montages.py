"""EEG as it is read: differences along chains, or against the average; the ECG stays below."""

from __future__ import annotations

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.plot import picture
from biosig.plot.montages import LONGITUDINAL, MONTAGES, TRANSVERSE
from biosig.recording import Modality, Recording

TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)


def head(names: tuple[str, ...] = TEN_TWENTY) -> Recording:
    signal = np.random.default_rng(0).standard_normal((len(names) + 1, 600)).astype(np.float32)
    kinds = (*[Modality.EEG] * len(names), Modality.ECG)
    return Recording(signal, (*names, "ECG"), 100.0, kinds, record_id="h")


@pytest.mark.parametrize("chain", [LONGITUDINAL, TRANSVERSE])
def test_chains_use_every_electrode_of_the_ten_twenty_system_and_each_pair_once(chain: tuple[str, ...]) -> None:
    assert {end for pair in chain for end in pair.split("-")} == set(TEN_TWENTY)
    assert len({frozenset(pair.split("-")) for pair in chain}) == len(chain) == 18


def test_a_bipolar_picture_shows_differences_in_order_and_the_ecg_below() -> None:
    source = head()
    made = MONTAGES["longitudinal"](source)
    assert made.channels == (*LONGITUDINAL, "ECG")
    front, back = source.pick(["F3", "C3"]).signal
    np.testing.assert_allclose(made.signal[LONGITUDINAL.index("F3-C3")], front - back)
    labels = [label.get_text() for label in picture(source, layout="longitudinal").axes[0].get_yticklabels()]
    assert labels == [*LONGITUDINAL, "ECG"]


def test_what_is_missing_stays_out_and_nothing_at_all_is_refused() -> None:
    few = MONTAGES["transverse"](head(("T7", "C3", "Cz", "O1")))
    assert few.channels == ("T7-C3", "C3-Cz", "ECG")
    with pytest.raises(BiosigError, match="montage: 18 of its channels missing"):
        MONTAGES["longitudinal"](head(("Fpz", "Oz")))


def test_the_average_reference_leaves_no_common_part_and_the_ecg_alone() -> None:
    source = head()
    made = MONTAGES["average"](source)
    np.testing.assert_allclose(made.signal[:-1].mean(0), 0, atol=1e-5)
    np.testing.assert_array_equal(made.signal[-1], source.signal[-1])
