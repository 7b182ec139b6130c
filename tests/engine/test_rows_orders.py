"""Are the third and fourth derivatives of every row those of PyTorch, in forward and in reverse mode?

A derivative of order k is taken along tangents t: of <ct, f> by reverse mode over reverse mode, whose gradients are
compared, and by forward mode over forward mode, which comes to one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agreement import Question, differences, directions, flat, largest
from agreement_questions import INEXACT, LACKING, SAMPLES, X, as_they_are

from gradcheck.engine import jvp, vjp
from gradcheck.expr import NUMPY, VOCABULARY
from gradcheck.report import vocabulary_table as table
from gradcheck.report.vocabulary_table import TESTED_ORDER

torch = pytest.importorskip("torch")

UNITS = 512.0  # of roundoff, relative to the largest of the derivatives of all orders
OTHERWISE = {  # rows whose own function in PyTorch fails at high orders, and what of PyTorch they are compared with
    "cumulative_logsumexp": lambda x, axis=None: torch.stack([torch.logsumexp(x[: k + 1], 0) for k in range(len(x))]),
}
EXCEPTED = {
    "floor_divide": "PyTorch has no derivative of it",
    "hard_sigmoid": "PyTorch has no second derivative of it",
}
SPELLED = {  # asked of PyTorch as a formula: its own derivatives from the third on hold the mean and the spread fixed
    "standardize", "layer_norm", "batch_norm", "instance_norm",
}  # fmt: skip
Scalar = Callable[..., Any]


def paired(xp: Any, left: Any, right: Any) -> Any:
    """The sum of all products of the elements of two lists of arrays."""
    parts = [xp.sum(xp.real(xp.multiply(a, b)), axis=None, keepdims=False) for a, b in zip(left, right, strict=True)]
    return sum(parts[1:], parts[0])


def engine_climbs(asked: Question, namespace: Any = NUMPY) -> tuple[dict[str, Any], dict[str, Any]]:
    """By order, the gradients in reverse mode and the number in forward mode."""
    ct, tangents = directions(asked)
    reverse: Scalar = lambda xp, *x: paired(xp, flat(asked.call(xp, *x)), flat(ct))  # noqa: E731
    forward = reverse
    gradients, numbers = {}, {}
    with np.errstate(all="ignore"):
        for order in range(1, TESTED_ORDER + 1):
            gradients[f"order {order}"] = vjp(reverse, namespace, asked.moving, np.ones(()))[1]
            reverse, forward = by_reverse(reverse, tangents), by_forward(forward, tangents)
            numbers[f"order {order}"] = [forward(namespace, *asked.moving)]
    return gradients, numbers


def by_reverse(f: Scalar, tangents: Any) -> Scalar:
    return lambda xp, *x: paired(xp, vjp(f, xp, x, np.ones(()))[1], tangents)


def by_forward(f: Scalar, tangents: Any) -> Scalar:
    return lambda xp, *x: jvp(f, xp, x, tangents)[1]


def torch_spelled() -> Any:
    """PyTorch, where the fused normalizations are formulas in its means, products and roots."""
    from gradcheck.oracles.with_torch.names import TorchNamespace

    def standardize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
        centred = x - x.mean(axis, keepdim=True)
        return centred / torch.sqrt((centred * centred).mean(axis, keepdim=True) + eps)

    space = TorchNamespace()
    for name in SPELLED:
        formula = VOCABULARY[name].compose
        setattr(space, name, standardize if formula is None else partial(formula, space))
    for name, otherwise in OTHERWISE.items():
        setattr(space, name, otherwise)
    return space


def torch_climbs(asked: Question, spelled: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same from PyTorch, all in reverse mode."""
    from gradcheck.oracles.with_torch.names import TorchNamespace, array

    space = torch_spelled() if spelled else TorchNamespace()
    given, along = directions(asked)
    xs, tangents = [array(a).requires_grad_() for a in asked.moving], list(map(array, along))
    gradients, numbers = {}, {}
    out = flat(asked.call(space, *xs))
    y: Any = sum((a * array(b)).real.sum() for a, b in zip(out, flat(given), strict=True))
    for order in range(1, TESTED_ORDER + 1):
        grads = [torch.zeros_like(x) for x in xs]
        if y.requires_grad:
            grads = list(torch.autograd.grad(y, xs, create_graph=True, allow_unused=True, materialize_grads=True))
        y = sum((g * t).real.sum() for g, t in zip(grads, tangents, strict=True))
        gradients[f"order {order}"] = [g.detach().numpy(force=True) for g in grads]
        numbers[f"order {order}"] = [y.detach().numpy(force=True)]
    return gradients, numbers


