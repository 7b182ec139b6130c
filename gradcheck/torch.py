"""The signatures of `torch.autograd.gradcheck` and `gradgradcheck`, with our judgement: change one import line.

    from gradcheck.torch import gradcheck, gradgradcheck

Both return True, or raise `GradcheckError` (PyTorch's own, with the verdict in it); with raise_exception=False they
return False instead. docs/drop-ins.md says what each argument does here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.judge.first_look import Limits, alike, coarsely, same
from gradcheck.oracles.with_torch.demands import BATCH, again, batched, batched_forward, dtypes, undefined, zeros
from gradcheck.oracles.with_torch.library import GradcheckError
from gradcheck.oracles.with_torch.local import TorchLocal, differentiable, in_float64, row_of
from gradcheck.oracles.with_torch.twice import random_like, twice
from gradcheck.report.checked import Result
from gradcheck.run.check.at_point import Asked, fine_at_first_look, judged, missed

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

NARROW = "\nnote: judged in float32, in which few slopes are to be seen: give float64 tensors (and a module .double())"
NARROWED = "in float32 the gradient is another one than for the same numbers in float64"
ATOL, RTOL = 1e-5, 1e-3  # PyTorch's own, where only one of the two is given


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float | None = None, atol: float | None = None,
    rtol: float | None = None, raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
    masked: bool | None = None, check_sparse_nnz: bool | None = None, points: int = 1, seed: int = 0,
) -> bool:  # fmt: skip
    """Whether the gradients of func at `inputs` are right.

    inputs: a tensor or a tuple; those that require a gradient are judged, in float64, float32 or their complex types.
    atol, rtol: limits besides the bars; they never excuse. eps: not needed, the steps are found. points: at how many
    points, all but the given one inside the ranges of the inputs' own numbers.
    Raises GradcheckError where something is wrong or nothing could be decided, ValueError where no input requires a
    gradient, UsageError for what cannot be judged; what the function itself raises is passed on.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("one of check_forward_ad and check_backward_ad is to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("check_batched_grad=True needs check_backward_ad=True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("check_batched_forward_grad=True needs check_forward_ad=True")
    if eps is not None and not eps > 0:
        raise UsageError(f"eps = {eps!r} is no step")
    if points < 1:
        raise UsageError(f"points = {points} asks for nothing")
    if not nondet_tol >= 0:
        raise UsageError(f"nondet_tol = {nondet_tol!r} is no distance")
    del fast_mode, masked, check_sparse_nnz  # dense inputs have one way here, and sparse ones are refused
    limits = _limits(atol, rtol)
    demands = _Demands(
        check_undefined_grad and check_backward_ad, check_grad_dtypes, check_batched_grad, check_batched_forward_grad,
        limits, nondet_tol, Asked(check_backward_ad, check_forward_ad, points, seed),
    )  # fmt: skip
    complaint = next(_complaints(func, _tuple(inputs), demands), "")
    if complaint and raise_exception:
        raise GradcheckError(complaint)
    return not complaint


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float | None = None,
    atol: float | None = None, rtol: float | None = None, gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True, fast_mode: bool = False, masked: bool = False, points: int = 1, seed: int = 0,
) -> bool:  # fmt: skip
    """Whether the gradients of func's gradients are right, by its inputs and by `grad_outputs` (random ones if None).

    What is judged is that PyTorch's tape differentiates the backward pass rightly; whether that pass itself is right is
    `gradcheck`'s question. Arguments, return value and errors are as there.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("one of check_fwd_over_rev and check_rev_over_rev is to be True")
    for name, asked in (("check_undefined_grad", check_undefined_grad), ("check_batched_grad", check_batched_grad)):
        if asked and not check_rev_over_rev:
            raise AssertionError(f"{name}=True needs check_rev_over_rev=True")
    given = _tuple(inputs)
    if grad_outputs is None:
        cotangents = random_like(differentiable(func(*given)), gen_non_contig_grad_outputs)
    else:
        cotangents = _tuple(grad_outputs)
    return gradcheck(
        twice(func, given, cotangents), (*given, *cotangents), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked,
        points=points, seed=seed,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Demands:
    undefined: bool
    dtypes: bool
    batched: bool
    batched_forward: bool
    limits: Limits | None
    repeat: float
    asked: Asked


def _complaints(func: Callable[..., Any], given: tuple[Any, ...], demands: _Demands) -> Iterator[str]:
    """What is wrong, the first of it first: writes, numbers, then what a tape asks besides."""
    local = TorchLocal(func, given)
    name, asked = _called(func), demands.asked
    if not len(local.x):
        return
    exact = local if local.wrote else in_float64(local) or local
    if local.wrote:
        yield f"{name}: {local.wrote}"
    if asked.points > 1 or not fine_at_first_look(exact, asked):
        result = Result(name, judged(exact, asked, name), "given")
        if not result.passed:
            yield str(result) + ("" if exact.dtype == "float64" else NARROW)
    rng = np.random.default_rng(asked.seed)
    rows = [rng.normal(size=local.outputs[-1].place.stop) for _ in range(BATCH)]

    def equal(a: Any, b: Any) -> bool:
        return same(row_of(a), row_of(b), demands.repeat)

    def close(a: Any, b: Any) -> bool:
        return equal(a, b) or alike(row_of(a), row_of(b), local.dtype)

    told: list[Callable[[], str]] = []
    if asked.backward:
        told.append(lambda: again(local, rows[0], equal, close))
        if not demands.undefined:  # which asks the same, since PyTorch fills undefined gradients with zeros
            told.append(lambda: zeros(local))
    if asked.backward and exact is not local:
        told.append(lambda: "" if coarsely(local.vjp(local.x, rows[0]), exact.vjp(local.x, rows[0])) else NARROWED)
    if demands.limits is not None and demands.limits.binds(local.dtype):
        limits = demands.limits
        told.append(lambda: missed(local, limits))
    if demands.undefined:
        told.append(lambda: undefined(local))
    if demands.dtypes:
        told.append(lambda: dtypes(local, rows[0], asked.forward))
    if demands.batched:
        told.append(lambda: batched(local, rows, close))
    if demands.batched_forward:
        tangents = [rng.normal(size=len(local.x)) for _ in range(BATCH)]
        told.append(lambda: batched_forward(local, tangents, close))
    for ask in told:
        if text := ask() or local.wrote:
            yield f"{name}: {text}"


def _limits(atol: float | None, rtol: float | None) -> Limits | None:
    if atol is None and rtol is None:
        return None
    found = Limits(ATOL if atol is None else atol, RTOL if rtol is None else rtol)
    if not (found.atol >= 0 and found.rtol >= 0):
        raise UsageError(f"atol = {atol!r}, rtol = {rtol!r}: limits are not negative")
    return found


def _tuple(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, Sequence) else (given,)


def _called(func: Callable[..., Any]) -> str:
    owner = getattr(func, "__self__", None)
    if isinstance(owner, type):
        return f"{owner.__name__}.{getattr(func, '__name__', 'apply')}"
    return str(getattr(func, "__name__", type(func).__name__))
