"""The signature of `jax.test_util.check_grads`, with our judgement: change one import line.

    from gradcheck.jax import check_grads

It returns None, or raises AssertionError with the verdict. docs/drop-ins.md says what each argument does here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.judge.first_look import Limits, coarsely
from gradcheck.oracles.with_jax.local import JaxLocal, derived, float64, local_of, moving
from gradcheck.report.checked import Result
from gradcheck.run.check.at_point import Asked, fine_at_first_look, judged, missed

__all__ = ["check_grads"]

MODES = ("fwd", "rev", "lin")
DEFAULT = 1e-5  # JAX's own for float64, where only one of the two limits is given
NARROWED = "in float32 the gradient is another one than for the same numbers in float64"


def check_grads(
    f: Callable[..., Any], args: Sequence[Any], order: int, modes: Sequence[str] = ("fwd", "rev"),
    atol: Any = None, rtol: Any = None, eps: float | None = None, *, points: int = 1, seed: int = 0,
) -> None:  # fmt: skip
    """Whether the derivatives of f at args are right, up to an order, in the modes "fwd", "rev" and "lin".

    args: trees of arrays and numbers; what is real or complex moves. Judged in float64 where f takes it, whatever the
    dtype of args. atol, rtol: limits besides the bars (or by dtype); they never excuse. eps: not needed, the steps are
    found. points: at how many points, all but the given one inside the ranges of the arguments' own numbers.
    Raises AssertionError where something is wrong or nothing could be decided, UsageError for what cannot be judged;
    what f itself raises, and what JAX raises for a mode that f has not, is passed on.
    """
    wanted = [modes] if isinstance(modes, str) else list(modes)
    unknown = [m for m in wanted if m not in MODES]
    if unknown or not wanted:
        raise UsageError(f"modes = {modes!r}: some of {', '.join(MODES)} are expected")
    if order < 1:
        raise UsageError(f"order = {order!r} asks for nothing")
    if eps is not None and not eps > 0:
        raise UsageError(f"eps = {eps!r} is no step")
    if points < 1:
        raise UsageError(f"points = {points} asks for nothing")
    limits = _limits(atol, rtol)
    leaves, names, rebuilt = moving(args)

    def fn(*some: Any) -> Any:
        return f(*rebuilt(some))

    with float64():
        local = local_of(fn, leaves, names, "lin" in wanted)
        _judge(local, _called(f), order, wanted, limits, points, seed)
    if "rev" in wanted and any(np.asarray(x).dtype in (np.float32, np.complex64) for x in leaves):
        _as_given(fn, leaves, names, local, _called(f))


def _judge(
    local: JaxLocal, name: str, order: int, modes: Sequence[str], limits: Limits | None, points: int, seed: int
) -> None:
    """All modes at this order, then their derivatives at the next."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(size=len(local.x)), rng.normal(size=local.outputs[-1].place.stop)]
    if len(local.x):
        asked = Asked("rev" in modes, "fwd" in modes or "lin" in modes, points, seed)
        if points > 1 or not fine_at_first_look(local, asked):
            result = Result(name, judged(local, asked, name), "given")
            if not result.passed:
                raise AssertionError(str(result))
        if limits is not None and limits.binds(local.dtype) and (text := missed(local, limits)):
            raise AssertionError(f"{name}: {text}")
    for mode in modes if order > 1 else ():
        above = JaxLocal(derived(mode, local, rows), local.leaves, local.names, "lin" in modes)
        above.few = 1  # a derivative costs so much by itself that one trace is less
        _judge(above, f"the {mode} derivative of {name}", order - 1, modes, limits, points, seed)


def _as_given(fn: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str], local: JaxLocal, name: str) -> None:
    """The gradient in the caller's own types, beside the one that was judged."""
    narrow = JaxLocal(fn, leaves, names, linear=False)
    ones = np.ones(narrow.outputs[-1].place.stop)
    with float64():
        wide = local.vjp(local.x, ones)
    if not coarsely(narrow.vjp(narrow.x, ones), wide):
        raise AssertionError(f"{name}: {NARROWED}")


def _limits(atol: Any, rtol: Any) -> Limits | None:
    if atol is None and rtol is None:
        return None
    found = Limits(_one(atol), _one(rtol))
    if not (found.atol >= 0 and found.rtol >= 0):
        raise UsageError(f"atol = {atol!r}, rtol = {rtol!r}: limits are not negative")
    return found


def _one(limit: Any) -> float:
    """A limit as it holds for float64: given alone, or by dtype."""
    if isinstance(limit, Mapping):
        limit = {np.dtype(kind): value for kind, value in limit.items()}.get(np.dtype(np.float64))
    return DEFAULT if limit is None else float(limit)


def _called(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", type(f).__name__))
