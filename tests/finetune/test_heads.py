"""Every head by its name, the losses of prototypes against loops, and answers that respect the is-a graph."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from finetune.heads import HEADS, ConceptAttentionHead, PrototypeHead
from finetune.heads.consistency import Consistent, Upward, below, upward
from finetune.heads.prototypes import LOSSES, PrototypeLoss, Prototypes, simplex
from ontology.graph import Concept, ConceptGraph


def inputs_of(name: str, seed: int = 0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    if name == "attention":
        kept = torch.ones(5, 7, dtype=torch.bool)
        kept[1, 3:] = False
        return torch.randn(5, 7, 6, generator=generator), kept
    return (torch.randn(5, 6, generator=generator),)


@pytest.mark.parametrize("name", list(HEADS))
def test_a_head_gives_finite_logits_that_save_and_load(name: str) -> None:
    torch.manual_seed(0)
    head = HEADS[name](6, 3).eval()
    logits = head(*inputs_of(name))
    assert logits.shape == (5, 3)
    assert logits.isfinite().all()
    other = HEADS[name](6, 3).eval()
    other.load_state_dict(head.state_dict())
    assert torch.equal(other(*inputs_of(name)), logits)


@pytest.mark.parametrize("name", list(HEADS))
def test_a_head_judges_records_one_by_one(name: str) -> None:
    head = HEADS[name](6, 3).eval()
    inputs = inputs_of(name)
    torch.testing.assert_close(head(*(part[2:3] for part in inputs)), head(*inputs)[2:3])


@pytest.mark.parametrize("name", list(HEADS))
def test_a_head_learns_what_its_input_says(name: str) -> None:
    torch.manual_seed(1)
    head, inputs = HEADS[name](6, 2), inputs_of(name)
    said = inputs[0] if inputs[0].ndim == 2 else inputs[0][:, 0]
    labels = (said[:, :2] > 0).float()
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(150):
        loss = nn.functional.binary_cross_entropy_with_logits(head(*inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 < math.log(2)


def test_attention_over_tokens_ignores_padding_and_starts_as_the_mean() -> None:
    head = ConceptAttentionHead(6, 3)
    tokens, kept = inputs_of("attention")
    shares = head.attention(tokens, kept)
    torch.testing.assert_close(shares[0], torch.full((3, 7), 1 / 7))
    torch.testing.assert_close(shares[1, :, :3], torch.full((3, 3), 1 / 3))
    nn.init.normal_(head.query)
    changed = tokens.clone()
    changed[1, 3:] = 1e3
    torch.testing.assert_close(head(changed, kept), head(tokens, kept))
    torch.testing.assert_close(head.attention(tokens, kept).sum(-1), torch.ones(5, 3))


def test_a_record_without_tokens_has_finite_logits_and_gradients() -> None:
    head = ConceptAttentionHead(6, 3)
    tokens, kept = inputs_of("attention")
    kept[4] = False
    logits = head(tokens, kept)
    torch.testing.assert_close(logits[4], head.bias)
    logits.sum().backward()
    assert head.query.grad is not None
    assert head.query.grad.isfinite().all()


@pytest.mark.parametrize("corners", [2, 4, 6])
def test_corners_of_a_simplex_are_equally_far_apart(corners: int) -> None:
    points = simplex(corners, 6)
    wanted = torch.full((corners, corners), -1 / (corners - 1)).fill_diagonal_(1.0)
    torch.testing.assert_close(points @ points.T, wanted)


@pytest.mark.parametrize("corners", [1, 7])
def test_a_simplex_that_does_not_fit_is_refused(corners: int) -> None:
    with pytest.raises(ValueError, match=f"expected 2 to 6 corners in 6 dimensions, got {corners}"):
        simplex(corners, 6)


def test_fixed_prototypes_do_not_move_and_learned_ones_do() -> None:
    fixed = PrototypeHead(6, 3, prototypes=Prototypes.SIMPLEX)
    assert [name for name, _ in fixed.named_parameters()] == ["bias"]
    assert "prototype" in dict(PrototypeHead(6, 3).named_parameters())


def test_the_length_of_a_feature_does_not_matter() -> None:
    head = PrototypeHead(6, 3)
    (features,) = inputs_of("prototypes")
    torch.testing.assert_close(head(features), head(7 * features))


def by_loops(name: str, cosines: Tensor, labels: Tensor, known: Tensor, temperature: float) -> float:
    terms = []
    for k in range(cosines.shape[1]):
        others = [j for j in range(len(cosines)) if known[j, k] and (name == "ntce" or not labels[j, k])]
        for i in range(len(cosines)):
            if labels[i, k] and known[i, k] and others:
                total = sum(math.exp(cosines[j, k].item() / temperature) for j in others)
                terms.append(math.log(total) - cosines[i, k].item() / temperature)
    return sum(terms) / max(len(terms), 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", list(LOSSES))
def test_losses_of_prototypes_are_the_formula(name: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    cosines = torch.rand(8, 4, generator=generator, dtype=torch.float64) * 2 - 1
    labels = torch.rand(8, 4, generator=generator) < 0.4
    known = torch.rand(8, 4, generator=generator) < 0.7
    labels[:, 3], known[:, 3] = True, True  # a concept that everybody has: no negatives
    found = PrototypeLoss(name, temperature=0.2)(cosines, labels, known)
    assert found.item() == pytest.approx(by_loops(name, cosines, labels, known, 0.2), rel=1e-9)


@pytest.mark.parametrize("name", list(LOSSES))
def test_losses_of_prototypes_without_a_pair_are_zero_with_a_gradient(name: str) -> None:
    cosines = torch.zeros(4, 2, requires_grad=True)
    nothing = torch.zeros(4, 2, dtype=torch.bool)
    loss = LOSSES[name](cosines, nothing, nothing)
    loss.backward()
    assert loss.item() == 0
    assert cosines.grad is not None
    assert cosines.grad.abs().sum() == 0


def test_equal_cosines_cost_the_log_of_how_many_there_are() -> None:
    labels = torch.tensor([[True], [False], [False], [False]])
    known = torch.ones(4, 1, dtype=torch.bool)
    assert LOSSES["ntce"](torch.zeros(4, 1), labels, known).item() == pytest.approx(math.log(4))
    assert LOSSES["nonl"](torch.zeros(4, 1), labels, known).item() == pytest.approx(math.log(3))


IDS = ("test:top", "test:left", "test:right", "test:low")


@pytest.fixture(scope="module")
def under() -> Tensor:
    """A diamond."""
    edges = [(IDS[1], IDS[0]), (IDS[2], IDS[0]), (IDS[3], IDS[1]), (IDS[3], IDS[2])]
    return below(ConceptGraph([Concept(id_, id_) for id_ in IDS], edges), IDS)


def test_below_is_the_concept_and_its_descendants(under: Tensor) -> None:
    assert under.int().tolist() == [[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]]


@pytest.mark.parametrize("how", list(Upward))
def test_no_child_is_more_probable_than_its_parents(under: Tensor, how: Upward) -> None:
    torch.manual_seed(0)
    head = Consistent(HEADS["mlp"](6, 4).eval(), under, how)
    p = head(20 * torch.randn(200, 6)).sigmoid()
    for child, parent in ((1, 0), (2, 0), (3, 1), (3, 2)):
        assert (p[:, child] <= p[:, parent] + 1e-6).all()


def test_both_ways_upward_by_hand(under: Tensor) -> None:
    p = torch.tensor([[0.1, 0.2, 0.5, 0.3]], dtype=torch.float64)
    logits = torch.logit(p)
    largest, either = (upward(logits, under, how).sigmoid()[0].tolist() for how in Upward)
    assert largest == pytest.approx([0.5, 0.3, 0.5, 0.3])
    assert either == pytest.approx([1 - 0.9 * 0.8 * 0.5 * 0.7, 1 - 0.8 * 0.7, 1 - 0.5 * 0.7, 0.3])


@pytest.mark.parametrize("how", list(Upward))
@pytest.mark.parametrize("level", [-200.0, 200.0])
def test_extreme_logits_stay_finite(under: Tensor, how: Upward, level: float) -> None:
    logits = torch.full((1, 4), level, requires_grad=True)
    out = upward(logits, under, how)
    out.sum().backward()
    assert out.isfinite().all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
