"""A dask cluster of two real processes: the bytes of a local run, whoever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from biosig.cli import main
from biosig.corpora.base import Entry
from biosig.errors import BiosigError, StoreError
from biosig.preprocess import Preprocessing
from biosig.store import Store, cluster, prepare
from biosig.store.chunk import Chunk, Job, Merge
from tests.biosig.store.fake import FakeCorpus, contents, write_corpus, write_record

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0", silence_logs=50
    ) as found:
        yield found


@pytest.fixture
def address(workers: Any) -> str:
    return str(workers.scheduler_address)


def run(source: Path, store: Path, **options: Any) -> Any:
    return prepare(FakeCorpus(), source, store, **{"records_per_shard": 20, "progress": False, **options})


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def parts(store: Path) -> int:
    work = store.with_name(f"{store.name}.partial") / "work"
    return len([*work.glob("part-*.json"), *work.glob("shard-*.json")])


def test_the_bytes_and_the_report_are_those_of_a_local_run(tmp_path: Path, address: str) -> None:
    source = write_corpus(tmp_path / "source", 45)
    for name in ("record error", "key error", "exit", "segfault", "killed once"):
        write_record(source, f"r003{name.replace(' ', '-')}", does=name)
    (source / "gone.npz").symlink_to(source / "nowhere")
    local = run(source, tmp_path / "local", workers=1)
    (source / "r003killed-once.mark").unlink()
    spread = run(source, tmp_path / "spread", dask=address)
    assert (spread.read, spread.skipped, spread.missing, spread.resumed) == (46, local.skipped, local.missing, 0)
    assert dict(spread.skipped)["r003segfault"] == "the process that read it died: SIGSEGV"
    assert dict(spread.skipped)["gone"] == "FileNotFoundError: [Errno 2] No such file or directory: 'gone.npz'"
    assert contents(tmp_path / "spread") == contents(tmp_path / "local")
    assert Store(tmp_path / "spread").fingerprint == Store(tmp_path / "local").fingerprint
    assert not (tmp_path / "spread.partial").exists()


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path, workers: Any, address: str) -> None:
    source = write_corpus(tmp_path / "source", 60, does="slow")
    victim = min(worker.pid for worker in workers.workers.values())

    def kill() -> None:
        wait_for(lambda: parts(tmp_path / "store") >= 1)
        os.kill(victim, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    report = run(source, tmp_path / "store", dask=address)
    thread.join()
    assert report.read == 60
    assert victim not in [worker.pid for worker in workers.workers.values()]
    run(source, tmp_path / "whole", workers=0)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


CLIENT = """
    import sys
    from biosig.store import prepare
    from tests.biosig.store.fake import FakeCorpus

    if __name__ == "__main__":
        prepare(FakeCorpus(), sys.argv[1], sys.argv[2], dask=sys.argv[3], records_per_shard=20, progress=False)
