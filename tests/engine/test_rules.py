"""Is every row's rule right? Differences, the adjoint identity, second order, batches, PyTorch; and would we notice?"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import Reverse, hvp, jvp, vjp
from gradcheck.expr.batch import Batch, Batched
from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.unknown import Unknown
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY

STEP = 1e-3
CLOSE = 1e-6
UNKNOWN = {"nextafter"}  # rows that refuse to be differentiated
DIFFERENTIABLE = sorted(
    n for n, row in VOCABULARY.items() if row.differentiable and row.arity != 0 and n not in UNKNOWN
)
RANGES: Mapping[str, tuple[float, float]] = {
    "acosh": (1.2, 4), "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atanh": (-0.9, 0.9), "erfinv": (-0.9, 0.9),
    "logit": (0.1, 0.9), "log": (0.2, 4), "log2": (0.2, 4), "log10": (0.2, 4), "log1p": (-0.7, 3), "sqrt": (0.2, 4),
    "gammaln": (0.5, 4), "digamma": (0.5, 4), "polygamma": (0.5, 4), "xlogy": (0.3, 3), "xlog1py": (-0.5, 2),
    "pow": (0.5, 2), "divide": (0.4, 2), "reciprocal": (0.4, 2), "remainder": (0.4, 3), "floor_divide": (0.4, 3),
    "tan": (-1.2, 1.2), "cbrt": (0.3, 3), "fmod": (0.4, 3),
    **dict.fromkeys("gamma beta betaln trigamma gammainc gammaincc exp1 expi expn yv kv kve y0 y1 k0 k1 k0e k1e "
                    "entr rel_entr kl_terms lambertw".split(), (0.4, 3)), "zeta": (1.4, 4),
    "ndtri": (0.1, 0.9), "erfcinv": (0.2, 1.8), "betainc": (0.2, 0.8), "multigammaln": (1.2, 4), "binom": (0.5, 0.9),
}  # fmt: skip
TO_COMPLEX = frozenset("fft ifft rfft ihfft fftn ifftn rfftn".split())  # asked for their parts, added up
Shapes = tuple[tuple[int, ...], ...]
MATRIX: Mapping[str, Shapes] = {
    "dot": ((3,), (3,)), "vecdot": ((3,), (3,)), "outer": ((3,), (2,)), "matmul": ((2, 3), (3, 2)),
    "solve": ((3, 3), (3, 2)), "det": ((3, 3),), "inv": ((3, 3),), "diag": ((3,),), "scatter": ((3,),),
}  # fmt: skip
REDUCED: tuple[dict[str, Any], ...] = ({"axis": -1, "keepdims": False}, {"axis": (-2, -1), "keepdims": True})
PARAMS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "reshape": ({"shape": (3, 2)}, {"shape": (6,)}), "broadcast_to": ({"shape": (2, 3)}, {"shape": (4, 2, 3)}),
    "expand_dims": ({"axis": -1}, {"axis": -2}), "squeeze": ({"axis": -1},), "flip": ({"axis": -1}, {"axis": (-1, -2)}),
    "roll": ({"shift": 1, "axis": -1}, {"shift": (1, 2), "axis": (-1, -2)}), "permute_dims": ({"axes": (1, 0)},),
    "getitem": ({"index": (0,)}, {"index": (slice(None), slice(0, 3, 2))}, {"index": (np.array([0, 1, 0]),)}),
    "scatter": ({"index": (np.array([0, 1, 0]),), "shape": (4,)}, {"index": (slice(1, 4),), "shape": (5,)}),
    "take": ({"axis": -2},), "repeat": ({"repeats": 2, "axis": -2}, {"repeats": (2, 0, 1), "axis": -1}, {"repeats": 3}),
    "concat": ({"axis": -1}, {"axis": -2}), "stack": ({"axis": -1}, {"axis": -3}),
    "diagonal": ({"offset": 0}, {"offset": 1}, {"offset": -1}), "tril": ({"k": 0}, {"k": -1}), "triu": ({"k": 1},),
    "norm": tuple({**r, "ord": o} for r in REDUCED for o in (1, 2, np.inf)),
    "var": ({"axis": -1, "correction": 1, "keepdims": False}, {"axis": (-2, -1), "correction": 0, "keepdims": True}),
    "cumulative_sum": ({"axis": -1}, {"axis": -2}), "cumulative_prod": ({"axis": -1}, {"axis": -2}),
    "softmax": ({"axis": -1}, {"axis": (-2, -1)}), "log_softmax": ({"axis": -1}, {"axis": -2}),
}  # fmt: skip
ALONG: tuple[dict[str, Any], ...] = ({"axis": -1}, {"axis": -2})
STARTED: tuple[dict[str, Any], ...] = tuple({**a, "include_initial": i} for a in ALONG for i in (False, True))
PARAMS = {
    **PARAMS, "cumulative_sum": STARTED, "cumulative_prod": STARTED, "cumulative_max": ALONG, "cumulative_min": ALONG,
    "cumulative_logsumexp": ALONG, "sort": (*ALONG, {"descending": True}), "top_k": ({"k": 2}, {"k": 1, "axis": 0}),
    "top_k_indices": ({"k": 2},), "median": REDUCED, "searchsorted": ({}, {"side": "right"}),
    "quantile": ({"q": 0.3}, {"q": (0.0, 0.8), "axis": -1}, {"q": 0.5, "axis": 0, "keepdims": True}),
    "take_along_axis": ALONG, "scatter_along_axis": ({"size": 4}, {"size": 2, "axis": -2}),
    "scatter_add": ({}, {"axis": 0}), "index_add": ({}, {"axis": -2}),
    "roll": ({"shift": 1}, {"shift": 1, "axis": -1}, {"shift": (1, 2), "axis": (-1, -2)}),
    "tile": ({"repetitions": (2, 1, 2)}, {"repetitions": 3}), "unstack": ({}, {"axis": -1}),
    "moveaxis": ({"source": 0, "destination": -1},), "swapaxes": ({"axis1": 0, "axis2": -1},),
    "rot90": tuple({"k": k} for k in range(4)), "meshgrid": ({}, {"indexing": "ij"}),
    "pad": ({"pad_width": 1}, {"pad_width": ((0, 2), (1, 0)), "mode": "reflect"}, {"pad_width": 1, "mode": "edge"}),
    "diff": ({}, {"axis": 0}, {"n": 2}, {"prepend": 0.5, "append": 1.0}), "full_like": ({"fill_value": 2.0},),
    "trapezoid": ({}, {"axis": 0, "dx": 0.5}, {"x": np.array([0.0, 0.5, 2.0])}),
    "einsum": ({"subscripts": "ij,kj->ik"}, {"subscripts": "ij,ij"}, {"subscripts": "ij,kl->jl"}),
}  # fmt: skip
MATRIX = {
    **MATRIX, "meshgrid": ((3,), (2,)), "hstack": ((2, 3), (2, 3)), "einsum": ((2, 3), (2, 3)), "take": ((2, 3), (3,)),
    "take_along_axis": ((2, 3), (2, 3)), "scatter_along_axis": ((2, 3), (2, 3)), "searchsorted": ((3,), (2,)),
    "scatter_add": ((2, 3), (2, 3), (2, 3)), "index_add": ((2, 3), (2,), (2, 3)),
}  # fmt: skip
POINTING = {  # whole numbers that say where: which argument they are, some pointing at the same element
    "take": (1, np.array([0, 1, 0])), "take_along_axis": (1, np.array([[0, 1, 0], [-1, 0, 0]])),
    "scatter_along_axis": (1, np.array([[0, 1, 0], [-1, 0, 0]])), "scatter_add": (1, np.array([[0, 1, 0], [-1, 0, 0]])),
    "index_add": (1, np.array([1, 1])),
}  # fmt: skip

RANGES = {**RANGES, "binary_cross_entropy": (0.1, 0.9), "kl_div": (0.2, 2)}
BINARY = "sigmoid_cross_entropy binary_cross_entropy_with_logits binary_cross_entropy mse_loss l1_loss huber_loss "
CLASSED = "smooth_l1_loss kl_div cross_entropy cosine_similarity"
NEURAL_SHAPES: Mapping[str, Shapes] = {
    **{name: ((2, 3), (2, 3)) for name in (BINARY + CLASSED).split() if name != "sigmoid_cross_entropy"},
    "glu": ((2, 4),), "group_norm": ((2, 4, 3),), "instance_norm": ((2, 3, 4),), "overlap_add": ((2, 3, 2),),
    "sliding_windows": ((2, 7),), "conv1d": ((2, 4, 6), (2, 2, 3)), "conv2d": ((2, 4, 5), (3, 2, 2, 2)),
    "max_pool1d": ((2, 6),), "max_pool2d": ((2, 4, 5),), "avg_pool1d": ((2, 6),), "avg_pool2d": ((2, 4, 5),),
    "nll_loss": ((2, 3),), "linear": ((2, 3), (4, 3)), "attention": ((2, 3), (4, 3), (4, 2)),
}  # fmt: skip
MATRIX = {**MATRIX, **NEURAL_SHAPES}
W = np.array([0.5, -1.2, 2.0, 0.7])
SCALED: tuple[dict[str, Any], ...] = ({}, {"axis": (-2, -1), "eps": 0.1})
LABELS = np.array([2.0, 0.0])
PARAMS = {
    **PARAMS,
    "standardize": SCALED, "rms_normalize": SCALED, "layer_norm": (*SCALED, {"weight": W[:3], "bias": W[1:]}),
    "rms_norm": (*SCALED, {"weight": W[:3]}), "batch_norm": ({}, {"weight": W[:3], "bias": W[1:]}),
    "group_norm": ({"groups": 2}, {"groups": 1, "weight": W, "bias": W}), "instance_norm": ({}, {"weight": W[:3]}),
    "glu": ({}, {"axis": 0}), "zero_pad": ({"before": 1, "after": 2}, {"before": 0, "after": 1, "axis": -2}),
    "sliding_windows": ({"size": 3}, {"size": 3, "stride": 2, "dilation": 2}, {"size": 2, "axis": -2}),
    "overlap_add": ({"length": 4}, {"length": 8, "stride": 3, "dilation": 1}, {"length": 3, "axis": -3}),
    "conv1d": ({"groups": 2}, {"groups": 2, "stride": 2, "padding": 1, "dilation": 2, "bias": W[:2]}),
    "conv2d": ({}, {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 2), "bias": W[:3]}),
    "max_pool1d": ({"size": 2}, {"size": 3, "stride": 1, "padding": 1, "dilation": 2}),
    "max_pool2d": ({"size": 2}, {"size": (3, 2), "stride": 1, "padding": 1}),
    "avg_pool1d": ({"size": 2}, {"size": 3, "stride": 1, "padding": 1}),
    "avg_pool2d": ({"size": 2}, {"size": (3, 2), "stride": 1, "padding": 1}),
    **{name: ({}, {"reduction": "none"}) for name in BINARY.split() if name != "sigmoid_cross_entropy"},
    "huber_loss": ({}, {"delta": 0.4, "reduction": "sum"}), "smooth_l1_loss": ({}, {"beta": 0.4}, {"beta": 0}),
    "kl_div": ({}, {"log_target": True, "reduction": "sum"}), "cross_entropy": ({}, {"axis": 0, "reduction": "none"}),
    "nll_loss": ({"labels": (2, 0)}, {"labels": (1, 0, 0), "axis": 0, "reduction": "none"}),
    "cosine_similarity": ({}, {"axis": 0}), "linear": ({}, {"bias": W}),
    "embedding": ({"indices": np.array([0, 1, 0])}, {"indices": ((1, 1), (0, 1))}),
    "attention": ({}, {"mask": W > 0, "bias": W, "scale": 0.3}),
}  # fmt: skip

SQUARE = "cholesky eigvalsh eigh_vectors slogdet_sign logabsdet logdet matrix_exp matrix_power cond".split()
TALL = "svdvals svd_u svd_vh qr_q qr_r pinv matrix_norm svd qr".split()
SYSTEMS = ("solve", "solve_triangular", "cholesky_solve")
MATRIX = {
    **MATRIX, **dict.fromkeys(SQUARE, ((3, 3),)), **dict.fromkeys(TALL, ((4, 3),)),
    **dict.fromkeys(SYSTEMS, ((3, 3), (3, 2))),
    "lstsq": ((4, 3), (4, 2)), "cross": ((2, 3), (3,)), "tensordot": ((2, 3), (3, 4)), "kron": ((2, 3), (2, 2)),
    "vector_norm": ((4, 3),), "eigh": ((3, 3),), "slogdet": ((3, 3),),
}  # fmt: skip
PARAMS = {
    **PARAMS,
    **dict.fromkeys(("cholesky", "solve_triangular", "cholesky_solve"), ({"upper": False}, {"upper": True})),
    "matrix_power": tuple({"n": n} for n in (0, 1, 3, -2)),
    "vector_norm": tuple({**r, "ord": o} for r in REDUCED for o in (0, 1, 2, 2.5, 3, -1.5, np.inf, -np.inf)),
    "matrix_norm": tuple(
        {"keepdims": k, "ord": o} for k in (False, True) for o in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ),
    "cond": tuple({"ord": o} for o in (2, -2, 1, "fro", np.inf)),
    "cross": ({"axis": -1},), "tensordot": ({"axes": 1}, {"axes": ((-1,), (0,))}),
}  # fmt: skip
OTHER_SHAPES: Mapping[str, tuple[Shapes, ...]] = {  # of wide matrices, stacks, vectors on the right, and nothing
    **dict.fromkeys(TALL, (((3, 4),), ((3, 3),), ((2, 3, 2),))),
    **dict.fromkeys((*SQUARE[:3], *SQUARE[4:-1], "det", "inv"), (((2, 2, 2),), ((1, 1),), ((0, 0),))),
    **dict.fromkeys(SYSTEMS, (((3, 3), (3,)), ((2, 2, 2), (2, 1)), ((2, 2), (3, 2, 1)))),
    "lstsq": (((3, 4), (3,)), ((2, 3, 2), (3, 2))),
}
POSITIVE = ("cholesky", "logdet")  # asked at positive definite matrices
STEADY = (*SYSTEMS, "inv", "cond", "logabsdet", "matrix_power")  # asked far from singular ones


ORDERED = frozenset("polygamma expn jv yv iv kv ive kve".split())  # rows whose first argument is an order
PARAMS = {**PARAMS, "multigammaln": ({"d": 1}, {"d": 3})}


def known(slope: Any) -> bool:
    """Whether a derivative passes: there is one, and its rule can be written down."""
    return slope is not None and not isinstance(slope, Unknown)


@dataclass(frozen=True)
class Question:
    """A row, the arrays it is asked at, and its parameters."""

    row: Primitive
    arrays: tuple[Any, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    moving: tuple[bool, ...] = ()

    def call(self, xp: Any, *arrays: Any) -> Any:
        function = getattr(xp, self.row.name)
        result = function(arrays, **self.params) if self.row.arity is None else function(*arrays, **self.params)
        if isinstance(result, tuple):  # several results, one behind the other
            result = xp.concat([xp.reshape(part, shape=(int(np.prod(part.shape)),)) for part in result], axis=0)
        if self.row.name in TO_COMPLEX:
            result = xp.add(xp.real(result), xp.multiply(2.0, xp.imag(result)))
        return result

    @property
    def wrt(self) -> tuple[bool, ...]:
        return self.moving or tuple(True for _ in self.arrays)


def questions(row: Primitive) -> Iterator[Question]:
    """What a row is asked: every combination of parameters, broadcasting, scalars."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    low, high = RANGES.get(row.name, (-2.0, 2.0))

    def draw(shape: tuple[int, ...]) -> Any:
        return rng.uniform(low, high, shape)

    if row.batching is Batching.ELEMENTWISE:
        broadcasts: list[Shapes] = [((2, 3), (3,), (2, 1)), ((), (), ()), ((), (3,), (1,))]
        for broadcast in broadcasts:
            arrays = [draw(shape) for shape in broadcast[: row.arity]]
            moving = [known(s) for s in row.slopes or ([None, 0, 0] if row.name == "where" else arrays)]
            if row.name in ORDERED:
                arrays[0] = np.array([[1.0], [2.0]]) if arrays[1].ndim else np.array(1.0)
            if row.name == "where":
                arrays[0] = arrays[0] > 0
            if row.name == "clip":
                arrays[1:] = [np.full(arrays[1].shape, -0.7), np.full(arrays[2].shape, 0.9)]
            for given in PARAMS.get(row.name, ({},)):
                yield Question(row, tuple(arrays), given, tuple(moving))
        return
    shapes: Shapes = MATRIX.get(row.name, ((2, 1),) if row.name == "squeeze" else ((2, 3),))
    if row.arity is None and row.name not in MATRIX:
        shapes = ((2, 3), (2, 3))
    if row.name in ("std",):
        params = PARAMS["var"]
    else:
        params = PARAMS.get(row.name, REDUCED if "keepdims" in row.params else ({},))
    where, pointing = POINTING.get(row.name, (-1, None))
    for given in params:
        for shaped in (shapes, *OTHER_SHAPES.get(row.name, ())):
            arrays = [pointing if k == where else draw(shape) for k, shape in enumerate(shaped)]
            if row.name in POSITIVE:
                arrays = [a @ np.swapaxes(a, -1, -2) + np.eye(a.shape[-1]) for a in arrays]
            if row.name in STEADY:
                arrays[0] = arrays[0] + 4 * np.eye(arrays[0].shape[-1])
            yield Question(row, tuple(arrays), given, tuple(k != where for k in range(len(shapes))))


