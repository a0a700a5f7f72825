"""What does fine-tuning give on a few hundred real ECGs? Probe, LoRA, all weights, from scratch; inside and elsewhere.

A cell is one evaluation, as `biosig evaluate` makes it: the diagnoses of the Challenge 2021; CPSC taught and Georgia
tested; the Challenge taught and PTB-XL tested; Chagas disease, and in CODE-15 alone; the quality of a recording. The
model is pretrained once, without Georgia and without PTB-XL, and without anybody's test side. What a cell found is
OUT/NAME.json; a study that was interrupted, or whose minutes were over, goes on with the cells that are not there yet.
Not part of `make bench`.

    for corpus in ludb cinc2021 ptb-xl cinc2011 code15-samitrop; do
        biosig prepare $corpus data/ecg/$corpus stores/$corpus --rate 100 --physiology
    done
    for part in cpsc_2018 cpsc_2018_extra; do
        biosig prepare cinc2021 data/ecg/cinc2021/$part stores/$part --rate 100 --physiology
    done
    python tests/benchmarks/study_diagnosis.py stores --out study [--minutes 40] [--write docs]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from biosig.store import Store
from finetune.diagnosis.bench import Options
from finetune.diagnosis.choices import Adaptation
from finetune.diagnosis.evaluate import Asked, evaluate
from finetune.diagnosis.result import Evaluation
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.selection import Selection, Where
from pretrain.recipe import load
from pretrain.specs.execution import Device, Precision
from pretrain.training.precision import resolve_precision
from pretrain.training.session import pretrain

sys.path.insert(0, str(Path(__file__).parent))
import diagnosis_page
from study_pretraining import SIZE, TRANSFORMER

RECIPE = "mar_ecg"
#: Whom the model is pretrained on; Georgia and PTB-XL are kept for tests.
TAUGHT = ("ludb", "cpsc_2018", "cpsc_2018_extra", "cinc2011", "code15-samitrop")
MIN_POSITIVES = 3
BOTH = (Adaptation.LORA, Adaptation.FULL)


@dataclass(frozen=True)
class Part:
    """One evaluation.

    Attributes:
        store: Its name.
        fractions: Of the labels.
        where: Which of its records.
        task: What is asked.
        outside: Another store to test on, and which of its records.
        outside_where: Of that store.
    """

    store: str
    fractions: tuple[float, ...] = (1.0,)
    where: tuple[str, ...] = ()
    task: str = "diagnosis"
    outside: str | None = None
    outside_where: tuple[str, ...] = ()


PARTS = {
    "Challenge 2021": Part("cinc2021", (0.1, 1.0)),
    "CPSC to Georgia": Part(
        "cinc2021",
        where=("sub_corpus=cpsc_2018,cpsc_2018_extra",),
        outside="cinc2021",
        outside_where=("sub_corpus=georgia",),
    ),
    "Challenge 2021 to PTB-XL": Part("cinc2021", (0.1, 1.0), outside="ptb-xl"),
    "Chagas disease": Part("code15-samitrop", task="chagas"),
    "Chagas disease, CODE-15 alone": Part("code15-samitrop", where=("sub_corpus=code-15",), task="chagas"),
    "quality of a recording": Part("cinc2011", task="quality"),
}


def main() -> None:
    """Run what is missing, then print the tables, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, help="folder of the stores")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=150, help="of pretraining")
    parser.add_argument("--tuning-steps", type=int, default=60, help="of adapting, and of training from scratch")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no cell begins later than that")
    parser.add_argument("--workers", type=int, default=0, help="processes for trainings")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="put the tables into DOCS/diagnosis.md")
    asked = parser.parse_args()
    began = time.monotonic()
    asked.out.mkdir(parents=True, exist_ok=True)
    model, facts = pretrained(asked)
    found: dict[str, Evaluation] = {}
    for name, part in PARTS.items():
        path = asked.out / f"{name.replace(' ', '-').replace(',', '')}.json"
        settings = {"tuning_steps": asked.tuning_steps, "seeds": asked.seeds, "model": facts["weights"]}
        there = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if there.get("settings") != settings:
            if time.monotonic() - began > 60 * asked.minutes:
                print(f"{name}: left for another time", flush=True)
                continue
            evaluation = cell(model, part, asked)
            there = {"settings": settings, "evaluation": evaluation.model_dump(mode="json")}
            path.write_text(json.dumps(there), encoding="utf-8")
            print(f"{name}: {evaluation.seconds:.0f} s", flush=True)
        found[name] = Evaluation.model_validate(there["evaluation"])
    tables = diagnosis_page.tables(found, facts)
    if asked.write:
        diagnosis_page.write(asked.write / "diagnosis.md", tables)


def pretrained(asked: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The model's folder and what its training was; a run that was interrupted goes on."""
    folder, facts = asked.out / RECIPE, asked.out / "pretraining.json"
    if not facts.is_file():
        chosen = [*SIZE, *TRANSFORMER, f"optimiser.steps={asked.steps}", f"training.validate_every={asked.steps}"]
        recipe = load(RECIPE, [*chosen, "training.checkpoint_every=50"])
        stores = [asked.stores / name for name in TAUGHT]
        summary = pretrain(recipe, stores, folder, resume=folder.exists(), console=Console(stderr=True, quiet=True))
        said = {
            "steps": asked.steps,
            "weights": hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest(),
            "losses": summary.outcome.losses,
            "validation": summary.outcome.validation,
            "records": {name: len(Store(asked.stores / name).rows("train")) for name in TAUGHT},
        }
        facts.write_text(json.dumps(said), encoding="utf-8")
    return folder / "model", json.loads(facts.read_text(encoding="utf-8"))


def cell(model: Path, part: Part, asked: argparse.Namespace) -> Evaluation:
    """One evaluation: the same as `biosig evaluate` with these options."""
    half = resolve_precision(Precision.AUTO, Device.CPU) is Precision.BF16
    outside = None
    if part.outside is not None:
        outside = Selection(Store(asked.stores / part.outside), Where.parse(part.outside_where))
    chosen = Selection(Store(asked.stores / part.store), Where.parse(part.where))
    options = Options(
        zero_shot=False,
        adapt=BOTH,
        fractions=part.fractions,
        seeds=asked.seeds,
        budget=Budget(steps=asked.tuning_steps, half=half),
        workers=asked.workers,
    )
    question = Asked(chosen, part.task, outside, min_positives=MIN_POSITIVES)
    said = evaluate(model, question, options, say=lambda what: print(f"    {what}", file=sys.stderr, flush=True))
    return said.evaluation


if __name__ == "__main__":
    main()
