"""How does a point come into its domain where the domain is a predicate? Simple ones are met by moving the point.

Order (`x < y`) by swapping, a bound (`x > c`, `x[0] > c`) by reflection, a size (`norm(x) < c`, `abs(x) > c`) by
scaling. What is not understood is left alone, and the predicate itself decides afterwards, for all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.domains import STRUCTURED
from gradcheck.expr import NUMPY, Batch, Batched, Control
from gradcheck.expr import nodes as n
from gradcheck.expr.evaluate import State, compile_expression
from gradcheck.expr.nodes import walk
from gradcheck.spec.membership import within_box
from gradcheck.spec.model import Input, Spec

Array = NDArray[np.float64]
Points = dict[str, Array]
Mender = Callable[[Array], Array]  # an input's numbers -> numbers that meet the condition, or the same
_SWAPPED = {"greater": "less", "greater_equal": "less_equal", "less": "less", "less_equal": "less_equal"}


def mended(spec: Spec, points: Points, sizes: Mapping[str, int]) -> Points:
    """The points (name -> (B, *shape)), moved where a predicate does not hold and a simple move may help.

    No number leaves its interval for it: a point that would stays as it is.
    """
    found = dict(points)
    for i in spec.inputs:
        if i.domain.predicate is not None and not isinstance(i.domain.predicate.tree, tuple):
            with np.errstate(all="ignore"):
                for condition in _parts(i.domain.predicate.tree):
                    _meet(spec, condition, found, sizes)
    return found


def _parts(tree: n.Node) -> Iterator[n.Call]:
    """The conditions that must all hold."""
    if isinstance(tree, n.Call) and tree.primitive == "logical_and":
        for part in tree.args:
            yield from _parts(part)
    elif isinstance(tree, n.Call) and tree.primitive in _SWAPPED:
        yield tree


def _meet(spec: Spec, condition: n.Call, points: Points, sizes: Mapping[str, int]) -> None:
    small, large = condition.args if condition.primitive.startswith("less") else condition.args[::-1]
    free = {i.name: i for i in spec.inputs if i.domain.kind not in STRUCTURED | {"boolean"}}
    if isinstance(small, n.Name) and isinstance(large, n.Name) and {small.id, large.id} <= set(free):
        _in_order(free[small.id], free[large.id], points, sizes)
        return
    for term, bound, sign in ((small, large, -1), (large, small, 1)):
        limit = _number(bound)
        if limit is None or not (name := _input_of(term)) or name not in free:
            continue
        if free[name].domain.kind != "integer":
            moved = _mover(term, limit, sign, sizes)(points[name])
            fits = within_box(free[name].domain.at(sizes), moved)
            if isinstance(term, n.Call) and term.primitive == "norm":  # else each number moves by itself
                fits = fits.reshape(len(fits), -1).all(axis=1).reshape(-1, *(1,) * (fits.ndim - 1))
            points[name] = np.where(fits, moved, points[name])


def _in_order(small: Input, large: Input, points: Points, sizes: Mapping[str, int]) -> None:
    """Two inputs of one shape: the smaller of each pair of numbers to the one that shall be smaller."""
    a, b = points[small.name], points[large.name]
    if a.shape != b.shape or (small.domain.kind == "integer") != (large.domain.kind == "integer"):
        return
    low, high = np.minimum(a, b), np.maximum(a, b)
    fits = within_box(small.domain.at(sizes), low) & within_box(large.domain.at(sizes), high)
    points[small.name], points[large.name] = np.where(fits, low, a), np.where(fits, high, b)


def _input_of(term: n.Node) -> str:
    """The input that a term is about: `x`, `x[0]`, `abs(x - 1)`, `norm(x)`; "" where it is about anything else."""
    if isinstance(term, n.Call) and term.primitive == "norm":
        return _name(term.args[0])
    return _name(_picked(_centred(_inner(term))[0]))


def _inner(term: n.Node) -> n.Node:
    """What a modulus is taken of; the term itself where it is none."""
    return term.args[0] if isinstance(term, n.Call) and term.primitive == "abs" else term


def _centred(term: n.Node) -> tuple[n.Node, float]:
    """`x - 1` as x and 1; any other term and 0."""
    if isinstance(term, n.Call) and term.primitive == "subtract" and (centre := _number(term.args[1])) is not None:
        return term.args[0], centre
    return term, 0.0


def _picked(term: n.Node) -> n.Node:
    """What elements are picked of, by an index without names or as a diagonal; the term itself where none are."""
    if isinstance(term, n.Index) and not any(isinstance(p, n.Name) for p in walk(term.items)):
        return term.value
    return term.args[0] if isinstance(term, n.Call) and term.primitive == "diagonal" and not term.params else term


def _name(term: n.Node) -> str:
    return term.id if isinstance(term, n.Name) else ""


def _number(node: n.Node) -> float | None:
    """The number that a formula without names is."""
    if any(isinstance(part, n.Name) for part in walk(node)):
        return None
    value = compile_expression(node)(State(NUMPY, {}, Control()))
    return float(value) if np.ndim(value) == 0 else None


def _mover(term: n.Node, limit: float, sign: int, sizes: Mapping[str, int]) -> Mender:
    """What makes a term larger (sign 1) or smaller (-1) than a limit where it is not."""
    if isinstance(term, n.Call) and term.primitive == "norm":
        return _norm(term, limit, sign, sizes)
    place, centre = _centred(_inner(term))
    move = partial(_resized if _inner(term) is not term else _reflected, limit=limit, sign=sign)

    def about(x: Array) -> Array:
        away = x - centre
        moved = move(away)
        return np.where(moved != away, moved + centre, x)

    return about if isinstance(place, n.Name) else _at(place, about)


def _reflected(x: Array, limit: float, sign: int) -> Array:
    return np.where((x - limit) * sign < 0, 2 * limit - x, x)


def _resized(x: Array, limit: float, sign: int) -> Array:
    """Its size moved and its sign kept."""
    return np.where(x < 0, -1.0, 1.0) * _sized(np.abs(x), limit, sign)


def _sized(r: Array, limit: float, sign: int) -> Array:
    """Sizes beyond the limit where they are not, a little; or pulled in, so that larger ones stay larger."""
    if limit <= 0:
        return r
    beyond = 1.3 * limit - 0.25 * r if sign > 0 else limit * r / (limit + r)
    return np.where((r - limit) * sign <= 0, beyond, r)


def _at(place: n.Node, move: Mender) -> Mender:
    """The same for the elements only that are picked: `x[0] > 1`, `diagonal(A) > 0`."""
    name = _name(_picked(place))
    pick = compile_expression(place)

    def change(x: Array) -> Array:
        places = np.arange(prod(x.shape[1:])).reshape(x.shape[1:])
        chosen = np.ravel(pick(State(NUMPY, {name: places}, Control())))
        flat = x.reshape(len(x), -1).copy()
        flat[:, chosen] = move(flat[:, chosen])
        return flat.reshape(x.shape)

    return change


def _norm(term: n.Call, limit: float, sign: int, sizes: Mapping[str, int]) -> Mender:
    """A length, over all or along an axis: the vector scaled. A vector of zeros has no direction and stays."""
    params = {**dict(term.params), "keepdims": n.Const(True)}
    length = compile_expression(n.Call("norm", (n.Name("x"),), tuple(params.items())))

    def change(x: Array) -> Array:
        env: dict[str, Any] = {"x": Batched(x), **sizes}
        r = np.asarray(length(State(Batch(NUMPY), env, Control(guard=False))).data)
        return np.where(r > 0, x * (_sized(r, limit, sign) / np.where(r > 0, r, 1.0)), x)

    return change
