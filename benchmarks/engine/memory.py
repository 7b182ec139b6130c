"""How much memory does one forward and backward pass take at most, and is it all given back?

Two measures: `tracemalloc` sees every byte of Python and NumPy (ours only), and the peak of the process's resident
memory, each way in a process of its own, compares libraries that bring allocators of their own (Linux only):

    python -m benchmarks.engine.memory WAY ELEMENTS
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

from benchmarks.engine import objectives, one_core
from benchmarks.engine.measure import Work
from benchmarks.engine.peers import OURS, PEERS, PLAIN_VALUE, VALUE

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}  # large arrays leave when freed


def traced_peak(work: Work) -> int:
    """The most bytes that `work` had at one time, beyond what there was before."""
    work()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - before


def growth(work: Work, times: int) -> tuple[int, int]:
    """Bytes that stay behind after `times` calls: without the collector of cycles, and once it has been through."""
    tracemalloc.start()
    for _ in range(20):
        work()
    gc.collect()
    gc.disable()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(times):
        work()
    alone = tracemalloc.get_traced_memory()[0] - before
    gc.enable()
    gc.collect()
    collected = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return alone, collected


def resident(field: str) -> int:
    """Bytes of resident memory, now (VmRSS) or at the peak (VmHWM)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def resident_peak(way: str, elements: int) -> int | None:
    """The peak of one pass of the chain beyond what was resident before; None where the system does not tell."""
    if not FORGET.exists():
        return None
    command = [sys.executable, "-m", "benchmarks.engine.memory", way, str(elements)]
    env = os.environ | GIVE_BACK | {"PYTHONPATH": os.pathsep.join(sys.path)}  # the same modules as here
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return int(told.stdout)


def main(way: str, elements: int) -> None:
    one_core()
    peer = {**OURS, **PEERS, VALUE: PLAIN_VALUE}[way]
    small, large = objectives.chain_of(1_000), objectives.chain_of(elements)
    peer.prepare(small.function, small.arguments, small.moving)()  # what is put off until the first call
    work = peer.prepare(large.function, large.arguments, large.moving)
    gc.collect()
    FORGET.write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    work()
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
