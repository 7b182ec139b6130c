"""Does a program give what its function gives, at other numbers than it was written at, and spoil nobody's array?"""

from __future__ import annotations

import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agreement import Question, directions, flat
from agreement_questions import SAMPLES, as_they_are

from benchmarks.engine.objectives import problems
from gradcheck import engine
from gradcheck.engine import compiled, program_of, reuse
from gradcheck.errors import TapeError
from gradcheck.expr import NUMPY

ROWS = [question for name in SAMPLES for question in as_they_are(name) if question.moving]
HIDDEN = "looks at the numbers of an array"


def modes(question: Question) -> tuple[Callable[..., Any], list[Any]]:
    """A row's value and derivatives of both modes and orders, as one function of plain arrays; and those arrays."""
    ct, tangents = directions(question)
    cts, xs = flat(ct), question.moving
    n = len(xs)

    def derivatives(xp: Any, *args: Any) -> Any:
        x, t = args[:n], list(args[n : 2 * n])
        ct_of_all = tuple(args[2 * n :]) if isinstance(ct, tuple) else args[2 * n]
        value, pulled = engine.vjp(question.call, xp, x, ct_of_all)
        pushed = engine.jvp(question.call, xp, x, t)[1]
        return [flat(value), list(pulled), flat(pushed), list(engine.hvp(question.call, xp, x, ct_of_all, t)[1])]

    return derivatives, [np.array(a) for a in (*xs, *tangents, *cts)]


def leaves(thing: Any) -> list[Any]:
    """The arrays of nested lists."""
    return [a for part in thing for a in leaves(part)] if isinstance(thing, list | tuple) else [np.asarray(thing)]


def same(ours: Any, theirs: Any) -> bool:
    """Whether two answers are the same to the last bit, and of the same types."""
    pairs = zip(leaves(ours), leaves(theirs), strict=True)
    return all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in pairs)


def strided(a: Any) -> Any:
    """The same numbers, laid out backwards and with gaps."""
    wide = np.zeros((*a.shape, 2), a.dtype)[tuple(slice(None, None, -1) for _ in a.shape)]
    wide[..., 0] = a
    return wide[..., 0]


def wrong(question: Question) -> list[str]:
    """What a row's program does that it should not: at its own numbers, at these the other way round, in a layout."""
    f, args = modes(question)
    program, found = program_of(f, *args), []
    other = [np.array(np.flip(a)) for a in args]
    for given, where in ((args, "as written"), (other, "other numbers"), (list(map(strided, args)), "strided")):
        before = [a.copy() for a in given]
        with np.errstate(all="ignore"):
            try:
                wanted = f(NUMPY, *given)
            except np.linalg.LinAlgError:  # the other way round, a matrix may have no root
                continue
        first, second = program(*given), program(*given)
        found += [f"differs, {where}"] * (not same(first, wanted)) + [f"second call, {where}"] * (
            not same(second, wanted)
        )
        found += [f"writes to what is given, {where}"] * (not same(before, given))
    return found


@pytest.mark.parametrize("question", ROWS, ids=str)
def test_every_row_in_every_mode(question: Question) -> None:
    assert wrong(question) == []


