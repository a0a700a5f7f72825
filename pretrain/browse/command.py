"""`biosig browse`: a page on this machine to look at stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import socket


def browse(
    stores: Annotated[list[Path], typer.Argument(help="One store or several, as `biosig prepare` writes them.")],
    *,
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of a pretrained model: search by meaning, scores, a map.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of 127.0.0.1; 0 takes a free one.")] = 8765,
    projection: Annotated[str, typer.Option(help="Of the map: `pca`, `tsne`, or `umap` (extra package).")] = "pca",
) -> None:
    """Look at the records of stores in a web browser: list, filter, read, and with a model search by meaning.

    The page is served to this machine alone, changes nothing, and loads nothing from any network. A model's vectors of
    all records are computed once and kept under `$BIOSIG_CACHE`, or `~/.cache/biosig`.

    Example: `biosig browse stores/ludb stores/cinc2021 --model runs/ecg/model`
    """
    from contextlib import suppress

    import uvicorn
    from rich.console import Console

    from biosig.errors import BiosigError
    from biosig.plot.embedding import Projection
    from biosig.store import Store
    from pretrain.browse.catalogue import Catalogue
    from pretrain.browse.server import Pages
    from pretrain.browse.sight import Sight
    from pretrain.browse.vocabulary import Vocabulary
    from pretrain.models.foundation import FoundationModel
    from pretrain.models.vectors import cache_folder

    if projection not in set(Projection):
        raise BiosigError(f"projection: expected {', '.join(Projection)}, got {projection!r}")
    notices = Console(stderr=True)
    with notices.status("opening"):
        loaded = FoundationModel.from_pretrained(model) if model else None
        catalogue = Catalogue([Store(path) for path in stores], Vocabulary(loaded.graph if loaded else None))
    sight = None
    if loaded is not None:
        folder = cache_folder() / "browse"
        sight = Sight(loaded, catalogue, folder, projection=Projection(projection), progress=True)
        if sight.reads:
            with notices.status("loading the report encoder"):
                loaded.encode_text(["ECG"])  # the first sentence of a person need not wait for it
        for reason in sight.refused.values():
            notices.print(f"without the model: {reason}", style="yellow", markup=False, soft_wrap=True)
    application = Pages(catalogue, sight).application()
    listening = listen(port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    notices.print(f"{len(catalogue):,} records at {address} (Ctrl-C ends it)", highlight=False, soft_wrap=True)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", server_header=False))
    with suppress(KeyboardInterrupt):  # the way to end it
        server.run(sockets=[listening])


def listen(port: int) -> socket.socket:
    """A socket of this machine alone."""
    import socket

    from biosig.errors import BiosigError

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise BiosigError(f"port {port}: {error.strerror}; choose another with --port, or 0 for a free one") from None
    return listening
