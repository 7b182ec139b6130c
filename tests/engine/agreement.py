"""What do our engine, PyTorch and JAX say about one row of the vocabulary, and where do they differ?

A `Question` is a call of a row with its arrays. `engine_says`, `torch_says` and `jax_says` answer it with the value and
the derivatives of both modes and both orders, `differences` compares two answers in units of roundoff. The questions
are in `agreement_questions.py`, the tests in `test_rows_agree.py`.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.engine import hvp, jvp, vjp
from gradcheck.expr import NUMPY, VOCABULARY, Batch, Batched
from gradcheck.expr.unknown import Unknown

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "complex128": 2.0**-53, "complex64": 2.0**-24}
MODES = ("value", "vjp", "jvp", "forward over reverse", "reverse over reverse")
Answers = Mapping[str, Sequence[Any]]  # value and jvp: an array for each output; else one for each moving argument
Layout = Callable[[Any], Any]
FRAGILE = {"conv1d", "conv2d"}  # XLA's algebraic simplifier ends the process: reverse over reverse of grouped, dilated


@dataclass(frozen=True)
class Question:
    """A row, what it is called with, and what is peculiar about the arrays."""

    name: str
    args: Sequence[Any]  # arrays, plain numbers, and lists of arrays
    params: Mapping[str, Any] = field(default_factory=dict)
    variant: str = "as is"
    points: bool = False  # the arrays have a leading axis of points, which `Batch` carries

    @property
    def moving(self) -> list[Any]:
        """The arrays that derivatives are asked by: those of real or complex numbers, by which one is known."""
        found: list[Any] = []
        for i, arg in enumerate(self.args):
            mapped(lambda a, i=i: found.append(a) if self._moves(a, i) else None, [arg])
        return found

    def _moves(self, array: Any, i: int) -> bool:
        return array.dtype.kind in "fc" and VOCABULARY[self.name].differentiable and not refuses(self.name, i)

    def call(self, xp: Any, *moving: Any) -> Any:
        """The row in a namespace, with other values in the places of the moving arrays."""
        rest, wrap = iter(moving), Batched if self.points else lambda a: a
        args = []
        for i, arg in enumerate(self.args):
            args += mapped(lambda a, i=i: wrap(next(rest) if self._moves(a, i) else a), [arg])
        result = getattr(Batch(xp) if self.points else xp, self.name)(*args, **self.params)
        if isinstance(result, tuple | list):  # JAX's meshgrid gives a list
            return tuple(y.data if isinstance(y, Batched) else y for y in result)
        return result.data if isinstance(result, Batched) else result

    def changed(self, change: Layout, variant: str, points: bool = False) -> Question:
        """The same call with every array changed."""
        return Question(self.name, mapped(change, self.args), self.params, variant, points)

    def __str__(self) -> str:
        params = ", ".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.name}({params}), {self.variant}"


def refuses(name: str, i: int) -> bool:
    """Whether a row says of an argument that it knows no derivative by it; then the argument stays where it is."""
    slopes = VOCABULARY[name].slopes or ()
    return i < len(slopes) and isinstance(slopes[i], Unknown)


def mapped(change: Callable[[Any], Any], args: Sequence[Any]) -> list[Any]:
    """Arrays changed by a function, also those in lists; plain numbers stay what they are."""
    one = lambda a: change(a) if isinstance(a, np.ndarray) else a  # noqa: E731
    return [[one(x) for x in a] if isinstance(a, list) else one(a) for a in args]


def flat(out: Any) -> list[Any]:
    """The outputs of a call."""
    return list(out) if isinstance(out, tuple | list) else [out]


def directions(asked: Question) -> tuple[Any, list[Any]]:
    """A cotangent for the result and a tangent for every moving array, of few digits, always the same."""
    with np.errstate(all="ignore"):
        out = asked.call(NUMPY, *asked.moving)
    rng = np.random.default_rng(zlib.crc32(asked.name.encode()))

    def drawn(like: Any) -> Any:
        numbers = np.asarray(rng.integers(8, 64, np.shape(like)) / 64 * rng.choice([-1, 1], np.shape(like)))
        if np.asarray(like).dtype.kind == "c":
            numbers = numbers + 1j * rng.integers(-64, 64, np.shape(like)) / 64
        return numbers.astype(np.result_type(like, np.float32)) if np.asarray(like).dtype.kind in "fc" else numbers

    cts = tuple(drawn(y) for y in flat(out))
    return cts if isinstance(out, tuple) else cts[0], [drawn(a) for a in asked.moving]


def engine_says(asked: Question, namespace: Any = NUMPY, layout: Layout = np.array) -> Answers:
    """Our engine's answers. The arrays are laid out in memory as wanted, and locked against being written to."""
    ct, tangents = directions(asked)
    ct = tuple(map(_locked(layout), ct)) if isinstance(ct, tuple) else _locked(layout)(ct)
    arrays, tangents = list(map(_locked(layout), asked.moving)), list(map(_locked(layout), tangents))

    def along(xp: Any, *x: Any) -> Any:
        parts = zip(vjp(asked.call, xp, x, ct)[1], tangents, strict=True)
        return tuple(xp.sum(xp.real(xp.multiply(part, t)), axis=None, keepdims=False) for part, t in parts)

    with np.errstate(all="ignore"):
        if not arrays:
            return {"value": flat(asked.call(namespace))}
        value, pulled = vjp(asked.call, namespace, arrays, ct)
        return {
            "value": flat(value),
            "vjp": pulled,
            "jvp": flat(jvp(asked.call, namespace, arrays, tangents)[1]),
            "forward over reverse": hvp(asked.call, namespace, arrays, ct, tangents)[1],
            "reverse over reverse": vjp(along, namespace, arrays, tuple(np.ones((), a.real.dtype) for a in arrays))[1],
        }