def slope_along(function: Callable[[float], Any]) -> Any:
    """The derivative at 0 by the five-point difference."""
    near, far = function(STEP) - function(-STEP), function(2 * STEP) - function(-2 * STEP)
    return (8 * near - far) / (12 * STEP)


def complaints(asked: Question, namespace: Any = NUMPY) -> list[str]:
    """Everything that is wrong with a row's rules at the question's arrays; an empty list where all is well."""
    found: list[str] = []
    rng = np.random.default_rng(1)
    arrays, wrt = asked.arrays, asked.wrt
    tangents = [rng.uniform(-1, 1, np.shape(a)) if moves else None for a, moves in zip(arrays, wrt, strict=True)]
    names = (asked.row.name, str(asked.params))

    def moved(f: Any, h: float) -> Any:
        return f(*[a if t is None else a + h * t for a, t in zip(arrays, tangents, strict=True)])

    def pulls(i: int) -> Any:
        return lambda *a: vjp(asked.call, namespace, a, ct, wrt)[1][i]

    def compare(what: str, got: Any, want: Any) -> None:
        got, want = np.asarray(got), np.asarray(want)
        if got.shape != want.shape or not np.all(np.abs(got - want) <= CLOSE * (1 + np.abs(want))):
            found.append(f"{names}: {what}: got {got}, should be {want}")

    with np.errstate(all="ignore"):
        value, pushed = jvp(asked.call, namespace, arrays, tangents)
        ct = rng.uniform(-1, 1, np.shape(value))
        compare("jvp", pushed, slope_along(lambda h: moved(lambda *a: asked.call(namespace, *a), h)))
        _, pulled = vjp(asked.call, namespace, arrays, ct, wrt)
        for i, part in enumerate(pulled):
            if part is not None:
                compare(f"vjp of argument {i}", part, gradient_by_differences(asked, namespace, i, ct))
        inner = sum(np.sum(p * t) for p, t in zip(pulled, tangents, strict=True) if p is not None)
        compare("adjoint identity", inner, np.sum(ct * pushed))
        _, second = hvp(asked.call, namespace, arrays, ct, tangents, wrt)
        for i, part in enumerate(second):
            if part is not None:
                compare(f"second order, argument {i}", part, slope_along(partial(moved, pulls(i))))
        twice = reverse_twice(asked, namespace, ct, tangents)
        for i, (part, other) in enumerate(zip(second, twice, strict=True)):
            if part is not None:
                compare(f"reverse over reverse, argument {i}", other, part)
    return found


