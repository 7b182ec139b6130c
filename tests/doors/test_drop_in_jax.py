"""Do JAX's check_grads calls keep passing with our import line, and is seen what JAX's own lets through?"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import under_line

pytest.importorskip("jax")

from gradcheck.errors import UsageError
from gradcheck.jax import check_grads as ours
from gradcheck.oracles.with_jax.itself import float64, jax, jnp
from gradcheck.oracles.with_jax.local import JaxLocal

theirs = pytest.importorskip("jax.test_util").check_grads

CALLS = Path(__file__).with_name("calls_in_jax_style.py")
LINE = "from jax.test_util import check_grads"
OURS = "from gradcheck.jax import check_grads"


def calls(line: str) -> dict[str, Callable[[], None]]:
    return under_line(CALLS, LINE, line)


@pytest.fixture
def in_float64() -> Iterator[None]:
    """JAX in float64, as its users who check gradients set it."""
    with float64():
        yield


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("line", [LINE, OURS], ids=["theirs", "ours"])
@pytest.mark.parametrize("name", re.findall(r"^def test_(\w+)", CALLS.read_text(encoding="utf-8"), re.MULTILINE))
def test_right_ones_keep_passing(name: str, line: str) -> None:
    calls(line)[f"test_{name}"]()


def passes(check: Callable[..., None], *given: Any, **options: Any) -> bool:
    try:
        check(*given, **options)
    except AssertionError:
        return False
    return True


def ruled(f: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """f with a pullback by hand: backward(x, ct)."""
    rule = jax.custom_vjp(f)
    rule.defvjp(lambda x: (f(x), x), lambda x, ct: (backward(x, ct),))
    return rule


def wrong_by(share: float) -> Callable[..., Any]:
    """The sine with a derivative that is off by a share."""

    @jax.custom_jvp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    sine.defjvp(lambda at, along: (sine(*at), (1 + share) * jnp.cos(at[0]) * along[0]))
    return sine


@pytest.mark.parametrize(("share", "size", "wide"), [(0.5, 1_000, False), (0.5, 100_000, True), (5e-6, 1, True)])
def test_a_tolerance_that_grows_with_the_size(share: float, size: int, wide: bool) -> None:
    x = np.linspace(0.3, 1.2, size)
    if wide:
        with float64():
            assert passes(theirs, wrong_by(share), (jnp.asarray(x),), 1, modes=("fwd",))
            assert not fine(wrong_by(share), x)
    else:
        narrow = jnp.asarray(x, jnp.float32)
        assert passes(theirs, wrong_by(share), (narrow,), 1, modes=("fwd",))
        assert not fine(wrong_by(share), narrow)


def fine(f: Callable[..., Any], x: Any) -> bool:
    """Our first look alone: naming an element of 100,000 takes the court a while."""
    from gradcheck.oracles.with_jax.local import local_of
    from gradcheck.run.check.at_point import Asked, fine_at_first_look

    with float64():
        return fine_at_first_look(local_of(f, [x], ["x"], False), Asked(True, True))


@pytest.mark.usefixtures("in_float64")
def test_nan_is_no_gradient() -> None:
    """One NaN of the function makes NaN of both sums that JAX compares, and hides whatever else is wrong."""
    doubled = ruled(jnp.sqrt, lambda x, ct: ct / jnp.sqrt(x))
    assert not passes(theirs, doubled, (jnp.array([1.0, 2.0]),), 1, modes=("rev",))
    assert passes(theirs, doubled, (jnp.array([-1.0, 2.0]),), 1, modes=("rev",))
    with pytest.raises(AssertionError, match="no finite value"):
        ours(doubled, (jnp.array([-1.0, 2.0]),), 1, modes=("rev",))
    hole = ruled(jnp.exp, lambda x, ct: ct * jnp.where(x > 1, jnp.nan, jnp.exp(x)))
    assert not passes(ours, hole, (jnp.array([0.5, 2.0]),), 1, modes=("rev",))


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize(
    ("f", "x"), [(jnp.log, 1e-5), (jnp.square, 1e12), (jax.nn.relu, 0.0), (jnp.sqrt, 1e-6)],
    ids=["log near 0", "a square at 1e12", "relu at 0", "a root near 0"],
)  # fmt: skip
def test_what_theirs_accuses_and_is_right(f: Callable[..., Any], x: float) -> None:
    assert not passes(theirs, f, (x,), 1)
    ours(f, (x,), 1)


@pytest.mark.usefixtures("in_float64")
def test_a_small_gradient_and_the_right_number_by_name() -> None:
    flat = ruled(lambda x: 1e-6 * jnp.sin(x), lambda x, ct: 0 * ct)
    assert passes(theirs, flat, (0.3,), 1, modes=["rev"])
    with pytest.raises(AssertionError, match=r"the gradient of args\[0\] is 0, not 9.55336e-07"):
        ours(flat, (0.3,), 1, modes=["rev"])
    tree = {"w": jnp.array([1.0, 2.0]), "b": 3.0}
    half = ruled(lambda t: t["w"].sum() * t["b"], lambda t, ct: {"w": t["b"] * ct * jnp.ones(2), "b": 1.5 * ct})
    with pytest.raises(AssertionError, match=r"the gradient of args\[0\]\['b'\] is"):
        ours(half, (tree,), 1, modes=["rev"])


def test_float32_arguments_are_judged_in_float64() -> None:
    x = jnp.array([0.5, 1.5], jnp.float32)
    ours(lambda x: jnp.sum(x**3), (x,), 1)
    assert not passes(ours, wrong_by(1e-6), (x,), 1)
    narrow = ruled(jnp.exp, lambda x, ct: ct * jnp.exp(x) * (1.5 if x.dtype == jnp.float32 else 1.0))
    assert not passes(ours, narrow, (x,), 1, modes=["rev"])
    ours(lambda x: jax.lax.convert_element_type(x, jnp.float32) ** 2, (x,), 1)  # computes in it whatever it is given


@pytest.mark.usefixtures("in_float64")
def test_the_second_order() -> None:
    @jax.custom_jvp
    def cube(x: Any) -> Any:
        return x**3

    cube.defjvp(lambda at, along: (cube(*at), 3 * jax.lax.stop_gradient(at[0]) ** 2 * along[0]))
    ours(cube, (2.0,), 1)
    with pytest.raises(AssertionError, match="the fwd derivative of"):
        ours(cube, (2.0,), 2, modes=("fwd",))


@pytest.mark.usefixtures("in_float64")
def test_limits_add_and_never_excuse() -> None:
    assert not passes(ours, wrong_by(1e-6), (0.5,), 1, atol=1.0, rtol=1.0)
    ours(jnp.sin, (0.5,), 1, atol=1e-14, rtol={np.float64: 1e-14})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": 0}, "asks for nothing"),
        ({"modes": ("forward",)}, "some of fwd, rev, lin"),
        ({"args": (3,)}, "nothing to judge"),
        ({"eps": -1.0}, "no step"),
        ({"rtol": -1.0}, "not negative"),
        ({"points": 0}, "asks for nothing"),
        ({"args": (np.float16(1.0),), "f": lambda x: jax.lax.convert_element_type(x, np.float16)}, "too little"),
    ],
)
def test_what_is_refused_says_why(options: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"f": jnp.sin, "args": (1.0,), "order": 1} | options
    with pytest.raises(UsageError, match=words):
        ours(**given)


def test_a_mode_that_there_is_not_is_jax_own_error() -> None:
    with pytest.raises(TypeError, match="forward-mode"):
        ours(ruled(jnp.sin, lambda x, ct: ct * jnp.cos(x)), (0.5,), 1)


def test_importing_loads_no_framework_and_the_callers_settings_stay() -> None:
    code = """
