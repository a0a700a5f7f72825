"""`biosig pretrain` as a person meets it."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from biosig import cli
from biosig.errors import BiosigError
from tests.pretrain.tiny import TINY


def test_a_run_ends_with_a_summary(store: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    arguments = ["pretrain", str(tmp_path / "tiny.yaml"), "--data", str(store), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(cli.build(), [*arguments, "--set", "optimiser.steps=5"], catch_exceptions=False)
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    for part in ("tiny: A test", "records of", "steps 5", "records/s", "signal_language", "validation", "run/model"):
        assert part in text, part
    assert (tmp_path / "run" / "model" / "config.json").is_file()
    assert "steps: 5" in (tmp_path / "run" / "recipe.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quikstart"], "did you mean 'quickstart'"),
        (["quickstart", "--set", "optimiser.steps=0"], r"optimiser\.steps: Input should be greater than 0, got 0"),
        (["quickstart"], r"nowhere: not a store"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    rest = ["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "run")]
    with pytest.raises(BiosigError, match=message) as caught:
        CliRunner().invoke(cli.build(), ["pretrain", *arguments, *rest], catch_exceptions=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_the_command_itself_imports_nothing_heavy() -> None:
    code = "import sys, pretrain.commands.pretrain; print({*sys.modules} & {'torch', 'transformers', 'numpy'} or [])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
