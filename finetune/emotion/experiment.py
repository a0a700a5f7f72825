"""One store, one target, one result: the whole experiment, from the audit to the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from biosig.errors import BiosigError
from finetune.emotion.bench import Bench, Experiment
from finetune.emotion.log import Finished, Log
from finetune.emotion.protocols import Access
from finetune.emotion.result import Result
from finetune.emotion.rivals import RIVALS
from finetune.emotion.run import Wanted, describe, log_path, run
from finetune.emotion.summary import findings, lines
from finetune.metrics.bootstrap import LEVEL, N_DRAWS
from pretrain.training.run import versions


def examine(
    experiment: Experiment,
    out: Path,
    *,
    rows: Sequence[str] = (),
    seeds: int = 3,
    access: Sequence[Access] = tuple(Access),
    workers: int | None = None,
    draws: int = N_DRAWS,
    begin: Callable[[int, int], None] = lambda *_: None,
    advance: Callable[[str], None] = lambda _: None,
) -> Result:
    """Run what is not done yet, and summarise.

    Args:
        experiment: What decides the numbers.
        out: Where finished folds are written; the same folder and experiment go on where they were broken off.
        rows: Names in `RIVALS`; all by default.
        seeds: Repetitions.
        access: Variants wanted.
        workers: Processes; one a core by default.
        draws: Of the bootstrap over subjects.
        begin: Told how many folds are done and how many there are in all.
        advance: Told the row of every fold that is finished now.

    Raises:
        BiosigError: If the store poses no such task, or the folder is of another experiment.
        LeakageError: If a fold does not keep its sides apart.
    """
    variants = tuple(one for one in Access if one in access)
    # An unknown name is said before anything is done.
    wanted = tuple(row for row in rows or RIVALS if RIVALS[row].variants(variants))
    if not variants:
        raise BiosigError("--access: expected causal, transductive or both")
    bench = Bench(experiment)
    repetitions = tuple(range(seeds))
    log = Log(log_path(out), describe(bench, variants))
    total = sum(len(bench.folds(seed)) for seed in repetitions) * len(wanted)
    begin(len(log.of(wanted, repetitions)), total)
    run(bench, log, Wanted(wanted, repetitions, variants), workers=workers, done=lambda one: advance(one.row))
    finished = log.of(wanted, repetitions)
    return _summarise(bench, finished, rows=wanted, seeds=repetitions, access=variants, draws=draws)


def _summarise(
    bench: Bench,
    finished: Sequence[Finished],
    *,
    rows: Sequence[str],
    seeds: tuple[int, ...],
    access: tuple[Access, ...],
    draws: int,
) -> Result:
    experiment, trials = bench.experiment, bench.trials
    plan = experiment.plan
    tested = np.unique(np.concatenate([np.asarray(fold.test) for fold in bench.folds(0)]))
    people = np.unique(trials.subject[tested])
    single = sum(len(set(trials.label[tested][trials.subject[tested] == one].tolist())) == 1 for one in people)
    card = bench.store.info.corpus
    steps = bench.store.info.preprocessing.model_dump(mode="json")["steps"]
    zero_phase = any(step.get("phase") == "zero" for step in steps)
    return Result(
        store={
            "title": card.title,
            "corpus": card.name,
            "licence": card.licence,
            "citation": card.citation,
            "sha256": bench.store.fingerprint,
            "sampling_rate": bench.store.sampling_rate,
            "records": len(bench.store),
        },
        target=experiment.target.text,
        protocol=plan.protocol,
        classes=trials.counts(),
        left_out=dict(trials.left_out),
        subjects=len(people),
        one_class_subjects=single,
        stimuli=len(set(trials.stimulus[tested].tolist()) - {""}),
        trials=len(tested),
        folds=len(bench.folds(0)),
        seeds=seeds,
        electrodes=bench.electrodes,
        findings=findings(trials, plan, access, zero_phase),
        lines=lines(finished, trials, rows, access, plan.protocol, n_draws=draws),
        settings={
            **describe(bench, access),
            "preprocessing": steps,
            "draws": draws,
            "level": LEVEL,
            "bootstrap_seed": 0,
        },
        versions=versions(),
        seconds=round(sum(one.seconds for one in finished), 1),
    )