import sys, gradcheck, gradcheck.api
assert not {'torch', 'jax'} & set(sys.modules)
import jax, jax.numpy as jnp
from gradcheck.jax import check_grads
assert not jax.config.jax_enable_x64
check_grads(jnp.sin, (jnp.ones(2),), 1)
assert not jax.config.jax_enable_x64
assert jnp.ones(2).dtype == jnp.float32
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_function_that_jax_cannot_follow_beside_the_point_has_no_value_there() -> None:
    """JAX refuses at every step that is asked alone; batches, which are traced, show that the rule is right."""
    here = jnp.asarray([0.5, 0.25, 2.0])

    def refused(y: Any) -> Any:
        return y if y[0] > 0 else -y

    def f(x: Any) -> Any:
        traced = isinstance(x, jax.core.Tracer)
        return jnp.sin(x if traced or (np.asarray(x) == np.asarray(here)).all() else jax.jit(refused)(x))

    assert passes(ours, f, (here,), 1)
    wrong = ruled(f, lambda x, ct: ct * jnp.cos(x) * 1.001)
    assert not passes(ours, wrong, (here,), 1, modes=("rev",))


def test_calls_are_started_before_any_is_waited_for_and_the_one_at_the_point_is_known(in_float64: None) -> None:
    started = []

    def computed(x: Any) -> Any:
        if x[0] > 1:
            raise ValueError("no numbers there")  # JAX tells of it where the numbers are wanted
        return np.sin(x)

    def f(x: Any) -> Any:
        started.append(1)
        return jax.pure_callback(computed, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    sine = jax.custom_vjp(f)
    sine.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * jnp.cos(x),))
    local = JaxLocal(sine, [jnp.asarray([0.5, 0.25])], ["x"], linear=False)
    points = np.array([[0.5, 0.25], [0.75, 0.25], [1.5, 0.25], [-2.0, 3.0]])
    started.clear()
    found = local.values(points)
    assert len(started) == 3  # none at the point itself
    np.testing.assert_allclose(found[[0, 1, 3]], np.sin(points[[0, 1, 3]]), rtol=1e-15)
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(local.values(points[1:])[[0, 2]], found[[1, 3]])
