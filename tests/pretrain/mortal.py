"""A process that has loaded everything once and forks a child for each run it is told of; the child may have to die.

It reads jobs from its standard input, a line of JSON each, and answers each with the status of the child.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from rich.console import Console

from biosig.errors import BiosigError
from pretrain import saving
from pretrain.recipe import parse
from pretrain.training.run import Run
from pretrain.training.session import pretrain
from pretrain.training.trainer import Trainer

# What the interpreter tells before it changes the disk.
_CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


class Mortals:
    """The other end: `with Mortals() as mortals: mortals.run(recipe, store, out)`.

    Args:
        within: A command to start the process with: `unshare`, for one with mounts of its own.
    """

    def __init__(self, *within: str) -> None:
        self.within = within

    def __enter__(self) -> Self:
        command = [*self.within, sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, recipe: str, store: Path, out: Path, *overrides: str, **fate: Any) -> tuple[int, str]:
        """Start or resume a run; its status, and what it complained of.

        Args:
            recipe: YAML.
            store: To train on.
            out: The run's folder.
            overrides: Of the recipe.
            fate: `step` or `log`: SIGKILL at the n-th of them, in the middle of it. `change`: before the n-th change of
                the disk. `write` and `part`: in the n-th file, when that part of it is written. All count from 0.
                `changes`: a file to which all changes of the disk are written.
        """
        return self._ask({"recipe": recipe, "store": str(store), "out": str(out), "overrides": overrides, "fate": fate})

    def shell(self, command: str) -> str:
        """What a command of the shell prints there, where the files of the runs are."""
        status, printed = self._ask({"shell": command})
        assert status == 0, printed
        return printed

    def _ask(self, job: dict[str, Any]) -> tuple[int, str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        status, complaint = json.loads(self._process.stdout.readline())
        return status, complaint


def _die() -> None:
    # As hard as a machine that loses power: no handler runs, no file is flushed.
    os.kill(os.getpid(), signal.SIGKILL)


class _Fate:
    """What is in store for this process."""

    def __init__(self, out: Path, fate: dict[str, Any]) -> None:
        self.out, self.fate, self.changes, self.counts = str(out), fate, list[tuple[str, str]](), dict[str, int]()
        sys.addaudithook(self.change)
        step, log, fdopen = Trainer._step, Run.write_log, os.fdopen

        def mortal_step(trainer: Trainer, *arguments: Any) -> float:
            if self.now("step"):
                _die()
            return step(trainer, *arguments)

        def mortal_log(run: Run, entry: Any) -> None:
            if self.now("log"):
                with run.log.open("a") as file:
                    file.write(json.dumps(entry)[:20])
                _die()
            log(run, entry)

        def mortal_file(*arguments: Any) -> Any:
            file = _File(fdopen(*arguments))
            if self.now("write"):
                file.part = fate["part"]
            return file

        Trainer._step, Run.write_log = mortal_step, mortal_log
        saving.os.fdopen = mortal_file

    def now(self, what: str) -> bool:
        self.counts[what] = self.counts.get(what, -1) + 1
        return self.fate.get(what) == self.counts[what]

    def change(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHANGES or not isinstance(arguments[0], str | Path):
            return
        path = str(arguments[0])
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        # What is removed with all a folder holds is named within the folder.
        if not path.startswith((self.out, f"{Path(self.out).parent}/.")) and Path(path).is_absolute():
            return
        self.changes.append((event, path.replace(self.out, "")))
        if self.fate.get("change") == len(self.changes) - 1:
            _die()


class _File:
    """A file whose writer may die in the middle."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.part: float | None = None

    def __enter__(self) -> Self:
        self.file.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, content: bytes) -> None:
        if self.part is not None:
            self.file.write(content[: round(self.part * len(content))])
            self.file.flush()
            _die()
        self.file.write(content)


def _run(job: dict[str, Any]) -> str:
    out = Path(job["out"])
    fate = _Fate(out, job["fate"])
    recipe = parse(job["recipe"], overrides=job["overrides"])
    try:
        pretrain(recipe, [Path(job["store"])], out, resume=out.exists(), console=Console(quiet=True))
    except BiosigError as error:
        return str(error)
    if "changes" in job["fate"]:
        Path(job["fate"]["changes"]).write_text(json.dumps(fate.changes))
    return ""


def main() -> None:
    """Serve until there are no more jobs."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        job = json.loads(line)
        if "shell" in job:
            ended = subprocess.run(["sh", "-c", job["shell"]], capture_output=True, text=True, check=False)
            print(json.dumps([ended.returncode, ended.stdout + ended.stderr]), flush=True)
            continue
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 70
            try:
                complaint = _run(job)
                status = 1 if complaint else 0
            except BaseException:  # noqa: BLE001 -- the parent is told whatever it was
                complaint = traceback.format_exc()
            os.write(writing, complaint.encode())
            os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            complaint = pipe.read()
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), complaint]), flush=True)


if __name__ == "__main__":
    main()
