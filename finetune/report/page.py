"""What both reports share: the frame and its look, pictures inside the page, and how numbers are written."""

from __future__ import annotations

import base64
import io
from functools import cache, partial
from importlib import resources
from typing import Any

import jinja2
from matplotlib import rc_context
from matplotlib.figure import Figure

from finetune.diagnosis.result import Estimate


def render(template: str, **values: Any) -> str:
    """A page that needs no other file, script or network; every text of the data is escaped.

    Args:
        template: Its path in this package; it fills the blocks of `page.html.jinja`.
        **values: What the template names; of every page `headline` (title, number, comment) and `warnings`.
    """
    return _environment().get_template(template).render(**values)


def render_text(template: str, **values: Any) -> str:
    """Text that is no page: nothing is escaped, which is for the template to do.

    Args:
        template: Its path in this package.
        **values: What the template names.
    """
    return _environment(escape=False).get_template(template).render(**values)


def picture(figure: Figure, kind: str) -> str:
    """A figure as a data URI: an image element runs no script and shares no identifiers with the page."""
    buffer = io.BytesIO()
    # Equal numbers give equal bytes: no date, and identifiers that do not come from a random salt.
    with rc_context({"svg.hashsalt": "biosig", "svg.fonttype": "path"}):
        if kind == "svg":
            figure.savefig(buffer, format="svg", metadata={"Date": None})
            return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        figure.savefig(buffer, format="png", dpi=150, bbox_inches="tight", metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def decimal(value: float | None, *, sign: bool = False) -> str:
    """Three decimals; a dash for nothing. A minus sign that is as wide as a plus."""
    if value is None:
        return "–"
    return f"{value:+.3f}".replace("-", "−") if sign else f"{value:.3f}"


def bracket(estimate: Estimate, *, sign: bool = False) -> str:
    """The interval."""
    return f"[{decimal(estimate.low, sign=sign)}, {decimal(estimate.high, sign=sign)}]"


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _environment(*, escape: bool = True) -> jinja2.Environment:
    templates = resources.files("finetune")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (templates / name).read_text(encoding="utf-8")),
        autoescape=escape,  # noqa: S701 -- text that is no page escapes in its template
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=not escape,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(decimal=decimal, bracket=bracket, words=_words)
    environment.filters.update(signed=partial(decimal, sign=True), signed_bracket=partial(bracket, sign=True))
    return environment
