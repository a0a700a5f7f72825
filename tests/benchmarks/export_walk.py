"""Every encoder of the registry through `biosig export`, at its own size: difference from the model, size, seconds.

python -m tests.benchmarks.export_walk [ENCODER ...]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from biosig.encoders import ENCODERS
from pretrain.errors import ModelError
from pretrain.export.write import Format, export
from tests.pretrain.untrained import untrained


def main(names: list[str]) -> None:
    """A row for each encoder and format."""
    print("| encoder | format | largest difference | MB | s |\n|---|---|---:|---:|---:|")
    for name in names or sorted(ENCODERS):
        model = untrained(f"model.signal={{encoder: {name}}}")
        for form in Format:
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                path = Path(folder, f"model{form.ending}")
                try:
                    found = export(model, path, form=form)
                    size = f"{path.stat().st_size / 1e6:.1f}"
                    said = f"{found.difference:.1e}"
                except ModelError as error:
                    said, size = str(error), ""
                print(f"| {name} | {form} | {said} | {size} | {time.perf_counter() - began:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