def _locked(layout: Layout) -> Layout:
    def change(array: Any) -> Any:
        array = np.asarray(layout(array))
        array.flags.writeable = False
        return array

    return change


def torch_says(asked: Question, without: Sequence[str] = ()) -> Answers:
    """PyTorch's answers, in the modes that are not excepted."""
    import torch

    from gradcheck.oracles.with_torch.names import TorchNamespace, array

    asked = asked.changed(np.array, asked.variant, asked.points)  # PyTorch warns of arrays that are locked

    def f(*moving: Any) -> Any:
        return asked.call(TorchNamespace(), *moving)

    def pull(*moving: Any) -> Any:
        return torch.func.vjp(f, *moving)[1](ct)

    xs = tuple(map(array, asked.moving))
    given, tangents = directions(asked)
    ct = tuple(map(array, given)) if isinstance(given, tuple) else array(given)
    ts = tuple(map(array, tangents))
    leaves = [x.clone().requires_grad_() for x in xs]
    loose = {"allow_unused": True, "materialize_grads": True}

    def reverse() -> Any:
        return torch.autograd.grad(flat(f(*leaves)), leaves, flat(ct), create_graph=True, **loose)

    def twice() -> Any:
        along = sum((g * t).real.sum() for g, t in zip(reverse(), ts, strict=True))
        return torch.autograd.grad(along, leaves, **loose) if along.requires_grad else list(map(torch.zeros_like, xs))

    ways = {
        "value": lambda: flat(f(*xs)),
        "vjp": reverse,
        "jvp": lambda: flat(torch.func.jvp(f, xs, ts)[1]),
        "forward over reverse": lambda: torch.func.jvp(pull, xs, ts)[1],
        "reverse over reverse": twice,
    }
    wanted = [mode for mode in (MODES if xs else MODES[:1]) if mode not in without]
    with warnings.catch_warnings():  # the first use of forward mode loads parts of PyTorch that PyTorch deprecates
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*degrees of freedom is <= 0")  # of the variance of nothing
        return {mode: [y.detach().numpy(force=True) for y in ways[mode]()] for mode in wanted}


