"""Does an explanation of an EEG model point at the electrode and the moment that make the answer? A rhythm put there.

Pieces of eegmat, as long as the model's window. To a half of them 25 µV at 20 Hz are added at O2 for two seconds. Each
person in turn is left out; the encoder and a linear head on it are tuned on the others to tell which pieces have the
rhythm, and the answers to the pieces of the person left out are explained. Of all that moved the answer to a piece with
the rhythm: the share of O2, and of these two seconds. 95 % intervals over people.

    python tests/benchmarks/study_eeg_explanation.py MODEL EEGMAT-STORE [--out FOLDER]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

from biosig.plot import save
from biosig.recording import Recording
from biosig.store import Store
from finetune.explain.figure import figure, scalp
from finetune.explain.gradients import integrated_gradients
from finetune.explain.occlusion import occlusion
from finetune.explain.question import Question
from finetune.metrics.bootstrap import interval, subject_weights
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.models.montage import collate

ELECTRODE, HERTZ, MICROVOLTS, BEGIN, END = "O2", 20.0, 25.0, 2.0, 4.0
PIECES, STEPS, BATCH, RATE = 4, 120, 16, 1e-3


def main(folder: Path, store: Path, *, out: Path | None = None) -> None:
    """Print the shares."""
    table = Table("encoder", "told right", "explained by", f"share of {ELECTRODE}", f"of {BEGIN:g} to {END:g} s")
    for encoder in ("pretrained", "random"):
        base = FoundationModel.from_pretrained(folder)
        pieces, rhythm = _pieces(Store(store), base.config.intake.samples)
        people = np.array([piece.subject_id for piece in pieces])
        right = np.zeros(len(pieces))
        shares: dict[str, list[tuple[str, float, float]]] = {"gradients": [], "occlusion": []}
        for person in track(np.unique(people), encoder):
            model = FoundationModel.from_pretrained(folder) if encoder == "pretrained" else random_like(base, seed=0)
            head = _tune(model, pieces, rhythm, np.flatnonzero(people != person))
            for place in np.flatnonzero(people == person):
                asked = _question(model, head, pieces[place])
                right[place] = (asked.answer(0) > 0) == rhythm[place]
                if rhythm[place]:
                    for method, found in (
                        ("gradients", integrated_gradients(asked, 0)),
                        ("occlusion", occlusion(asked, 0)),
                    ):
                        sizes = np.abs(found.smooth())
                        when = slice(
                            round(BEGIN * pieces[place].sampling_rate), round(END * pieces[place].sampling_rate)
                        )
                        share = found.shares()[pieces[place].channels.index(ELECTRODE)]
                        shares[method].append((str(person), float(share), float(sizes[:, when].sum() / sizes.sum())))
                        if out is not None and len(shares[method]) == 1:
                            title = f"20 Hz at {ELECTRODE}: log odds {found.answer:+.2f}"
                            save(figure(found, title), out / f"{encoder}-{method}.png", dpi=80)
                            if (above := scalp(found, title)) is not None:
                                save(above, out / f"{encoder}-{method}-scalp.png")
        for method, rows in shares.items():
            who = np.array([row[0] for row in rows])
            means = [_mean(np.array([row[k] for row in rows]), who) for k in (1, 2)]
            table.add_row(encoder, _mean(right, people), method, *means)
    Console(width=120).print(table)


def _pieces(store: Store, samples: int) -> tuple[list[Recording], np.ndarray]:
    """Pieces of every record, and which of them have the rhythm."""
    rhythm = np.random.default_rng(0).permutation(np.arange(len(store) * PIECES) % 2 == 0)
    has = iter(rhythm)
    pieces = []
    for row in range(len(store)):
        whole = store.recording(row)
        time = np.arange(samples) / whole.sampling_rate
        wave = MICROVOLTS * np.sin(2 * np.pi * HERTZ * time) * ((time >= BEGIN) & (time < END))
        for start in np.linspace(0, whole.n_times - samples, PIECES + 2).astype(int)[1:-1]:
            signal = np.array(whole.signal[:, start : start + samples])
            signal[whole.channels.index(ELECTRODE)] += next(has) * wave.astype(np.float32)
            pieces.append(replace(whole, signal=signal, events=()))
    return pieces, rhythm


def _batch(pieces: list[Recording]) -> dict[str, Tensor]:
    return collate(pieces, np.zeros(len(pieces), dtype=np.int64), pieces[0].n_times)


def _tune(model: FoundationModel, pieces: list[Recording], rhythm: np.ndarray, rows: np.ndarray) -> nn.Linear:
    """Move all weights."""
    torch.manual_seed(0)
    head = nn.Linear(model.signal.encoder.dim, 1)
    generator = np.random.default_rng(0)
    optimiser = torch.optim.AdamW([*model.parameters(), *head.parameters()], RATE)
    model.train()
    for _ in range(STEPS):
        chosen = generator.choice(rows, BATCH, replace=False)
        said = head(model.embed(_batch([pieces[row] for row in chosen])))[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(said, torch.tensor(rhythm[chosen], dtype=torch.float32))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    return head


def _question(model: FoundationModel, head: nn.Linear, piece: Recording) -> Question:
    like = _batch([piece])

    def logits(signals: Tensor, masks: Tensor) -> Tensor:
        batch = {name: value.repeat(len(signals), *[1] * (value.ndim - 1)) for name, value in like.items()}
        said: Tensor = head(model.embed(batch | {"signal": signals, "mask": batch["mask"] & masks}))
        return said

    return Question(piece, like["signal"][0], like["mask"][0], logits)


def _mean(values: np.ndarray, people: np.ndarray) -> str:
    weights = subject_weights(people.tolist())
    found = interval((values @ weights) / weights.sum(0))
    return f"{values.mean():.2f} [{found.low:.2f}, {found.high:.2f}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    main(chosen.model, chosen.store, out=chosen.out)
