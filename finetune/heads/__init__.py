"""Heads: what turns the features of a frozen or trained encoder into concepts. One file each, found by name."""

from collections.abc import Callable

from finetune.heads.base import FeatureHead, Head, Reads
from finetune.heads.concept_attention import ConceptAttentionHead
from finetune.heads.linear import LinearHead
from finetune.heads.mlp import MLPHead
from finetune.heads.prototypes import PrototypeHead
from ontology.registry import Registry

HEADS: Registry[Callable[[int, int], Head]] = Registry("head")
HEADS.add("linear", LinearHead)
HEADS.add("mlp", MLPHead)
HEADS.add("attention", ConceptAttentionHead)
HEADS.add("prototypes", PrototypeHead)

__all__ = ["HEADS", "ConceptAttentionHead", "FeatureHead", "Head", "LinearHead", "MLPHead", "PrototypeHead", "Reads"]
