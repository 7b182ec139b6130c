"""Calls of check_grads as JAX's documentation and tests write them. The tests run this file twice: as it stands, and
with its import line changed to ours. Every function in it is right, and is to pass both times."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.test_util import check_grads


@jax.custom_jvp
def log1pexp(x: Any) -> Any:
    return jnp.log1p(jnp.exp(x))


@log1pexp.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return log1pexp(x), (1 - 1 / (1 + jnp.exp(x))) * t


@jax.custom_vjp
def product_of_sines(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y


product_of_sines.defvjp(
    lambda x, y: (product_of_sines(x, y), (jnp.cos(x), jnp.sin(x), y)),
    lambda kept, g: (kept[0] * g * kept[2], kept[1] * g),
)


def predict(params: Any, inputs: Any) -> Any:
    return jax.nn.sigmoid(jnp.dot(inputs, params["W"]) + params["b"])


INPUTS = jnp.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
PARAMS = {"W": jnp.array([0.1, -0.6, 0.4]), "b": 0.3}


def test_a_model_of_the_tutorial() -> None:
    check_grads(lambda params: jnp.sum(jnp.log(predict(params, INPUTS))), (PARAMS,), order=1)


def test_both_arguments() -> None:
    check_grads(lambda W, b: predict({"W": W, "b": b}, INPUTS), (PARAMS["W"], PARAMS["b"]), 1)


def test_a_custom_jvp() -> None:
    check_grads(log1pexp, (1.5,), order=2, atol=1e-3, rtol=1e-3, eps=1e-3)


def test_a_custom_vjp_in_reverse_mode() -> None:
    check_grads(product_of_sines, (0.7, 1.3), order=1, modes=["rev"])


def test_trees_and_scalars() -> None:
    check_grads(lambda tree, s: {"a": s * tree["x"], "b": (tree["y"] ** 2).sum()}, ({"x": 0.4, "y": INPUTS}, 2.0), 1)


def test_complex_arguments() -> None:
    z = jnp.array([0.3 + 0.4j, -1.0 + 0.5j])
    check_grads(lambda z: z**2 * jnp.exp(z), (z,), order=1)


def test_branches_of_python() -> None:
    check_grads(lambda x: 3.0 * x**2 if x > 3 else -4.0 * x, (2.0,), order=1, modes=("fwd",))


def test_linearized() -> None:
    check_grads(jnp.tanh, (INPUTS[0],), order=1, modes=("lin",))
