"""Documents that hold their own digest: what was changed after it was written does not pass for what was written.

This guards against accidents and forgotten edits. Whoever forges a document can forge its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SEAL = "sha256"


def seal(document: Mapping[str, Any]) -> str:
    """SHA-256 of what a document of JSON says besides its own digest, however it is spaced and ordered."""
    rest = {name: value for name, value in document.items() if name != SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its digest."""
    return {**document, SEAL: seal(document)}


def broken(document: Mapping[str, Any]) -> str | None:
    """What is wrong with the digest of a document; None if it is right, or there is none, as in those of before."""
    stated = document.get(SEAL)
    if stated is None or stated == (found := seal(document)):
        return None
    return f"changed since it was written: {SEAL}: expected {str(stated)[:80]!r}, got {found!r}"
