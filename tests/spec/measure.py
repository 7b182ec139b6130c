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


def measure(command: list[str]) -> dict[str, object]:
    """Processor seconds, seconds waited, peak resident megabytes, exit code and the two outputs of a command."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return {
            "seconds": usage.ru_utime + usage.ru_stime,
            "waited": seconds,
            "megabytes": usage.ru_maxrss / 1024,
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode("utf-8", "replace"),
            "err": err.read().decode("utf-8", "replace"),
        }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:])))
