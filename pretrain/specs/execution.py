"""The fields of a recipe that say how a run is carried out and watched."""

from enum import StrEnum

from pydantic import PositiveFloat, PositiveInt, model_validator

from pretrain.specs.architecture import Spec


class Precision(StrEnum):
    """The arithmetic of the towers; losses and weights are float32 in any case.

    `auto` is bfloat16 on a GPU and on a CPU with AMX tiles or AVX512-BF16, float32 elsewhere.
    """

    AUTO = "auto"
    BF16 = "bf16"
    FLOAT32 = "float32"


class Device(StrEnum):
    """Where the towers run. `auto` takes a GPU if there is one."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class Strategy(StrEnum):
    """What several processes hold of the weights: each all of them, or each a shard of them and of their moments."""

    DDP = "ddp"
    FSDP = "fsdp"


class Compile(StrEnum):
    """What runs as code that torch's inductor makes of it: nothing, the towers, or the norms of residual networks."""

    NONE = "none"
    INDUCTOR = "inductor"
    NORMS = "norms"


class Better(StrEnum):
    """Which way a number gets better."""

    LOWER = "lower"
    HIGHER = "higher"


class Watch(Spec):
    """The number of a validation that says which one was the best.

    Attributes:
        metric: A name in the log's validations: `loss`, or one of its parts such as `signal_language/loss`.
        better: Which way it gets better.
    """

    metric: str = "loss"
    better: Better = Better.LOWER


class Final(StrEnum):
    """Which weights become the model: those after the last step, or those of the best validation."""

    LAST = "last"
    BEST = "best"


class Probing(Spec):
    """Questions to the model while it trains, answered from records that validate (`pretrain.probes`).

    They are asked before the first step as well: that is what the same encoder knows without any training. They change
    nothing of what is trained.

    Attributes:
        every: Steps between two of them; the last step is always one.
        names: Which, of `pretrain.probes.PROBES`; all that there is something to ask of by default.
        records: The most of each role that are embedded.
        neighbours: That a record of `knn` asks.
        ontology: Whose concepts are asked for: a graph of the package, or a file; that of the recipe by default, and
            `cardiac` where it has none.
    """

    every: PositiveInt = 500
    names: tuple[str, ...] = ()
    records: PositiveInt = 1024
    neighbours: PositiveInt = 20
    ontology: str | None = None


class Training(Spec):
    """How a run is carried out and watched.

    Attributes:
        keep_checkpoints: How many of the last checkpoints stay; that of the best validation stays besides.
        watch: Which validation is the best.
        final: Which weights become the model.
        strategy: What several processes hold of the weights.
        compile: What is compiled.
        processes: How many `biosig pretrain` starts on this machine. Under torchrun it is left out: the launcher says.
        timeout_minutes: How long a process waits for another one that is stuck before it ends the run.
        probes: Questions to the model while it trains; none by default.
        tensorboard: Whether to write the log for TensorBoard as well, into `tensorboard/` of the run.
        profile: Whether to measure where a step goes, and to print it at the end.
    """

    precision: Precision = Precision.AUTO
    device: Device = Device.AUTO
    log_every: PositiveInt = 10
    validate_every: PositiveInt = 100
    validation_batches: PositiveInt = 16
    checkpoint_every: PositiveInt = 100
    keep_checkpoints: PositiveInt = 2
    watch: Watch = Watch()
    final: Final = Final.LAST
    strategy: Strategy = Strategy.DDP
    compile: Compile = Compile.NONE
    processes: PositiveInt = 1
    timeout_minutes: PositiveFloat = 30.0
    probes: Probing | None = None
    tensorboard: bool = False
    profile: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Training":
        if self.compile is not Compile.NONE and self.strategy is Strategy.FSDP:
            raise ValueError(f"expected compile none where strategy is fsdp, got {self.compile}")
        if self.probes is not None and self.strategy is Strategy.FSDP:
            raise ValueError("expected no probes where strategy is fsdp: they need the weights as a whole")
        return self
