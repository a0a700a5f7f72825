"""What a run may choose; light, so that the command line knows it before anything heavy is imported."""

from __future__ import annotations

from enum import StrEnum


class Context(StrEnum):
    """What a beat is compared with.

    `both`: beats before and after it; for a recording that is complete.

    `past`: beats before it alone, as a monitor has them. The window about the beat reaches 0.4 s beyond its R peak, and
    the filter of the signal is of both sides.
    """

    BOTH = "both"
    PAST = "past"
