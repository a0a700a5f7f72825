"""Which arithmetic the towers have on this machine."""

from __future__ import annotations

from pathlib import Path

import torch

from pretrain.specs.execution import Device, Precision


def resolve_precision(asked: Precision, device: Device) -> Precision:
    """What `auto` means here: bfloat16 on a GPU that has it, or on a CPU with AMX tiles; float32 elsewhere."""
    if asked is not Precision.AUTO:
        return asked
    if device is not Device.CPU and torch.cuda.is_available():
        return Precision.BF16 if torch.cuda.is_bf16_supported() else Precision.FLOAT32
    return Precision.BF16 if _has_amx() else Precision.FLOAT32


def _has_amx() -> bool:
    # torch names AMX only in a private function of varying name; the kernel's list does not vary.
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
