"""The pages: a list of records, a record, the graph of concepts, and the map of what a model sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from jaxtyping import Float, Int64
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from biosig.errors import BiosigError
from biosig.plot.montages import MONTAGES
from ontology.errors import OntologyError
from ontology.registry import UnknownNameError
from pretrain.browse import describe
from pretrain.browse.catalogue import UNFLAGGED, Catalogue, Entry
from pretrain.browse.drawing import GLIMPSE_HEIGHT, GLIMPSE_WIDTH, Drawings, View
from pretrain.browse.query import Query, Rank, number
from pretrain.browse.safety import Guard
from pretrain.browse.sight import Sight

PAGE = 25
LAYOUTS = ("auto", "3x4+1", "3x4+3", "6x2", "12x1", "traces", *MONTAGES, "topomap")
SECONDS = (2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
#: Seconds of a picture, at most: more is a black bar.
LONGEST = 600.0
#: What a person can mend: it is said on the page.
_MENDABLE = (BiosigError, OntologyError, UnknownNameError)
#: What reading a damaged record raises.
_DAMAGE = (BiosigError, OSError, ValueError, KeyError)
_KINDS = {"style.css": "text/css", "browse.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Pages:
    """Everything the server answers.

    Args:
        catalogue: The records.
        sight: What a model sees in them; None without a model.
    """

    def __init__(self, catalogue: Catalogue, sight: Sight | None = None) -> None:
        self.catalogue, self.sight = catalogue, sight
        self.drawings = Drawings(catalogue)
        # Going from record to record asks for the same list again.
        self.ordered = lru_cache(maxsize=32)(self._ordered)

    def application(self) -> Starlette:
        """The server, guarded."""
        pages: dict[str, Callable[[Request], Response]] = {
            "/": self.listing,
            "/record": self.record,
            "/picture.svg": self.picture,
            "/graph": self.graph,
            "/map": self.map,
            "/static/{name}": static,
        }
        return Starlette(
            routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()],
            middleware=[Middleware(Guard)],
            exception_handlers={HTTPException: self._refused},
        )

    def listing(self, request: Request) -> Response:
        """The records that a query asks for, a page at a time."""
        query, error, page, rows, scores = Query(), "", 1, np.empty(0, dtype=np.int64), None
        try:
            query = Query.parse(request.query_params)
            rows, scores = self.ordered(query)
            page = int(number(request.query_params, "page") or 1)
        except _MENDABLE as problem:
            error = str(problem)
        pages = max(-(-len(rows) // PAGE), 1)
        page = min(max(page, 1), pages)
        shown = range((page - 1) * PAGE, min(page * PAGE, len(rows)))
        lines = [
            describe.line(self.catalogue, int(rows[k]), None if scores is None else float(scores[k])) for k in shown
        ]
        return self._page(
            "list.html.jinja",
            request,
            status=400 if error else 200,
            error=error,
            query=query,
            lines=lines,
            found=len(rows),
            page=page,
            pages=pages,
            first=shown.start + 1,
            glimpse_size=(GLIMPSE_WIDTH, GLIMPSE_HEIGHT),
        )

    def record(self, request: Request) -> Response:
        """One record: its picture, what is known of it, and what a model sees in it."""
        entry = self._entry(request)
        asked, error, view = Query(), "", View(entry.row)
        try:
            asked, view = Query.parse(request.query_params), _view(request.query_params, entry.row)
            rows, _ = self.ordered(asked)
        except _MENDABLE as problem:
            error, rows = str(problem), np.empty(0, dtype=np.int64)
        known = None
        try:
            store, row = self.catalogue.place(entry.row)
            recording = store.recording(row)
            known = describe.known(recording, view, store.info.corpus.name)
            if not error:
                self.drawings.svg(view)
        except _DAMAGE as problem:
            error = error or str(problem) or type(problem).__name__
        at = np.flatnonzero(rows == entry.row)
        place = int(at[0]) if len(at) else None
        return self._page(
            "record.html.jinja",
            request,
            error=error,
            query=asked,
            entry=entry,
            view=view,
            known=known,
            place=place,
            found=len(rows),
            before=self._neighbour(rows, place, -1),
            after=self._neighbour(rows, place, +1),
            scores=describe.scores(self.catalogue, self.sight, entry),
            nearest=self._nearest(entry),
            layouts=LAYOUTS,
            lengths=SECONDS,
        )

    def picture(self, request: Request) -> Response:
        """The picture of a stretch of a record."""
        entry = self._entry(request)
        try:
            svg = self.drawings.svg(_view(request.query_params, entry.row))
        except _DAMAGE as problem:
            raise HTTPException(422, str(problem)) from None
        # matplotlib's pictures style themselves; they hold no script, and none would run.
        return Response(
            svg,
            media_type="image/svg+xml",
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
        )

    def graph(self, request: Request) -> Response:
        """The graph of concepts, coloured by a record's scores or by how many records have each."""
        entry = self._entry(request) if request.query_params.get("id") else None
        graphs = self.catalogue.vocabulary.graphs
        name = request.query_params.get("graph") or describe.usual_graph(self.catalogue, self.sight)
        if name not in graphs:
            raise HTTPException(404, f"no graph {name[:40]!r}: there are {', '.join(graphs)}")
        drawn = describe.graph(self.catalogue, self.sight, graphs[name], entry)
        return self._page("graph.html.jinja", request, entry=entry, name=name, graphs=tuple(graphs), drawn=drawn)

    def map(self, request: Request) -> Response:
        """Where a model puts the records that a query asks for."""
        if self.sight is None:
            raise HTTPException(404, "the map needs a model: start with --model FOLDER")
        query, error, drawn = Query(), "", None
        try:
            query = Query.parse(request.query_params).but(by=Rank.STORE, to="")
            drawn = describe.scatter(self.catalogue, self.sight, self.ordered(query)[0])
        except _MENDABLE as problem:
            error = str(problem)
        return self._page(
            "map.html.jinja", request, status=400 if error else 200, error=error, query=query, drawn=drawn
        )

    def _ordered(self, query: Query) -> tuple[Int64[np.ndarray, " found"], Float[np.ndarray, " found"] | None]:
        rows = self.catalogue.find(query)
        if query.by is Rank.STORE:
            return rows, None
        if self.sight is None:
            raise BiosigError("ordering by similarity needs a model: start with --model FOLDER")
        return self.sight.order(query, rows)

    def _nearest(self, entry: Entry) -> list[describe.Line]:
        if self.sight is None or self.sight.vector(entry.row) is None:
            return []
        rows, scores = self.ordered(Query(by=Rank.RECORD, to=f"{entry.store}/{entry.record}"))
        others = [k for k in range(min(len(rows), 7)) if rows[k] != entry.row][:6]
        return [describe.line(self.catalogue, int(rows[k]), float(scores[k])) for k in others if scores is not None]

    def _neighbour(self, rows: Int64[np.ndarray, " found"], place: int | None, step: int) -> Entry | None:
        if place is None or not 0 <= place + step < len(rows):
            return None
        return self.catalogue.entry(int(rows[place + step]))

    def _entry(self, request: Request) -> Entry:
        """The record that an address names: looked up among the names of the stores."""
        store, record = (request.query_params.get(name, "") for name in ("in", "id"))
        row = self.catalogue.row(store, record)
        if row is None:
            raise HTTPException(404, f"no record {record[:80]!r} in these stores")
        return self.catalogue.entry(row)

    def _refused(self, request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)
        return self._page("refused.html.jinja", request, status=problem.status_code, error=problem.detail)

    def _page(self, template: str, request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
        shared = {"catalogue": self.catalogue, "sight": self.sight, "choices": self._choices, "error": ""}
        text = _templates().get_template(template).render(path=request.url.path, **{**shared, **values})
        return HTMLResponse(text, status_code=status)

    @property
    def _choices(self) -> Mapping[str, Any]:
        return _choices(self.catalogue)


@cache
def _choices(catalogue: Catalogue) -> Mapping[str, Any]:
    """What the form offers, counted once."""
    return {
        "concepts": describe.offered(catalogue),
        "flags": catalogue.flags,
        "unflagged": UNFLAGGED,
        "roles": catalogue.roles,
        "sexes": catalogue.sexes,
    }


def static(request: Request) -> Response:
    """The style and the script, and nothing else."""
    name = request.path_params["name"]
    if name not in _KINDS:
        raise HTTPException(404, "no such file")
    text = (resources.files("pretrain.browse") / "static" / name).read_text(encoding="utf-8")
    return Response(text, media_type=_KINDS[name])


def _view(parameters: Mapping[str, str], row: int) -> View:
    start, seconds = number(parameters, "start"), number(parameters, "seconds")
    layout = parameters.get("layout", "").strip() or "auto"
    return View(row, max(start or 0.0, 0.0), min(seconds or 10.0, LONGEST), layout)


@cache
def _templates() -> jinja2.Environment:
    folder = resources.files("pretrain.browse") / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["Rank"] = Rank
    return environment
