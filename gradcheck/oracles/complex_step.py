"""What does the function say of an imaginary step? f(x + ih) = f(x) + ih f'(x): a derivative without subtraction.

Only where every row that meets the moved numbers is complex-analytic; else the silence names the row that is not.
Each row's real part is its own value at the real parts, and its imaginary part must stay of the order of the step:
where it does not, the numbers have left the real function by a branch cut, and nothing is said of that point.
Source: Squire and Trapp (1998); Martins, Sturdza and Alonso, "The complex-step derivative approximation" (2003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY, Replay
from gradcheck.oracles.evidence import Array
from gradcheck.oracles.inquiry import Branch, Inquiry, evaluate, key

STEP = 2.0**-520  # in sizes of the input: its square, by which a cube at 0 errs, underflows; 150 powers of ten are left
STRAYED = 2.0**-170  # an imaginary part above this share of its row's value, or of 1, is no derivative times the step
LEFT = 2.0**-1000  # of the size of f, or of 1: what is left of the step may have underflowed, if it is smaller
FARTHEST = 300  # powers of two by which the step follows the sizes of inputs
CANCELLING = frozenset({"sinc", "tanhshrink"})  # analytic, but NumPy's formulas lose the imaginary part's digits near 0
ELEMENTS = 32  # a vjp takes one evaluation an element; more elements than this have their jvp only


def testify(inquiry: Inquiry) -> dict[str, Array]:
    """The jvp along the tangents, and the vjp of inputs of few elements, at every point; NaN where nothing is said."""
    found: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for branch in inquiry.branches:
            for name, value in _part(inquiry, branch).items():
                whole = found.setdefault(name, np.full((inquiry.case.points, *value.shape[1:]), np.nan))
                whole[branch.rows] = value
    return found


def _part(inquiry: Inquiry, branch: Branch) -> dict[str, Array]:
    """The answers for points that take the same branches."""
    case, rows = inquiry.case, branch.rows
    outputs = inquiry.spec.outputs
    tangents = {name: t[rows] for name, t in case.tangents.items()}
    pushed = _moved(inquiry, branch, tangents)
    answers = {key("jvp", o, outputs): pushed[o] for o in outputs}
    for name in inquiry.moving:
        x = case.inputs[name][rows]
        if x[0].size > ELEMENTS:
            continue
        slopes = np.empty((len(rows), x[0].size))
        for element, direction in enumerate(np.eye(x[0].size)):
            along = {name: np.broadcast_to(direction.reshape(x.shape[1:]), x.shape)}
            moved = _moved(inquiry, branch, along)
            slopes[:, element] = sum(_weighed(case.cotangents[o][rows], moved[o]) for o in outputs)
        answers[f"vjp:{name}"] = slopes.reshape(x.shape)
    return answers


def floors(inquiry: Inquiry, values: Mapping[str, Array]) -> dict[str, float]:
    """Quantity -> the size below which a derivative may have underflowed on the way. values: f, where it is known."""
    case, outputs = inquiry.case, inquiry.spec.outputs
    sizes = {o: max(1.0, _usual(values.get(key("value", o, outputs), np.ones(1)))) for o in outputs}
    along = _step(inquiry, case.tangents)
    found = {key("jvp", o, outputs): LEFT * sizes[o] / along for o in outputs}
    of_f = sum(max(1.0, _usual(case.cotangents[o])) * sizes[o] for o in outputs)
    for name in inquiry.moving:
        found[f"vjp:{name}"] = LEFT * of_f / _step(inquiry, {name: np.ones(1)})
    return found


def _weighed(ct: Array, moved: Array) -> Array:
    """<ct, dy> at every point."""
    total: Array = np.where(ct == 0, 0.0, ct * moved).reshape(len(ct), -1).sum(axis=1)
    return total


def _moved(inquiry: Inquiry, branch: Branch, tangents: Mapping[str, Array]) -> dict[str, Array]:
    """How each output moves with the inputs along real tangents: (points, *out)."""
    inputs: dict[str, Any] = dict(inquiry.rows_of(branch.rows))
    step = _step(inquiry, tangents)
    for name, tangent in tangents.items():
        inputs[name] = inputs[name] + 1j * (step * tangent)
    values = evaluate(inquiry.spec, ANALYTIC, inputs, inquiry.case.sizes, Replay(branch.path))
    return {o: np.asarray(np.imag(v), dtype=float) / step for o, v in values.items()}


def _step(inquiry: Inquiry, tangents: Mapping[str, Array]) -> float:
    """A step that moves the smallest input by `STEP` of its usual size: a power of two, the same in all units."""
    sizes = [_usual(inquiry.case.inputs[name]) / _usual(tangent) for name, tangent in tangents.items()]
    exponent = np.clip(np.round(np.log2(min(sizes, default=1.0))), -FARTHEST, FARTHEST)
    return float(STEP * 2.0**exponent)


def _usual(numbers: Array) -> float:
    """The median size of numbers that are not zero; 1 where all are."""
    sizes = np.abs(numbers[(numbers != 0) & np.isfinite(numbers)])
    return float(np.median(sizes)) if sizes.size else 1.0


class _Analytic:
    """The vocabulary on NumPy arrays, where complex ones meet only what is analytic."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        plain = getattr(NUMPY, name)

        def run(*args: Any, **params: Any) -> Any:
            if not any(np.iscomplexobj(a) for a in _leaves(args)):
                return plain(*args, **params)
            if not row.analytic or name in CANCELLING:
                raise Unsupported("complex_step", name)
            return _stayed(plain(*args, **params), plain(*map(_real, args), **params))

        return run


ANALYTIC = _Analytic()


def _stayed(value: Any, real: Any) -> Any:
    """A row's result with the value of the real row; NaN where it has left the real function."""
    if not np.iscomplexobj(value):
        return value
    imaginary = np.imag(value)
    strayed = ~(np.abs(imaginary) <= STRAYED * np.maximum(np.abs(real), 1.0))
    return np.where(strayed, np.nan, real) + 1j * np.where(strayed, np.nan, imaginary)


def _leaves(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _leaves(value)
        else:
            yield value


def _real(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_real, value))
    return np.real(value) if np.iscomplexobj(value) else value
