"""What is wrong with a document that its model refused, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def explain(error: ValidationError, *, whole: str = "", fields: Iterable[str] = ()) -> str:
    """A validation error in one line: the first field at fault, and how many more there are.

    Args:
        error: Of a pydantic model.
        whole: What the document is called where no single field is at fault.
        fields: Names that an unknown field may be a misspelling of.
    """
    problems = error.errors(include_url=False)
    first = problems[0]
    field = ".".join(str(part) for part in first["loc"]) or whole
    what = first["msg"].removeprefix("Value error, ")
    match first["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(str(first["loc"][-1]), sorted(fields), n=1)
            what = "no such field" + (f" (did you mean {near[0]!r}?)" if near else "")
        case "union_tag_not_found":
            what = f"expected a field {first['ctx']['discriminator']}, got {shown(first['input'])}"
        case "union_tag_invalid":
            field += f".{first['ctx']['discriminator'].strip(chr(39))}"
            what = f"expected {first['ctx']['expected_tags']}, got {first['ctx']['tag']!r}"
        case "missing" | "value_error":
            pass
        case _:
            what += f", got {shown(first['input'])}"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{field}: {' '.join(what.split())}{more}"


def shown(value: object) -> str:
    """A value in one line of at most 80 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