def jax_says(asked: Sequence[Question], without: Sequence[str] = ()) -> list[Answers]:
    """JAX's answers to several questions, compiled at once and in haste: compiling is what takes the time.

    In the modes that are not excepted; forward over reverse and reverse over reverse are excepted together.
    """
    from gradcheck.oracles.with_jax.library import jax, jnp
    from gradcheck.oracles.with_jax.names import JaxNamespace

    def conjugate(tree: Any) -> Any:
        return jax.tree.map(jnp.conj, tree)  # JAX's complex gradients are the conjugates of PyTorch's, and of ours

    def one(question: Question, xs: Any, ct: Any, ts: Any) -> Any:
        def f(*moving: Any) -> Any:
            return question.call(JaxNamespace(), *moving)

        def pull(*moving: Any) -> Any:
            return jax.vjp(f, *moving)[1](conjugate(ct))

        if not xs:
            return {"value": [f()]}
        value, pushed = jax.jvp(f, xs, ts)
        if MODES[3] in without:
            return dict(zip(MODES, [flat(value), conjugate(pull(*xs)), flat(pushed)], strict=False))
        pulled, moved = jax.jvp(pull, xs, ts)
        again = jax.vjp(pull, *xs)[1](conjugate(ts))
        answers = [flat(value), conjugate(pulled), flat(pushed), conjugate(moved), conjugate(again)]
        return dict(zip(MODES, answers, strict=True))

    given = []
    for question in asked:
        ct, tangents = directions(question)
        given.append(jax.tree.map(jnp.asarray, (tuple(question.moving), ct, tuple(tangents))))
    hasty: dict[str, Any] = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    if any(question.name in FRAGILE for question in asked):
        hasty["xla_disable_hlo_passes"] = "algsimp"
    together = jax.jit(lambda given: [one(q, *g) for q, g in zip(asked, given, strict=True)])
    answers: list[Answers] = jax.tree.map(np.asarray, together.lower(given).compile(compiler_options=hasty)(given))
    return answers


def differences(ours: Answers, theirs: Answers, units: float = 64.0, size: float | None = None) -> list[str]:
    """Everything that differs: other shapes, other kinds of numbers, numbers more than so many units of roundoff apart.

    A unit is relative to `size`, or else to the largest number of the answer (by all arguments, since what adds up to
    one argument may cancel). Where one side is all zero, which is exact, and the other mere rounding, it is relative to
    the first derivatives, of which the rounding is.
    """
    found: list[str] = []
    first = max(largest(theirs.get("vjp", ())), largest(theirs.get("jvp", ())))
    for mode, wanted in theirs.items():
        unit = largest(wanted) if size is None else size
        if mode != "value" and (unit == 0 or largest(ours[mode]) == 0):
            unit = max(unit, first)
        for i, (got, want) in enumerate(zip(ours[mode], wanted, strict=True)):
            if told := _apart(np.asarray(got), np.asarray(want), unit, units):
                found.append(f"{mode} [{i}]: {told}: {got}, should be {want}")
    return found


def largest(arrays: Sequence[Any]) -> float:
    """The largest finite number of some arrays."""
    return max((float(np.max(np.abs(a), where=np.isfinite(a), initial=0.0)) for a in arrays), default=0.0)


def _apart(got: Any, want: Any, size: float, units: float) -> str:
    """How two arrays differ; nothing where they agree."""
    if got.shape != want.shape:
        return f"shape {got.shape}, should be {want.shape}"
    if got.dtype.kind not in "fc":
        return "" if np.array_equal(got, want) else f"other numbers, of {got.dtype}"
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True) or not np.all(np.isfinite(got[finite])):
        return "other infinities or nan"
    apart = np.max(np.abs(got[finite].astype(want.dtype) - want[finite]), initial=0.0) / UNIT[str(got.dtype)]
    return "" if apart <= units * size else f"{apart / size if size else np.inf:.3g} units apart"
