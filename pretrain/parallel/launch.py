"""Where a run's processes come from: torchrun, a scheduler that starts torchrun, or the command itself."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from inspect import signature
from typing import NoReturn

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning_fabric.strategies import DDPStrategy, ModelParallelStrategy
from torch.multiprocessing.spawn import ProcessExitedException, spawn
from torch.nn.parallel import DistributedDataParallel

from pretrain.errors import TrainingError
from pretrain.parallel.sharding import shard
from pretrain.specs.execution import Device, Strategy, Training

# Newer releases of torch have another word for whether buffers are sent around at every step.
_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)
# They tell of every process that it is started, and ended.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)


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
    # Fabric's own mixed precision would round the signals themselves. Where processes come from is said here: in the
    # job of a scheduler, fabric would go by the job's variables, whatever torchrun or this command has started.
    if count == 1:
        return Fabric(accelerator=accelerator, devices=1, precision="32-true", plugins=[LightningEnvironment()])
    here = int(os.environ.get("LOCAL_WORLD_SIZE", count))
    fabric = Fabric(
        accelerator=accelerator,
        devices=here,
        num_nodes=count // here,
        strategy=_strategy(training, count),
        precision="32-true",
        plugins=[TorchElasticEnvironment()],
    )
    fabric.launch()
    atexit.register(_disconnect)
    return fabric


def _disconnect() -> None:
    """End gloo's threads while there is an interpreter.

    One that lets go of a tensor asks for the interpreter, and aborts the process if that is about to end (pytorch
    pull request 179291). They end with the group, and that with the last one who holds it.
    """
    if torch.distributed.is_initialized() and torch.distributed.get_backend() == "gloo":
        torch.distributed.destroy_process_group()
    gc.collect()


def leave() -> NoReturn:
    """End this process of a group, which has succeeded, without the interpreter's own end.

    What torch remembers of a sharded model holds the group for good, and gloo's threads with it; see `_disconnect`.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 -- the only way to have them run, and no more
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _strategy(training: Training, processes: int) -> DDPStrategy | ModelParallelStrategy:
    timeout = timedelta(minutes=training.timeout_minutes)
    if training.strategy is Strategy.FSDP:
        return ModelParallelStrategy(shard, data_parallel_size=processes, tensor_parallel_size=1, timeout=timeout)
    return DDPStrategy(
        timeout=timeout,
        # A tower that no objective of the recipe looks at has no gradient.
        find_unused_parameters=True,
        # They are constants.
        **{_BUFFERS: False},
    )


@contextmanager
def together(fabric: Fabric) -> Iterator[None]:
    """What all processes of a run do; they wait for each other at its end, and then are connected no more.

    Raises:
        TrainingError: If another one has ended before, or does not answer.
    """
    if fabric.world_size == 1:
        yield
        return
    try:
        yield
        fabric.barrier()
    except RuntimeError as error:
        # Gloo has no type of error of its own.
        lost = any(word in str(error) for word in ("gloo", "Connection closed by peer", "Timed out waiting"))
        if lost or isinstance(error, torch.distributed.DistError):
            reason = str(error).strip().splitlines()[0]
            raise TrainingError(f"another process of this run has ended, or does not answer: {reason}") from error
        raise
    torch.distributed.destroy_process_group()


def leads() -> bool:
    """Whether this process is the only one, or the first of those that a launcher has started."""
    return int(os.environ.get("RANK", "0")) == 0


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
    # Each process would warn that unused parameters were looked for and none was found; which objectives a batch uses
    # is not known beforehand. Read when torch is loaded: by them, not here.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
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
