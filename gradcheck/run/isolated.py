"""How does code under test crash, hang or leave without taking anything else along? In a process of its own.

A judgement is made in a fork of this process. Before each call of the code it notes in shared memory which call that
is. Where the process ends, or a call does not come back, the parent has read which call was its end, and the judgement
is made once more, in a new fork, without that call (`oracles/watch.py`): that cell has crashed, all others are judged.
Where there can be no fork, the same is done in this process; then only what raises can be survived.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import mmap
import os
import pickle
import resource
import selectors
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.oracles.watch import CELL, KIND, KINDS, LIMIT, MOST, NUMBER, START, Death, Lost, Watch, too_slow

Answer = TypeVar("Answer")
Judge = Callable[[Watch], Answer]  # it notes its calls in the watch, and gives something that can be pickled
GIGABYTE = 2**30
MEMORY = 8 * GIGABYTE  # that the code may take over what the process has: its inputs have some dozens of numbers
KEPT = 16_384  # bytes of its output: room for what Python's fault handler says
SHOWN = 160  # characters of a line of it that are shown
TICK = 0.25  # seconds after which the parent looks at the clock
STILL = 60.0  # seconds without any call, after which a judgement stands still: between calls it takes less than one
FAREWELL = 1.0  # seconds for the fault handler to say where a call hangs
ASKED = "it was asked so"
READY = 5  # the slot that says that the child has begun
SLOTS = 6


@dataclass
class Ward:
    """How one judgement is kept apart. why: why it is not in a process of its own; "" where it is."""

    cells: Sequence[str]
    limit: float
    why: str = ""
    deaths: list[Death] = field(default_factory=list)
    words: str = ""  # the last line that the code printed

    def notes(self) -> list[str]:
        """What is to be said of the circumstances."""
        alike = dict.fromkeys((str(d), d.output) for d in self.deaths if d.output)
        cells = {of: ", ".join(dict.fromkeys(d.cell for d in self.deaths if (str(d), d.output) == of)) for of in alike}
        told = [f"{cells[of]}: {of[0]}: {of[1]}" for of in alike]
        if any(d.hung for d in self.deaths) and not self.why:
            told.append("it was called in a fork of this process; where it stands still only there: isolate=False")
        if self.why and self.why != ASKED:
            told.append(f"it was not called in a process of its own: {self.why}")
        return told + ([f"the code prints, last: {self.words}"] if self.words else [])


def hindrance(door: str) -> str:
    """Why code cannot be judged in a fork of this process; "" where it can."""
    if not hasattr(os, "fork"):
        return "this system has no fork"
    jax = sys.modules.get("jax._src.xla_bridge")
    if door == "jax" and jax is not None and getattr(jax, "backends_are_initialized", lambda: True)():
        return "JAX was used in this process before, and does not work in a fork of it"
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if door == "torch" and cuda is not None and cuda.is_initialized():
        return "CUDA was used in this process before, and does not work in a fork of it"
    return ""


def together(isolate: bool | str, door: str) -> str:
    """Why code of that door is to be judged in this process; "" where it is not. Raises UsageError."""
    if isolate not in (True, False, "auto"):
        raise UsageError(f"isolate is True, False or 'auto', not {isolate!r}")
    if not isolate:
        return ASKED
    why = hindrance(door)
    if why and isolate is True:
        raise UsageError(f"isolate=True cannot be: {why}")
    return why


def kept_apart(judge: Judge[Answer], ward: Ward) -> Answer:
    """What a judgement comes to, made as often as its calls put an end to it. Raises what it raises itself."""
    while True:
        found: Answer | Death = _here(judge, ward) if ward.why else _forked(judge, ward)
        if not isinstance(found, Death):
            return found
        if len(ward.deaths) >= MOST + 1:
            raise RuntimeError(f"the judgement dies without calling the code: {found.reason}")
        ward.deaths.append(found)


def _here(judge: Judge[Answer], ward: Ward) -> Answer | Death:
    """In this process: what the code prints is not shown, and a Ctrl-C is the user's, not the code's."""
    said = _Tail()
    with _sigint() as interrupted, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            return judge(Watch(ward.cells, ward.limit, ward.deaths, interrupted=interrupted))
        except Lost as lost:
            return lost.death
        finally:
            ward.words = _last_line(said.kept)


class _Tail(io.TextIOBase):
    """A stream that keeps the end of what is written."""

    kept = b""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept = (self.kept + text[-KEPT:].encode(errors="replace"))[-KEPT:]
        return len(text)

    def close(self) -> None:
        """It stays open, whatever the code does."""


@contextlib.contextmanager
def _sigint() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: a KeyboardInterrupt without that was raised by the code itself."""
    pressed: list[int] = []

    def note(number: int, frame: Any) -> NoReturn:
        pressed.append(number)
        raise KeyboardInterrupt

    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: mine  # in another thread nobody presses anything; another handler may raise it at any time
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class _Raised:
    """What the judgement itself raised, in the child."""

    error: Exception
    trace: str


