"""Licences of data, in the words of model hubs."""

from __future__ import annotations

from collections.abc import Iterable

# What model hubs call the licences of corpora; any other is `other`, with its name beside it.
_LICENCES = {
    "cc by 4.0": "cc-by-4.0",
    "cc0": "cc0-1.0",
    "odc-by 1.0": "odc-by",
    "odbl": "odbl",
    "pddl": "pddl",
    "apache-2.0": "apache-2.0",
    "mit": "mit",
}


def hub_licence(stated: Iterable[str]) -> dict[str, str]:
    """The fields `license` and, where the hub has no word for it or there are several, `license_name`."""
    names = sorted(set(stated))
    known = _LICENCES.get(names[0].casefold()) if len(names) == 1 else None
    if known is not None:
        return {"license": known}
    return {"license": "other", "license_name": ", ".join(names) or "not stated"}
