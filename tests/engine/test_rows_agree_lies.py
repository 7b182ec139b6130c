"""Would the comparison with PyTorch and JAX notice a wrong row? Each lie is told to the very functions that judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agreement import MODES, Question, differences, engine_says, jax_says, torch_says
from agreement_questions import LAYOUTS, REPEATED, SAMPLES, N, X, other_shapes

from gradcheck.expr import NUMPY, VOCABULARY

pytest.importorskip("torch")


def told(asked: Question, layout: Callable[[Any], Any] = np.array, theirs: Any = None, **lie: Any) -> list[str]:
    """What is said of a row of which something is not what it should be."""
    row = replace(VOCABULARY[asked.name], **lie)
    namespace = SimpleNamespace(**{name: getattr(NUMPY, name) for name in VOCABULARY})
    setattr(namespace, asked.name, row.numpy)
    namespace.vocabulary = {**VOCABULARY, asked.name: row}
    return differences(engine_says(asked, namespace, layout), theirs or torch_says(asked))


def modes(lines: list[str]) -> set[str]:
    return {line.partition(" [")[0] for line in lines}


EXP = Question("exp", [X])
INV = Question("inv", [np.array([[2.0, 0.5], [-1.0, 3.0]])])


def test_the_truth_is_not_complained_of() -> None:
    for asked in (EXP, INV, Question("matmul", [N.T, N]), *REPEATED):
        assert told(asked) == []


def test_a_slope_that_is_off_by_a_millionth_is_caught_by_both_libraries() -> None:
    lie = {"slopes": (lambda xp, y, x: xp.multiply(y, 1.0 + 1e-6),)}
    assert modes(told(EXP, **lie)) == set(MODES[1:])
    pytest.importorskip("jax")
    assert modes(told(EXP, theirs=jax_says([EXP])[0], **lie)) == set(MODES[1:])


def test_one_wrong_element_among_larger_ones_is_caught() -> None:
    """Off by a millionth where the slope is smallest."""
    lie = {"slopes": (lambda xp, y, x: xp.where(xp.less(x, 0.0), xp.multiply(y, 1.0 + 1e-6), y),)}
    assert modes(told(EXP, **lie)) == set(MODES[1:])


def test_a_wrong_value_is_caught() -> None:
    assert "value" in modes(told(EXP, numpy=lambda x: np.exp(x) * (1 + 1e-12)))


def test_a_vjp_that_forgets_to_add_up_what_was_broadcast_is_caught() -> None:
    asked = Question("broadcast_to", [X], {"shape": (2, 3)})
    lie = {"vjp": lambda xp, ct, y, args, params: (xp.getitem(ct, index=(0,)),)}
    assert "vjp" in modes(told(asked, **lie))
    (line,) = differences({**engine_says(asked), "vjp": [np.ones((2, 3))]}, torch_says(asked))
    assert line.startswith("vjp [0]: shape (2, 3), should be (3,)")


def test_a_vjp_that_forgets_is_caught_in_the_variant_that_broadcasts_alone() -> None:
    """Right for arrays of one shape: the second argument's cotangent is not added up but picked."""

    def picks(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
        copies = ct.ndim - len(args[1].shape)
        return xp.multiply(ct, args[1]), xp.getitem(xp.multiply(ct, args[0]), index=(0,) * copies)

    def jvp(xp: Any, y: Any, args: Any, tangents: Any, params: Any) -> Any:
        parts = [xp.multiply(t, a) for t, a in zip(tangents, args[::-1], strict=True) if t is not None]
        return parts[0] if len(parts) == 1 else xp.add(*parts)

    lie = {"slopes": None, "vjp": picks, "jvp": jvp}
    asked = Question("multiply", [X, X[::-1]])
    assert told(asked, **lie) == []
    variants = {v.variant: told(v, **lie) for v in other_shapes(asked) if v.variant == "broadcast: 0-d [1]"}
    assert "vjp" in modes(variants["broadcast: 0-d [1]"])


def test_a_transposed_jvp_is_caught() -> None:
    def jvp(xp: Any, y: Any, args: Any, tangents: Any, params: Any) -> Any:
        turned = xp.matrix_transpose(y)
        return xp.negative(xp.matmul(xp.matmul(turned, tangents[0]), turned))

    assert modes(told(INV, jvp=jvp)) == {"jvp", "forward over reverse"}


def test_a_second_derivative_that_alone_is_wrong_is_caught() -> None:
    constant = {"slopes": (lambda xp, y, x: xp.multiply(2.0, xp.stop_gradient(x)),)}
    assert modes(told(Question("square", [X]), **constant)) == set(MODES[3:])
    slightly = {"slopes": (lambda xp, y, x: xp.add(xp.multiply(2e-6, xp.subtract(x, xp.stop_gradient(x))), 2 * x),)}
    assert modes(told(Question("square", [X]), **slightly)) == set(MODES[3:])


def written_last(index: Any, shape: tuple[int, ...]) -> Any:
    """One for what would stay if elements were written to an index instead of added, else zero."""
    places = np.arange(np.prod(shape)).reshape(shape)[index]
    latest = dict(zip(places.ravel().tolist(), range(places.size), strict=True))
    return np.isin(np.arange(places.size), list(latest.values())).reshape(places.shape).astype(float)


def repeats(asked: Question) -> bool:
    """Whether an index names an element more than once."""
    places = np.arange(asked.args[0].size).reshape(asked.args[0].shape)[asked.params["index"]]
    return np.unique(places).size < places.size


def test_a_cotangent_that_is_written_and_not_added_is_caught_by_repeated_indices_alone() -> None:
    def vjp(xp: Any, ct: Any, y: Any, args: Any, params: Any) -> Any:
        index, shape = params["index"], args[0].shape
        return (xp.scatter(xp.multiply(ct, written_last(index, shape)), index=index, shape=shape),)

    samples = [Question("getitem", *sample) for sample in SAMPLES["getitem"]]
    plain = [asked for asked in samples if not repeats(asked)]
    repeated = [asked for asked in (*samples, *REPEATED) if asked.name == "getitem" and repeats(asked)]
    assert [modes(told(asked, vjp=vjp)) for asked in plain] == [set()] * len(plain)
    assert all("vjp" in modes(told(asked, vjp=vjp)) for asked in repeated)
    assert len(plain) >= 5
    assert len(repeated) >= 4
    assert {asked.variant for asked in REPEATED if asked.name == "getitem" and not repeats(asked)} == {
        "picked by truth"
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_trust_in_the_order_of_memory_is_caught(layout: str) -> None:
    def flip(x: Any, axis: Any = None) -> Any:
        return np.flip(x if x.base is None else x.base.reshape(-1)[: x.size].reshape(x.shape), axis)

    asked = Question("flip", [N])
    assert told(asked, numpy=flip) == []
    assert "value" in modes(told(asked, LAYOUTS[layout], numpy=flip))


def test_writing_to_an_input_is_caught() -> None:
    def doubled(x: Any) -> Any:
        x *= 2.0
        return np.exp(x / 2.0)

    with pytest.raises(ValueError, match="read-only"):
        told(EXP, numpy=doubled)


def test_a_rule_that_cannot_bear_an_empty_array_is_caught() -> None:
    def slope(xp: Any, y: Any, x: Any) -> Any:
        largest = xp.max(x, axis=None, keepdims=False)
        return xp.multiply(xp.exp(largest), xp.exp(xp.subtract(x, largest)))

    assert told(EXP, slopes=(slope,)) == []
    empty = next(v for v in other_shapes(EXP) if v.variant == "empty")
    with pytest.raises(ValueError, match="zero-size array"):
        told(empty, slopes=(slope,))


def test_nan_and_infinity_are_no_agreement() -> None:
    one = {"value": [np.array([1.0, np.nan])]}
    assert differences(one, {"value": [np.array([1.0, np.nan])]}) == []
    assert differences(one, {"value": [np.array([1.0, 2.0])]})
    assert differences({"value": [np.array([1.0, 2.0])]}, one)
    assert differences({"value": [np.array([np.inf])]}, {"value": [np.array([-np.inf])]})


def test_nothing_is_close_to_zero_but_zero() -> None:
    """Unless it is the rounding of first derivatives."""
    assert differences({"value": [np.array([1e-300])]}, {"value": [np.zeros(1)]})
    first = {"vjp": [np.ones(1)], "jvp": [np.ones(1)]}
    assert differences({**first, MODES[3]: [np.zeros(1)]}, {**first, MODES[3]: [np.full(1, 1e-16)]}) == []
    assert differences({**first, MODES[3]: [np.zeros(1)]}, {**first, MODES[3]: [np.full(1, 1e-13)]})


def test_what_no_derivative_is_known_by_stays_where_it_is_and_all_else_moves() -> None:
    a, b = np.array([2.5, 3.0]), np.array([0.5, 1.5])
    moving = {name: list(map(id, Question(name, [a, b]).moving)) for name in ("zeta", "gammainc", "beta")}
    assert moving == {"zeta": [id(b)], "gammainc": [id(b)], "beta": [id(a), id(b)]}
