"""A run that is killed at any moment is continued by the same call, to the same bytes."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from biosig.errors import StoreError
from biosig.preprocess import Preprocessing
from biosig.store import Store, chunk, finish, prepare
from tests.biosig.store.fake import FakeCorpus, contents, write_corpus, write_record

PER_SHARD = 20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three shards of one or two chunks, one of them without any record that can be read."""
    folder = write_corpus(tmp_path / "source", 45)
    write_record(folder, "r003x", does="record error")
    for number in range(100, 120):
        write_record(folder, f"r{number}", does="key error")
    return folder


def run(source: Path, store: Path, workers: int = 0) -> Any:
    return prepare(FakeCorpus(), source, store, workers=workers, records_per_shard=PER_SHARD, progress=False)


def run_until_killed(source: Path, store: Path, at: int) -> None:
    """Die without any clean-up before the given change of the disk, counted from 0."""
    done = 0

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def change_or_die(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            if done == at:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return change(*arguments, **options)

        return change_or_die

    for place, name in ((Path, "replace"), (Path, "unlink"), (Path, "rename"), (Path, "mkdir"), (Path, "write_text")):
        setattr(place, name, counted(getattr(place, name)))
    shutil.rmtree = counted(shutil.rmtree)  # type: ignore[assignment]
    run(source, store)


def exit_code(source: Path, store: Path, at: int) -> int | None:
    process = multiprocessing.get_context("forkserver").Process(target=run_until_killed, args=(source, store, at))
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.slow
def test_killed_before_every_single_change_of_the_disk(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    store = tmp_path / "store"
    for at in range(1000):
        code = exit_code(source, store, at)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        # Either it is there, whole, or it is not there.
        if store.exists():
            assert contents(store) == expected
            shutil.rmtree(store.with_name("store.partial"), ignore_errors=True)
        else:
            run(source, store)
            assert contents(store) == expected, f"killed before change {at}"
        assert not store.with_name("store.partial").exists()
        shutil.rmtree(store)
    else:
        pytest.fail("the run never reached its end")
    assert at > 20


def test_killed_again_and_again_at_growing_distance(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "whole")
    for at in (4, 6, 3, 9, 12):
        assert exit_code(source, tmp_path / "store", at) == -signal.SIGKILL
    assert run(source, tmp_path / "store").resumed > 0
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


SCRIPT = """
    import sys
    from biosig.store import prepare
    from tests.biosig.store.fake import FakeCorpus

    class Corpus(FakeCorpus):
        def read(self, entry):
            import os, pathlib
            (pathlib.Path(sys.argv[3]) / str(os.getpid())).touch()
            return super().read(entry)

    if __name__ == "__main__":
        prepare(Corpus(), sys.argv[1], sys.argv[2], workers=2, records_per_shard=20, progress=False)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("parts", [0, 1, 4])
def test_kill_minus_nine_of_the_parent_of_real_workers(tmp_path: Path, parts: int) -> None:
    source = write_corpus(tmp_path / "source", 100, does="slow")
    store, pids, script = tmp_path / "store", tmp_path / "pids", tmp_path / "script.py"
    pids.mkdir()
    script.write_text(textwrap.dedent(SCRIPT))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen([sys.executable, script, source, store, pids], env=environment)
    work = tmp_path / "store.partial" / "work"
    wait_for(lambda: len([*work.glob("part-*.json"), *work.glob("shard-*.json")]) >= parts and any(pids.iterdir()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not store.exists()
    # Workers do not outlive their parent by more than the part at hand.
    alive = [int(path.name) for path in pids.iterdir()]
    wait_for(lambda: not any(is_running(pid) for pid in alive), seconds=20)
    report = run(source, store, workers=2)
    assert report.read == 100
    assert report.resumed >= parts
    run(source, tmp_path / "whole")
    assert contents(store) == contents(tmp_path / "whole")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_half_written_store_is_never_read(source: Path, tmp_path: Path) -> None:
    assert exit_code(source, tmp_path / "store", 12) == -signal.SIGKILL
    for path in (tmp_path / "store", tmp_path / "store.partial"):
        with pytest.raises(StoreError, match="half-written: prepare did not finish"):
            Store(path)


def test_a_part_that_was_damaged_is_found_and_made_again(source: Path, tmp_path: Path) -> None:
    assert exit_code(source, tmp_path / "store", 7) == -signal.SIGKILL
    samples = min((tmp_path / "store.partial" / "work").glob("part-*.samples"))
    content = bytearray(samples.read_bytes())
    content[5] ^= 1
    samples.write_bytes(content)
    for path in samples.parent.glob("part-*.json"):
        if path.stem != samples.stem:
            path.write_bytes(b"")
    run(source, tmp_path / "store")
    run(source, tmp_path / "whole")
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_a_plan_that_was_damaged_cannot_be_continued(source: Path, tmp_path: Path) -> None:
    assert exit_code(source, tmp_path / "store", 7) == -signal.SIGKILL
    (tmp_path / "store.partial" / "work" / "plan.json").write_bytes(b"")
    with pytest.raises(StoreError, match=r"begun with another configuration \(plan\.json is damaged\)"):
        run(source, tmp_path / "store")
    prepare(FakeCorpus(), source, tmp_path / "store", workers=0, progress=False, overwrite=True)


def test_a_part_that_was_cut_short_is_made_again(source: Path, tmp_path: Path) -> None:
    assert exit_code(source, tmp_path / "store", 7) == -signal.SIGKILL
    samples = min((tmp_path / "store.partial" / "work").glob("part-*.samples"))
    samples.write_bytes(samples.read_bytes()[:-10])
    run(source, tmp_path / "store")
    run(source, tmp_path / "whole")
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_a_shard_that_another_made_meanwhile_is_left_as_it_is(source: Path, tmp_path: Path) -> None:
    work, store = tmp_path / "work", tmp_path / "store"
    work.mkdir()
    store.mkdir()
    corpus = FakeCorpus()
    job = chunk.Job(corpus, source, work, store, Preprocessing(), statistics=False)
    records = chunk.Chunk(0, 0, tuple(corpus.find(source)[:3]))
    job.run(records, lambda _: None)
    merge = chunk.Merge(0, (0,))
    job.run(merge, lambda _: None)
    whole = contents(store)
    job.run(merge, lambda _: None)
    assert contents(store) == whole
    # A worker that was thought dead ends its part after all.
    job.run(records, lambda _: None)
    job.run(merge, lambda _: None)
    assert contents(store) == whole
    assert [path.name for path in work.iterdir()] == ["shard-00000.json"]
    job.shard(0).unlink()
    with pytest.raises(FileNotFoundError):
        job.run(merge, lambda _: None)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("place", "name"), [(chunk._Hashed, "write"), (chunk, "write_json"), (finish, "_describe")])
def test_a_full_disk_is_said_clearly_and_costs_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(place, name, full)
        with pytest.raises(
            StoreError, match=r"store: cannot be written: .*No space left on device.*same command continues"
        ):
            run(source, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    run(source, tmp_path / "store")
    run(source, tmp_path / "whole")
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_a_full_disk_in_a_worker_reaches_the_parent(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 30)
    write_record(source, "r010x", does="disk full")
    with pytest.raises(StoreError, match=r"store: cannot be written: .*No space left on device"):
        run(source, tmp_path / "store", workers=2)
    (source / "r010x.npz").unlink()
    with pytest.raises(StoreError, match="begun with another configuration"):
        run(source, tmp_path / "store")
