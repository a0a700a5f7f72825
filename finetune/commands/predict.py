"""`biosig predict`: what a fine-tuned model says of recordings, as a table, a file, and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finetune.explain.choices import Baseline, Method

if TYPE_CHECKING:
    from biosig.recording import Recording
    from finetune.diagnosis.diagnoser import Diagnoser, Diagnosis

    Found = list[tuple[Path, Recording, Diagnosis]]

# Where explanations are drawn if no folder is given.
_OUT = Path("predictions")


def predict(
    diagnoser: Annotated[Path, typer.Argument(help="Folder that `biosig finetune` made.")],
    files: Annotated[list[Path], typer.Argument(help="Recordings of any format.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder for predictions.csv and a picture of each recording.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every finding, not only the likely ones.")] = False,
    explain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING",
            help="Draw which leads and moments moved the answer: a term, an abbreviation or a code; `top` is the most "
            "probable one. May be given more than once.",
        ),
    ] = None,
    method: Annotated[Method, typer.Option(help="How answers are explained.")] = Method.GRADIENTS,
    baseline: Annotated[Baseline, typer.Option(help="What gradients compare the recording with.")] = Baseline.FLAT,
    nearest: Annotated[
        int, typer.Option(min=0, help="Most similar training records to name, where they are kept.")
    ] = 3,
) -> None:
    """Ask a fine-tuned model about recordings. Not a medical device.

    A probability is calibrated. The answer is a set that promises to hold the truth nine times in ten, for those with
    the finding and for those without: yes, no, undecided (both), or neither (like nothing seen).

    A file that cannot be read is named and left out; the exit status is then 2.

    Example: `biosig predict diagnoser 00001_hr.hea --explain top --out predictions`
    """
    from rich.console import Console

    from ontology.collector import lasting

    console, notices = Console(), Console(stderr=True)
    # Importing makes a million objects to stay; to search them is a fifth of a cold start.
    with notices.status("loading the model"), lasting():
        import biosig
        from biosig.errors import BiosigError, one_line
        from finetune.diagnosis.diagnoser import Diagnoser
        from finetune.diagnosis.shown import as_table

        loaded = Diagnoser.from_pretrained(diagnoser)
        if out is not None or explain:
            import biosig.plot
    found: Found = []
    failed = 0
    with notices.status("reading"):
        for path in files:
            try:
                recording = biosig.read(path)
                found.append((path, recording, loaded.diagnose(recording, nearest=nearest)[0]))
            except BiosigError as error:
                failed += 1
                said = one_line(str(error))
                notices.print(f"left out: {said}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    for path, recording, diagnosis in found:
        console.print(as_table(path, recording, diagnosis, every=every))
    if found and explain:
        _explain(loaded, found, explain, out=out or _OUT, method=method, baseline=baseline)
    if found and out is not None:
        with notices.status("drawing"):
            _write(out, found)
    if found and (out is not None or explain):
        console.print(str(out or _OUT), style="bold", markup=False, highlight=False)
    if failed:
        notices.print(f"{failed} of {len(files)} files left out", style="yellow")
        raise typer.Exit(2)


def _write(out: Path, found: Found) -> None:
    """A table of all, and a picture of each."""
    from biosig.plot import ecg_paper, save, traces
    from biosig.recording import Modality
    from finetune.diagnosis.shown import heading, write_csv

    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "predictions.csv", found)
    for name, (_, recording, diagnosis) in zip(_names(found), found, strict=True):
        only_ecg = all(kind is Modality.ECG for kind in recording.modality)
        save(ecg_paper(recording, concepts=heading(diagnosis)) if only_ecg else traces(recording), out / f"{name}.png")


def _explain(
    loaded: Diagnoser,
    found: Found,
    findings: list[str],
    *,
    out: Path,
    method: Method,
    baseline: Baseline,
) -> None:
    """A picture of each recording and finding, and of the scalp where there is one; what matters most in words."""
    from rich.console import Console
    from rich.progress import Progress

    from biosig.plot import save
    from finetune.explain.explain import explain, place_of
    from finetune.explain.figure import figure, scalp, words

    # A misspelt finding is named before anything is computed.
    wanted = [[place_of(loaded, diagnosis, name) for name in findings] for _, _, diagnosis in found]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("explaining", total=sum(map(len, wanted)))
        done = 0
        for name, (path, recording, diagnosis), places in zip(_names(found), found, wanted, strict=True):
            for place in places:

                def say(asked: int, of: int, done: int = done) -> None:
                    progress.update(bar, completed=done + asked / of)

                concept = loaded.config.concepts[place]
                one = explain(loaded, recording, place, method=method, baseline=baseline, say=say)
                probability = next(said.probability for said in diagnosis.said if said.concept is concept)
                title = f"{concept.term}: {probability:.2f}"
                short = "".join(c if c.isalnum() else "-" for c in (concept.abbreviation or concept.term)).strip("-")
                save(figure(one, title), out / f"{name}-{short}.png")
                if (above := scalp(one, title)) is not None:
                    save(above, out / f"{name}-{short}-scalp.png")
                done += 1
                progress.update(bar, completed=done)
                progress.console.print(f"{path}: {title}: {words(one)}", markup=False, highlight=False, soft_wrap=True)


def _names(found: Found) -> list[str]:
    """Of pictures: the file's own, numbered where several are alike."""
    stems = [path.stem for path, _, _ in found]
    return [f"{stem}-{number}" if stems.count(stem) > 1 else stem for number, stem in enumerate(stems, start=1)]
