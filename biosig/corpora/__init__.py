"""The corpora: one file each, found by name in `CORPORA`.

A file added to this package is found by itself; a third party adds a corpus through the entry-point group
`biosig.corpora`, whose object is a `Corpus`.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from biosig.corpora.base import CORPORA, Corpus, Entries, Entry

__all__ = ["CORPORA", "Corpus", "Entries", "Entry"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

for _point in entry_points(group="biosig.corpora"):
    try:
        CORPORA.add(_point.name, _point.load())
    except (ImportError, AttributeError, ValueError) as _error:
        # Another's broken package must not take our corpora away.
        warnings.warn(f"corpus {_point.name!r} of {_point.value!r} cannot be loaded: {_error}", stacklevel=2)
