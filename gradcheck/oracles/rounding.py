"""How far may float64 evaluation of this formula be off? A running error bound, carried by every number.

`BOUNDED` is a namespace over `Bounded` values: NumPy arrays with a first-order bound on the rounding error each element
has picked up on its way (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.3). Elementwise rows give
it through their slopes: the error of f(x, y) is |f_x| e_x + |f_y| e_y plus the rounding of f itself. It sees
cancellation, steep functions and long sums, and since the engine's rules are written against `xp`, the same rules
bound the error of a derivative. First order: a stand-in for proven enclosures, with the same place in the house.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY, Batching, Primitive
from gradcheck.expr.rows_complex import INVERSE
from gradcheck.expr.rows_product import with_initial
from gradcheck.expr.rules import axes_of, one_axis
from gradcheck.oracles.inquiry import Numbers
from gradcheck.oracles.rounding_arrays import BOUNDS
from gradcheck.oracles.rounding_linalg import BOUNDS as MATRIX_BOUNDS
from gradcheck.oracles.rounding_linalg import Bound
from gradcheck.oracles.rounding_special import OWN_ERROR, steepness

UNIT = 2.0**-53  # unit roundoff of float64
TINY = 2.0**-1074  # one subnormal step: the error of underflow
EXACT = frozenset(
    "negative positive abs sign floor ceil round trunc maximum minimum clip where copysign relu "
    "zeros ones eye fmod zeros_like ones_like empty_like conj real imag".split()
)  # results that are not rounded
BASIC = frozenset("add subtract multiply divide square sqrt reciprocal".split())  # correctly rounded by IEEE 754
SCALING = frozenset({"multiply"})  # by a power of two: exact
LIBRARY_ULP = 4.0  # what NumPy's and SciPy's other functions are allowed, in units of roundoff


class Bounded:
    """An array and a bound on the rounding error of each element (same shape, >= 0)."""

    __slots__ = ("err", "value")

    def __init__(self, value: Any, err: Any) -> None:
        self.value = value
        self.err = err

    @property
    def data(self) -> Any:
        """The values alone (what a condition looks at)."""
        return self.value

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(np.shape(self.value))

    @property
    def ndim(self) -> int:
        return int(np.ndim(self.value))

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.asarray(self.value).dtype

    def __add__(self, other: Any) -> Any:
        return BOUNDED.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return BOUNDED.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return BOUNDED.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return BOUNDED.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return BOUNDED.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return BOUNDED.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return BOUNDED.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return BOUNDED.divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return BOUNDED.pow(self, other)

    def __neg__(self) -> Any:
        return BOUNDED.negative(self)

    __array_ufunc__ = None  # NumPy arrays hand their operators over to ours


def value_of(x: Any) -> Any:
    """The number without its bound."""
    return x.value if isinstance(x, Bounded) else x


def error_of(x: Any) -> Any:
    """The bound; an exact number has none."""
    return x.err if isinstance(x, Bounded) else 0.0


def exact(x: Any) -> Bounded:
    """An input: exact as it stands."""
    if isinstance(x, Bounded):
        return x
    x = np.asarray(x, dtype=float)
    return Bounded(x, np.zeros_like(x))


def _scaled(slope: Any, err: Any) -> Any:
    """|slope| * err, where an exact number contributes nothing however steep the slope."""
    product = np.abs(slope) * err
    return np.where(np.asarray(err) == 0, 0.0, product)


def _elementwise(row: Primitive) -> Callable[..., Any]:
    assert row.slopes is not None
    slopes = row.slopes
    own = 0.0 if row.name in EXACT else UNIT * (1.0 if row.name in BASIC else LIBRARY_ULP)
    special = OWN_ERROR.get(row.name)

    def function(*args: Any, **params: Any) -> Any:
        values = [value_of(a) for a in args]
        y = row.numpy(*values, **params)
        if np.asarray(y).dtype.kind not in "fc":
            return y
        exact_here = row.name in SCALING and any(_power_of_two(v) for v in values)
        rounding = 0.0 if exact_here else own * np.abs(y) if special is None else special(y, *values)
        err: Any = rounding + (TINY if own else 0.0)
        for i, (slope, arg) in enumerate(zip(slopes, args, strict=True)):
            if slope is None or not isinstance(arg, Bounded) or not np.any(arg.err):
                continue
            err = err + _scaled(_steepness(row, slope, i, y, values), arg.err)
        return Bounded(y, np.broadcast_to(err, np.shape(y)))

    return function


def _power_of_two(x: Any) -> bool:
    """Whether x is one number by which multiplying rounds nothing."""
    return np.ndim(x) == 0 and not np.iscomplexobj(x) and abs(np.frexp(float(x))[0]) == 0.5


def _steepness(row: Primitive, slope: Any, i: int, y: Any, values: list[Any]) -> Any:
    """How much the result moves at most when the argument moves by one; of a complex argument, in any direction."""
    if row.wirtinger is None or np.asarray(values[0]).dtype.kind != "c":
        return steepness(row.numpy, slope, i, y, values)
    return sum(np.abs(part(NUMPY, y, *values) if callable(part) else part) for part in row.wirtinger[0])


def _moving(row: Primitive) -> Callable[..., Any]:
    """Rows that only move numbers: the bounds move along."""

    def function(*args: Any, **params: Any) -> Any:
        y = row.numpy(*[_values(a) for a in args], **params)
        return Bounded(y, row.numpy(*[_errors(a) for a in args], **params))

    return function


def _values(arg: Any) -> Any:
    return [value_of(a) for a in arg] if isinstance(arg, list | tuple) else value_of(arg)


def _errors(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return [_errors(a) for a in arg]
    return arg.err if isinstance(arg, Bounded) else np.zeros_like(np.asarray(arg, dtype=float))


def _summing(row: Primitive) -> Callable[..., Any]:
    """Linear rows that add numbers up: bounds add up, and every addition rounds."""

    def function(arg: Any, **params: Any) -> Any:
        x = value_of(arg)
        y = row.numpy(x, **params)
        terms = max(np.size(x) / max(np.size(y), 1), np.shape(x)[-1] if np.ndim(x) else 1, 1)
        rounding = (terms + 1) * UNIT * row.numpy(np.abs(x), **params)
        return Bounded(y, np.abs(row.numpy(_errors(arg), **params)) + rounding + TINY)

    return function


def _transforming(row: Primitive) -> Callable[..., Any]:
    """Fourier transforms: every result is a sum of all numbers, each times a root of unity."""

    def function(arg: Any, n: Any, axis: int, norm: str) -> Any:
        x, errors = value_of(arg), _errors(arg)
        y = row.numpy(x, n=n, axis=axis, norm=norm)
        points = max(np.shape(y)[axis], np.shape(x)[axis], 1)
        scale = {"forward": 1.0 / points, "ortho": points**-0.5, "backward": 1.0}
        factor = scale[norm] if row.name in ("fft", "rfft") else scale[INVERSE[norm]]
        twice = 2.0 if row.name == "irfft" else 1.0  # the frequencies that are left out count too
        stages = 4.0 * np.log2(2 * points) * UNIT
        total = np.sum(np.abs(errors) + stages * np.abs(x), axis=axis, keepdims=True)
        return Bounded(y, np.broadcast_to(twice * factor * total + TINY, np.shape(y)))

    return function


def _bilinear(row: Primitive) -> Callable[..., Any]:
    def function(left: Any, right: Any, **params: Any) -> Any:
        a, b = np.asarray(value_of(left)), np.asarray(value_of(right))
        y = row.numpy(a, b, **params)
        terms = a.shape[-1] if a.ndim else 1
        err = (terms + 2) * UNIT * row.numpy(np.abs(a), np.abs(b), **params) + TINY
        for x, e in (((np.abs(a), error_of(right)), True), ((error_of(left), np.abs(b)), False)):
            if np.any(x[1] if e else x[0]):
                first, second = np.broadcast_to(x[0], a.shape), np.broadcast_to(x[1], b.shape)
                err = err + row.numpy(first, second, **params)
        return Bounded(y, err)

    return function


def _composed(row: Primitive, formula: Callable[..., Any]) -> Callable[..., Any]:
    """The value from the row itself, the bound from a formula in simpler rows."""

    def function(*args: Any, **params: Any) -> Any:
        y = row.numpy(*[_values(a) for a in args], **params)
        return Bounded(y, np.broadcast_to(formula(*args, **params).err, np.shape(y)))

    return function


def _by_arrays(row: Primitive, bound: Bound) -> Callable[..., Any]:
    """The value from the row itself, the bound from the numbers and their errors."""

    def function(*args: Any, **params: Any) -> Any:
        values, params = [np.asarray(value_of(a)) for a in args], {**row.defaults, **params}
        y = row.numpy(*values, **params)
        return Bounded(y, np.broadcast_to(bound(row, y, values, [_errors(a) for a in args], params), np.shape(y)))

    return function


def _selecting(row: Primitive) -> Callable[..., Any]:
    """max and min: the result is one of the numbers; its bound is the largest of theirs."""

    def function(arg: Any, **params: Any) -> Any:
        return Bounded(row.numpy(value_of(arg), **params), NUMPY.max(_errors(arg), **params))

    return function


def _plain(row: Primitive) -> Callable[..., Any]:
    """Rows whose result is not a real number of the function (counts, truth values) or takes no arrays."""
    return lambda *args, **params: row.numpy(*[_values(a) for a in args], **params)


def _mean(x: Any, axis: Any, keepdims: bool = False) -> Any:
    count = int(np.prod([x.shape[a] for a in axis]))
    return BOUNDED.divide(BOUNDED.sum(x, axis=axis, keepdims=keepdims), float(max(count, 1)))


def _var(x: Any, axis: Any, correction: float = 0.0, keepdims: bool = False) -> Any:
    count = int(np.prod([x.shape[a] for a in axis])) - correction
    centred = BOUNDED.subtract(x, _mean(x, axis, keepdims=True))
    total = BOUNDED.sum(BOUNDED.multiply(centred, centred), axis=axis, keepdims=keepdims)
    return BOUNDED.divide(total, float(count))


def _std(x: Any, axis: Any, correction: float = 0.0, keepdims: bool = False) -> Any:
    return BOUNDED.sqrt(_var(x, axis, correction, keepdims))


def _norm(x: Any, axis: Any = -1, keepdims: bool = False, ord: Any = 2) -> Any:
    if ord == 1:
        return BOUNDED.sum(BOUNDED.abs(x), axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return BOUNDED.max(BOUNDED.abs(x), axis=axis, keepdims=keepdims)
    scale = np.max(np.abs(value_of(x)), axis=axis, keepdims=True)
    scale = np.where((scale > 0) & np.isfinite(scale), 2.0 ** np.round(np.log2(np.where(scale > 0, scale, 1.0))), 1.0)
    scaled = BOUNDED.divide(x, scale)
    root = BOUNDED.sqrt(BOUNDED.sum(BOUNDED.multiply(scaled, scaled), axis=axis, keepdims=True))
    result = BOUNDED.multiply(root, scale)
    err = np.where(np.isfinite(result.err), result.err, error_of(BOUNDED.sum(BOUNDED.abs(x), axis=axis, keepdims=True)))
    wide = Bounded(result.value, err)
    return wide if keepdims else BOUNDED.squeeze(wide, axis=axis)


def _logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    top = np.max(value_of(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    total = BOUNDED.sum(BOUNDED.exp(BOUNDED.subtract(x, top)), axis=axis, keepdims=True)
    wide = BOUNDED.add(BOUNDED.log(total), top)
    return wide if keepdims else BOUNDED.squeeze(wide, axis=axis)


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    return BOUNDED.subtract(x, _logsumexp(x, axis, keepdims=True))


def _softmax(x: Any, axis: Any = -1) -> Any:
    return BOUNDED.exp(_log_softmax(x, axis))


def _prod(x: Any, axis: Any, keepdims: bool = False) -> Any:
    result = x
    for a in sorted(axis):
        result = _multiplied_along(result, a)
    return result if keepdims else BOUNDED.squeeze(result, axis=axis)


def _multiplied_along(x: Any, axis: int) -> Any:
    parts = _slices(x, axis)
    if not parts:
        return exact(np.ones([d if k != axis % x.ndim else 1 for k, d in enumerate(x.shape)]))
    result = parts[0]
    for part in parts[1:]:
        result = BOUNDED.multiply(result, part)
    return result


def _slices(x: Any, axis: int) -> list[Any]:
    before = (slice(None),) * (axis % x.ndim)
    return [BOUNDED.getitem(x, index=(*before, slice(k, k + 1))) for k in range(x.shape[axis])]


def _cumulative_prod(x: Any, axis: Any = None, include_initial: bool = False) -> Any:
    running = _running(x, one_axis(axis), BOUNDED.multiply)
    return with_initial(BOUNDED, running, one_axis(axis), 1.0) if include_initial else running


def _cumulative_logsumexp(x: Any, axis: Any = None) -> Any:
    return _running(x, one_axis(axis), BOUNDED.logaddexp)


def _running(x: Any, axis: int, function: Callable[..., Any]) -> Any:
    parts = _slices(x, axis)
    for k in range(1, len(parts)):
        parts[k] = function(parts[k - 1], parts[k])
    return BOUNDED.concat(parts, axis=axis) if parts else x


def _elimination(x: Any) -> Any:
    """The backward error of Gaussian elimination: rows are exchanged, so every element may take the largest one's."""
    return 4 * x.shape[-1] * UNIT * np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0.0) * np.ones_like(x)


