"""Rules that do to their process what no rule may: right ones, but for what they do when handed only zeros."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

CALLED_OUT = 10 * 2**20  # bytes: what a flood of output prints


def segfaults() -> None:
    ctypes.string_at(0)


def loops() -> None:
    while True:
        pass


def stays_in_c() -> None:
    ctypes.PyDLL(None).pause()  # never comes back to the interpreter, and never lets another thread in


def takes_all_memory() -> None:
    np.ones(100 * 2**30 // 8)


def leaves() -> None:
    os._exit(0)  # as if all were well


def exits() -> None:
    sys.exit(0)


def interrupts() -> None:
    raise KeyboardInterrupt


def raises() -> None:
    raise ArithmeticError("no gradient today")


def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def aborts() -> None:
    os.abort()


def prints() -> None:
    for _ in range(64):
        print("x" * (CALLED_OUT // 64))


def prints_at_once() -> None:
    os.write(1, b"y" * 2**20)


def closes_stdout() -> None:
    sys.stdout.close()
    sys.stderr.close()
    for number in (1, 2):
        with contextlib.suppress(OSError):  # the second time
            os.close(number)


def changes_the_folder() -> None:
    os.chdir("/")


def makes_numpy_raise() -> None:
    np.seterr(all="raise")


def seeds_everything() -> None:
    random.seed(0)
    np.random.seed(0)


def leaks_a_thread() -> None:
    threading.Thread(target=threading.Event().wait).start()  # no daemon: a process would wait for it at its end


def forks_and_goes_on() -> None:
    os.fork()


# what each comes to in the cell `zero`, in a process of its own, and a part of what is said of it
CRASHING: dict[Callable[[], None], str] = {
    segfaults: "ended the process (SIGSEGV)",
    loops: "does not come back: the limit is 1 s",
    stays_in_c: "does not come back: the limit is 1 s",
    takes_all_memory: "raises MemoryError",
    leaves: "ended the process (exit code 0)",
    exits: "raises SystemExit: 0",
    interrupts: "raises KeyboardInterrupt",
    raises: "raises ArithmeticError: no gradient today",
    is_killed: "ended the process (SIGKILL, out of memory?)",
    aborts: "ended the process (SIGABRT)",
}
# those that spoil nothing that is asked for, and a note of them
HARMLESS: dict[Callable[[], None], str] = {
    prints: "the code prints",
    prints_at_once: "the code prints",
    closes_stdout: "",
    changes_the_folder: "the code changes the working directory",
    makes_numpy_raise: "",
    seeds_everything: "the code changes Python's random numbers, NumPy's global random numbers",
    leaks_a_thread: "the code leaves",
    forks_and_goes_on: "",
}
HERE = {exits, interrupts, raises, takes_all_memory}  # what can be survived without a process of its own


def sine(x: Any) -> Any:
    return np.sin(x)


def rule(deed: Callable[[], None] = lambda: None) -> Callable[[Any, Any], Any]:
    """The vjp of sine that does something else, too, where its cotangent is zero."""

    def sine_vjp(inputs: Any, ct: Any) -> Any:
        if not np.any(ct):
            deed()
        return (ct * np.cos(inputs[0]),)

    return sine_vjp


def sine_rule(inputs: Any, ct: Any) -> Any:
    return (ct * np.cos(inputs[0]),)


def sine_but_at_zero(x: Any) -> Any:
    """Ends the process where any number is 0."""
    if not np.all(x):
        os._exit(9)
    return np.sin(x)


def sine_but_below_zero(x: Any) -> Any:
    """Loops for ever where a number is negative, which only a step from a point of [0, 1] can be."""
    while np.any(np.asarray(x, float) < 0):
        pass
    return np.sin(x)


def dies_everywhere(inputs: Any, ct: Any) -> Any:
    os._exit(3)


def strided(inputs: Any, ct: Any) -> Any:
    """Reads memory as C would: ends the process where an array is not laid out one number after the other."""
    if not (inputs[0].flags.c_contiguous and ct.flags.c_contiguous):
        segfaults()
    return sine_rule(inputs, ct)


def doubles_only(inputs: Any, ct: Any) -> Any:
    if inputs[0].dtype == np.float32:
        segfaults()
    return sine_rule(inputs, ct)


def no_objects(x: Any) -> Any:
    """Ends the process where it is handed an array of anything but numbers."""
    if np.asarray(x).dtype == object:
        segfaults()
    return np.tanh(x)


def draws(inputs: Any, ct: Any) -> Any:
    """Uses the global random numbers, as dropout does."""
    return (ct * np.cos(inputs[0]) * np.random.normal(1, 1e-3),)


def writes(inputs: Any, ct: Any) -> Any:
    found = sine_rule(inputs, ct)
    inputs[0][...] = 0
    return found