def _forked(judge: Judge[Answer], ward: Ward) -> Answer | Death:
    """In a fork: its answer, or its death."""
    slots = np.frombuffer(mmap.mmap(-1, 8 * SLOTS), dtype=np.float64)
    report, out = os.pipe(), os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a stream of the caller's may be closed, or of any kind
            stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from Python 3.12 on, and from JAX: that there are threads is known here
        pid = os.fork()
    if pid == 0:
        _child(judge, ward, slots, report[1], out[1])
    os.close(report[1])
    os.close(out[1])
    child = _Child(pid, report[0], out[0], slots, ward)
    try:
        found = child.waited_for()
    finally:
        child.end()
    ward.words = _last_line(child.said)
    if not slots[READY]:
        raise RuntimeError("a fork of this process does not run; isolate=False judges without one")
    if isinstance(found, _Raised):
        found.error.add_note(found.trace)
        raise found.error
    return found  # type: ignore[no-any-return]  # as the judgement gave it


def _child(judge: Judge[Any], ward: Ward, slots: Any, report: int, out: int) -> NoReturn:
    """The fork: nothing of it comes back but its report."""
    try:
        os.setsid()  # what it starts itself ends with it, and a Ctrl-C is the parent's affair
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (1, 2):
            os.dup2(out, number)
        sys.stdout = sys.stderr = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), line_buffering=True)
        faulthandler.enable(file=os.dup(out), all_threads=False)
        _limited()
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(1)  # the other threads of its pool are not in the fork
        slots[READY] = 1
        found: Any
        try:
            found = judge(Watch(ward.cells, ward.limit, ward.deaths, slots))
        except Lost as lost:
            found = lost.death
        except Exception as error:  # a refusal, or a fault of gradcheck's own: the parent raises it
            found = _Raised(error, traceback.format_exc())
        _send(report, found)
    finally:
        os._exit(0)  # whatever the code has left running or to be done at exit


def _send(report: int, found: Any) -> None:
    try:
        message = pickle.dumps(found)
    except Exception as error:  # of what the judgement raised, anything may be
        message = pickle.dumps(_Raised(RuntimeError(f"{found}"), f"it cannot be pickled: {error}"))
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
class _Child:
    """A fork, from its parent's side."""

    pid: int
    report: int
    out: int
    slots: Any
    ward: Ward
    heard: bytes = b""
    said: bytes = b""
    status: int | None = None

    def waited_for(self) -> Any:
        """What it reports, or how it died."""
        number, since = -1.0, time.monotonic()
        with selectors.DefaultSelector() as both:
            for end in (self.report, self.out):
                os.set_blocking(end, False)
                both.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in both.select(min(TICK, self.ward.limit / 2)):
                    if self._read(key.fd) == 0:
                        both.unregister(key.fd)
                if self._complete():
                    return pickle.loads(self.heard[8:])
                if self._dead():
                    self._drain()
                    return pickle.loads(self.heard[8:]) if self._complete() else self._death(self._how())
                start, now = float(self.slots[START]), time.monotonic()
                if self.slots[NUMBER] != number:
                    number, since = self.slots[NUMBER], now
                if start and now - start > self.slots[LIMIT]:
                    self._last_words()
                    return self._death(too_slow(self.ward.limit), hung=True)
                if not start and now - since > max(STILL, self.ward.limit):
                    self._last_words()
                    return self._death("left the process standing still", hung=True)

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

    def _complete(self) -> bool:
        return len(self.heard) >= 8 and len(self.heard) - 8 == int.from_bytes(self.heard[:8], "big")

    def _drain(self) -> None:
        """The rest of what a dead process wrote: one that it started may hold the pipe open, and go on."""
        for end in (self.report, self.out):
            while self._read(end) > 0:
                pass

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

    def _death(self, reason: str, hung: bool = False) -> Death:
        called = bool(self.slots[START])
        kind = KINDS[int(self.slots[KIND])] if called else ""
        return Death(
            self.ward.cells[int(self.slots[CELL])], kind, int(self.slots[NUMBER]) if called else 0, reason, hung,
            _where(self.said),
        )  # fmt: skip

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
        for kill in (os.killpg, os.kill):  # the process may not have come to its own group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        while not self._dead():
            time.sleep(0.001)
        os.close(self.report)
        os.close(self.out)


def _last_line(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][-SHOWN:] if lines else ""


def _where(said: bytes) -> str:
    """Where in the code a process ended, as the fault handler says; else the last that it printed."""
    _, fault, after = said.decode(errors="replace").rpartition("Fatal Python error")
    if not fault:
        return _last_line(said)
    frames = [line.strip() for line in after.splitlines() if line.startswith("  File ")]
    return " from ".join(frames[:2])
