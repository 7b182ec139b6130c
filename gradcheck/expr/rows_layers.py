"""What are the layers that mix: dense, embedded, attended?

Formulas in other rows. Vaswani et al., "Attention is all you need" (2017).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import shape_of

HIDDEN = -1e30  # the score of a key that the mask hides: exp gives 0, and no infinity enters an error bound


def _linear(xp: Namespace, x: Value, weight: Value, bias: Value | None = None) -> Value:
    """x (…, inputs), weight (outputs, inputs), bias (outputs) -> (…, outputs)."""
    y = xp.matmul(x, xp.matrix_transpose(weight))
    return y if bias is None else xp.add(y, bias)


def _embedding(xp: Namespace, weight: Value, indices: Any) -> Value:
    """The rows of weight (words, size) that `indices` name -> (*indices, size)."""
    return xp.take(weight, indices, axis=0)


def _attention(
    xp: Namespace,
    query: Value,
    key: Value,
    value: Value,
    mask: Value | None = None,
    bias: Value | None = None,
    scale: float | None = None,
) -> Value:
    """query (…, L, E), key (…, S, E), value (…, S, V) -> (…, L, V).

    mask (…, L, S) is true where a key may be seen, bias is added to the scores; scale is 1/sqrt(E) by default.
    """
    scale = 1.0 / sqrt(shape_of(query)[-1]) if scale is None else scale
    scores = xp.multiply(scale, xp.matmul(query, xp.matrix_transpose(key)))
    if bias is not None:
        scores = xp.add(scores, bias)
    if mask is not None:
        scores = xp.where(mask, scores, HIDDEN)
    return xp.matmul(xp.softmax(scores, axis=-1), value)


LAYERS: tuple[Primitive, ...] = (
    composition(
        "linear", 2, _linear, params=("bias",), defaults={"bias": None}, batching=Batching.TRAILING, analytic=True
    ),
    composition(
        "embedding",
        1,
        _embedding,
        params=("indices",),
        batching=Batching.TRAILING,
        note="the rows of a table; a row named twice gets both cotangents",
    ),
    composition(
        "attention",
        3,
        _attention,
        params=("mask", "bias", "scale"),
        defaults={"mask": None, "bias": None, "scale": None},
        batching=Batching.TRAILING,
        aliases=("scaled_dot_product_attention",),
        note="a query whose every key is hidden sees all of them alike",
    ),
)
