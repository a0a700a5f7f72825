"""Does one encoder for ECG and EEG know less, or more, of each than an encoder of its own? On simulated data.

For every seed: 480 simulated 12-lead ECGs of 10 s and an EEG experiment of 16 subjects (12 train) who meet two stimuli
of 100 s, latencies up to 1 s, both at 64 Hz. Four encoders of one architecture (`biosig_joint`, 32 wide): with its
initial weights, pretrained on ECG alone, on EEG alone, and on both with the objectives of each. Those of one kind take
`--steps` steps, the joint one twice as many, so that each kind of signal has about as many updates. Then:

    ECG  macro AUROC of a linear probe, test subjects; validation subjects choose its strength
    EEG  same-moment retrieval between the four subjects that nobody was trained on, chance 1 in 40

    python tests/benchmarks/bench_joint.py              # three seeds, about five minutes on one free core

Means over seeds with 95 % intervals by Student's t; the last rows are differences within a seed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from rich.console import Console
from scipy.stats import t

import ontology
from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import CAPS, Experiment, write_corpus, write_experiment
from biosig.store import Store, prepare
from finetune.diagnosis.task import diagnosis
from finetune.metrics.ranking import macro, rank_metrics
from finetune.probe import fit_probe
from finetune.protocols import Role
from pretrain.data.examples import Examples
from pretrain.models.foundation import FoundationModel
from pretrain.objectives import TemporalAsynchronous
from pretrain.recipe import Recipe, load
from pretrain.retrieval import retrieval
from pretrain.within import pretrain_on

RATE, RECORDS, TRAINED = 64.0, 480, 12
STEPS = 150
ECG = "{name: ecg, modality: ecg, sampler: {kind: uniform}}"
EEG = "{name: eeg, modality: eeg, sampler: {kind: moments}}"
# The groups of each row, and how many times `--steps` it takes.
ROWS = {"random": ((ECG, EEG), 0), "ECG alone": ((ECG,), 1), "EEG alone": ((EEG,), 1), "joint": ((ECG, EEG), 2)}
DIFFERENCES = {"ECG": ("joint", "ECG alone"), "EEG": ("joint", "EEG alone")}


def recipe_of(row: str, seed: int, steps: int) -> Recipe:
    """`biosig_joint` at a small size. The random row takes one step of next to no length: its statistics are set."""
    groups, times = ROWS[row]
    return load(
        "biosig_joint",
        [
            f"seed={seed}",
            f"data.sampling_rate={RATE:g}",
            "data.window_seconds=5",
            f"data.sampler={{kind: mixed, temperature: 1.0e6, groups: [{', '.join(groups)}]}}",
            "model.dim=64",
            "model.signal.options.width=32",
            "model.signal.options.n_chans=12",
            f"optimiser.steps={max(times * steps, 1)}",
            f"optimiser.warmup_steps={10 if times else 0}",
            f"optimiser.learning_rate={2e-3 if times else 1e-12}",
            "optimiser.batch_size=24",
            f"training.validate_every={max(times * steps, 1)}",
            "training.device=cpu",
            "training.precision=float32",
        ],
    )


def stores_of(seed: int, folder: Path) -> tuple[Path, Path]:
    """Simulated and prepared alike."""
    steps = Preprocessing(steps=(Resample(rate=RATE),))
    write_corpus(folder / "ecg", RECORDS, seed=seed, sampling_rate=100.0, workers=1, progress=False)
    experiment = Experiment(
        seed=seed, stimuli=2, duration=100.0, sampling_rate=RATE, electrodes=CAPS[14], spread=1.0, snr=-6.0
    )
    write_experiment(folder / "eeg", experiment, workers=1, progress=False)
    for corpus, name in (("simulated", "ecg"), ("simulated-eeg", "eeg")):
        prepare(corpus, folder / name, folder / f"{name}-store", preprocessing=steps, workers=0, progress=False)
    return folder / "ecg-store", folder / "eeg-store"


def measured(model: FoundationModel, recipe: Recipe, ecg: Store, eeg: Store) -> dict[str, float]:
    """What an encoder is worth for both kinds of signal."""
    task = diagnosis(ecg, ontology.cardiac())
    features, test = model.encode(ecg), task.rows[Role.TEST]
    scores = fit_probe(features, task, task.rows[Role.TRAIN]).probabilities(features[test])
    ranks = rank_metrics(scores, task.labels[test], task.known[test])
    options = next(one.options for one in recipe.objectives if one.name == "temporal_asynchronous")
    unseen = np.flatnonzero(np.array([int(name[1:]) for _, name in eeg.subjects]) >= TRAINED)
    found = retrieval(model, TemporalAsynchronous.build(options), eeg, unseen)
    return {"ECG": float(macro(ranks.auroc[task.scored])[0]), "EEG": found.accuracy}


def run_seed(seed: int, steps: int) -> dict[str, dict[str, float]]:
    """Every row on the data of a seed."""
    with tempfile.TemporaryDirectory(prefix="joint-") as temporary:
        paths = stores_of(seed, Path(temporary))
        ecg, eeg = map(Store, paths)
        subject = np.array([int(name[1:]) for _, name in eeg.subjects])
        nobody = np.zeros(0, dtype=np.int64)
        trains = {ECG: ecg.rows("train"), EEG: np.flatnonzero(subject < TRAINED)}
        found = {}
        for row, (groups, _) in ROWS.items():
            recipe = recipe_of(row, seed, steps)
            used = [path for path, group in zip(paths, (ECG, EEG), strict=True) if group in groups]
            rows = tuple(trains[group] for group in groups)
            model = pretrain_on(recipe, used, Examples(rows, tuple(nobody for _ in rows), 0))
            found[row] = measured(model, recipe, ecg, eeg)
        return found


def with_interval(values: Float64[np.ndarray, " seed"]) -> str:
    """Mean and 95 % interval over seeds."""
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} [{values.mean() - half:.3f}, {values.mean() + half:.3f}]"


def main() -> None:
    """Run the seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many, at least 2")
    parser.add_argument("--steps", type=int, default=STEPS, help="of a row with one kind of signal")
    parser.add_argument("--json", type=Path, help="write what every seed gave")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    console, found = Console(), []
    for seed in range(asked.seeds):
        found.append(run_seed(seed, asked.steps))
        console.print(f"seed {seed}: {found[-1]}", style="dim", highlight=False)
        if asked.json:
            asked.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    console.print("| encoder | ECG: macro AUROC | EEG: retrieval |\n| --- | --- | --- |", highlight=False)
    for row in ROWS:
        cells = [with_interval(np.array([one[row][kind] for one in found])) for kind in ("ECG", "EEG")]
        console.print(f"| {row} | {' | '.join(cells)} |", highlight=False, markup=False)
    for kind, (one, other) in DIFFERENCES.items():
        values = np.array([seed[one][kind] - seed[other][kind] for seed in found])
        console.print(f"{kind}: {one} less {other} {with_interval(values)}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
