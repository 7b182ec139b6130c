"""How long does a command take, and how much memory? Run as a script of its own.

A process inherits its starter's peak memory in the kernel's books, so this small one stands in between:
`python -S measure.py COMMAND…` prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO


def measured(start: Callable[[IO[bytes], IO[bytes]], int]) -> dict[str, object]:
    """Processor seconds, seconds waited, peak resident megabytes, exit code and the two outputs of a process.

    start(out, err) starts it with these files for its outputs and gives its number.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        _, status, usage = os.wait4(start(out, err), 0)
        waited = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        return {
            "seconds": usage.ru_utime + usage.ru_stime,
            "waited": waited,
            "megabytes": usage.ru_maxrss / 1024,
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode("utf-8", "replace"),
            "err": err.read().decode("utf-8", "replace"),
        }


def measure(command: list[str]) -> dict[str, object]:
    """What `measured` tells of a command."""

    def spawn(out: IO[bytes], err: IO[bytes]) -> int:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        return os.posix_spawn(command[0], command, os.environ, file_actions=actions)

    return measured(spawn)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:])))
