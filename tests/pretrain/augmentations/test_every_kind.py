"""What holds for every augmentation of the registry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from biosig.channels import LEADS_12
from biosig.recording import Modality
from pretrain.augmentations import AUGMENTATIONS, Augmentation, Chance, Strips, augment
from pretrain.errors import RecipeError
from pretrain.recipe import Recipe, parse
from tests.benchmarks import augmentation_page
from tests.pretrain.augmentations.strips import PAIRS, RECORDS, many, strips
from tests.pretrain.tiny import TINY

KINDS = tuple(AUGMENTATIONS)
#: Where chance alone decides who is changed, so that it decides for somebody in a small batch.
OPTIONS: dict[str, dict[str, Any]] = {"lead_mask": {"probability": 0.5}, "channel_dropout": {"share": 0.5}}
#: Kinds that only ever concern ECG, or EEG.
ONLY = {
    "baseline_wander": Modality.ECG,
    "vcg_rotation": Modality.ECG,
    **dict.fromkeys(
        ("band_noise", "band_stop", "channel_dropout", "hemisphere_swap", "phase_surrogate", "sign_flip"), Modality.EEG
    ),
}
KEYS = [3**number for number in range(len(RECORDS))]


def step(kind: str, **options: Any) -> Augmentation:
    """A step that takes every record, unless options say otherwise."""
    return AUGMENTATIONS[kind].model_validate({"probability": 1.0, **OPTIONS.get(kind, {}), **options})


def same(one: Strips, other: Strips) -> bool:
    return all(torch.equal(a, b) for a, b in zip(parts(one), parts(other), strict=True))


def parts(of: Strips) -> tuple[Tensor, Tensor, Tensor]:
    return of.signal, of.mask, of.valid


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_decides_everything(kind: str) -> None:
    torch.manual_seed(1)
    first = augment(strips(), [step(kind)], KEYS)
    torch.manual_seed(2)
    assert same(augment(strips(), [step(kind)], KEYS), first)
    assert not torch.equal(first.signal, strips().signal)
    if kind not in {"sign_flip", "hemisphere_swap"}:
        assert not torch.equal(augment(strips(), [step(kind)], [key + 1 for key in KEYS]).signal, first.signal)


@pytest.mark.parametrize("kind", KINDS)
def test_the_given_windows_are_not_changed(kind: str) -> None:
    given = strips()
    augment(given, [step(kind)], KEYS)
    assert same(given, strips())


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_make_no_difference(kind: str) -> None:
    together = augment(strips(), [step(kind)], KEYS)
    for row in range(len(RECORDS)):
        alone = augment(strips((RECORDS[row],)), [step(kind)], [KEYS[row]])
        assert same(alone, together.take(torch.tensor([row]))), RECORDS[row]
    order = torch.randperm(len(RECORDS), generator=torch.Generator().manual_seed(1))
    turned = augment(strips(tuple(RECORDS[row] for row in order)), [step(kind)], [KEYS[row] for row in order])
    assert same(turned, together.take(order))


@pytest.mark.parametrize("kind", KINDS)
def test_places_in_a_large_batch_make_no_difference(kind: str) -> None:
    # Routines that take several numbers at once may round the last few of a tensor otherwise.
    given = many(LEADS_12 + PAIRS, 61, samples=333)
    together = augment(given, [step(kind)], range(61))
    for row in range(61):
        alone = augment(given.take(torch.tensor([row])), [step(kind)], [row])
        assert same(alone, together.take(torch.tensor([row]))), row


@pytest.mark.parametrize("kind", KINDS)
def test_padding_of_channels_makes_no_difference(kind: str) -> None:
    wide = augment(strips(channels=41), [step(kind)], KEYS)
    for row, (names, _, _) in enumerate(RECORDS):
        narrow = augment(strips((RECORDS[row],), channels=len(names)), [step(kind)], [KEYS[row]])
        assert torch.equal(narrow.signal[0], wide.signal[row, : len(names)]), names
        assert torch.equal(narrow.mask[0], wide.mask[row, : len(names)])
        assert not wide.signal[row, len(names) :].any()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_make_no_difference(kind: str) -> None:
    threads, given = torch.get_num_threads(), many(LEADS_12 + PAIRS, 8, samples=2500)
    made = []
    for count in (1, 2):
        torch.set_num_threads(count)
        made.append(augment(given, [step(kind)], range(8)))
    torch.set_num_threads(threads)
    assert same(*made)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_what_is_missing_stay_empty(kind: str) -> None:
    given = strips()
    changed = augment(given, [step(kind)], KEYS)
    assert not (changed.mask & ~given.mask).any(), "a missing channel came back"
    assert (changed.signal[~changed.mask] == 0).all()
    after = torch.arange(given.samples) >= changed.valid[:, None, None]
    assert (changed.signal.masked_select(after) == 0).all()
    assert ((changed.valid > 0) & (changed.valid <= given.valid)).all()
    assert changed.mask.any(1).all(), "a record lost all its channels"
    assert changed.signal.isfinite().all()
    assert changed.signal.dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_other_modalities_stay_as_they_are(kind: str) -> None:
    given = strips()
    changed = augment(given, [step(kind)], KEYS)
    concerned = ONLY.get(kind)
    stays = given.mask & ~given.of_kind(concerned)
    if kind == "time_shift":
        # All channels of a record begin at the same time.
        assert concerned is None
        return
    assert stays.any()
    assert torch.equal(changed.signal[stays], given.signal[stays])
    assert changed.mask[stays].all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "modality" in AUGMENTATIONS[kind].model_fields])
@pytest.mark.parametrize("modality", [Modality.ECG, Modality.EEG])
def test_a_kind_for_all_can_be_told_one_modality(kind: str, modality: Modality) -> None:
    given = strips()
    changed = augment(given, [step(kind, modality=modality)], KEYS)
    stays = given.mask & ~given.of_kind(modality)
    assert torch.equal(changed.signal[stays], given.signal[stays])
    assert not torch.equal(changed.signal, given.signal)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lead_mask"])
def test_probability(kind: str) -> None:
    given = many(LEADS_12 + PAIRS, 200)
    assert same(augment(given, [step(kind, probability=0.0)], range(200)), given)
    always = augment(given, [step(kind)], range(200))
    assert _changed(always, given).float().mean() > 0.98
    half = augment(given, [step(kind, probability=0.3)], range(200))
    assert 40 < _changed(half, given).sum() < 80
    rows = _changed(half, given).nonzero().flatten()
    # Who is taken is the same at every probability, so far as it reaches, and comes out the same.
    assert same(half.take(rows), always.take(rows))


@pytest.mark.parametrize("kind", KINDS)
def test_steps_of_one_kind_draw_apart(kind: str) -> None:
    if kind in {"sign_flip", "hemisphere_swap"}:
        # Done twice, it is undone; a channel without a mirror image is lost.
        given = strips()
        mask = augment(given, [step(kind)], KEYS).mask
        assert same(
            augment(given, [step(kind)] * 2, KEYS), replace(given, mask=mask, signal=given.signal * mask[..., None])
        )
        return
    once = augment(strips(), [step(kind)], KEYS)
    again = step(kind).apply(once, Chance(KEYS).child(0))
    assert not torch.equal(augment(strips(), [step(kind), step(kind)], KEYS).signal, again.signal)


@pytest.mark.parametrize("kind", KINDS)
def test_recipes_keep_it_word_for_word(kind: str) -> None:
    recipe = _recipe(f"{{kind: {kind}}}")
    assert recipe.data.augment == (AUGMENTATIONS[kind](),)
    assert parse(recipe.to_yaml()) == recipe


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{kind: blur}", r"data\.augment\.0\.kind: .*'phase_surrogate', .*got 'blur'"),
        ("{sigma: 1}", r"data\.augment\.0: expected a field 'kind'"),
        ("{kind: gain, sigmo: 1}", r"data\.augment\.0\.gain\.sigmo: no such field \(did you mean 'sigma'\?\)"),
        ("{kind: gain, sigma: -1}", r"data\.augment\.0\.gain\.sigma: .*greater than 0, got -1"),
        ("{kind: mains, probability: 1.5}", r"data\.augment\.0\.mains\.probability: .*1, got 1\.5"),
        ("{kind: mains, frequencies: []}", r"data\.augment\.0\.mains\.frequencies: .*at least 1 item"),
        ("{kind: noise, modality: ekg}", r"data\.augment\.0\.noise\.modality: "),
        ("{kind: muscle, low: 90, high: 40}", r"data\.augment\.0\.muscle: expected low < high, got 90 and 40 Hz"),
        ("{kind: baseline_wander, high: 5}", r"data\.augment\.0\.baseline_wander\.high: .*0\.7, got 5"),
        ("{kind: baseline_wander, low: 0.6}", r"baseline_wander: expected low < high, got 0\.6 and 0\.5 Hz"),
        ("{kind: vcg_rotation, scale: 0.5}", r"data\.augment\.0\.vcg_rotation\.scale: .*1, got 0\.5"),
        ("{kind: time_mask, seconds: .inf}", r"data\.augment\.0\.time_mask\.seconds: "),
        ("{kind: channel_dropout, share: 1}", r"data\.augment\.0\.channel_dropout\.share: .*less than 1, got 1"),
    ],
)
def test_bad_options_are_named_in_one_line(given: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as error:
        _recipe(given)
    assert "\n" not in str(error.value)


def test_the_page_names_and_shows_every_kind(tmp_path: Path) -> None:
    docs = Path(__file__).parents[3] / "docs"
    page = (docs / "augmentations.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(KINDS)
    assert {kind for options in augmentation_page.OPTIONS.values() for kind in options} == set(KINDS)
    augmentation_page.main(tmp_path)
    for picture in sorted((tmp_path / "images").iterdir()):
        assert f"images/{picture.name}" in page
        assert (docs / "images" / picture.name).is_file()
        assert picture.stat().st_size > 100_000, "nothing is drawn"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_the_defaults(kind: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "augmentations.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{kind}`")]
    options = row.split("|")[4]
    for name, field in AUGMENTATIONS[kind].model_fields.items():
        if name in {"kind", "modality"} or (name == "probability" and field.default == 1):
            continue
        given = (
            ", ".join(f"{one:g}" for one in field.default) if isinstance(field.default, tuple) else f"{field.default:g}"
        )
        assert f"`{name}` ({given}" in options


def _recipe(given: str) -> Recipe:
    return parse(TINY, overrides=[f"data.augment=[{given}]"])


def _changed(changed: Strips, given: Strips) -> Tensor:
    other = (changed.signal != given.signal).flatten(1).any(1)
    return other | (changed.mask != given.mask).any(1) | (changed.valid != given.valid)