def _inv(a: Any) -> Any:
    x, e = value_of(a), _errors(a)
    y = np.abs(NUMPY.inv(x))
    return Bounded(y, y @ (e + _elimination(x)) @ y + UNIT * y)


def _det(a: Any) -> Any:
    x, e = value_of(a), _errors(a)
    spread = e + _elimination(x)
    u, s, vt = np.linalg.svd(x)  # |cofactors| <= |U| diag(products of the other singular values) |V|, singular or not
    others = [np.prod(np.delete(s, k, axis=-1), axis=-1) for k in range(s.shape[-1])]
    cofactors = (np.abs(u) * np.stack(others, axis=-1)[..., None, :]) @ np.abs(vt)
    err = np.sum(cofactors * spread, axis=(-2, -1)) + TINY
    return Bounded(err, err)


def _solve(a: Any, b: Any) -> Any:
    m, em, eb = value_of(a), _errors(a), _errors(b)
    x = np.abs(NUMPY.solve(m, value_of(b)))
    residual = (em + 2 * _elimination(m)) @ x + eb
    return Bounded(x, np.abs(NUMPY.inv(m)) @ residual + UNIT * x)


_COMPOSED: dict[str, Callable[..., Any]] = {
    "mean": _mean, "var": _var, "std": _std, "norm": _norm, "logsumexp": _logsumexp, "log_softmax": _log_softmax,
    "softmax": _softmax, "prod": _prod, "cumulative_prod": _cumulative_prod, "inv": _inv, "det": _det, "solve": _solve,
    "cumulative_logsumexp": _cumulative_logsumexp,
}  # fmt: skip
_SUMMING = frozenset({"sum", "cumulative_sum", "trace"})
_TRANSFORMING = frozenset({"fft", "ifft", "rfft", "irfft"})
_BILINEAR = frozenset({"matmul", "outer", "dot"})


