"""The corpus of docs/add-a-corpus.md reads recordings of people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import wfdb

PAGE = Path(__file__).parents[3] / "docs" / "add-a-corpus.md"


def test_the_example_of_the_page_reads_a_clinic(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)  # the page's own code is what is tested
    for person, name, comment in (("p1", "a", "Dx 426783006"), ("p1", "b", ""), ("p2", "c", "Dx 164889003")):
        (tmp_path / person).mkdir(exist_ok=True)
        signal = np.random.default_rng(0).normal(size=(500, 2)).round(2)
        wfdb.wrsamp(
            name,
            fs=500,
            units=["mV"] * 2,
            sig_name=["I", "V1"],
            p_signal=signal,
            fmt=["16"] * 2,
            comments=[comment] if comment else [],
            write_dir=str(tmp_path / person),
        )
    corpus = names["clinic"]
    read = [corpus.read(entry) for entry in corpus.find(tmp_path)]
    assert [one.subject_id for one in read] == ["p1", "p1", "p2"]
    assert [one.concepts for one in read] == [{"426783006"}, set(), {"164889003"}]
    assert read[0].meta["source"] == "p1/a.hea"
