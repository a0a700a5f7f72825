"""Pages of the documentation that are made from what they describe, and formulas as MathML.

The home page is the README; there is a page for each corpus and each notebook, one of recipes, one of commands. Nothing
is fetched by a reader's browser: formulas are MathML, which browsers draw themselves.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter
from typer.cli import get_docs_for_click
from typer.main import get_command

from biosig.corpora import CORPORA
from biosig.download.sources import address
from biosig.errors import CorpusError
from pretrain.catalogue import entry
from pretrain.recipe import shipped

_ROOT = Path(__file__).parents[2]
_FORMULA = re.compile(r'<(span|div) class="arithmatex">(?:\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.DOTALL)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have no file."""
    for name, content in (("index.md", _home()), *_corpora(), *_recipes(), *_commands(), *_notebooks()):
        files.append(File.generated(config, name, content=content))
    return files


def on_page_content(html: str, **_: Any) -> str:
    """Formulas between dollars become MathML."""
    return _FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    formula = found[2]
    for entity, sign in _ENTITIES.items():
        formula = formula.replace(entity, sign)
    return str(convert(formula, display="inline" if found[1] == "span" else "block"))


def _home() -> str:
    """The README; what it links to lies one folder higher up here, or in the source."""
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    return text.replace("](docs/", "](").replace(".ipynb)", ".md)")


def _notebooks() -> Iterator[tuple[str, str | bytes]]:
    """Each as it was last run, with its pictures."""
    for path in sorted((_ROOT / "notebooks").glob("*.ipynb")):
        text, resources = MarkdownExporter().from_filename(
            str(path), resources={"output_files_dir": f"{path.stem}_files", "unique_key": path.stem}
        )
        source = f"Run it: [`notebooks/{path.name}`]({path.name}), which is executed by a test."
        title, _, rest = text.lstrip().replace("](../docs/", "](../").partition("\n")
        yield f"notebooks/{path.stem}.md", f"{title}\n\n{source}\n{rest}"
        yield f"notebooks/{path.name}", path.read_bytes()
        for name, content in resources["outputs"].items():
            yield f"notebooks/{name}", content


def _corpora() -> Iterator[tuple[str, str]]:
    lines = ["# Corpora", "", "| name | title | signals | licence |", "|---|---|---|---|"]
    for name in sorted(CORPORA):
        corpus = CORPORA[name]
        signals = " and ".join(kind.upper() for kind in corpus.modality) or "any"
        lines.append(f"| [`{name}`](corpora/{name}.md) | {corpus.title} | {signals} | {corpus.licence} |")
        try:
            had = f"`biosig download {name} DEST` fetches {address(corpus)} and checks every file."
        except CorpusError as error:
            had = f"{error}."
        sides = (f"{role}: {_numbers(getattr(corpus.split, role))}" for role in ("train", "validation", "test"))
        rates = ", ".join(f"{rate:g} Hz" for rate in corpus.sampling_rates) or "any"
        page = [
            f"# {corpus.title}",
            f"`biosig prepare {name} FOLDER STORE`",
            inspect.cleandoc(corpus.__doc__ or ""),
            "| | |\n|---|---|",
        ]
        facts = {"signals": signals, "sampling rate": rates, "folds": "; ".join(sides), "licence": corpus.licence}
        facts |= {"where": corpus.url, "how it is had": had, "cite": corpus.citation}
        page[-1] += "".join(f"\n| {fact} | {said} |" for fact, said in facts.items() if said)
        yield f"corpora/{name}.md", "\n\n".join(filter(None, page)) + "\n"
    lines += ["", "Adding a corpus is adding a file: [how](add-a-corpus.md)."]
    yield "corpora.md", "\n".join(lines) + "\n"


def _numbers(folds: tuple[int, ...]) -> str:
    return ", ".join(map(str, folds)) or "none"


def _recipes() -> Iterator[tuple[str, str]]:
    page = ["# Recipes", "`biosig pretrain NAME --data STORE --out RUN` runs one; each is a YAML file."]
    for one in map(entry, shipped()):
        recipe = one.recipe
        page += [f"## {recipe.name}", f"{recipe.title}."]
        page += [f"**Known.** {recipe.known.strip()}"] if recipe.known.strip() else []
        page += [f"**Ours.** {recipe.reconstruction.strip()}"] if recipe.reconstruction.strip() else []
        page.append("\n".join(f"- {reference}" for reference in recipe.references))
        said = {"name", "title", "references", "known", "reconstruction", "corpora"}
        page.append(f"{one.parameters / 1e6:.2f} M weights; learns from {'; '.join(one.learns_from)}.")
        page.append(f"```yaml\n{recipe.to_yaml(without=said).strip()}\n```")
    yield "recipes.md", "\n\n".join(filter(None, page)) + "\n"


def _commands() -> Iterator[tuple[str, str]]:
    page = ["# Commands", "What the user can mend is one line on standard error, and exit status 2."]
    for point in sorted(entry_points(group="biosig.commands"), key=lambda point: point.name):
        app = point.load()
        if not isinstance(app, typer.Typer):
            function, app = app, typer.Typer(add_completion=False)
            app.command(point.name)(function)
        command = get_command(app)
        context = typer.Context(command, info_name=f"biosig {point.name}")
        text = get_docs_for_click(obj=command, ctx=context, name=f"biosig {point.name}", indent=1)
        page.append(text.strip())
    yield "commands.md", "\n\n".join(page) + "\n"
