"""From a diagnoser, a recording and the name of a finding to an explanation."""

from __future__ import annotations

from collections.abc import Callable

from biosig.errors import BiosigError
from biosig.recording import Recording
from finetune.diagnosis.diagnoser import Diagnoser, Diagnosis
from finetune.explain.attribution import Attribution
from finetune.explain.choices import Baseline, Method
from finetune.explain.gradients import integrated_gradients
from finetune.explain.occlusion import occlusion
from finetune.explain.question import Question
from ontology.names import hint

#: The name that asks for the finding of the largest probability.
TOP = "top"
# Occlusion asks about every stretch of every lead of the whole recording: the time grows with its square.
_LONGEST = 120.0


def place_of(diagnoser: Diagnoser, diagnosis: Diagnosis, name: str) -> int:
    """Where a finding is among the concepts of a diagnoser.

    Args:
        diagnoser: Whose.
        diagnosis: Of the recording in question.
        name: A term, an abbreviation or a SNOMED-CT id, in any case; or `TOP`.

    Raises:
        BiosigError: If the diagnoser knows no such finding.
    """
    concepts = diagnoser.config.concepts
    wanted = diagnosis.said[0].concept.concept if name == TOP else name
    places = {
        known.casefold(): place
        for place, one in reversed(list(enumerate(concepts)))
        for known in (one.abbreviation, one.term, one.concept)
        if known
    }
    if wanted.casefold() not in places:
        terms = [one.term for one in concepts]
        raise BiosigError(
            f"--explain: no finding {name!r} among the {len(terms)} of this diagnoser{hint(name, terms)}; there are: "
            f"{', '.join(terms)}"
        )
    return places[wanted.casefold()]


def explain(
    diagnoser: Diagnoser,
    recording: Recording,
    place: int,
    *,
    method: Method = Method.GRADIENTS,
    baseline: Baseline = Baseline.FLAT,
    say: Callable[[int, int], None] = lambda _done, _of: None,
) -> Attribution:
    """How far each sample of each lead moved the calibrated log odds of a finding.

    Args:
        diagnoser: Who answers.
        recording: As it was read.
        place: Of the finding, see `place_of`.
        method: How.
        baseline: What integrated gradients compare the recording with.
        say: Told how many of how many signals occlusion has asked about.

    Raises:
        ModelError: If the recording cannot be brought to what the model was made for.
        BiosigError: If it is too long for occlusion.
    """
    question = Question.of(diagnoser, recording)
    match method:
        case Method.GRADIENTS:
            return integrated_gradients(question, place, baseline=baseline)
        case Method.OCCLUSION:
            if recording.duration > _LONGEST:
                raise BiosigError(
                    f"{recording.record_id or 'recording'}: --method occlusion: expected {_LONGEST:g} s at most, got "
                    f"{recording.duration:g} s; cut it, or take --method gradients"
                )
            return occlusion(question, place, say=say)