def complaints(asked: Question, namespace: Any = NUMPY, spelled: bool = True) -> list[str]:
    """Everything that differs, at every order; numbers relative to the largest derivative of any order."""
    found = []
    units = UNITS if asked.name in OTHERWISE else INEXACT.get(("torch", asked.name), (UNITS, ""))[0]
    answers = zip(("reverse", "forward"), engine_climbs(asked, namespace), torch_climbs(asked, spelled), strict=True)
    for mode, ours, theirs in answers:
        size = largest([y for arrays in theirs.values() for y in arrays])
        found += [f"{asked}, {mode}: {line}" for line in differences(ours, theirs, units, size)]
    return found


def has_orders(name: str) -> bool:
    return VOCABULARY[name].differentiable and name not in LACKING["torch"] and name not in EXCEPTED


@pytest.mark.parametrize("name", [name for name in SAMPLES if has_orders(name)])
def test_higher_orders_agree_with_torch(name: str) -> None:
    assert [line for asked in as_they_are(name)[:1] if asked.moving for line in complaints(asked)] == []


@pytest.mark.parametrize("name", sorted(SPELLED))
def test_what_torch_is_asked_as_a_formula_it_gets_wrong_itself_from_the_third_order_on(name: str) -> None:
    told = complaints(as_they_are(name)[0], spelled=False)
    assert {line.partition(": ")[2].partition(" [")[0] for line in told} == {"order 3", "order 4"}


def test_a_lie_in_the_last_order_alone_is_caught_in_both_modes() -> None:
    """exp, whose slope is right up to the order before the last one."""

    def slope(xp: Any, y: Any, x: Any) -> Any:
        off = xp.subtract(x, xp.stop_gradient(x))  # zero, with the derivative one
        return xp.add(y, xp.multiply(1e-7, xp.pow(off, TESTED_ORDER - 1)))

    liar = replace(VOCABULARY["exp"], slopes=(slope,))
    space = {name: getattr(NUMPY, name) for name in VOCABULARY}
    told = complaints(Question("exp", [X]), SimpleNamespace(**space, vocabulary={**VOCABULARY, "exp": liar}))
    assert [line.partition(" [")[0] for line in told] == [
        f"exp(), as is, {mode}: order {TESTED_ORDER}" for mode in ("reverse", "forward")
    ]


def test_what_is_compared_otherwise_fails_in_torch_itself() -> None:
    """logcumsumexp is nan from the third order on."""

    for name in OTHERWISE:
        gradients, numbers = torch_climbs(as_they_are(name)[0], spelled=False)
        assert np.all(np.isfinite(gradients["order 2"]))
        assert np.any(np.isnan(gradients["order 3"]))
        assert np.any(np.isnan(numbers["order 3"]))


def test_the_table_of_primitives_says_so_of_no_other_rows() -> None:
    tested = {name for name in SAMPLES if has_orders(name) and as_they_are(name)[0].moving}
    spaces = table.namespaces()
    said = {
        name for name, row in VOCABULARY.items() if table.order(row, table.witnesses(row, spaces)) == str(TESTED_ORDER)
    }
    assert said <= tested
    assert len(said) >= 80
