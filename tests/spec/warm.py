"""How much more than its own start does a command cost? Run as a script of its own.

A process that has loaded what `gradcheck lint` loads, and forks for every command: `python warm.py` reads one JSON
object a line ({"arguments", "folder"}) and answers each with what `measure.py` tells.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, Any, NoReturn

from measure import measured

from gradcheck.cli import main
from gradcheck.spec import load_many

VALID = "gradcheck: 1\nfunctions:\n  f: {inputs: {x: {}}, value: x**2, gradient: {x: 2*x}}\n"


def warm_up() -> None:
    """Load what is only loaded at the first file."""
    with tempfile.NamedTemporaryFile("w", suffix=".grad.yaml") as file:
        file.write(VALID)
        file.flush()
        load_many([file.name])


def run(arguments: Sequence[str], folder: str, out: IO[bytes], err: IO[bytes]) -> NoReturn:
    """The command itself, in the child: it ends as a process of its own would."""
    os.chdir(folder)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    code: Any = 70
    try:
        main(list(arguments), prog_name="gradcheck")
    except SystemExit as exit_:
        code = exit_.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def measure(arguments: Sequence[str], folder: str) -> dict[str, object]:
    """What `measured` tells of a fork that runs the command."""

    def fork(out: IO[bytes], err: IO[bytes]) -> int:
        pid = os.fork()
        if pid == 0:
            run(arguments, folder, out, err)
        return pid

    return measured(fork)


if __name__ == "__main__":
    warm_up()
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), flush=True)
