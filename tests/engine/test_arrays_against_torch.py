"""Do functions that order, pick, scatter and lay out arrays have PyTorch's values, gradients and second derivatives?

Each case is asked as sum(w y²), so that functions that only move numbers have second derivatives too; forward over
reverse and reverse over reverse both answer. Shapes: 0-d, empty, axes of length one; repeated and negative indices;
ties; zeros in products. Wrong rules are planted and must be caught.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import grad, hvp, vjp
from gradcheck.errors import Unsupported
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY

torch = pytest.importorskip("torch")

_spec = importlib.util.spec_from_file_location(
    "array_functions", Path(__file__).with_name("table_of_array_functions.py")
)
assert _spec is not None and _spec.loader is not None
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)
CASES, draw = table.CASES, table.draw
Case = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]


def complaints(case: Case, namespace: Any = NUMPY) -> list[str]:
    """What of value, gradient, and second derivative in both modes is not PyTorch's."""
    ours, theirs, arrays = case
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    result = theirs(*leaves)
    rng = np.random.default_rng(3)
    weights = rng.uniform(-1, 1, tuple(result.shape))
    tangents = [rng.uniform(-1, 1, np.shape(a)) for a in arrays]

    def loss(xp: Any, *x: Any) -> Any:
        return xp.sum(xp.multiply(weights, xp.square(ours(xp, *x))), axis=None, keepdims=False)

    def slope(xp: Any, *x: Any) -> Any:
        parts = [
            xp.sum(xp.multiply(g, t), axis=None, keepdims=False)
            for g, t in zip(grad(loss, xp, x), tangents, strict=True)
        ]
        return sum(parts[1:], parts[0])

    total = (torch.tensor(weights) * result**2).sum()
    first = torch.autograd.grad(total, leaves, create_graph=True)
    along = sum((g * torch.tensor(t)).sum() for g, t in zip(first, tangents, strict=True))
    if along.requires_grad:
        second = torch.autograd.grad(along, leaves, allow_unused=True, materialize_grads=True)
    else:
        second = tuple(map(torch.zeros_like, leaves))
    mine = {
        "value": [ours(namespace, *arrays)], "gradient": grad(loss, namespace, arrays),
        "forward over reverse": hvp(loss, namespace, arrays, np.ones(()), tangents)[1],
        "reverse over reverse": vjp(slope, namespace, arrays, np.ones(()))[1],
    }  # fmt: skip
    wanted = {"value": [result], "gradient": first, "forward over reverse": second, "reverse over reverse": second}
    return [
        f"{what}: got {got}, PyTorch has {want}"
        for what, expected in wanted.items()
        for got, want in zip(mine[what], [w.detach().numpy() for w in expected], strict=True)
        if np.shape(got) != want.shape or not np.allclose(got, want, rtol=1e-11, atol=1e-12)
    ]


@pytest.mark.parametrize("name", CASES)
def test_values_and_both_orders_are_pytorchs(name: str) -> None:
    with np.errstate(all="ignore"):
        found = [(case[2], line) for case in CASES[name] for line in complaints(case)]
    assert found == []


WHOLE: list[Case] = [
    (lambda xp, x: xp.argsort(x, axis=0), lambda x: torch.argsort(x, dim=0, stable=True), (draw(4, 2),)),
    (lambda xp, x: xp.argsort(x, descending=True), lambda x: torch.argsort(x, descending=True), (draw(5),)),
    (lambda xp, x: xp.top_k_indices(x, 2), lambda x: torch.topk(x, 2).indices, (draw(2, 4),)),
    (lambda xp, x: xp.count_nonzero(xp.greater(x, 0), axis=0), lambda x: torch.count_nonzero(x > 0, dim=0),
     (draw(4, 2),)),
    (lambda xp, x: xp.argmax(x), torch.argmax, (draw(3, 4),)),
    (lambda xp, x: xp.searchsorted(np.arange(-2.0, 2), x, side="right"),
     lambda x: torch.searchsorted(torch.arange(-2.0, 2, dtype=torch.float64), x, right=True), (draw(3, 2),)),
    (lambda xp, x: xp.signbit(x), torch.signbit, (draw(5),)),
]  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_whole_numbers_are_pytorchs_and_let_no_derivative_through(case: Case) -> None:
    ours, theirs, (x,) = case
    value, (pulled,) = vjp(ours, NUMPY, [x], np.ones(np.shape(ours(NUMPY, x))))
    assert np.array_equal(value, theirs(torch.tensor(x)).numpy())
    assert np.array_equal(pulled, np.zeros(x.shape))


