"""What are the functions of neural networks made of?"""

from __future__ import annotations

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Namespace, Primitive, Value


def _silu(xp: Namespace, x: Value) -> Value:
    return xp.multiply(x, xp.expit(x))


NEURAL: tuple[Primitive, ...] = (
    composition(
        "silu",
        1,
        _silu,
        torch="torch.nn.functional.silu",
        jax="jax.nn.silu",
        latex=r"\operatorname{{silu}}\left({0}\right)",
        aliases=("swish",),
    ),
)
