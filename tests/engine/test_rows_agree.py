"""Does every row of the vocabulary agree with PyTorch and with JAX, in both modes and at both orders?

At the samples as they are, and at what often goes wrong: broadcasting, no axes, no elements, other layouts in memory,
indices that repeat, single precision. The checks are checked in `test_rows_agree_lies.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from agreement import (
    MODES,
    Answers,
    Question,
    differences,
    engine_says,
    jax_says,
    largest,
    mapped,
    refuses,
    torch_says,
)  # fmt: skip
from agreement_questions import INEXACT, LACKING, LAYOUTS, SAMPLES, TABLES, as_they_are, other_shapes

from gradcheck.engine import jvp, tensor, vjp
from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY

SINGLE = {"f": np.float32, "c": np.complex64}
UNITS = 64.0  # of roundoff, where a library is exact
WITHOUT = {  # (library, row) -> modes that the library has not
    ("torch", "floor_divide"): MODES[1:],  # "derivative for aten::floor_divide is not implemented"
    ("torch", "hard_sigmoid"): MODES[3:],  # "derivative for aten::hardsigmoid_backward is not implemented"
    ("torch", "huber_loss"): MODES[3:4],  # "forward AD with huber_loss_backward that does not support it"
    **{("torch", name): MODES[2:4] for name in ("gammainc", "gammaincc", "zeta")},  # "forward AD … not … implemented"
    ("jax", "exp1"): MODES[3:],  # its derivative cannot be compiled when it is differentiated again: a TypeError
    ("jax", "expn"): MODES[3:],  # as exp1, which is made of it
}
KNOWN = {  # (library, row, sample) -> how the library is known to deviate there; it must show
    ("torch", "xlogy", 1): "nan at (0, 0), where the row takes the slopes 0",
    ("jax", "xlogy", 1): "nan and infinite at (0, 0), where the row takes the slopes 0",
    ("jax", "hypot", 1): "second derivatives wrong where |a| = |b|: it divides the smaller by the larger",
    ("torch", "celu", 1): "second derivatives right to 2e-8 where alpha is not 1: it keeps 1/alpha in single precision",
    ("torch", "cosine_similarity", 2): "it takes the slopes of lengths that it has replaced by eps",
    ("torch", "log_expit", 2): "its second derivative keeps four digits at 31, where mpmath and the row agree",
    ("jax", "expn", 2): "nan where x <= 1: its slope is E(n - 1), which it has not for n = 0; there it is elementary",
    ("torch", "top_k", 2): "equal elements in no certain order, where the row keeps the order they came in",
    ("jax", "sort", 3): "equal elements the last first where it is descending, where the row keeps their order",
    ("jax", "cumulative_max", 2): "equal elements share the slope, where the row takes the latest",
    ("jax", "cumulative_min", 2): "equal elements share the slope, where the row takes the latest",
}


BENT = {  # (row, sample) -> modes that jump, where single precision rounds the argument to the place where it bends
    ("huber_loss", 0): MODES[3:],  # 1.9 - 0.9 is 1 there, in double precision of the same numbers a little more
    ("huber_loss", 2): MODES[3:],
}


def complaints(library: str, asked: Question, ours: Answers, theirs: Answers, note: str = "") -> list[str]:
    """Everything in which the engine and a library differ by more than the library is allowed."""
    units, _ = INEXACT.get((library, asked.name), (UNITS, ""))
    if asked.variant == "float32":
        units = max(UNITS, units * 2.0**-29)  # the library is asked in double precision, of whose roundoff they are
    return [f"{library}, {asked}{note}: {line}" for line in differences(ours, theirs, units)]


def lacks(library: str, namespace: Any, name: str) -> bool:
    """Whether the library has no such function, which is listed; then asking for it must say so."""
    if name in LACKING[library]:
        with pytest.raises(Unsupported, match=f"has no {name}"):
            getattr(namespace, name)
    return name in LACKING[library]


def without(asked: Question, library: str = "torch") -> tuple[str, ...]:
    return WITHOUT.get((library, asked.name), ())


@pytest.mark.parametrize("name", SAMPLES)
def test_rows_agree_with_torch_whatever_the_input_looks_like(name: str) -> None:
    pytest.importorskip("torch")
    from gradcheck.oracles.with_torch.names import TorchNamespace

    if lacks("torch", TorchNamespace(), name):
        return
    found = []
    for k, asked in enumerate(as_they_are(name)):
        theirs = torch_says(asked, without(asked))
        told = complaints("torch", asked, engine_says(asked), theirs)
        if ("torch", name, k) in KNOWN:
            assert told, f"no deviation any more: {KNOWN['torch', name, k]}"
            continue
        found += told
        for layout, change in LAYOUTS.items():
            found += complaints("torch", asked, engine_says(asked, layout=change), theirs, f", {layout}")
        for other in other_shapes(asked):
            found += complaints("torch", other, engine_says(other), torch_says(other, without(other)))
    for asked in (question for table in TABLES for question in table if question.name == name):
        found += complaints("torch", asked, engine_says(asked), torch_says(asked, without(asked)))
    assert found == []


@pytest.mark.parametrize("name", SAMPLES)
def test_rows_agree_with_jax(name: str) -> None:
    pytest.importorskip("jax")
    from gradcheck.oracles.with_jax.names import JaxNamespace

    if lacks("jax", JaxNamespace(), name):
        return
    asked = as_they_are(name)
    found = []
    for k, (question, theirs) in enumerate(zip(asked, jax_says(asked, without(asked[0], "jax")), strict=True)):
        told = complaints("jax", question, engine_says(question), theirs)
        if ("jax", name, k) in KNOWN:
            assert told, f"no deviation any more: {KNOWN['jax', name, k]}"
        else:
            found += told
    assert found == []


def in_single_precision(asked: Question) -> Question:
    """Arrays and parameters that are arrays; a weight of double precision would make everything it meets double."""

    def single(a: Any) -> Any:
        return a.astype(np.float32) if a.dtype.kind == "f" else a

    params = dict(zip(asked.params, mapped(single, list(asked.params.values())), strict=True))
    return replace(asked.changed(single, "float32"), params=params)


@pytest.mark.parametrize("name", SAMPLES)
def test_single_precision_is_as_right_as_it_can_be(name: str) -> None:
    """Against PyTorch in double precision at the same numbers; and values stay in single precision."""
    pytest.importorskip("torch")
    found = []
    for k, sample in enumerate(as_they_are(name)):
        asked = in_single_precision(sample)
        if not asked.moving or ("torch", name, k) in KNOWN or name in LACKING["torch"]:
            continue
        ours = engine_says(asked)
        assert {np.asarray(y).dtype for y in ours["value"]} <= {np.dtype(np.float32), np.dtype(np.complex64)}
        rounded = {mode: [np.asarray(y, SINGLE[np.asarray(y).dtype.kind]) for y in ours[mode]] for mode in ours}
        unasked = (*without(asked), *BENT.get((name, k), ()))
        found += complaints("torch", asked, rounded, torch_says(asked, unasked))
    assert found == []


SINGLES = {"float32", "complex64"}


def test_the_gradient_of_an_eager_tensor_has_its_dtype() -> None:
    x = tensor([0.5, -1.0], requires_grad=True, dtype=np.float32)
    x.relu().sum().backward()
    assert x.grad.dtype == np.float32


def test_derivatives_have_the_dtype_of_what_they_belong_to() -> None:
    """As in PyTorch: float32 in, float32 out, in every mode."""
    found = {}
    for name in SAMPLES:
        for sample in as_they_are(name):
            asked = in_single_precision(sample)
            if asked.moving:
                ours = engine_says(asked)
                wrong = [mode for mode in MODES if {np.asarray(y).dtype.name for y in ours[mode]} - SINGLES]
                found |= {str(asked): wrong} if wrong else {}
    assert found == {}


def test_every_exception_is_of_a_row_and_every_deviation_of_a_sample() -> None:
    assert {name for _, name in (*INEXACT, *WITHOUT)} <= set(SAMPLES)
    assert all(k < len(SAMPLES[name]) for name, k in (*(key[1:] for key in KNOWN), *BENT))
    assert {question.name for table in TABLES for question in table} <= set(SAMPLES)


REFUSING = [(name, i) for name in SAMPLES for i in range(VOCABULARY[name].arity or 0) if refuses(name, i)]


def test_the_rows_that_refuse_are_there() -> None:
    assert {("nextafter", 0), ("nextafter", 1)} <= set(REFUSING)


@pytest.mark.parametrize("mode", [vjp, jvp])
@pytest.mark.parametrize(("name", "i"), REFUSING)
def test_a_derivative_that_is_left_out_is_refused_and_not_zero(name: str, i: int, mode: Any) -> None:
    args, params = SAMPLES[name][0]
    moving = np.asarray(args[i], float)

    def f(xp: Any, x: Any) -> Any:
        return getattr(xp, name)(*args[:i], x, *args[i + 1 :], **params)

    given = np.ones(np.shape(getattr(NUMPY, name)(*args, **params))) if mode is vjp else [np.ones_like(moving)]
    with pytest.raises(Unsupported, match="has no derivative"):
        mode(f, NUMPY, [moving], given)


def test_what_torch_is_excepted_from_it_really_lacks() -> None:
    pytest.importorskip("torch")
    for name in (name for library, name in WITHOUT if library == "torch"):
        with pytest.raises((RuntimeError, NotImplementedError), match="not (been )?implemented|does not support it"):
            torch_says(as_they_are(name)[0])


def test_what_jax_is_excepted_from_it_really_lacks() -> None:
    pytest.importorskip("jax")
    for name in (name for library, name in WITHOUT if library == "jax"):
        with pytest.raises(TypeError, match="No constant handler"):
            jax_says(as_they_are(name)[:1])


def test_the_samples_are_no_degenerate_questions() -> None:
    """A derivative that is all zero agrees with anything that forgot to compute it: few rows may be like that."""
    flat = {"sign", "floor", "ceil", "round", "trunc", "floor_divide", "imag", "angle", "slogdet_sign"}
    for name in SAMPLES:
        answers = [engine_says(asked) for asked in as_they_are(name) if asked.moving]
        if answers and name not in flat:
            assert any(largest(a["vjp"]) > 0 for a in answers), name
            assert any(largest(a["jvp"]) > 0 for a in answers), name
