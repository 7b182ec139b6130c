"""Are nested arguments, keywords, and results of which some are integers judged at every door?"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows

from gradcheck import Integer, Real, check
from gradcheck.cases.arguments import formed
from gradcheck.errors import UsageError
from gradcheck.judge.cells import FAILING, Kind

POINTS = 4
CELLS = ["value", "shape", "reverse", "forward", "linear"]
NESTED = {"params": {"w": Real(2, 1), "layers": [Real(2), Real(2)]}, "x": Real(1), "scale": Real()}
Point = namedtuple("Point", "x y")


def model(xp: Any) -> Any:
    """A function of nested arguments and a keyword, with nested results and one of integers."""

    def call(params: Any, x: Any, *, scale: Any) -> Any:
        y = scale * (params["w"] @ x) + params["layers"][0] * params["layers"][1]
        return {"y": y, "more": (y.sum(), xp.argmax(y))}

    return call


def rule(inputs: Any, ct: Any, lost: bool = False) -> Any:
    params, x, scale = inputs
    up = ct["y"] + ct["more"][0]
    one, two = params["layers"]
    by_params = {"w": scale * np.outer(up, x), "layers": [up * two, up * (two if lost else one)]}
    return by_params, scale * params["w"].T @ up, np.sum(up * (params["w"] @ x))


def forward(inputs: Any, tangents: Any) -> Any:
    (params, x, scale), (dparams, dx, dscale) = inputs, tangents
    (one, two), (done, dtwo) = params["layers"], dparams["layers"]
    dy = dscale * params["w"] @ x + scale * (dparams["w"] @ x + params["w"] @ dx) + done * two + one * dtwo
    return {"y": dy, "more": (dy.sum(), 0)}


def failing(result: Any) -> list[str]:
    return [f.cell for f in result.findings if f.kind in FAILING]


def test_a_hand_written_rule_of_nested_arguments() -> None:
    good = check(model(np), NESTED, vjp=rule, jvp=forward, points=POINTS, cells=CELLS)
    assert good.passed, str(good)
    assert {f.cell for f in good.findings if f.kind is Kind.RIGHT} == set(CELLS)
    bad = check(model(np), NESTED, vjp=lambda i, ct: rule(i, ct, lost=True), points=POINTS, cells=CELLS)
    assert failing(bad) == ["reverse"]
    told = bad.checked.standing.decisive
    assert told is not None
    assert told.seen is not None
    assert told.seen.input == "params.layers.1"
    shows(bad, pasted(bad, vjp=lambda i, ct: rule(i, ct, lost=True)))
    pushed = check(model(np), NESTED, vjp=rule, jvp=lambda i, t: forward(i, t) | {"y": t[1].sum() * np.ones(2)},
                   points=POINTS, cells=["forward"])  # fmt: skip
    shows(pushed, pasted(pushed, jvp=lambda i, t: forward(i, t) | {"y": t[1].sum() * np.ones(2)}))
    flat = check(lambda p: p["a"] * p["b"], [{"a": Real(2), "b": Real(2)}], points=POINTS, cells=CELLS,
                 vjp=lambda i, ct: ({"a": ct * i[0]["b"], "b": 2 * ct * i[0]["a"]},))  # fmt: skip
    assert failing(flat) == ["reverse"]
    shows(flat, pasted(flat, vjp=lambda i, ct: ({"a": ct * i[0]["b"], "b": 2 * ct * i[0]["a"]},)))
    shows(flat, pasted(flat, vjp=lambda i, ct: {"a": ct * i[0]["b"], "b": 2 * ct * i[0]["a"]}))


def test_torch_code_of_nested_arguments() -> None:
    torch = pytest.importorskip("torch")
    good = check(model(torch), NESTED, backend="torch", points=POINTS, cells=CELLS)
    assert good.passed, str(good)

    def detaching(params: Any, *, scale: Any) -> Any:
        return params["a"].detach() * params["b"] * scale

    bad = check(detaching, {"params": {"a": Real(2), "b": Real(2)}, "scale": Real()}, backend="torch", points=POINTS,
                cells=CELLS)  # fmt: skip
    told = bad.checked.standing.decisive
    assert told is not None
    assert told.seen is not None
    assert (told.cell, told.seen.input) == ("reverse", "params.a")
    assert "fn({'a': inputs[0], 'b': inputs[1]}, scale=inputs[2])" in str(bad)
    shows(bad, pasted(bad, fn=detaching))

    class Layer(torch.nn.Linear):  # type: ignore[misc]
        def forward(self, inputs: Any, *, shift: Any) -> Any:
            return super().forward(inputs["x"]) + shift

    module = check(Layer(3, 2), {"inputs": {"x": Real(3)}, "shift": Real(2)}, points=POINTS, cells=CELLS)
    assert module.passed, str(module)


def test_jax_code_of_nested_arguments() -> None:
    pytest.importorskip("jax")
    from gradcheck.oracles.with_jax.library import jax, jnp

    good = check(model(jnp), NESTED, backend="jax", points=POINTS, cells=["value", "reverse"])
    assert good.passed, str(good)

    @jax.custom_vjp
    def product(params: Any, k: Any) -> Any:
        return params["a"] * params["b"] * k

    product.defvjp(
        lambda p, k: (product(p, k), (p, k)), lambda s, ct: ({"a": ct * s[1], "b": ct * s[0]["a"] * s[1]}, None)
    )
    bad = check(product, [{"a": Real(2), "b": Real(2)}, Integer()], points=POINTS, cells=["reverse"])
    told = bad.checked.standing.decisive
    assert told is not None
    assert told.seen is not None
    assert told.cell == "reverse"
    shows(bad, pasted(bad, fn=product))


def test_callbacks_of_jax_are_judged_with_silences_where_it_has_no_rule() -> None:
    pytest.importorskip("jax")
    from gradcheck.oracles.with_jax.library import jax, jnp

    @jax.custom_vjp
    def sine(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    def judged(factor: float) -> Any:
        sine.defvjp(lambda x: (sine(x), x), lambda x, ct: (factor * ct * jnp.cos(x),))
        return check(sine, [Real(2)], points=POINTS, cells=["value", "reverse", "forward", "vmap", "compiled"])

    good = judged(1.0)
    assert good.passed, str(good)
    told = {f.cell: f.sentence for f in good.findings if f.kind is Kind.SILENT}
    assert {"forward", "vmap"} <= set(told)
    assert failing(judged(1.5)) == ["reverse"]


def test_forms_of_arguments() -> None:
    def call(x: Any, y: Any = 2.0, z: Any = 3.0) -> Any:
        return (x, y, z)

    form, givens = formed(call, {"z": Real(2), "x": Real(2)})
    assert not callable(givens)
    assert [g.name for g in givens] == ["x", "z"]
    assert form.called(call)(1, 5) == (1, 2.0, 5)  # behind a gap it is handed over by keyword
    form, sampler = formed(call, lambda rng: (Point(rng.normal(size=2), rng.normal(size=3)), rng.normal(size=1)))
    assert callable(sampler)
    assert [np.shape(v) for v in sampler(np.random.default_rng(0))] == [(2,), (3,), (1,)]
    assert form.called(lambda p, v: p.x + p.y + v)(1, 2, 3) == 6
    with pytest.raises(UsageError, match="no argument 'w'"):
        formed(call, {"w": Real(2)})
    with pytest.raises(ValueError, match="a mapping of a, b is expected, not a mapping of a"):
        formed(call, [{"a": Real(2), "b": Real(2)}])[0].rule(lambda i, ct: ({"a": 1},))([1, 2], 0)
