"""How is something called in a process of its own? In a fork, which answers through a pipe and is watched on a clock.

The fork has all that this process has, closures and modules too; nothing but the answer comes back. It is limited in
memory, its output is read and cut to its end, and whatever it started itself ends with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import io
import mmap
import os
import pickle
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import numpy as np

from gradcheck.oracles.isolation.waiting import LIMIT, NUMBER, READY, START, End, Slots, Waiting, last_line

Answer = TypeVar("Answer")
MEMORY = 8 * 2**30  # bytes that it may take over what it has: what is judged has some dozens of numbers
LIBRARIES = ("numpy", "scipy", "torch", "functorch", "jax", "mpmath", "sympy", "gradcheck")
learned: dict[str, None] = {}  # parts of them that a fork had to import: the next one shall have them
PR_SET_PDEATHSIG = 1  # of Linux: which signal a process gets when its parent dies


class NoFork(Exception):
    """A fork of this process does not run at all."""


@dataclass(frozen=True, slots=True)
class Told(Generic[Answer]):
    """What came of it; words: the last line that it printed."""

    answer: Answer | End
    words: str


def shared(more: int = 0) -> Slots:
    """Zeros that this process and its forks share: READY to NUMBER, and `more`."""
    return memoryview(mmap.mmap(-1, 8 * (NUMBER + 1 + more))).cast("d")


def begin(slots: Slots, number: int, limit: float) -> float:
    """Note that a call begins that may take `limit` seconds: its time."""
    slots[NUMBER], slots[LIMIT] = number, limit
    start = time.monotonic()
    slots[START] = start
    return start


def hindrance(library: str = "") -> str:
    """Why code, of a library perhaps, cannot be called in a fork of this process; "" where it can."""
    if not hasattr(os, "fork"):
        return "this system has no fork"
    jax = sys.modules.get("jax._src.xla_bridge")
    if library == "jax" and jax is not None and getattr(jax, "backends_are_initialized", lambda: True)():
        return "JAX was used in this process before, and stands still in a fork of it"
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if library == "torch" and cuda is not None and cuda.is_initialized():
        return "CUDA was used in this process before, and does not work in a fork of it"
    return ""


def forked(work: Callable[[], Answer], slots: Slots) -> Told[Answer]:
    """What `work` gives, called in a fork, or how that ended. Raises what it raises, and NoFork.

    work notes its calls of foreign code in `slots` (`begin`, and START back to 0): one past its limit ends the fork.
    """
    _import_learned()
    report, out = os.pipe(), os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a stream of the caller's may be closed, or of any kind
            stream.flush()
    slots[READY] = slots[START] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python 3.12 on, and JAX's: that there are other threads is known here
        pid = os.fork()
    if pid == 0:
        _child(work, slots, report[1], out[1])
    os.close(report[1])
    os.close(out[1])
    parent = Waiting(pid, report[0], out[0], slots)
    try:
        found = parent.waited_for()
    finally:
        parent.end()
    if not slots[READY]:
        raise NoFork("a fork of this process does not run")
    if isinstance(found, End):
        return Told(found, last_line(parent.said))
    answer, modules = found
    learned.update(dict.fromkeys(modules))
    if isinstance(answer, _Raised):
        answer.error.add_note(answer.trace)
        raise answer.error
    return Told(answer, last_line(parent.said))


def _import_learned() -> None:
    """What a fork imports is lost with it, and PyTorch's compiler takes seconds: the next one shall have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in [name for name in learned if name not in sys.modules]:
            with contextlib.suppress(Exception):  # a part that cannot be imported by itself is the fork's affair again
                importlib.import_module(name)
    learned.clear()


@dataclass
class _Raised:
    """What the work itself raised."""

    error: Exception
    trace: str


def _child(work: Callable[[], Any], slots: Slots, report: int, out: int) -> NoReturn:
    """The fork: nothing of it comes back but its report."""
    try:
        os.setsid()  # what it starts itself ends with it, and a Ctrl-C is the parent's affair
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (1, 2):
            os.dup2(out, number)
        sys.stdout = sys.stderr = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), line_buffering=True)
        faulthandler.enable(file=os.dup(out), all_threads=False)
        _limited()
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(1)  # the other threads of its pool are not in the fork
        np.ones((128, 128)) @ np.ones((128, 128))  # where linear algebra stands still in a fork, it does so here
        slots[READY] = 1.0
        before = set(sys.modules)
        found: Any
        try:
            found = work()
        except BaseException as error:  # the parent raises it, but nothing that would end the parent
            known = error if isinstance(error, Exception) else RuntimeError(repr(error))
            found = _Raised(known, traceback.format_exc())
        _send(report, found, [n for n in sys.modules if n not in before and n.partition(".")[0] in LIBRARIES])
    finally:
        os._exit(0)  # whatever the code has left running, or to be done at exit


def _send(report: int, found: Any, modules: list[str]) -> None:
    try:
        message = pickle.dumps((found, modules))
        pickle.loads(message)
    except Exception as error:  # an exception of foreign code may hold anything
        plain = _Raised(RuntimeError(str(getattr(found, "error", found))), f"not pickled: {error}")
        message = pickle.dumps((plain, modules))
    with os.fdopen(report, "wb") as file:
        file.write(len(message).to_bytes(8, "big") + message)


def _limited() -> None:
    """No core file, and no more memory than the process has and MEMORY (where the system tells how much that is)."""
    import resource  # there is none where there is no fork

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError, ValueError):  # macOS tells nothing here and sets no such limit
        with open("/proc/self/statm", encoding="ascii") as file:
            has = int(file.read().split()[5]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = has + MEMORY if hard == resource.RLIM_INFINITY else min(has + MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