def test_memory_that_is_taken_too_early_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lie: every operation is said to make a new array, views among them, and arrays of any size are used again."""
    monkeypatch.setattr(reuse, "WORTHWHILE", 1)
    assert not any(wrong(question) for question in ROWS[::5])  # whatever the size, as it is it holds
    monkeypatch.setattr(reuse, "_makes_new", lambda line: True)
    x = np.arange(1.0, 5.0)

    def f(xp: Any, x: Any) -> Any:
        double = xp.multiply(x, 2.0)
        turned = xp.flip(double, axis=0)
        return xp.add(xp.negative(double), turned)

    assert not same(program_of(f, x)(x), f(NUMPY, x))


@pytest.mark.parametrize("problem", problems(quick=True), ids=lambda p: p.name)
def test_whole_objectives(problem: Any) -> None:
    wrt = [i < problem.moving for i in range(len(problem.arguments))]
    gradient = compiled(lambda xp, *args: engine.grad(problem.function, xp, args, wrt=wrt))
    first = gradient(*problem.arguments)
    others = [a * 1.25 if i < problem.moving else a for i, a in enumerate(problem.arguments)]
    for args in (problem.arguments, others):
        wanted = engine.grad(problem.function, NUMPY, args, wrt=wrt)
        for ours, theirs in zip(gradient(*args), wanted, strict=True):
            assert (ours is None and theirs is None) or np.allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    assert same([a for a in first if a is not None], [a for a in gradient(*problem.arguments) if a is not None])


def branch(xp: Any, x: Any) -> Any:
    return xp.sum(x) if xp.sum(x) > 0 else xp.sum(-x)


PEEKING: dict[str, Callable[..., Any]] = {
    "if": branch,
    "float": lambda xp, x: x * float(xp.sum(x)),
    "item": lambda xp, x: x * x[0].item(),
    "numpy": lambda xp, x: x * np.asarray(x),
    "range": lambda xp, x: sum(x * i for i in range(xp.argmax(x))),
    "max of Python": lambda xp, x: x * max(x),
    "mask": lambda xp, x: x[x > 0],
    "mask, said as a function": lambda xp, x: xp.getitem(x, index=xp.greater(x, 0.0)),
    "as many as a number says": lambda xp, x: xp.repeat(x, xp.argsort(x)),
    "a slice": lambda xp, x: x[: xp.argmax(x)],
    "a size": lambda xp, x: xp.sum(x) * xp.mean(xp.arange(xp.argmax(x))),
    "a shape": lambda xp, x: xp.mean(xp.broadcast_to(xp.sum(x), shape=(xp.argmax(x), 2))),
    "a matrix's size": lambda xp, x: xp.mean(xp.eye(xp.argmax(x))) * x,
}


@pytest.mark.parametrize("peek", PEEKING.values(), ids=list(PEEKING))
@pytest.mark.parametrize("derivative", [False, True], ids=["value", "gradient"])
def test_what_depends_on_numbers_is_refused(peek: Callable[..., Any], derivative: bool) -> None:
    def gradient(xp: Any, x: Any) -> Any:
        return engine.grad(lambda xp, x: xp.sum(peek(xp, x)), xp, (x,))

    with pytest.raises(TapeError, match=HIDDEN):
        program_of(gradient if derivative else peek, np.array([1.0, -2.0, 3.0]))


def test_what_is_in_place_is_the_numbers_of_the_call() -> None:
    def f(xp: Any, x: Any) -> Any:
        y = x * 2.0
        y += 1.0
        return xp.sum(y * y)

    gradient = compiled(lambda xp, x: engine.grad(f, xp, (x,)))
    for x in (np.array([1.0, 2.0]), np.array([-3.0, 0.5])):
        np.testing.assert_allclose(gradient(x)[0], 4.0 * (2.0 * x + 1.0), rtol=1e-15)


def test_nothing_is_shared_that_could_be_written_to() -> None:
    x, fixed = np.arange(3.0), np.ones(3)

    def f(xp: Any, x: Any) -> Any:
        y = xp.multiply(x, 3.0)
        return {"given": x, "view": xp.flip(x, axis=0), "fixed": fixed, "twice": [y, y], "part": y[:2]}

    run = compiled(f)
    found = leaves(list(run(x).values()))
    found += leaves(list(run(x).values()))
    everything = [x, fixed, *found]
    for i, a in enumerate(everything):
        assert not any(np.shares_memory(a, b) for b in everything[i + 1 :])


def test_memory_does_not_grow_with_the_length(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(xp: Any, x: Any) -> Any:
        for _ in range(50):
            x = xp.sin(xp.multiply(x, 1.5))
        return x

    x = np.linspace(-2, 2, 10_000)
    assert peak(program_of(f, x), x) < 4 * x.nbytes
    monkeypatch.setattr(reuse, "WORTHWHILE", 1e9)  # the lie: nothing is worth it
    assert peak(program_of(f, x), x) > 50 * x.nbytes


def test_a_program_keeps_no_array_that_it_was_written_at() -> None:
    x = np.ones(1_000)
    kept = weakref.ref(x)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        program = program_of(lambda xp, x: [xp.sin(xp.multiply(x, float(k))) for k in range(2, 30)], x)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 28 * x.nbytes
    del x
    assert kept() is None
    assert "float64[1000]" in str(program)
    np.testing.assert_array_equal(program(np.full(1_000, 2.0))[0], np.full(1_000, np.sin(4.0)))


def peak(program: Any, x: Any) -> int:
    """How many bytes a call needs at most."""
    program(x)
    tracemalloc.start()
    try:
        program(x)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_program_is_text_to_be_read() -> None:
    def f(xp: Any, x: Any) -> Any:
        return xp.sum(xp.tanh(x[1:]) * np.array([1.0, 2.0]))

    program = program_of(lambda xp, x: engine.grad(f, xp, (x,)), np.ones(3), names=["height"])
    assert str(program) == (
        "def program(height):\n"
        "    c0 = array([1., 2.])\n"
        "    v0 = height[1:]                                           # float64[2]\n"
        "    v1 = cosh(v0)                                             # float64[2]\n"
        "    v2 = reciprocal(v1)                                       # float64[2]\n"
        "    v3 = square(v2)                                           # float64[2]\n"
        "    v4 = multiply(c0, v3)                                     # float64[2]\n"
        "    v5 = scatter(v4, index=slice(1, None, None), shape=(3,))  # float64[3]\n"
        "    return (v5,)"
    )


def test_what_is_computed_twice_is_computed_once_and_what_nobody_needs_never() -> None:
    def f(xp: Any, x: Any) -> Any:
        xp.exp(x)
        return xp.add(xp.sin(x), xp.multiply(xp.sin(x), np.array(1.0)))

    rows = [line.row.name for line in program_of(f, np.ones(2)).lines]
    assert rows == ["sin", "add"]


def test_a_product_by_one_that_is_wider_or_of_another_type_stays() -> None:
    def f(xp: Any, x: Any) -> Any:
        return [xp.multiply(x, np.ones((2, 3))), xp.multiply(x, np.ones(3))]

    single = np.ones(3, np.float32)
    found = program_of(f, single)(single)
    assert [(a.shape, a.dtype) for a in found] == [((2, 3), np.float64), ((3,), np.float64)]


def test_a_gradient_has_the_type_of_its_argument() -> None:
    for dtype in (np.float32, np.float64, np.complex64, np.complex128):
        x = np.array([0.5, -0.25], dtype)

        def f(xp: Any, x: Any) -> Any:
            return xp.sum(xp.real(xp.exp(x)))

        gradient = compiled(lambda xp, x, f=f: engine.grad(f, xp, (x,)))
        assert same(gradient(x), engine.grad(f, NUMPY, (x,)))
        assert gradient(x)[0].dtype == dtype


def test_there_is_a_program_for_each_shape_and_each_plain_argument() -> None:
    written = []

    def f(xp: Any, x: Any, power: int, label: str) -> Any:
        written.append((x.shape, power, label))
        return xp.multiply(x, float(power))

    run = compiled(f)
    for n, power, label in [(2, 1, "a"), (3, 1, "a"), (2, 1, "a"), (2, True, "a"), (2, 2, "a"), (2, 1, "b")]:
        np.testing.assert_array_equal(run(np.ones(n), power, label), np.ones(n) * power)
    assert written == [((2,), 1, "a"), ((3,), 1, "a"), ((2,), True, "a"), ((2,), 2, "a"), ((2,), 1, "b")]


def test_a_program_within_a_computation_is_part_of_it() -> None:
    square = compiled(lambda xp, x: xp.sum(xp.square(x)))
    x = engine.tensor([1.0, 2.0], requires_grad=True)
    square(np.ones(2))
    square(x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0])
    outer = compiled(lambda xp, x: engine.grad(lambda xp, x: square(x), xp, (x,)))
    np.testing.assert_array_equal(outer(np.array([3.0, 4.0]))[0], [6.0, 8.0])
    np.testing.assert_array_equal(outer(np.array([5.0, 6.0]))[0], [10.0, 12.0])


def test_a_program_refuses_what_it_was_not_written_for() -> None:
    program = program_of(lambda xp, x, power: xp.multiply(x, power), np.ones(2), 3.0)
    np.testing.assert_array_equal(program(np.array([1.0, 2.0]), 3.0), [3.0, 6.0])
    for args in [(np.ones(3), 3.0), (np.ones(2, np.float32), 3.0), (np.ones(2), 4.0), (2.0, 3.0)]:
        with pytest.raises(TapeError, match="was written for"):
            program(*args)
    with pytest.raises(TypeError, match="takes 2 arguments, got 1"):
        program(np.ones(2))


@pytest.mark.parametrize("other", [[np.ones(2)], {"a": 1.0}, (1, np.ones(2)), [1, 2], np.sin, {1}])
def test_an_argument_that_could_change_unseen_is_refused(other: Any) -> None:
    with pytest.raises(TypeError, match="an argument of a program is an array or a plain number"):
        compiled(lambda xp, x, more: x)(np.ones(2), other)
    with pytest.raises(TypeError, match="an argument of a program is an array or a plain number"):
        program_of(lambda xp, x, more: x, np.ones(2), other)


def test_arrays_from_elsewhere_are_constants_as_they_were() -> None:
    weights, x = np.array([1.0, 2.0]), np.ones(2)
    run = compiled(lambda xp, x: xp.multiply(x, weights) + xp.multiply(x, xp.sin(weights)))
    before = run(x)
    weights += 5.0
    np.testing.assert_array_equal(run(x), before)


@pytest.mark.parametrize("size", [3, 1_000])
def test_a_constant_that_is_written_to_on_the_way_counts_as_it_was(size: int) -> None:
    def f(xp: Any, x: Any) -> Any:
        weights = np.ones(size)
        first = xp.multiply(x, weights + 1.0)
        weights += 4.0
        held = xp.multiply(x, weights)
        weights *= 2.0
        twice = xp.multiply(x, weights)
        zeros = np.zeros(size)
        up = xp.divide(x, zeros)
        zeros *= -1.0  # equal, and yet another number
        return [first, held, twice, xp.stack([x, weights], axis=0), up, xp.divide(x, zeros)]

    x = np.linspace(1, 2, size)
    program = program_of(f, x)
    with np.errstate(divide="ignore"):
        assert same(program(x), f(NUMPY, x))
        assert same(program(x), f(NUMPY, x))


def test_values_of_two_programs_do_not_mix() -> None:
    x = np.ones(2)
    with pytest.raises(TapeError, match="a value of one program is used while another is written"):
        program_of(lambda xp, x: compiled(lambda inner, y: inner.multiply(y, x))(np.ones(2)), x)
    with pytest.raises(TypeError, match="a program is written for plain arrays"):
        program_of(lambda xp, x: program_of(lambda inner, y: inner.sin(y), x), x)
    with pytest.raises(TypeError, match="a program is written for plain arrays"):
        program_of(lambda xp, y: xp.sin(y), engine.tensor([1.0]))


def test_tuples_of_plain_numbers_choose_a_program() -> None:
    run = compiled(lambda xp, x, shape: xp.reshape(x, shape=shape))
    assert run(np.ones(6), (2, 3)).shape == (2, 3)
    assert run(np.ones(6), (3, 2)).shape == (3, 2)


def test_overflow_on_the_way_is_quiet() -> None:
    np.testing.assert_array_equal(compiled(lambda xp, x: xp.exp(x))(np.array([1e4])), [np.inf])
