"""The score of the PhysioNet/CinC Challenge 2021: some mistakes are forgiven more than others.

References:
    Reyna et al., Will two do? Varying dimensions in electrocardiography: the PhysioNet/Computing in Cardiology
    Challenge 2021, CinC 2021; Perez Alday et al., Classification of 12-lead ECGs, Physiol. Meas. 2020.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from biosig.errors import BiosigError
from finetune.metrics.decided import Decided
from ontology import cardiac
from ontology.identifiers import is_snomed
from ontology.kernels import SEVERITY, severity

SINUS_RHYTHM = "426783006"
EQUIVALENT = {"164909002": "733534002", "59118001": "713427006", "284470004": "63593006", "427172004": "17338001"}
"""Codes that the challenge scores as one class: LBBB, RBBB, PAC and PVC each with a second code."""

# Pairs that are not where the severity line puts them, at 0.5.
_BESIDE_THE_LINE = {("6374002", "164909002"): 0.475, ("251146004", "365413008"): 0.475}


@dataclass(frozen=True)
class Weights:
    """What the output of one class is worth where another is the label.

    Attributes:
        classes: The SNOMED-CT codes of each class; several are scored as one.
        matrix: Ones on the diagonal, partial credit elsewhere; rows are labels, columns outputs.
        source: Where they come from, in words.
    """

    classes: tuple[tuple[str, ...], ...]
    matrix: Float64[np.ndarray, "class class"]
    source: str

    def index(self, code: str) -> int | None:
        """The class of a code, if it is scored."""
        return next((row for row, codes in enumerate(self.classes) if code in codes), None)


def severity_weights() -> Weights:
    """The 26 classes, weighted by the line on which the challenge's matrix lies.

        w_jk = 0.5 - |r_j - r_k|,  w_jj = 1,   r: `ontology.kernels.SEVERITY`

    An approximation: the published `weights.csv` is this to within 0.025, and is not shipped. The two of 325 pairs that
    we found off the line in a public copy of it (bundle branch block with left bundle branch block, low QRS voltages
    with poor R wave progression: 0.475) are set so here. To report a score of the challenge, give `read_weights` the
    file itself.
    """
    codes = tuple(SEVERITY)
    matrix = severity(cardiac(), ids=codes)
    for (a, b), weight in _BESIDE_THE_LINE.items():
        row, column = codes.index(a), codes.index(b)
        matrix[row, column] = matrix[column, row] = weight
    classes = tuple((code, EQUIVALENT[code]) if code in EQUIVALENT else (code,) for code in codes)
    return Weights(classes, matrix, "an approximation of the challenge's weights.csv to within 0.025")


def read_weights(path: str | Path) -> Weights:
    """The user's own `weights.csv` in the challenge's form: codes in the first row and column, `|` between equal ones.

    Raises:
        BiosigError: If the file is not a square, symmetric table of numbers from 0 to 1 with ones on the diagonal, a
            code is none of SNOMED-CT or occurs twice, the columns are in another order than the rows, or sinus rhythm
            is missing.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, strict=True) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BiosigError(f"{path.name}: expected a table of weights: {error}") from None
    if not rows or rows[0][:1] != [""] or [row[0] for row in rows[1:]] != rows[0][1:]:
        raise BiosigError(
            f"{path.name}: expected the same codes in the first row, after an empty cell, and first column"
        )
    classes = tuple(tuple(name.split("|")) for name in rows[0][1:])
    codes = [code for one in classes for code in one]
    for code in codes:
        if not is_snomed(code) or codes.count(code) > 1:
            raise BiosigError(
                f"{path.name}: expected SNOMED-CT codes, each once, got {code!r} {codes.count(code)} times"
            )
    if SINUS_RHYTHM not in codes:
        raise BiosigError(f"{path.name}: expected sinus rhythm, {SINUS_RHYTHM}, among the classes")
    matrix = np.array([_numbers(path, row, len(classes)) for row in rows[1:]])
    off = (matrix != matrix.T) | (np.eye(len(classes), dtype=bool) & (matrix != 1))
    for row, column in np.argwhere(off):
        raise BiosigError(
            f"{path.name}: {rows[0][row + 1]}, {rows[0][column + 1]}: expected a symmetric matrix with ones on the "
            f"diagonal, got {matrix[row, column]:g} and {matrix[column, row]:g}"
        )
    return Weights(classes, matrix, f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def _numbers(path: Path, row: Sequence[str], count: int) -> list[float]:
    if len(row) != count + 1:
        raise BiosigError(f"{path.name}: {row[0]}: expected {count} weights, got {len(row) - 1}")
    numbers = []
    for cell in row[1:]:
        try:
            numbers.append(float(cell))
        except ValueError:
            numbers.append(math.nan)
        if not 0 <= numbers[-1] <= 1:
            raise BiosigError(f"{path.name}: {row[0]}: expected weights from 0 to 1, got {cell!r}")
    return numbers


def challenge_score(decided: Decided, weights: Weights | None = None) -> Float64[np.ndarray, " draw"]:
    r"""The challenge metric, for every column of record weights.

    With l and o the label and output classes of a record as 0/1 vectors,

        credit(o) = sum over records of  l^T W o / max(|l or o|, 1)
        score     = (credit(outputs) - credit(always sinus rhythm)) / (credit(labels) - credit(always sinus rhythm)),

    so that to be right is 1, to call everything sinus rhythm is 0, and less is possible. Columns of one class are
    joined by "or"; columns that are no class of the score are passed over. If calling everything sinus rhythm is right,
    the score is 0, as the challenge has it.

    Where a label is not known the class does not exist for that record: neither its label nor its output counts, and
    where sinus rhythm is unknown, calling it earns nothing.

    Args:
        decided: What is named and what is there; the columns are SNOMED-CT codes.
        weights: `severity_weights()` by default.
    """
    weights, concepts = severity_weights() if weights is None else weights, decided.concepts
    truth, named, sayable = (
        _by_class(matrix, concepts, weights) for matrix in (decided.truth, decided.named, decided.known)
    )
    sinus = np.zeros_like(truth)
    column = weights.index(SINUS_RHYTHM)
    asked = any(weights.index(concept) == column for concept in concepts)
    sinus[:, column] = sayable[:, column] if asked else True
    got, best, inactive = (_credit(truth, answer, weights.matrix) @ decided.draws for answer in (named, truth, sinus))
    return np.divide(got - inactive, best - inactive, out=np.zeros_like(got), where=best != inactive)


def _by_class(
    matrix: Bool[np.ndarray, "row concept"], concepts: Sequence[str], weights: Weights
) -> Bool[np.ndarray, "row class"]:
    joined = np.zeros((len(matrix), len(weights.classes)), bool)
    for column, concept in enumerate(concepts):
        if (class_ := weights.index(concept)) is not None:
            joined[:, class_] |= matrix[:, column]
    return joined


def _credit(
    truth: Bool[np.ndarray, "row class"],
    answer: Bool[np.ndarray, "row class"],
    matrix: Float64[np.ndarray, "class class"],
) -> Float64[np.ndarray, " row"]:
    earned = ((truth @ matrix) * answer).sum(1)
    return earned / np.maximum((truth | answer).sum(1), 1)
