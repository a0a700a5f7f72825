"""The profile of a run, in a table and in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pretrain.training.timing import OF_A_STEP, Part, Profile

# What the slowest part means, and what can be done about it.
_WORDS = {
    Part.DATA: "waiting for data: reading and augmenting are slower than the towers; a lower sampling rate, fewer "
    "augmentations or a faster disk would speed it up",
    Part.FORWARD: "the towers forward; with optimiser.micro_batch they run forward twice",
    Part.LOSS: "the losses, with what the processes send each other for them; they grow with the square of the batch",
    Part.BACKWARD: "the towers backward, with what the processes send each other of gradients; a smaller encoder, a "
    "lower sampling rate or bf16 would speed it up",
    Part.OPTIMISER: "the optimiser: the weights are many for so small a batch",
    Part.OTHER: "none of the parts: moving batches, the log and the display",
}


def show_profile(profile: Profile, seconds: Sequence[Sequence[float]], console: Console) -> None:
    """Print where a step goes.

    Args:
        profile: Of this process.
        seconds: Of a step, a row for each process and a column for each of `OF_A_STEP`.
        console: Where.
    """
    mean = [sum(column) / len(seconds) for column in zip(*seconds, strict=True)]
    total = sum(mean)
    alone = len(seconds) == 1
    table = Table("part", title=f"a step, in the mean of {profile.steps}", title_justify="left")
    for head in ("ms", "share", *([] if alone else ["slowest process, ms"])):
        table.add_column(head, justify="right")
    for part, value, column in zip(OF_A_STEP, mean, zip(*seconds, strict=True), strict=True):
        row = [f"{1000 * value:.1f}", f"{value / total:.1%}"]
        table.add_row(part, *row, *([] if alone else [f"{1000 * max(column):.1f}"]))
    table.add_row("step", f"{1000 * total:.1f}", f"{1:.1%}")
    console.print(table)
    for part, (times, all_) in profile.beside.items():
        console.print(f"{part}: {times} times, {all_ / times:.2f} s each", highlight=False)
    slowest = OF_A_STEP[mean.index(max(mean))]
    console.print(f"slowest: {_WORDS[slowest]} ({max(mean) / total:.0%} of a step)", highlight=False)
