"""Concepts in words, for zero-shot classification by a text encoder."""

from __future__ import annotations

from ontology.concept import Concept

# What a reader writes: the bare term first, as reports have it.
TEMPLATES = ("{}", "12-lead ECG showing {}", "electrocardiogram with {}")


def sentences(concept: Concept) -> tuple[str, ...]:
    """The sentences that describe a concept; average their embeddings.

    Every template with the term and every synonym, the term first. Abbreviations are left out: to a general text
    encoder `PR` or `SA` means something else.

    Example:
        >>> sentences(cardiac().find("AF"))[:2]
        ('atrial fibrillation', '12-lead ECG showing atrial fibrillation')
    """
    names = dict.fromkeys((concept.term, *concept.synonyms))
    return tuple(template.format(name) for name in names for template in TEMPLATES)
