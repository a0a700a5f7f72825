"""The card as files: `README.md` as model hubs read it, a self-contained `card.html`, and the numbers, `card.json`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from finetune.card import figures
from finetune.card.contents import Contents
from finetune.diagnosis.result import Estimate, Severity
from finetune.report.page import bracket, decimal, picture, render, render_text
from pretrain.saving import save_bytes, save_json
from pretrain.sharing.licences import hub_licence

README, PAGE, NUMBERS = "README.md", "card.html", "card.json"


def write_card(contents: Contents, folder: Path) -> None:
    """Write the three files into the folder of a diagnoser."""
    values = _values(contents)
    page = render("card/card.html.jinja", **values)
    text = render_text("card/card.md.jinja", front_matter=front_matter(contents), **values)
    save_json(contents.model_dump(mode="json"), folder / NUMBERS)
    save_bytes(page.encode(), folder / PAGE)
    save_bytes(text.encode(), folder / README)


def front_matter(contents: Contents) -> str:
    """What a model hub files the card under, as YAML without its fences."""
    said = str(contents.store["licence"])
    corpus = str(contents.store["corpus"])
    metrics = {"roc_auc": contents.auroc, "average_precision": contents.auprc, "brier_score": contents.brier}
    result = {
        "task": {"type": "other", "name": str(contents.training["task"])},
        "dataset": {"type": corpus, "name": contents.store["title"], "split": "test"},
        "metrics": [
            {"type": name, "name": f"macro {name}", "value": round(one.value, 4)}
            for name, one in metrics.items()
            if one.value is not None
        ],
    }
    document: dict[str, Any] = {
        **hub_licence([said]),
        "library_name": "biosig",
        "tags": ["biosig", *contents.modalities, "biosignals", "snomed-ct", str(contents.training["adaptation"])],
        "datasets": [corpus],
        "metrics": list(metrics),
        "model-index": [{"name": contents.name, "results": [result]}],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).strip()


def _values(contents: Contents) -> dict[str, Any]:
    return {
        "c": contents,
        "headline": _headline(contents),
        "refusals": [one.text for one in contents.findings if one.severity is Severity.REFUSAL],
        "warnings": [one.text for one in contents.findings if one.severity is Severity.WARNING],
        "notes": [one.text for one in contents.findings if one.severity is Severity.NOTE],
        "calibration": picture(figures.calibration(contents), "svg"),
        "concepts": picture(figures.concepts(contents), "svg"),
        "subgroups": picture(figures.subgroups(contents), "svg"),
        "undefined": [one for one in contents.groups if one.auroc.value is None],
        "cell": cell,
    }


def _headline(contents: Contents) -> list[tuple[str, str, str]]:
    return [
        ("macro AUROC", decimal(contents.auroc.value), bracket(contents.auroc)),
        (
            f"macro AUPRC, chance {decimal(contents.prevalence)}",
            decimal(contents.auprc.value),
            bracket(contents.auprc),
        ),
        ("calibration error", decimal(contents.ece.value), bracket(contents.ece)),
        ("Brier score", decimal(contents.brier.value), bracket(contents.brier)),
    ]


def cell(value: object) -> str:
    """Text of the data that cannot end a table's cell or begin markup in Markdown."""
    if isinstance(value, Estimate):
        return decimal(value.value) + ("" if value.low is None else f" {bracket(value)}")
    text = " ".join(str(value).split())
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
