"""Made-up releases in the true layout of SNOMED-CT RF2 snapshots: no concept, term or identifier of them is real.

All identifiers are those of an extension with namespace 9999999, with right check digits. Only the metadata that RF2
itself is written in (is-a, preferred, fully specified name, ...) has its real identifiers.
"""

from __future__ import annotations

import random
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ontology.identifiers import check_digits

IS_A, FSN, SYNONYM = "116680003", "900000000000003001", "900000000000013009"
PREFERRED, ACCEPTABLE = "900000000000548007", "900000000000549004"
US, GB = "900000000000509007", "900000000000508004"
ROOT = "138875005"

CONCEPT = "Snapshot/Terminology/sct2_Concept_Snapshot_INT_20250101.txt"
DESCRIPTION = "Snapshot/Terminology/sct2_Description_Snapshot-en_INT_20250101.txt"
RELATIONSHIP = "Snapshot/Terminology/sct2_Relationship_Snapshot_INT_20250101.txt"
LANGUAGE = "Snapshot/Refset/Language/der2_cRefset_LanguageSnapshot-en_INT_20250101.txt"

HEADERS = {
    CONCEPT: "id effectiveTime active moduleId definitionStatusId",
    DESCRIPTION: "id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId",
    RELATIONSHIP: "id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId "
    "characteristicTypeId modifierId",
    LANGUAGE: "id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId",
}
# Files of a real release that a reader must tell from those above.
BYSTANDERS = (
    "Snapshot/Terminology/sct2_StatedRelationship_Snapshot_INT_20250101.txt",
    "Snapshot/Terminology/sct2_RelationshipConcreteValues_Snapshot_INT_20250101.txt",
    "Snapshot/Terminology/sct2_TextDefinition_Snapshot-en_INT_20250101.txt",
    "Full/Terminology/sct2_Concept_Full_INT_20250101.txt",
    "Delta/Terminology/sct2_Concept_Delta_INT_20250101.txt",
    "Snapshot/Refset/Map/der2_iisssccRefset_ExtendedMapSnapshot_INT_20250101.txt",
    "Readme.txt",
)

_TIME, _MODULE, _PRIMITIVE = "20250101", "900000000000207008", "900000000000074008"
_CASELESS, _INFERRED, _SOME = "900000000000448009", "900000000000011006", "900000000000451002"

Row = tuple[str, ...]
Rows = dict[str, list[Row]]

# 1 over 2 and 3, which are both over 4; 5 is under 3 alone.
DIAMOND = ((2, 1), (3, 1), (4, 2), (4, 3), (5, 3))


def identifiers(numbers: Sequence[int], partition: int) -> list[str]:
    """Extension identifiers; the partition is 10 for concepts, 11 for descriptions, 12 for relationships."""
    payloads = np.asarray(numbers, dtype=np.int64) * 10**9 + 9_999_999 * 100 + partition
    return [str(number) for number in (payloads * 10 + check_digits(payloads)).tolist()]


def concept_id(number: int) -> str:
    return identifiers([number], 10)[0]


def description_id(number: int) -> str:
    return identifiers([number], 11)[0]


def relationship_id(number: int) -> str:
    return identifiers([number], 12)[0]


def concept(id_: str, *, active: str = "1") -> Row:
    return (id_, _TIME, active, _MODULE, _PRIMITIVE)


def description(id_: str, of: str, type_: str, term: str, *, active: str = "1", language: str = "en") -> Row:
    return (id_, _TIME, active, _MODULE, of, language, type_, term, _CASELESS)


def relationship(id_: str, source: str, destination: str, type_: str = IS_A, *, active: str = "1") -> Row:
    return (id_, _TIME, active, _MODULE, source, destination, "0", type_, _INFERRED, _SOME)


def member(number: int, refset: str, of: str, acceptability: str = PREFERRED, *, active: str = "1") -> Row:
    return (str(uuid.UUID(int=number)), _TIME, active, _MODULE, refset, of, acceptability)


def small(size: int, is_a: Iterable[tuple[int, int]]) -> Rows:
    """Concepts 1 to `size`, each with a full name, a preferred term and another one; `is_a` are child and parent."""
    rows: Rows = {name: [] for name in HEADERS}
    for number in range(1, size + 1):
        of = concept_id(number)
        full, short, other = (description_id(3 * number + place) for place in range(3))
        rows[CONCEPT].append(concept(of))
        rows[DESCRIPTION] += [
            description(full, of, FSN, f"Full name {number} (finding)"),
            description(short, of, SYNONYM, f"Name {number}"),
            description(other, of, SYNONYM, f"Other name {number}"),
        ]
        for place, refset in enumerate((US, GB)):
            rows[LANGUAGE] += [
                member(10 * number + 3 * place, refset, full),
                member(10 * number + 3 * place + 1, refset, short),
                member(10 * number + 3 * place + 2, refset, other, ACCEPTABLE),
            ]
    for number, (child, parent) in enumerate(is_a, start=1):
        rows[RELATIONSHIP].append(relationship(relationship_id(number), concept_id(child), concept_id(parent)))
    return rows


