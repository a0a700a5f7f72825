"""An answer about one recording starts soon: what it needs imports nothing that it does without."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("sklearn", "scipy.optimize", "scipy.stats", "scipy.signal", "pandas", "mne", "neurokit2", "wfdb", "owlready2")
LATER = ("matplotlib", "jinja2", "lightning_fabric", "transformers")


def test_a_diagnoser_loads_without_what_only_fitting_or_drawing_needs() -> None:
    code = (
        "import sys, finetune.diagnosis.diagnoser, finetune.diagnosis.shown\n"
        f"print(*[name for name in {(*HEAVY, *LATER)!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
