"""The example of docs/estimators.md runs, and prints what the page says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "estimators.md"
NUMBER = re.compile(r"\d+\.\d+")


def test_the_example_prints_what_the_page_says() -> None:
    page = PAGE.read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (wanted,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    said = StringIO()
    with redirect_stdout(said):
        exec(compile(code, str(PAGE), "exec"), {})  # the page's own code is what is tested
    found = said.getvalue()
    assert NUMBER.sub("x", found) == NUMBER.sub("x", wanted)
    # Another processor rounds otherwise, and one recording of 120 may change sides.
    numbers = [[float(one) for one in NUMBER.findall(text)] for text in (found, wanted)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.03)
