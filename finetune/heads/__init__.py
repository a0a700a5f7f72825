"""Heads: what turns the features of a frozen or trained encoder into concepts. One file each, found by name."""

from finetune.heads.linear import LinearHead
from ontology.registry import Registry

HEADS: Registry[type[LinearHead]] = Registry("head")
HEADS.add("linear", LinearHead)

__all__ = ["HEADS", "LinearHead"]
