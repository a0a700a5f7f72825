"""A loss is a mean over the batches that had it."""

import json

from pretrain.training.tally import Tally


def test_a_loss_that_was_not_found_is_no_zero() -> None:
    tally = Tally()
    tally.add({"loss": 3.0, "a/x": 2.0, "b/y": 1.0})
    tally.add({"loss": 4.0, "a/x": 4.0})
    tally.add({"loss": 0.0})
    assert tally.means() == {"loss": 3.5, "a/x": 3.0, "b/y": 1.0}
    assert Tally().means() == {}


def test_groups_have_means_of_their_own_and_a_weight_in_the_whole() -> None:
    tally = Tally()
    tally.add({"loss": 3.0, "a/x": 3.0}, "ecg", 0.75)
    tally.add({"loss": 8.0, "a/x": 8.0}, "eeg", 0.125)
    tally.add({"loss": 4.0, "a/x": 4.0}, "eeg", 0.125)
    assert tally.means() == {
        "loss": 0.75 * 3 + 0.25 * 6,
        "ecg/loss": 3.0,
        "ecg/a/x": 3.0,
        "eeg/loss": 6.0,
        "eeg/a/x": 6.0,
    }


def test_it_goes_on_from_its_state_to_the_bit() -> None:
    losses = [{"loss": 0.1 * k, "a/x": 0.1 * k} for k in range(1, 9)]
    whole, first = Tally(), Tally()
    for one in losses:
        whole.add(one, "ecg", 0.3)
    for one in losses[:5]:
        first.add(one, "ecg", 0.3)
    rest = Tally(json.loads(json.dumps(first.sums)))
    for one in losses[5:]:
        rest.add(one, "ecg", 0.3)
    assert rest.means() == whole.means()
