"""Does an explanation point at the beats that make the diagnosis? Simulated ECGs with ventricular ectopic beats.

New simulated people with ventricular ectopic beats at known times are asked about by a linear probe, and each answer is
explained by integrated gradients and by occlusion. Of all that moved the answer, the share that lies within 0.3 s of an
ectopic beat is set beside the share of the time, and of the waves (|sample less the lead's median|), that does: an
explanation that looked at every beat alike would have the share of the waves. The same is done with a probe of a
randomly initialised encoder. 95 % intervals over recordings.

    python tests/benchmarks/study_explanation.py quickstart/run/model quickstart/store [--recordings 40] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import ontology
from biosig.plot import save
from biosig.recording import Recording
from biosig.simulate import ecg
from biosig.store import Store
from finetune.adaptation.fit import Tuning, finetune
from finetune.explain.attribution import Attribution
from finetune.explain.choices import Method
from finetune.explain.explain import explain
from finetune.explain.figure import figure
from finetune.metrics.bootstrap import interval, subject_weights
from pretrain.models.foundation import FoundationModel, random_like

_AROUND = 0.3
# Seeds of people who are in no store.
_FIRST_SEED = 1_000_000


def main(model: Path, store: Path, *, recordings: int = 40, out: Path | None = None) -> None:
    """Print the shares."""
    concept = ontology.cardiac().find("PVC").id
    people = _people(concept, recordings)
    table = Table("encoder", "explained by", "share near ectopic beats", "of the time", "of the waves", "recordings")
    with tempfile.TemporaryDirectory() as name:
        random_like(FoundationModel.from_pretrained(model), seed=0).save_pretrained(Path(name))
        for encoder, folder in (("pretrained", model), ("random", Path(name))):
            diagnoser = finetune(folder, Store(store), Tuning(draws=10)).diagnoser
            place = [one.concept for one in diagnoser.config.concepts].index(concept)
            print(f"{encoder}: AUROC of PVC on test {diagnoser.config.concepts[place].auroc}")
            for method in Method:
                found = [explain(diagnoser, one, place, method=method) for one in track(people, f"{encoder}, {method}")]
                table.add_row(encoder, method.value, *_means(found, people), str(len(people)))
                if out is not None:
                    title = f"premature ventricular contractions, log odds {found[0].answer:+.2f}"
                    save(figure(found[0], title), out / f"{encoder}-{method}.png", dpi=80)
    Console(width=120).print(table)


def _means(found: list[Attribution], people: list[Recording]) -> list[str]:
    """The mean of each share over recordings, with its interval."""
    shares = np.array([_shares(one, recording) for one, recording in zip(found, people, strict=True)])
    weights = subject_weights([str(number) for number in range(len(people))])
    means = (shares.T @ weights) / weights.sum(0)
    return [f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in map(interval, means)]


def _shares(attribution: Attribution, recording: Recording) -> tuple[float, float, float]:
    """Of what moved the answer, of the time, and of the waves, what lies near an ectopic beat."""
    rate, count = attribution.recording.sampling_rate, attribution.recording.n_times
    time = np.arange(count) / rate
    near = np.zeros(count, bool)
    for beat in _ectopic(recording):
        near |= np.abs(time - beat) <= _AROUND
    signal = attribution.recording.signal
    waves = np.abs(signal - np.median(signal, axis=1, keepdims=True))
    moved = np.abs(attribution.smooth())
    return tuple(float(part[:, near].sum() / part.sum()) for part in (moved, np.ones_like(waves), waves))  # type: ignore[return-value]


def _ectopic(recording: Recording) -> list[float]:
    return [event.onset for event in recording.events if event.code == "V"]


def _people(concept: str, count: int) -> list[Recording]:
    """Ten seconds each, with one ectopic beat at least and not more than three."""
    found: list[Recording] = []
    seed = _FIRST_SEED
    while len(found) < count:
        one = ecg([concept], seed=seed, record_id=f"simulated {seed}")
        if 1 <= len(_ectopic(one)) <= 3:
            found.append(one)
        seed += 1
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--out", type=Path)
    main(**vars(parser.parse_args()))