def _standardize(x: Any, axis: Any, eps: float) -> Any:
    axes = axes_of(x.shape, axis)
    centred = BOUNDED.subtract(x, _mean(x, axes, keepdims=True))
    return BOUNDED.divide(centred, BOUNDED.sqrt(BOUNDED.add(_var(x, axes, keepdims=True), eps)))


def _rms_normalize(x: Any, axis: Any, eps: float) -> Any:
    mean = _mean(BOUNDED.square(x), axes_of(x.shape, axis), keepdims=True)
    return BOUNDED.divide(x, BOUNDED.sqrt(BOUNDED.add(mean, eps)))


_COMPOSED |= {
    "standardize": _standardize,
    "rms_normalize": _rms_normalize,
    "tanhshrink": lambda x: BOUNDED.subtract(x, BOUNDED.tanh(x)),
}
_SUMMING |= {"overlap_add"}


def _choosing(row: Primitive) -> Callable[..., Any]:
    """where: each element comes, unrounded, from one side or the other."""

    def function(condition: Any, a: Any, b: Any) -> Any:
        chosen = np.asarray(value_of(condition), dtype=bool)
        y = row.numpy(chosen, value_of(a), value_of(b))
        return Bounded(y, np.broadcast_to(np.where(chosen, error_of(a), error_of(b)), np.shape(y)))

    return function