def gradient_by_differences(asked: Question, namespace: Any, i: int, ct: Any) -> Any:
    array = np.asarray(asked.arrays[i], dtype=float)
    gradient = np.empty(array.shape)
    for where in np.ndindex(array.shape):

        def total(h: float, where: Any = where) -> Any:
            changed = array.copy()
            changed[where] += h
            return np.sum(ct * asked.call(namespace, *asked.arrays[:i], changed, *asked.arrays[i + 1 :]))

        gradient[where] = slope_along(total)
    return gradient


def reverse_twice(asked: Question, namespace: Any, ct: Any, tangents: Any) -> tuple[Any, ...]:
    """The second derivative that hvp gives, as the gradient of <vjp, tangents>: symmetric Hessians only."""

    def along(xp: Any, *arrays: Any) -> Any:
        _, pulled = vjp(asked.call, xp, arrays, ct, asked.wrt)
        pairs = [pair for pair in zip(pulled, tangents, strict=True) if pair[1] is not None]
        parts = [xp.sum(xp.multiply(p, t), axis=None, keepdims=False) for p, t in pairs]
        return sum(parts[1:], parts[0])

    return vjp(along, namespace, asked.arrays, np.ones(()), asked.wrt)[1]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_rules_agree_with_differences_in_both_modes_and_both_orders(name: str) -> None:
    asked = list(questions(VOCABULARY[name]))
    assert asked
    assert [line for question in asked for line in complaints(question)] == []