def save(rows: Mapping[str, Iterable[Row]], folder: Path, *, end: str = "\r\n", bystanders: bool = True) -> Path:
    """Write the files of a release."""
    for name in BYSTANDERS if bystanders else ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("not\tto\tbe\tread\r\n")
    for name, table in rows.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            header = next(text for known, text in HEADERS.items() if known.split("-")[0] == name.split("-")[0])
            file.write("\t".join(header.split()) + end)
            file.writelines("\t".join(row) + end for row in table)
    return folder


def pack(folder: Path, archive: Path) -> Path:
    """The same as a zip, under one more folder, as releases are handed out."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, Path("SnomedCT_MadeUp") / path.relative_to(folder))
    return archive


def generate(folder: Path, *, concepts: int, relationships: int, seed: int = 0) -> Path:
    """A release of the shape of the international edition, whose counts are those of active rows.

    One root; every other concept has one or more parents, about 1.9 on average, a dozen levels down; the remaining
    relationships are attributes. A name in full, a preferred term and one or two synonyms each, in the
    language refsets of two dialects. To these come inactive rows, one for every six active ones.
    """
    rng = random.Random(seed)
    inactive = concepts // 6
    ids = [ROOT, *identifiers(range(1, concepts + inactive), 10)]
    active, retired = ids[:concepts], ids[concepts:]
    pairs = _tree(rng, concepts, (relationships * 13) // 24)
    words = ["".join(rng.choices("abcdefghiklmnoprstuv", k=rng.randint(4, 11))) for _ in range(5000)]

    descriptions = list(_descriptions(rng, active, retired, words))
    described = identifiers(range(1, len(descriptions) + 1), 11)
    rows: dict[str, Iterable[Row]] = {
        CONCEPT: _mixed(rng, [concept(id_) for id_ in active], [concept(id_, active="0") for id_ in retired]),
        DESCRIPTION: (
            description(id_, of, type_, term, active=state)
            for id_, (of, type_, term, state) in zip(described, descriptions, strict=True)
        ),
        RELATIONSHIP: _relationships(rng, active, pairs, relationships),
        LANGUAGE: _members(described, descriptions),
    }
    return save(rows, folder, bystanders=False)


def _tree(rng: random.Random, concepts: int, wanted: int) -> list[tuple[int, int]]:
    """Child and parent, numbered from the root; further parents are near the first, as they are in SNOMED-CT."""
    first = [0, *(rng.randrange(child) for child in range(1, concepts))]
    children: list[list[int]] = [[] for _ in first]
    for child, parent in enumerate(first[1:], start=1):
        children[parent].append(child)
    pairs = set(enumerate(first[1:], start=1))
    for _ in range(10 * wanted):
        child = rng.randrange(2, concepts)
        beside = rng.choice(children[first[first[child]]])
        if beside < child:
            pairs.add((child, beside))
        if len(pairs) >= wanted:
            break
    return sorted(pairs, key=lambda _: rng.random())


def _mixed(rng: random.Random, *parts: list[Row]) -> list[Row]:
    return sorted((row for part in parts for row in part), key=lambda _: rng.random())


def _descriptions(
    rng: random.Random, active: list[str], retired: list[str], words: list[str]
) -> Iterator[tuple[str, str, str, str]]:
    for number, id_ in enumerate([*active, *retired]):
        name = " ".join(rng.choices(words, k=rng.randint(2, 6)))
        yield id_, FSN, f"{name} {number} (finding)", "1"
        yield id_, SYNONYM, f"{name} {number}", "1"
        for other in range(rng.choice((1, 1, 2))):
            yield id_, SYNONYM, f"{rng.choice(words)} {name} {number} {other}", "1"
        if number % 2:
            yield id_, SYNONYM, f"former {name} {number}", "0"


def _relationships(rng: random.Random, active: list[str], pairs: list[tuple[int, int]], wanted: int) -> Iterator[Row]:
    finding_site = concept_id(90_000_000)
    for number, id_ in enumerate(identifiers(range(1, wanted + wanted // 6 + 1), 12)):
        source, destination = rng.choice(active), rng.choice(active)
        if number < len(pairs):
            child, parent = pairs[number]
            yield relationship(id_, active[child], active[parent])
        elif number < wanted:
            yield relationship(id_, source, destination, finding_site)
        else:
            yield relationship(id_, source, destination, active="0")


def _members(described: list[str], descriptions: list[tuple[str, str, str, str]]) -> Iterator[Row]:
    number, seen = 0, set[str]()
    for id_, (of, type_, _, state) in zip(described, descriptions, strict=True):
        preferred = type_ == FSN or of not in seen
        if type_ == SYNONYM:
            seen.add(of)
        for refset in (US, GB):
            number += 1
            yield member(number * 7_919_000_003_331, refset, id_, PREFERRED if preferred else ACCEPTABLE, active=state)
