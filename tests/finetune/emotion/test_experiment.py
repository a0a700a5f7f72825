"""The whole experiment on tiny stores: written down fold by fold, continued, summarised, shown."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from biosig.cli import build
from biosig.errors import BiosigError
from finetune.diagnosis.result import Estimate
from finetune.emotion.bench import Bench, Budget, Experiment
from finetune.emotion.experiment import examine
from finetune.emotion.maps import heads, heard
from finetune.emotion.metrics import Measure
from finetune.emotion.protocols import Access, Plan, Protocol
from finetune.emotion.report import headline, write_report
from finetune.emotion.result import Result
from finetune.emotion.rivals import RIVALS
from finetune.emotion.summary import findings
from finetune.emotion.table import as_table
from finetune.emotion.targets import Target, find_trials
from finetune.emotion.wording import limits
from tests.finetune.emotion.fake_eeg import ELECTRODES, make_store, open_store

QUICK = Budget(pretrain_steps=1, supervised_steps=2, adversarial_steps=5)
ROWS = ("chance", "majority", "de-linear", "random")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("experiment"), subjects=5, trials=4, effect=1.5)


@pytest.fixture(scope="module")
def experiment(store: Path) -> Experiment:
    return Experiment(store, Target.parse("mood"), budget=QUICK)


@pytest.fixture(scope="module")
def result(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return examine(experiment, tmp_path_factory.mktemp("out"), rows=ROWS, seeds=3, workers=0, draws=50)


def test_the_table_has_a_line_for_each_row_and_variant(result: Result) -> None:
    assert [(line.row, line.access.value) for line in result.lines] == [
        ("chance", "causal"),
        ("majority", "causal"),
        ("de-linear", "causal"),
        ("de-linear", "transductive"),
        ("random", "causal"),
        ("random", "transductive"),
    ]
    assert (result.subjects, result.trials, result.folds, result.seeds) == (5, 20, 5, (0, 1, 2))
    assert not any(line.labels_of_target for line in result.lines)
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_intervals_hold_their_value_and_seeds_are_counted(result: Result) -> None:
    for line in result.lines:
        for measure, metric in line.metrics.items():
            one = metric.subjects
            assert one.value is not None, (line.row, measure)
            assert one.low is not None
            assert one.high is not None
            assert measure.lowest <= one.low <= one.high <= 1
            assert len(metric.by_seed) == 3
            assert metric.subjects_and_seeds is not None
        assert line.metrics[Measure.ACCURACY].subjects.value == pytest.approx(np.mean(list(line.subjects.values())))


def test_the_planted_signal_beats_chance(result: Result) -> None:
    line = result.line("de-linear", Access.CAUSAL)
    assert line is not None
    assert line.metrics[Measure.AUROC].subjects.value > 0.9  # type: ignore[operator]


def test_differences_to_the_random_encoder_are_paired(result: Result) -> None:
    ours, random = (result.line(row, Access.TRANSDUCTIVE) for row in ("de-linear", "random"))
    assert ours is not None
    assert random is not None
    for measure, gap in ours.against_random.items():
        expected = ours.metrics[measure].subjects.sample - random.metrics[measure].subjects.sample  # type: ignore[operator]
        assert gap.subjects.sample == pytest.approx(expected)
    assert random.against_random == {}


def test_a_run_that_was_broken_off_goes_on(experiment: Experiment, tmp_path: Path) -> None:
    told: list[str] = []
    begun: list[tuple[int, int]] = []

    def examine_again(rows: tuple[str, ...], stop: int = 1000) -> Result:
        def advance(row: str) -> None:
            told.append(row)
            if len(told) == stop:
                raise KeyboardInterrupt

        return examine(
            experiment,
            tmp_path,
            rows=rows,
            seeds=1,
            workers=0,
            draws=20,
            begin=lambda done, total: begun.append((done, total)),
            advance=advance,
        )

    with pytest.raises(KeyboardInterrupt):
        examine_again(("chance", "de-linear"), stop=7)
    second = examine_again(("chance", "de-linear"))
    assert begun == [(0, 10), (7, 10)]
    assert len(told) == 10
    whole = examine(experiment, tmp_path / "whole", rows=("chance", "de-linear"), seeds=1, workers=0, draws=20)
    strip = {"seconds", "lines"}
    assert second.model_dump(exclude=strip) == whole.model_dump(exclude=strip)
    for one, other in zip(second.lines, whole.lines, strict=True):
        assert one.model_dump(exclude={"seconds"}) == other.model_dump(exclude={"seconds"})


@pytest.mark.slow
def test_processes_give_the_same_numbers(experiment: Experiment, result: Result, tmp_path: Path) -> None:
    other = examine(experiment, tmp_path, rows=ROWS, seeds=3, workers=2, draws=50)
    for one, two in zip(result.lines, other.lines, strict=True):
        assert one.model_dump(exclude={"seconds"}) == two.model_dump(exclude={"seconds"})


def test_errors_name_row_and_seed(store: Path, tmp_path: Path) -> None:
    continuous = make_store(tmp_path / "c", subjects=5, trials=6, continuous=True)
    plan = Plan(Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT)
    asked = Experiment(continuous, Target.parse("event"), plan, budget=QUICK)
    with pytest.raises(BiosigError, match="row coherent, seed 0: fold stimuli 1: record p0"):
        examine(asked, tmp_path / "out", rows=["coherent"], seeds=1, workers=0, draws=5)
    with pytest.raises(KeyError, match="no row named 'coherence' \\(did you mean 'coherent'"):
        examine(asked, tmp_path / "out", rows=["coherence"], seeds=1)


@pytest.mark.parametrize("protocol", [Protocol.FEW_SHOT, Protocol.UNSEEN_STIMULUS, Protocol.KFOLD])
def test_every_protocol_runs(store: Path, tmp_path: Path, protocol: Protocol) -> None:
    plan = Plan(protocol, k=3, stimulus_groups=2, shots=1)
    asked = Experiment(store, Target.parse("mood"), plan, budget=QUICK)
    found = examine(asked, tmp_path, rows=["majority", "de-linear"], seeds=1, workers=0, draws=10)
    assert found.trials == (15 if protocol is Protocol.FEW_SHOT else 20)
    assert all(line.labels_of_target == (protocol is Protocol.FEW_SHOT) for line in found.lines)


@pytest.mark.slow
def test_every_row_runs_and_is_shown(store: Path, tmp_path: Path) -> None:
    asked = Experiment(store, Target.parse("mood"), budget=QUICK)
    found = examine(asked, tmp_path, seeds=1, workers=0, draws=10)
    assert {line.row for line in found.lines} == set(RIVALS)
    assert [line.row for line in heard(found.lines)] == ["random", "clisa", "clisa-synchronous", "ta2cl", "coherent"]
    write_report(found, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/") == 3
    for line in found.lines:
        assert line.title in page


class _Strict(HTMLParser):
    """That every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_escapes_what_the_data_say(result: Result, tmp_path: Path) -> None:
    hostile = result.model_copy(update={"target": "<script>alert(1)</script>"})
    write_report(hostile, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    parser = _Strict()
    parser.feed(page)
    assert not parser.open
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert page.count('class="tag all"') == 2
    assert page.count("<td>no</td>") == len(result.lines)
    assert len(headline(result)) == 3


@pytest.mark.parametrize("width", [80, 120, 220])
def test_the_table_says_what_each_row_knows_at_any_width(result: Result, width: int) -> None:
    console = Console(width=width, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(as_table(result, width=width))
    text = console.export_text()
    assert max(len(line) for line in text.splitlines()) <= width
    assert text.count("transductive") == 2
    assert text.count("causal") == 4
    assert "…" not in text
    assert ("gain, AUROC" in text) == ("gain: over the random" in " ".join(text.split())) == (width >= 120)


def test_an_interval_without_width_is_not_taken_for_certainty(result: Result) -> None:
    line = result.lines[0]
    sure = line.metrics[Measure.AUROC].model_copy(update={"subjects": Estimate(value=1.0, low=1.0, high=1.0)})
    perfect = line.model_copy(update={"metrics": {**line.metrics, Measure.AUROC: sure}})
    said = [" ".join(limits(result.model_copy(update={"lines": lines}))) for lines in ((line,), (perfect,))]
    # Five of five: 1 - 0.05 ** (1 / 5).
    assert ["up to 45 % may do otherwise" in one for one in said] == [False, True]


def test_heads_need_places(result: Result) -> None:
    lines = heard(result.lines)
    assert [line.row for line in lines] == ["random"]
    assert heads(lines, ELECTRODES) is not None
    assert heads(lines, ("a", "b", "c", "d", "e", "f")) is None
    assert heads(lines, (*ELECTRODES[:3], "x", "y", "z")) is None
    assert heads([], ELECTRODES) is None


def test_what_a_reader_must_know_is_found(store: Path, tmp_path: Path) -> None:
    sound = findings(Bench(Experiment(store, Target.parse("mood"))).trials, Plan(), list(Access), zero_phase=False)
    assert sound == ()
    labels = np.array([[0, 1, 0, 1]] * 5)
    trials = find_trials(open_store(tmp_path, subjects=5, trials=4, labels=labels), Target.parse("mood"))
    told = [one.text for one in findings(trials, Plan(), list(Access), zero_phase=True)]
    assert "Every subject's first trial is 'calm'" in told[0]
    assert "Each stimulus has one class for everybody" in told[1]
    assert "without phase distortion" in told[2]
    rare = np.where(trials.subject == "p02", trials.label, 0)
    told = [one.text for one in findings(replace(trials, label=rare), Plan(), list(Access), zero_phase=False)]
    assert told[0].startswith("Class 'tense' has 2 trials of 1 subjects")
    unseen = findings(trials, Plan(Protocol.UNSEEN_STIMULUS), [Access.TRANSDUCTIVE], zero_phase=True)
    assert len(unseen) == 1


def test_the_command_writes_page_and_numbers_and_says_what_it_cannot_do(store: Path, tmp_path: Path) -> None:
    arguments = ["emotion", str(store), "--target", "valence>5", "--rows", "majority,de-running", "--seeds", "1"]
    arguments += ["--workers", "0", "--draws", "10", "--out", str(tmp_path / "out"), "--protocol", "kfold", "--k", "2"]
    run = CliRunner().invoke(build(), arguments)
    assert run.exit_code == 0, run.output
    found = Result.model_validate_json((tmp_path / "out" / "result.json").read_text())
    assert found.classes == {"low": 10, "high": 10}
    assert (tmp_path / "out" / "report.html").is_file()
    assert "majority class" in run.output
    assert "transductive" not in run.output
    again = CliRunner().invoke(build(), [*arguments, "--smoothing", "none"])
    assert isinstance(again.exception, BiosigError)
    assert "is of an experiment with smoothing 'lds', not 'none'" in str(again.exception)