def ones_for(arrays: Sequence[Any], wrt: Sequence[bool]) -> list[Any]:
    """A tangent of ones for every array that moves."""
    return [np.ones(np.shape(a)) if moves else None for a, moves in zip(arrays, wrt, strict=True)]


@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if n not in ("scatter", "full_like")])
def test_a_batch_gives_what_its_points_give(name: str) -> None:
    """The same question at three points at once, through `Batch`, against one point at a time."""
    rng = np.random.default_rng(2)
    for asked in questions(VOCABULARY[name]):
        points = [np.stack([np.asarray(a)] * 3) for a in asked.arrays]
        shift = 0.0 if name == "clip" else 0.05
        points = [p + rng.uniform(0, shift, p.shape) if m else p for p, m in zip(points, asked.wrt, strict=True)]

        def batched(xp: Any, *arrays: Any, asked: Question = asked) -> Any:
            return asked.call(Batch(xp), *map(Batched, arrays)).data

        with np.errstate(all="ignore"):
            shape = (3, *np.shape(asked.call(NUMPY, *asked.arrays)))
            ct = rng.uniform(-1, 1, shape)
            value, pulled = vjp(batched, NUMPY, points, ct, asked.wrt)
            _, pushed = jvp(batched, NUMPY, points, ones_for(points, asked.wrt))
            assert np.shape(value) == shape
            for k in range(3):
                point = [p[k] for p in points]
                _, alone = vjp(asked.call, NUMPY, point, ct[k], asked.wrt)
                for part, want in zip(pulled, alone, strict=True):
                    assert want is None or np.allclose(part[k], want, rtol=1e-12, atol=1e-12)
                want = jvp(asked.call, NUMPY, point, ones_for(point, asked.wrt))[1]
                assert np.allclose(pushed[k], want, rtol=1e-12, atol=1e-12)


