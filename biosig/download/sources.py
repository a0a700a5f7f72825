"""Where the files of a corpus are, or what its owners ask for first."""

from __future__ import annotations

from urllib.parse import urlsplit

from biosig.corpora.base import Corpus
from biosig.errors import CorpusError

_PAGE, _FILES = "https://physionet.org/content/", "https://physionet.org/files/"


def address(corpus: Corpus) -> str:
    """The folder on the web that holds the files of a corpus with their `SHA256SUMS.txt`.

    PhysioNet keeps the files of the page `content/NAME/VERSION/` under `files/NAME/VERSION/`. A corpus that is
    elsewhere says in its attribute `access` how it is had.

    Raises:
        CorpusError: If the corpus cannot be fetched without its owners, or is made by a command.
    """
    if corpus.url.startswith(_PAGE) and len(corpus.url.removeprefix(_PAGE).strip("/").split("/")) == 2:
        return _FILES + corpus.url.removeprefix(_PAGE).rstrip("/") + "/"
    access = getattr(corpus, "access", "") or "there is no list of its files with checksums"
    where = f"; see {corpus.url}" if corpus.url.startswith("http") else ""
    raise CorpusError(f"{corpus.name} cannot be downloaded by this command: {access}{where}")


def checked(base: str) -> str:
    """An address given by the user, ending in a slash.

    Raises:
        CorpusError: If it is not an address of http or https.
    """
    try:
        parts = urlsplit(base)
        named = parts.scheme in {"http", "https"} and parts.hostname
    except ValueError:
        named = None
    if not named:
        raise CorpusError(f"--from: expected an address as {_FILES}ludb/1.0.1/, got {base!r}")
    return base.rstrip("/") + "/"
