"""What a sentence of an ECG machine states, what it only doubts, and what it denies.

Machines of Philips and GE write findings in fixed phrases, bare ("Left bundle branch block"), hedged ("Possible
inferior infarct - age undetermined") or denied ("No evidence of acute ischemia"). A phrase of a table is found as whole
words in the plain text, the longest first, so that "incomplete right bundle branch block" is not also a complete one.
Then the words around it decide:

| words | reach | the finding is |
|---|---|---|
| possible, probable, consider, suggests, consistent with, cannot rule out, borderline, ... | what follows | doubted |
| "... is possible", "... cannot be excluded", "... may be present" | what precedes, to the comma | doubted |
| or, versus | both sides | doubted |
| no, not, without, ... | what follows, to the comma, `but` or `except` | denied |
| "... not seen", "... has resolved", absent | what precedes, to the comma | denied |
| compared, since, previous, replaced, no longer | the whole sentence | doubted |

A reach ends at a full stop, semicolon, colon, bracket, or a dash between spaces: in "Poor R wave progression - probable
normal variant" the progression is stated. What is doubted is neither there nor absent: it is unknown
(`ontology.doubted`). Negation over two sentences, irony and misspelling are beyond this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SPELLING = (
    (re.compile(r"ischaemi"), "ischemi"),
    (re.compile(r"repolaris"), "repolariz"),
    (re.compile(r"\ba[-\s]v\b"), "av"),
    (re.compile(r"\bnon[-\s](?=specific|conducted)"), "non"),
    (re.compile(r"\bcan(?:\s+not|'t)\b"), "cannot"),
    (re.compile(r"'"), ""),
)
_BOUNDARY = re.compile(r"\s[-\u2013\u2014]+\s|[.:](?=\s|$)|[;()\[\]*\n]+")
_TOKEN = re.compile(r"[a-z0-9]+|,")

_DOUBT = frozenset({
    "possible", "possibly", "probable", "probably", "consider", "suspect", "suspected", "suspicious",
    "suggest", "suggests", "suggesting", "suggestive", "consistent", "compatible", "may", "might", "could",
    "cannot", "questionable", "borderline", "equivocal", "likely", "rule", "exclude",
})  # fmt: skip
_EITHER = frozenset({"or", "vs", "versus"})
_MODAL = frozenset({"may", "might", "could"})
_NAMES_A_CAUSE = re.compile(r"(?:be (?:due|secondary|related|caused|normal|a normal)|represent|reflect|indicate)\b")
_IS = frozenset({"is", "are", "was", "were", "be"})
_DENIAL = frozenset({"no", "not", "without", "neither", "nor", "never"})
_GONE = frozenset({"absent", "resolved", "disappeared"})
_END_OF_DENIAL = frozenset({",", "but", "except"})
_COMPARISON = re.compile(
    r"\b(?:compared|since|previous|replaced|replaces|no longer|(?:prior|last|earlier) (?:ecg|ekg|tracing|study))\b"
)


@dataclass(frozen=True)
class Said:
    """The concepts of a sentence; none is in two of the sets.

    Attributes:
        stated: They are there.
        doubted: They may be there.
        denied: They are not there.
        listed: Whether any phrase of the table occurs, one without a concept included.
    """

    stated: frozenset[str]
    doubted: frozenset[str]
    denied: frozenset[str]
    listed: bool


def plain(text: str) -> str:
    """Lower case, one spelling, words and commas; parts that do not reach into one another are separated by ` | `."""
    text = text.casefold()
    for pattern, spelling in _SPELLING:
        text = pattern.sub(spelling, text)
    parts = (" ".join(_TOKEN.findall(part)) for part in _BOUNDARY.split(text))
    return " | ".join(part for part in parts if part)


def understand(text: str, phrases: Mapping[str, frozenset[str]]) -> Said:
    """Judge every phrase that occurs in a sentence.

    Args:
        text: As `plain` gives it.
        phrases: Concepts by phrase; phrases are plain too.
    """
    judged: dict[str, set[str]] = {"stated": set(), "doubted": set(), "denied": set()}
    listed = False
    whole = "doubted" if _COMPARISON.search(text) else ""
    longest = max((phrase.count(" ") + 1 for phrase in phrases), default=0)
    for part in text.split(" | "):
        words = part.split()
        found = list(_phrases(words, phrases, longest))
        listed |= bool(found)
        taken = {place for start, end, _ in found for place in range(start, end)}
        verdicts = _verdicts(words, taken)
        for start, end, concepts in found:
            here = verdicts[start:end]
            verdict = whole or next((name for name in ("denied", "doubted") if name in here), "stated")
            judged[verdict] |= concepts
    stated, doubted = frozenset(judged["stated"]), frozenset(judged["doubted"] - judged["stated"])
    return Said(stated, doubted, frozenset(judged["denied"] - stated - doubted), listed)


def _phrases(
    words: list[str], phrases: Mapping[str, frozenset[str]], longest: int
) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Start, end and concepts of the phrases, from the left, each the longest that starts there."""
    start = 0
    while start < len(words):
        for end in range(min(start + longest, len(words)), start, -1):
            concepts = phrases.get(" ".join(words[start:end]))
            if concepts is not None:
                yield start, end, concepts
                start = end - 1
                break
        start += 1


def _verdicts(words: list[str], taken: set[int]) -> list[str]:
    """For every word: denied, doubted, or nothing."""
    verdicts = [""] * len(words)

    def mark(places: range, verdict: str, stop: frozenset[str]) -> None:
        for place in places:
            if words[place] in stop and place not in taken:
                return
            verdicts[place] = verdict

    comma = frozenset({","})
    for place, word in enumerate(words):
        if place in taken:
            continue  # the word is part of a finding's name
        after, before = range(place + 1, len(words)), range(place - 1, -1, -1)
        following = " ".join(words[place + 1 :])
        previous = words[place - 1] if place else ""
        if word in _EITHER:
            mark(before, "doubted", comma)
            mark(after, "doubted", frozenset())
        elif word in _DENIAL and following.startswith(("excluded", "ruled")):
            mark(before, "doubted", comma)
        elif word in _DOUBT and verdicts[place] != "denied":
            mark(after, "doubted", frozenset())
            hanging = following.startswith("be ") or (word in _MODAL and not taken.intersection(after))
            if previous in _IS or (hanging and not _NAMES_A_CAUSE.match(following)):
                mark(before, "doubted", comma)
        elif word in _GONE or (word == "not" and not taken.intersection(after)):
            mark(before, "denied", comma)
        elif word in _DENIAL:
            mark(after, "denied", _END_OF_DENIAL)
    return verdicts
