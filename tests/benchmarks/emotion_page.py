"""Tables of `biosig emotion` for the docs, from the folders of finished experiments.

    python tests/benchmarks/emotion_page.py docs/emotion.md NAME=FOLDER ...

writes between the marks of the page, one table an experiment, in the order given.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- tables: made by tests/benchmarks/emotion_page.py -->", "<!-- end of tables -->"
METRICS = {"accuracy": "accuracy", "macro-f1": "macro F1", "kappa": "kappa"}


def cell(metric: dict[str, Any]) -> str:
    """The value with the widest honest interval."""
    shown = metric["subjects_and_seeds"] or metric["subjects"]
    if shown["value"] is None:
        return "–"
    return f"{shown['value']:.3f} [{shown['low']:.3f}, {shown['high']:.3f}]".replace("-", "−")


def table(name: str, result: dict[str, Any]) -> str:
    """One experiment in Markdown."""
    classes = ", ".join(f"{kind} {count}" for kind, count in result["classes"].items())
    head = (
        f'**{name}** (`--target "{result["target"]}"`): {result["subjects"]} people, {result["trials"]} trials '
        f"({classes}), {len(result['seeds'])} seeds"
    )
    lines = [head, "", f"| row | access | {' | '.join(METRICS.values())} |", "| --- | --- | --- | --- | --- |"]
    for line in result["lines"]:
        numbers = " | ".join(cell(line["metrics"][key]) for key in METRICS)
        lines.append(f"| {line['title']} | {line['access']} | {numbers} |")
    return "\n".join(lines)


def main() -> None:
    """Read the results, write the page."""
    page, *experiments = sys.argv[1:]
    tables = []
    for one in experiments:
        name, _, folder = one.partition("=")
        tables.append(table(name, json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))))
    path = Path(page)
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(tables) + f"\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
