"""A training step of `merl` in this engine against a plain loop, in turn.

ResNet18-1D on 12 leads x 5,000 samples, 64 recordings a step, report vectors computed once. Ours: `biosig pretrain` as
it is, from a store, and with compiled norms where the CPU computes in bfloat16 and there is a compiler. Plain, in a
process of its own: the same weights and the same two contrasts as one would write them: recordings read with
`wfdb.rdrecord`, `nn.Conv1d` and `nn.GroupNorm` in float32, dense matrices of logits, `torch.optim.AdamW`. Blocks of
steps alternate, each from a standing start; the medians of the steps are compared. The share of a step that is spent
waiting for data is that of `--profile`, in a run of its own.

    python tests/benchmarks/bench_step.py [--records 256] [--blocks 3] [--steps 3]
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
import wfdb
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders import AttentionPool
from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import write_corpus
from biosig.store import prepare
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.recipe import load
from pretrain.specs.execution import Compile, Precision
from pretrain.specs.recipe import Recipe
from pretrain.training.compiling import compile_norms
from pretrain.training.learner import Learner
from pretrain.training.rng import seed_everything
from pretrain.training.run import Run
from pretrain.training.session import build_learner, pretrain
from pretrain.training.trainer import Trainer

CPU = torch.device("cpu")
Towers = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
RATE, BATCH, TEMPERATURE, DROPOUT = 500.0, 64, 0.07, 0.1
QUIET = Console(quiet=True)


@dataclass(frozen=True)
class Result:
    """Seconds of a step, ours by what is compiled, and the share of ours that is spent waiting for data."""

    ours: Mapping[Compile, float]
    plain: float
    waiting: float


class Plain:
    """The loop that everybody writes."""

    def __init__(self, model: FoundationModel, data: PretrainingData, source: Path) -> None:
        self.model, self.data = copy.deepcopy(model).train(), data
        for module in self.model.modules():
            if hasattr(module, "conv") and hasattr(module, "norm"):
                module.forward = partial(plainly, module.conv, module.norm)
            if isinstance(module, AttentionPool):
                module.forward = partial(attend, module)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.rows = data.examples.train[0]
        self.files = {path.stem: str(path.with_suffix("")) for path in source.rglob("*.hea")}
        where, kind = data.intake.example()
        self.positions, self.kinds = torch.from_numpy(where), torch.from_numpy(kind)
        self.draw = np.random.default_rng(0)

    def step(self) -> None:
        rows = self.draw.choice(self.rows, size=BATCH, replace=False)
        signals = [
            wfdb.rdrecord(self.files[name]).p_signal.T for name in self.data.names({"row": torch.from_numpy(rows)})
        ]
        signal = torch.from_numpy(np.stack(signals).astype(np.float32))
        batch = {
            "signal": signal,
            "mask": torch.ones(signal.shape[:2], dtype=torch.bool),
            "position": self.positions.expand(BATCH, -1, -1),
            "modality": self.kinds.expand(BATCH, -1),
            "valid": torch.full((BATCH,), signal.shape[2]),
            "report": torch.from_numpy(self.data.reports.take(self.data.reports.ids[rows])),
        }
        features = self.model(batch)
        views = [functional.dropout(features[name], DROPOUT) for name in ("view_a", "view_b")]
        one, other = (functional.normalize(view, dim=1) for view in views)
        loss = dense(features["signal"], features["text"]) + dense(one, other)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


def plainly(
    conv: nn.Conv1d, norm: nn.GroupNorm, x: Tensor, padding: object, added: Tensor | None = None, *, relu: bool = True
) -> Tensor:
    """A layer of the residual network without any thought of how things lie in memory."""
    assert padding is None
    y = nn.GroupNorm.forward(norm, conv(x.squeeze(2))).unsqueeze(2)
    y = y if added is None else y + added
    return functional.relu(y) if relu else y


def attend(pool: AttentionPool, tokens: Tensor, valid: Tensor) -> Tensor:
    """Attention pooling as torch offers it; nothing is padded."""
    del valid
    query = pool.query(tokens.mean(1))[:, None]
    key, value = pool.key_value(tokens).chunk(2, dim=-1)
    query, key, value = (x.unflatten(2, (pool.heads, -1)).transpose(1, 2) for x in (query, key, value))
    attended = functional.scaled_dot_product_attention(query, key, value)
    vector: Tensor = pool.out(attended.flatten(1))
    return vector


def dense(a: Tensor, b: Tensor) -> Tensor:
    """Contrast of pairs with the whole matrix of logits."""
    logits, pair = a @ b.T / TEMPERATURE, torch.arange(len(a))
    return (functional.cross_entropy(logits, pair) + functional.cross_entropy(logits.T, pair)) / 2


def main(records: int = 256, blocks: int = 3, steps: int = 3) -> Result:
    """Print and return the ratio and the share."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_corpus(folder / "files", records, seed=0, sampling_rate=RATE, duration=10.0, progress=False)
        rate = Preprocessing(steps=(Resample(rate=RATE),))
        prepare("simulated", folder / "files", folder / "store", preprocessing=rate, progress=False)
        recipe = load(
            "merl", [f"optimiser.batch_size={BATCH}", "optimiser.steps=1000", "training.checkpoint_every=1000"]
        )
        waiting = _waiting(recipe, folder, 3 + 2 * steps)
        ours, plain = _in_turn(recipe, folder, blocks, steps)
    table = Table("compiled", "ours, s", "plain, s", "times faster", "at least", "waiting for data", "at most")
    for compiled, seconds in ours.items():
        waits = f"{waiting:.2%}" if compiled is Compile.NONE else ""
        table.add_row(compiled, f"{seconds:.2f}", f"{plain:.2f}", f"{plain / seconds:.2f}", "4", waits, "5%")
    Console(width=110).print(table)
    return Result(ours, plain, waiting)


