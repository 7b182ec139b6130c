"""Is what docs/primitives.md says of proofs true: what is enclosed, what is not, and where an answer stays open?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.errors import Unsupported
from gradcheck.expr import VOCABULARY, Batching, Primitive
from gradcheck.oracles.balls.complex import COMPLEX_TOO
from gradcheck.oracles.balls.flint_library import Undecided, acb, arb, balls
from gradcheck.oracles.balls.reach import LIMITS, REASONS, reach
from gradcheck.oracles.balls.vocabulary import BALLS

TIE = balls([1.0, 2.0]) + np.array([arb(0, 1e-9), arb(0, 1)], dtype=object)  # of which the second may be 1 and may be 3
DIM = np.array([[arb(1), arb(2)], [arb(2), arb(4, 1e-9)]], dtype=object)  # that may be singular
EDGE = np.array([arb(0, 1e-9)], dtype=object)
OPEN: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"), (TIE[:1], TIE[1:])),
    **dict.fromkeys(("sort", "argsort", "argmax", "argmin"), (TIE,)),
    **dict.fromkeys(("floor", "sign", "signbit", "count_nonzero"), (EDGE,)),
    "ceil": (EDGE,), "round": (EDGE + 0.5,), "floor_divide": (EDGE, 1.0), "remainder": (EDGE, 1.0),
    "fmod": (EDGE + 1, 1.0), "trunc": (EDGE + 1,),
    **dict.fromkeys(("slogdet_sign", "cholesky", "inv", "logabsdet", "qr_q", "qr_r", "pinv"), (DIM,)),
    "solve": (DIM, balls(np.ones((2, 1)))), "solve_triangular": (balls(np.diag([1.0, 0.0])), balls(np.ones((2, 1)))),
    "eigh_vectors": (balls(np.eye(2)),), "svd_u": (balls(np.eye(2)),), "svd_vh": (balls(np.eye(2)),),
}  # fmt: skip


def is_open(name: str, args: tuple[Any, ...]) -> bool:
    """Whether an enclosure says nothing: it raises Undecided, or some of its balls are not finite."""
    params: dict[str, Any] = {"axis": (-1,)} if VOCABULARY[name].batching is Batching.AXIS else {}
    params["axis"] = -1 if name in ("sort", "argsort") else params.get("axis")
    if params["axis"] is None:
        del params["axis"]
    try:
        y = np.asarray(getattr(BALLS, name)(*args, **params))
    except Undecided:
        return True
    return y.dtype == object and not all(b.is_finite() for b in y.flat)


def test_all_that_is_not_enclosed_has_its_reason() -> None:
    atoms = {n for n, r in VOCABULARY.items() if r.compose is None and r.batching is not Batching.CONSTANT}
    assert atoms - set(BALLS.enclosures) == set(REASONS)
    assert set(LIMITS) | COMPLEX_TOO <= set(BALLS.enclosures)


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_open_is_open_there_and_not_elsewhere(name: str) -> None:
    assert is_open(name, OPEN[name])
    clear = [1.25] if len(OPEN[name][0].shape) == 1 else [[2.0, 0.5], [0.5, 1.0]]
    first = balls(np.array([1.25, 2.5])) if name in ("sort", "argsort", "argmax", "argmin") else balls(np.array(clear))
    rest = [balls(np.full(np.shape(a), 0.4)) for a in OPEN[name][1:]]
    assert not is_open(name, (first, *rest))


def test_words_for_rows() -> None:
    cube = Primitive("cube", 1, lambda x: x**3)
    assert reach(cube) == "no: it has no enclosure"
    assert reach(VOCABULARY["nextafter"]).startswith("no: its neighbours")
    assert [reach(VOCABULARY[n]) for n in ("eye", "silu", "erfinv", "add")] == [
        "exact",
        "formula",
        "yes",
        "yes, complex too",
    ]
    assert reach(VOCABULARY["inv"]) == "yes, complex too; open where the matrix may be singular"


@pytest.mark.parametrize("name", sorted(REASONS))
def test_rows_without_an_enclosure_refuse_balls(name: str) -> None:
    with pytest.raises(Unsupported):
        getattr(BALLS, name)(*[balls([1.5])] * (VOCABULARY[name].arity or 1))


def test_rows_that_are_right_for_complex_balls_take_them() -> None:
    z = np.array([acb(1, 2)], dtype=object)
    assert BALLS.multiply(z, z)[0].overlaps(acb(-3, 4))
    assert BALLS.sum(z, axis=(-1,), keepdims=False)[()].overlaps(acb(1, 2))
