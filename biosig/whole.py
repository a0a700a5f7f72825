"""Files and folders that are whole or not there: filled under another name beside their own, which they get at the end.

What cannot be written, because the disk is full or the place is not ours, is one line that names the place.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biosig.errors import BiosigError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; the file gets its name, and replaces one that has it, when the block ends.

    Raises:
        BiosigError: If it cannot be written.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A folder, because who writes judges by the ending of the name.
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            yield Path(folder, path.name)
            Path(folder, path.name).replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        BiosigError: If it cannot be written.
    """
    with whole_file(path) as place:
        place.write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it gets its name when the block ends. There must be none of that name, or an empty one.

    Raises:
        BiosigError: If it cannot be written.
    """
    with _writing(path):
        path = path.resolve()  # a link stays one, and `.` has a name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            partial.chmod(0o755)
            yield partial
            partial.replace(path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def expect_writable(path: Path) -> None:
    """That something can be written at a path, before hours of work are to end there. Nothing stays of the trial.

    Raises:
        BiosigError: If it cannot.
    """
    there = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
    with _writing(path), tempfile.TemporaryDirectory(prefix=".", dir=there) as folder:
        Path(folder, "trial").write_bytes(bytes(4096))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BiosigError(f"{path}: cannot be written: {advice(error)}") from error


def advice(error: OSError) -> str:
    """What the system says of a file that it does not write or read, and what to do about it."""
    said = error.strerror or str(error) or type(error).__name__
    if error.errno in _FULL:
        return f"{said}: make room, or choose another disk"
    if error.errno in _FORBIDDEN:
        return f"{said}: choose a place that you may read and write"
    return said