def _in_turn(recipe: Recipe, folder: Path, blocks: int, steps: int) -> tuple[dict[Compile, float], float]:
    data, learner = _begin(recipe, folder)
    batch = dict(data.train_parts(0))
    plain = Plain(learner.model, data, folder / "files")
    ours, theirs = learner.model(batch)["signal"], plain.model(batch)["signal"]
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
    trainer = Trainer(recipe, learner, data, Run(folder / "run"), QUIET)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    other = context.Process(target=_plain, args=(recipe, folder, there), daemon=True)
    other.start()
    towers = {Compile.NONE: None} | _compiled(learner, trainer.precision)
    fast: dict[Compile, list[float]] = {compiled: [] for compiled in towers}
    slow: list[float] = []
    # The first step of each warms up.
    for learner.towers in towers.values():
        trainer._step(0, data.train_parts(0), 1e-3)
    here.send(1)
    here.recv()
    for block in range(blocks):
        first = 1 + block * steps
        for compiled, learner.towers in towers.items():
            began = time.perf_counter()
            for step, parts in trainer.feed.training(first, first + steps):
                trainer._step(step, parts, 1e-3)
            fast[compiled].append((time.perf_counter() - began) / steps)
        here.send(steps)
        slow.append(here.recv() / steps)
    here.send(0)
    other.join()
    return {compiled: statistics.median(seconds) for compiled, seconds in fast.items()}, statistics.median(slow)


def _compiled(learner: Learner, precision: Precision) -> dict[Compile, Towers]:
    """What runs the towers with compiled norms, where it can be had."""
    try:
        compile_norms(learner, precision, CPU)
    except TrainingError as error:
        print(f"not compiled: {error}")
        return {}
    assert learner.towers is not None
    return {Compile.NORMS: learner.towers}


def _begin(recipe: Recipe, folder: Path) -> tuple[PretrainingData, Learner]:
    seed_everything(recipe.seed)
    encoder = ReportEncoder()
    data = PretrainingData([folder / "store"], recipe, None, encoder)
    return data, build_learner(recipe, data, None, encoder)


def _plain(recipe: Recipe, folder: Path, pipe: Connection) -> None:
    """As many steps as are asked for, and the seconds they took, until none is."""
    data, learner = _begin(recipe, folder)
    plain = Plain(learner.model, data, folder / "files")
    while steps := pipe.recv():
        began = time.perf_counter()
        for _ in range(steps):
            plain.step()
        pipe.send(time.perf_counter() - began)


def _waiting(recipe: Recipe, folder: Path, steps: int) -> float:
    optimiser = recipe.optimiser.model_copy(update={"steps": steps, "warmup_steps": 0})
    training = recipe.training.model_copy(update={"profile": True})
    short = recipe.model_copy(update={"optimiser": optimiser, "training": training})
    pretrain(short, [folder / "store"], folder / "profiled", console=QUIET)
    *_, last = (folder / "profiled" / "log.jsonl").read_text().splitlines()
    parts = json.loads(last)["profile"]
    return parts["data"] / sum(parts.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    main(**vars(parser.parse_args()))