"""


def test_a_client_that_was_killed_is_continued(tmp_path: Path, address: str) -> None:
    source, store, script = write_corpus(tmp_path / "source", 60, does="slow"), tmp_path / "store", tmp_path / "c.py"
    script.write_text(textwrap.dedent(CLIENT))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    client = subprocess.Popen([sys.executable, script, source, store, address], env=environment)
    wait_for(lambda: parts(store) >= 2)
    client.kill()
    client.wait()
    assert not store.exists()
    # At once: what the workers still have at hand for the dead may end at any time.
    report = run(source, store, dask=address)
    assert report.read == 60
    assert report.resumed > 0
    run(source, tmp_path / "whole", workers=0)
    assert contents(store) == contents(tmp_path / "whole")


def test_the_command_takes_an_address_or_a_file(
    tmp_path: Path, workers: Any, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from biosig.corpora import CORPORA

    monkeypatch.setitem(CORPORA._entries, "fake", FakeCorpus())
    write_corpus(tmp_path / "source", 3)
    file = tmp_path / "scheduler.json"
    file.write_text(f'{{"address": "{address}"}}')
    # Relative paths: workers have other working folders.
    monkeypatch.chdir(tmp_path)
    for name, place in (("a", address), ("b", str(file))):
        with pytest.raises(SystemExit) as stop:
            main(["prepare", "fake", "source", name, "--dask", place])
        assert not stop.value.code
        assert "3 records read, 1 skipped" in capsys.readouterr().out
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_full_disk_of_a_worker_ends_the_run(tmp_path: Path, address: str) -> None:
    source = write_corpus(tmp_path / "source", 30)
    write_record(source, "r010x", does="disk full")
    with pytest.raises(StoreError, match=r"store: cannot be written: .*No space left on device.*same command"):
        run(source, tmp_path / "store", dask=address)


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_corpus(tmp_path / "source", 1)
    monkeypatch.setattr(cluster, "_PATIENCE", 0.3)
    with pytest.raises(BiosigError, match=r"dask: no scheduler answers at tcp://127\.0\.0\.1:9") as error:
        run(source, tmp_path / "store", dask="tcp://127.0.0.1:9")
    assert "\n" not in str(error.value)
    with pytest.raises(BiosigError, match="dask: no scheduler answers at nonsense://x"):
        run(source, tmp_path / "store", dask="nonsense://x")
    with pytest.raises(BiosigError, match="workers: expected none with dask, which has its own, got 2"):
        run(source, tmp_path / "store", dask="tcp://127.0.0.1:9", workers=2)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BiosigError, match=r'dask: not installed; pip install "biosig\[cluster\]"'):
        run(source, tmp_path / "store", dask="tcp://127.0.0.1:9")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_scheduler_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_corpus(tmp_path / "source", 1)
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0", silence_logs=50) as empty:
        monkeypatch.setattr(cluster, "_PATIENCE", 1.0)
        with pytest.raises(BiosigError, match=r"dask: the scheduler at .* has no workers"):
            run(source, tmp_path / "store", dask=empty.scheduler_address)


def test_a_worker_that_could_not_give_the_same_bytes(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_corpus(tmp_path / "source", 1)
    of = cluster.Bond.of
    for change, complaint in (
        ({"versions": {"biosig": "9.9"}}, r"expected biosig 9\.9, it has 0"),
        ({"sources": (tmp_path / "elsewhere",)}, r"does not see the source .*elsewhere"),
    ):
        monkeypatch.setattr(cluster.Bond, "of", lambda *given, change=change: replace(of(*given), **change))
        with pytest.raises(BiosigError, match=rf"dask: worker tcp://127\.0\.0\.1:\d+: {complaint}"):
            run(source, tmp_path / "store", dask=address)
    assert not (tmp_path / "store").exists()


def test_a_worker_without_biosig(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Known by a name that only this process has, as all of biosig is where it is not installed.
    only_here = ModuleType("only_here")
    monkeypatch.setitem(sys.modules, "only_here", only_here)
    monkeypatch.setattr(cluster.Bond, "__module__", "only_here")
    only_here.Bond = cluster.Bond  # type: ignore[attr-defined]
    with pytest.raises(BiosigError, match=r"dask: worker tcp://\S+: has no biosig.*No module named .*only_here"):
        run(write_corpus(tmp_path / "source", 1), tmp_path / "store", dask=address)


def test_what_a_worker_must_share(tmp_path: Path) -> None:
    source, work = write_corpus(tmp_path / "source", 1), tmp_path / "work"
    work.mkdir()
    corpus = FakeCorpus()
    job = Job(corpus, source, work, tmp_path, Preprocessing(), statistics=False)
    bond = cluster.Bond.of(job, deque([Chunk(0, 0, tuple(corpus.find(source)))]))
    assert bond.sources == (source, source / "r000.npz")
    assert bond.problem() == f"does not see the output {work}"
    bond.mark.write_text(bond.run)
    assert bond.problem() is None
    assert [path.name for path in work.iterdir()] == [bond.mark.name]
    bond.mark.write_text("another run")
    assert bond.problem() == f"sees another folder at {work}"
    (source / "r000.npz").unlink()
    assert bond.problem() == f"does not see the source {source / 'r000.npz'}"
    # A file that the client does not see either is the record's affair.
    gone = Chunk(0, 0, (Entry("gone", source / "gone.npz"),))
    assert cluster.Bond.of(job, deque([gone])).sources == (source,)
    assert cluster.Bond.of(job, deque([Merge(0, (0,))])).sources == (source, source)