def with_row(row: Primitive) -> Any:
    """NumPy with one row more, or one row replaced."""
    functions = {**vars(NUMPY), row.name: row.numpy}
    return SimpleNamespace(**functions, vocabulary={**VOCABULARY, row.name: row})


def test_a_slope_of_2_001_is_caught() -> None:
    """The check itself is checked: x² with the slope 2.001x instead of 2x."""
    honest = VOCABULARY["square"]
    liar = replace(honest, slopes=(lambda xp, y, x: xp.multiply(2.001, x),))
    (asked, *_) = questions(honest)
    told = complaints(asked, with_row(liar))
    assert any("jvp" in line for line in told)
    assert any("vjp of argument 0" in line for line in told)
    assert complaints(asked) == []


@pytest.mark.parametrize("mistake", ["transposed", "zero", "tenth of a percent"])
def test_a_wrong_cofactor_matrix_is_caught(mistake: str) -> None:
    honest = VOCABULARY["det"]
    assert honest.vjp is not None

    def vjp_of_liar(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
        (right,) = honest.vjp(xp, ct, y, args, params)  # type: ignore[misc]
        wrong = {"transposed": xp.matrix_transpose(right), "zero": xp.multiply(right, 0.0)}
        return (wrong.get(mistake, xp.multiply(right, 1.001)),)

    liar = replace(honest, vjp=vjp_of_liar)
    asked, *_ = questions(honest)
    told = complaints(asked, with_row(liar))
    assert any("vjp" in line for line in told)
    assert any("adjoint" in line for line in told)


def test_a_new_elementwise_function_is_one_row() -> None:
    row = Primitive("cube", 1, lambda x: x**3, slopes=(lambda xp, y, x: xp.multiply(3.0, xp.square(x)),))
    namespace = with_row(row)
    assert complaints(Question(row, (np.array([[0.3, -1.2, 2.0]]),)), namespace) == []
    x = Reverse(namespace).leaf(np.array([1.0, 2.0]))
    x.cube().sum().backward()
    assert x.grad.data.tolist() == [3.0, 12.0]