def test_the_next_float_has_no_derivative_and_says_so() -> None:
    with pytest.raises(Unsupported, match="derivative of nextafter"):
        grad(lambda xp, x: xp.nextafter(x, 2.0), NUMPY, [np.array(1.0)])


def _backwards(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
    order = xp.argsort(args[0], axis=params["axis"], descending=params["descending"])
    return (xp.take_along_axis(ct, order, axis=params["axis"]),)


def _divided(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
    return (xp.multiply(xp.broadcast_to(ct, shape=args[0].shape), xp.divide(y, args[0])),)


def _first_wins(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
    spread = xp.reshape(ct, shape=(*ct.shape, 1))
    return (xp.where(xp.equal(args[0], xp.max(args[0], axis=-1, keepdims=True)), spread, 0.0),)


def _overwritten(values: Any, indices: Any, size: int, axis: int = -1) -> Any:
    out = np.zeros((*values.shape[:-1], size))
    np.put_along_axis(out, np.asarray(indices) % size, values, axis=-1)
    return out


def _unweighted(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
    return (xp.flip(xp.cumulative_sum(xp.flip(ct, axis=-1), axis=-1), axis=-1),)


LIES: dict[str, tuple[str, dict[str, Any], Case]] = {
    "a sort pulled back by its own order": ("sort", {"vjp": _backwards}, CASES["sort"][0]),
    "a product divided by a zero": (
        "prod",
        {"vjp": _divided},
        (lambda xp, x: xp.prod(x), torch.prod, (np.array([2.0, 0.0]),)),
    ),
    "a tie counted twice": (
        "max",
        {"vjp": _first_wins},
        (lambda xp, x: xp.max(x, axis=-1), lambda x: torch.amax(x, -1), (np.array([2.0, 2.0]),)),
    ),
    "repeated indices that do not add up": (
        "scatter_along_axis",
        {"numpy": _overwritten},
        (
            lambda xp, x: xp.take_along_axis(x, np.array([0, 0]), axis=-1),
            lambda x: x[[0, 0]],
            (np.array([1.0, 2.0]),),
        ),
    ),
    "a running log-sum-exp without its weights": (
        "cumulative_logsumexp",
        {"vjp": _unweighted},
        CASES["logcumsumexp"][0],
    ),
    "a running maximum that goes to the first of a tie": (
        "cumulative_max",
        {"vjp": lambda xp, ct, y, args, params: (xp.where(xp.equal(args[0], y), ct, 0.0),)},
        CASES["ties"][2],
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_planted_lie_is_caught(lie: str) -> None:
    name, change, case = LIES[lie]
    liar = replace(VOCABULARY[name], **change)
    namespace = SimpleNamespace(**{**vars(NUMPY), name: liar.numpy}, vocabulary={**VOCABULARY, name: liar})
    with np.errstate(all="ignore"):
        assert complaints(case) == []
        assert any("gradient" in line for line in complaints(case, namespace))


@pytest.mark.parametrize(
    "name", ["take", "cumulative_sum", "cumulative_prod", "cumulative_max", "cumulative_logsumexp"]
)
def test_a_matrix_needs_an_axis_and_a_vector_does_not(name: str) -> None:
    more = ([0],) if name == "take" else ()
    spaces = {
        "NumPy": NUMPY,
        "PyTorch": __import__("gradcheck.oracles.torch", fromlist=["FRAMEWORK"]).FRAMEWORK.namespace,
    }
    for xp in spaces.values():
        assert np.shape(getattr(xp, name)(np.ones(3), *more))
        with pytest.raises(ValueError, match="needs an axis"):
            getattr(xp, name)(np.ones((2, 3)), *more)
    with pytest.raises(ValueError, match="axis"):
        grad(lambda xp, x: xp.sum(getattr(xp, name)(x, *more)), NUMPY, [np.ones((2, 3))])
