"""Report sentences as clinicians and machines write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biosig.simulate import diagnoses as dx
from biosig.simulate.diagnoses import Diagnosis
from biosig.simulate.heart import Heart, Rhythm
from biosig.simulate.phrases import ABSENT, MAKES_DOUBTFUL, PHRASES


def report(found: Sequence[Diagnosis], rate: float, heart: Heart, rng: np.random.Generator) -> str:
    """A report that says what was found, and now and then that something was not.

    One in four is in the terse words of a machine; the others are sentences, the rhythm mostly first, the other
    findings in any order.

    Args:
        found: The diagnoses; without any, the heart's rhythm is sinus rhythm and is called so.
        rate: Ventricular, a minute.
        heart: For the intervals and walls that a report may name.
        rng: Of this recording.
    """
    ids = [diagnosis.id for diagnosis in found]
    normal = not set(ids) - {dx.SINUS_RHYTHM}
    ids = ids or [dx.SINUS_RHYTHM]
    terse = bool(rng.random() < 0.25)
    values = _values(rate, heart)
    phrases = [str(rng.choice(PHRASES[id_][terse])).format(**values) for id_ in ids]
    if rng.random() < 0.3:
        phrases = [phrases[k] for k in rng.permutation(len(phrases))]
    else:
        phrases = [phrases[0], *(phrases[1 + k] for k in rng.permutation(len(phrases) - 1))]
    if terse:
        verdict = "NORMAL ECG" if normal else "ABNORMAL ECG"
        return str(rng.choice([", ", "; ", " - "])).join([*phrases, verdict] if rng.random() < 0.5 else phrases)
    return _sentences(phrases, set(ids), normal=normal, rng=rng)


def _sentences(phrases: list[str], ids: set[str], *, normal: bool, rng: np.random.Generator) -> str:
    style = int(rng.integers(3))
    if style == 0 or len(phrases) == 1:
        sentences = [_capital(phrase) for phrase in phrases]
    elif style == 1:
        sentences = [_capital(f"{phrases[0]} with {_listed(phrases[1:])}")]
    else:
        sentences = [_capital(phrases[0]), _capital(_listed(phrases[1:]))]
    if normal and rng.random() < 0.6:
        sentences.append(str(rng.choice(["Normal ECG", "Within normal limits", "Unremarkable tracing"])))
    elif not normal and rng.random() < 0.15:
        absent = [text for id_, text in ABSENT.items() if id_ not in ids and not ids & MAKES_DOUBTFUL]
        sentences += [str(rng.choice(absent))] if absent else []
    return ". ".join(sentences) + "."


def _values(rate: float, heart: Heart) -> dict[str, str]:
    named = {wall: str(wall) if wall else "" for wall in (heart.q_wall, heart.st_wall, heart.t_wall)}
    mobitz = heart.rhythm is Rhythm.SECOND_DEGREE_BLOCK and heart.dropped > 2
    ratios = {f"{ratio}:1" for ratio in heart.conduction}
    return {
        "rate": f"{rate:.0f}",
        "pr": f"{1000 * heart.pr:.0f}",
        "qtc": f"{1000 * heart.qtc:.0f}",
        "st": f"{abs(heart.st_level):.1f}",
        "conduction": ratios.pop() if len(ratios) == 1 else "variable",
        "mobitz": (", Mobitz type I" if heart.wenckebach else ", Mobitz type II") if mobitz else "",
        "q_wall": f"in the {named[heart.q_wall]} leads",
        "st_wall": named[heart.st_wall],
        "t_wall": named[heart.t_wall],
    }


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
