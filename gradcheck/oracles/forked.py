"""How is something called in a process of its own? In a fork, which answers through a pipe and is watched on a clock.

The fork has all that this process has, closures and modules too; nothing but the answer comes back. It is limited in
memory, its output is read and cut to its end, and whatever it started itself ends with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import io
import mmap
import os
import pickle
import resource
import selectors
import signal
import sys
import sysconfig
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

import numpy as np

Answer = TypeVar("Answer")
Slots: TypeAlias = "memoryview[float]"  # that both processes see
READY, START, LIMIT, NUMBER = range(
    4
)  # whether it runs; when the call under way began (0: none), its limit, its number
MEMORY = 8 * 2**30  # bytes that it may take over what it has: what is judged has some dozens of numbers
KEPT = 16_384  # bytes of its output: room for what Python's fault handler says
SHOWN = 160  # characters of a line of it that are shown
TICK = 0.25  # seconds after which the parent looks at the clock
STILL = 60.0  # seconds without any call, after which it stands still: between two calls it takes less than one
FAREWELL = 1.0  # seconds for the fault handler to say where a call hangs
OTHERS = (sysconfig.get_path("stdlib"), str(Path(__file__).parents[1]))  # folders of code that is not under test
PR_SET_PDEATHSIG = 1  # of Linux: which signal a process gets when its parent dies


class NoFork(Exception):
    """A fork of this process does not run at all."""


@dataclass(frozen=True, slots=True)
class End:
    """How a fork ended without an answer, whether within a call, whether it had to be ended, and its last words."""

    reason: str
    calling: bool
    hung: bool = False
    words: str = ""


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
    parent = _Parent(pid, report[0], out[0], slots)
    try:
        found = parent.waited_for()
    finally:
        parent.end()
    if not slots[READY]:
        raise NoFork("a fork of this process does not run")
    if isinstance(found, _Raised):
        found.error.add_note(found.trace)
        raise found.error
    return Told(found, last_line(parent.said))


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
        found: Any
        try:
            found = work()
        except BaseException as error:  # the parent raises it, but nothing that would end the parent
            known = error if isinstance(error, Exception) else RuntimeError(repr(error))
            found = _Raised(known, traceback.format_exc())
        _send(report, found)
    finally:
        os._exit(0)  # whatever the code has left running, or to be done at exit


def _send(report: int, found: Any) -> None:
    try:
        message = pickle.dumps(found)
        pickle.loads(message)
    except Exception as error:  # an exception of foreign code may hold anything
        message = pickle.dumps(_Raised(RuntimeError(str(getattr(found, "error", found))), f"not pickled: {error}"))
    with os.fdopen(report, "wb") as file:
        file.write(len(message).to_bytes(8, "big") + message)


def _limited() -> None:
    """No core file, and no more memory than the process has and MEMORY (where the system tells how much that is)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError, ValueError):  # macOS tells nothing here and sets no such limit
        with open("/proc/self/statm", encoding="ascii") as file:
            has = int(file.read().split()[5]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = has + MEMORY if hard == resource.RLIM_INFINITY else min(has + MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


@dataclass
class _Parent:
    """A fork, from its parent's side."""

    pid: int
    report: int
    out: int
    slots: Slots
    heard: bytes = b""
    said: bytes = b""
    status: int | None = None

    def waited_for(self) -> Any:
        """What it reports, or its end."""
        number, since = 0.0, time.monotonic()
        with selectors.DefaultSelector() as both:
            for end in (self.report, self.out):
                os.set_blocking(end, False)
                both.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in both.select(min(TICK, self.slots[LIMIT] / 2 or TICK)):
                    if self._read(key.fd) == 0:
                        both.unregister(key.fd)
                if self._complete():
                    return pickle.loads(self.heard[8:])
                if self._dead():
                    self._drain()
                    return pickle.loads(self.heard[8:]) if self._complete() else self._end(self._how())
                start, limit, now = float(self.slots[START]), float(self.slots[LIMIT]), time.monotonic()
                if self.slots[NUMBER] != number:
                    number, since = float(self.slots[NUMBER]), now
                if start and now - start > limit:
                    return self._end(too_slow(limit), hung=True)
                if not start and now - since > max(STILL, limit):
                    return self._end("left the process standing still", hung=True)

    def _read(self, end: int) -> int:
        """Take what is there: so many bytes; 0 where no more will come, -1 where more may."""
        try:
            chunk = os.read(end, 65_536)
        except BlockingIOError:
            return -1
        if end == self.report:
            self.heard += chunk
        else:
            self.said = (self.said + chunk)[-KEPT:]
        return len(chunk)

    def _drain(self) -> None:
        """The rest of what it wrote: another process that it started may hold the pipe open, and go on."""
        for end in (self.report, self.out):
            while self._read(end) > 0:
                pass

    def _complete(self) -> bool:
        return len(self.heard) >= 8 and len(self.heard) - 8 == int.from_bytes(self.heard[:8], "big")

    def _dead(self) -> bool:
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has waited for it
                pid, status = self.pid, 0
            self.status = status if pid else None
        return self.status is not None

    def _how(self) -> str:
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"ended the process (exit code {code})"
        name = signal.Signals(-code).name
        return f"ended the process ({name}{', out of memory?' * (name == 'SIGKILL')})"

    def _end(self, reason: str, hung: bool = False) -> End:
        calling = bool(self.slots[START])
        if hung:
            self._last_words()
        return End(reason, calling, hung, _where(self.said))

    def _last_words(self) -> None:
        """Let the fault handler say where it hangs."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGABRT)
        end = time.monotonic() + FAREWELL
        while not self._dead() and time.monotonic() < end:
            self._read(self.out)
            time.sleep(0.01)
        self._drain()

    def end(self) -> None:
        """Nothing of it stays."""
        for kill in (os.killpg, os.kill):  # it may not have come to its own group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        while not self._dead():
            time.sleep(0.001)
        os.close(self.report)
        os.close(self.out)


def too_slow(limit: float) -> str:
    """How a call ended that was not waited for any longer."""
    return f"does not come back: the limit is {limit:g} s"


def last_line(said: bytes) -> str:
    """The last line with something in it, cut."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][-SHOWN:] if lines else ""


def _where(said: bytes) -> str:
    """Where in the code a process ended, as the fault handler says; else the last that it printed."""
    _, fault, after = said.decode(errors="replace").rpartition("Fatal Python error")
    if not fault:
        return last_line(said)
    frames = [line.strip() for line in after.splitlines() if line.startswith("  File ")]
    own = [frame for frame in frames if not any(folder in frame for folder in OTHERS)]
    return (own or frames or [""])[0]
