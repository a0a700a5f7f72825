"""The example of docs/sharing.md runs, and prints what the page says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "sharing.md"


def test_the_example_prints_what_the_page_says() -> None:
    page = PAGE.read_text()
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    (wanted,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    said = StringIO()
    with redirect_stdout(said):
        exec(compile(code, str(PAGE), "exec"), {})  # the page's own code is what is tested
    assert said.getvalue() == wanted
