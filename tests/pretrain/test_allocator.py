"""What is freed stays with the process, so that the next step has it at once, or goes back where it is told to."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import re, sys
from pathlib import Path
from pretrain.training.allocator import keep_freed_memory, return_freed_memory

def resident():
    return int(re.findall(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0]) // 1024

if sys.argv[1] == "keep":
    assert keep_freed_memory()
before = resident()
for _ in range(3):
    block = bytearray(200 << 20)
    block[::4096] = b"1" * len(block[::4096])
    del block
if sys.argv[1] == "keep":
    # Holes between what stays, which is no end of the heap.
    blocks = [bytearray(1 << 20) for _ in range(200)]
    del blocks[::2]
    full = resident()
    assert return_freed_memory()
    assert full - resident() > 80
    print(full - before)
else:
    print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc to tell")
def test_freed_memory_is_kept_only_when_told() -> None:
    grown = {
        how: int(subprocess.run([sys.executable, "-c", CODE, how], check=True, capture_output=True, text=True).stdout)
        for how in ("keep", "give back")
    }
    assert grown["give back"] < 50
    # Once, not three times.
    assert 150 < grown["keep"] < 300