def _array(row: Primitive) -> Callable[..., Any]:
    """Rows that pick, order or scatter numbers: see `rounding_arrays`."""

    def function(*args: Any, **params: Any) -> Any:
        return Bounded(*BOUNDS[row.name](row.numpy, [_values(a) for a in args], [_errors(a) for a in args], params))

    return function


def _carry(row: Primitive) -> Callable[..., Any]:
    """How the bound goes through one row."""
    if row.name == "where":
        return _choosing(row)
    if row.name in BOUNDS:
        return _array(row)
    if row.name in MATRIX_BOUNDS:
        return _by_arrays(row, MATRIX_BOUNDS[row.name])
    if row.name in _COMPOSED:
        return _composed(row, _COMPOSED[row.name])
    if row.name in _TRANSFORMING:
        return _transforming(row)
    if row.name in _SUMMING:
        return _summing(row)
    if row.name in _BILINEAR:
        return _bilinear(row)
    if row.name in ("max", "min"):
        return _selecting(row)
    if row.slopes is not None:
        return _elementwise(row)
    if row.batching is Batching.CONSTANT or row.vjp is None:
        return _plain(row)
    if row.linear:
        return _moving(row)
    raise Unsupported("the running error bound", row.name)


class BoundedNamespace:
    """The namespace over `Bounded` values, one function a row of the vocabulary."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        if row.compose is not None:
            return partial(row.compose, self)
        carry = _carry(row)

        def function(*args: Any, **params: Any) -> Any:
            return carry(*args, **params)

        self.__dict__[name] = function
        return function


BOUNDED: Any = BoundedNamespace()
BOUNDED_NUMBERS = Numbers(BOUNDED, exact, exact, exact)
