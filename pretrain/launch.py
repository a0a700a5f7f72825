"""Where a run's processes come from: torchrun, a scheduler that starts torchrun, or the command itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import timedelta

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import TorchElasticEnvironment
from lightning_fabric.strategies import DDPStrategy
from torch.multiprocessing.spawn import ProcessExitedException, spawn

from pretrain.errors import TrainingError
from pretrain.specs import Device, Training


def started() -> int:
    """How many processes the launcher of this one has started; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def fabric_of(training: Training, *, alone: bool = False) -> Fabric:
    """Devices and, where a launcher has started several processes, the group of them, connected.

    A process that has not answered for `timeout_minutes` ends the run; one that has died ends it at once.

    Args:
        training: Device and time limit.
        alone: Whether this process works by itself whatever has been started.

    Raises:
        TrainingError: If the recipe asks for another number of processes than there are.
    """
    accelerator = {Device.AUTO: "auto", Device.CPU: "cpu", Device.GPU: "gpu"}[training.device]
    count = 1 if alone else started()
    if training.processes not in {1, count} and not alone:
        raise TrainingError(
            f"training.processes: expected as many as the launcher has started ({count}), got {training.processes}"
        )
    # Fabric's own mixed precision would round the signals themselves.
    if count == 1:
        return Fabric(accelerator=accelerator, devices=1, precision="32-true")
    here = int(os.environ.get("LOCAL_WORLD_SIZE", count))
    strategy = DDPStrategy(
        cluster_environment=TorchElasticEnvironment(),
        timeout=timedelta(minutes=training.timeout_minutes),
        # A tower that no objective of the recipe looks at has no gradient.
        find_unused_parameters=True,
        # They are constants.
        broadcast_buffers=False,
    )
    fabric = Fabric(
        accelerator=accelerator, devices=here, num_nodes=count // here, strategy=strategy, precision="32-true"
    )
    fabric.launch()
    return fabric


def spread(arguments: Sequence[str], processes: int) -> None:
    """Run the command `biosig` in several processes of this machine, connected as torchrun would do it.

    If one of them fails the others are ended.

    Args:
        arguments: Of the command.
        processes: How many.

    Raises:
        SystemExit: With the status of the first that failed.
        TrainingError: If one was killed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # torch leaves it untyped.
    group = spawn(_run, (tuple(arguments), processes, port), nprocs=processes, join=False)  # type: ignore[no-untyped-call]
    try:
        while not group.join():
            pass
    except ProcessExitedException as error:
        if error.signal_name is None:
            raise SystemExit(error.exit_code) from None
        raise TrainingError(f"process {error.error_index} of {processes} was ended by {error.signal_name}") from None


def _run(rank: int, arguments: Sequence[str], processes: int, port: int) -> None:
    from biosig.cli import main  # noqa: PLC0415 -- it loads every command, this one among them

    os.environ |= environment(rank, processes, port)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(arguments)


def environment(rank: int, processes: int, port: int) -> dict[str, str]:
    """What torchrun tells a process of one machine."""
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": threads}
    counts = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    return where | counts | {"RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0"}
