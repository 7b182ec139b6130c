"""Is every place at which a function chooses found, told by a statement, and watched at the points that take it?"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.expr import NUMPY, Batch, Batched, by_branch, parse_code, parse_formula
from gradcheck.expr.choices import choices_of
from gradcheck.expr.pieces import PIECES
from gradcheck.expr.vocabulary import VOCABULARY
from gradcheck.expr.watching import Watched

NAMES = ("x", "y", "n")
PROGRAM = """\
b = x*2
k = 0
while k < 3:
    k = k + 1
for i in range(n - 1):
    b = b + 1
while norm(b) < 10:
    b = 2*b
def turned(u):
    return u if sum(u) > 0 else -u
if not (sum(b) > 0 and n > 1):
    return turned(b)
return b"""


def seen(program, sizes=None, **inputs):
    """Statement -> at how many points."""
    choices = choices_of(program)
    arrays = {name: np.asarray(value, dtype=float) for name, value in inputs.items()}
    watched = Watched(choices, len(next(iter(arrays.values()))))

    def run(rows):
        env = {name: Batched(array[rows]) for name, array in arrays.items()}
        return program(Batch(NUMPY), {**env, **(sizes or {})}, watched.control(rows))

    by_branch(run, np.arange(len(watched.masks[0][0])))
    pairs = [(c.sides, m) for c, m in zip(choices, watched.masks, strict=True)]
    return {text: int(m.sum()) for sides, masks in pairs for text, m in zip(sides, masks, strict=True)}


@pytest.mark.parametrize(
    ("formula", "statements"),
    [
        ("where(x > 800, x, 0)", {"x > 800": 0, "x <= 800": 3}),
        ("where((x > 1) and (x < 2), x, 0)",
         {"x > 1 and x < 2": 0, "not (x > 1 and x < 2)": 3, "x > 1": 1, "x <= 1": 2, "x < 2": 2, "x >= 2": 1}),
        ("abs(x - 5)", {"x - 5 < 0": 2, "x - 5 > 0": 1}),
        ("clip(x, -1, inf)", {"x < -1": 1, "x > -1": 2}),
        ("clip(x, 0, 1)", {"x < 0": 1, "0 < x and x < 1": 0, "x > 1": 1}),
        ("maximum(x, 3)", {"x > 3": 1, "x < 3": 2}),
        ("softshrink(x, lambd=2)", {"x < -2": 1, "-2 < x and x < 2": 1, "x > 2": 1}),
        ("hardtanh(x)", {"x < -1.0": 1, "-1.0 < x and x < 1.0": 1, "x > 1.0": 1}),
        ("huber_loss(x, 0*x, delta=4)", {"abs(x - 0*x) < 4": 2, "abs(x - 0*x) > 4": 1}),
        ("x if x == 0 else -x", {"x == 0": 1, "x != 0": 2}),
    ],
)  # fmt: skip
def test_each_piece_is_told_by_what_holds_there(formula, statements):
    assert seen(parse_formula(formula, NAMES), x=[-3, 0, 7]) == statements


def test_a_program_tells_its_conditions_loops_and_local_functions_but_not_what_is_always_the_same():
    found = seen(parse_code(PROGRAM, NAMES), {"n": 4}, x=np.linspace(-3, 3, 20).reshape(5, 4))
    assert found["range(n - 1) has a turn"] == 5 and found["range(n - 1) has no turn"] == 0
    assert found["norm(b) < 10"] + found["norm(b) >= 10 at once, so that the loop has no turn"] == 5
    assert found["sum(u) <= 0"] == found["not (sum(b) > 0 and n > 1)"] == 1 and found["sum(u) > 0"] == 0
    assert not any(text.startswith("k ") for text in found)
    assert {c.line for c in choices_of(parse_code(PROGRAM, NAMES))} == {5, 7, 10, 11}


def test_any_element_takes_a_side_also_where_one_input_is_broadcast():
    assert seen(parse_formula("maximum(x, y)", NAMES), x=[[1, 5], [1, 1]], y=[3, 3]) == {"x > y": 1, "x < y": 2}


def test_nothing_is_chosen_among_complex_numbers():
    found = seen(parse_formula("abs(fft(x))", NAMES), x=[[1.0, 2.0]])
    assert set(found.values()) == {1}


def test_a_condition_on_constants_is_no_choice():
    assert choices_of(parse_formula("x if 2 > 1 else -x", NAMES)) == ()
    assert choices_of(parse_formula("where(ones(3) > 0, x, -x)", NAMES)) == ()


def test_all_functions_of_pieces_are_in_the_vocabulary():
    assert set(PIECES) <= set(VOCABULARY)
