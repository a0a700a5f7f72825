"""Examples in docstrings are shown as sessions: griffe knows the section `Examples`, and ours are called `Example`."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_SECTION = re.compile(r"^Example:(?=\n\s+>>>)", re.MULTILINE)


class Examples(Extension):
    """Renames the section where a session follows."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each object that is found."""
        if obj.docstring is not None:
            obj.docstring.value = _SECTION.sub("Examples:", obj.docstring.value)
