"""Are branches taken, recorded and replayed, fuel spent, and batches split so that every point is evaluated once?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.errors import FuelExhausted, SizeExceeded
from gradcheck.expr import NUMPY, Batch, Batched, Control, Recording, Replay, by_branch, parse_code
from gradcheck.expr.control import MAX_ELEMENTS, check_size, truth

COLLATZ = parse_code(
    """
k = 0*x
while x > 1:
    if x % 2 == 0:
        x = x / 2
    else:
        x = 3*x + 1
    k = k + 1
return k
""",
    ["x"],
)


def test_fuel_is_spent_step_by_step() -> None:
    control = Control(fuel=2)
    control.step(1)
    control.step(1)
    with pytest.raises(FuelExhausted, match=r"within 2 steps \(line 7 of the code\)"):
        control.step(7)


def test_a_path_is_recorded_and_replayed() -> None:
    recording = Recording()
    assert COLLATZ(NUMPY, {"x": np.array(6.0)}, recording) == 8.0
    assert len(recording.path) == 8 + 8 + 1 and not recording.path[-1]
    replay = Replay(recording.path)
    assert COLLATZ(NUMPY, {"x": np.array(6.0)}, replay) == 8.0
    assert [bool(c) for c in replay.conditions] == recording.path


def test_a_replay_follows_the_path_and_shows_the_conditions_that_contradict_it() -> None:
    recording = Recording()
    COLLATZ(NUMPY, {"x": np.array(4.0)}, recording)
    replay = Replay(recording.path)
    assert COLLATZ(NUMPY, {"x": np.array(5.0)}, replay) == 2.0  # two halvings, as for 4
    assert [bool(c) for c in replay.conditions] != recording.path


def test_every_point_is_evaluated_once_along_its_own_path() -> None:
    x = np.arange(1.0, 30.0)
    seen: list[int] = []

    def run(rows: Any) -> Any:
        result = COLLATZ(Batch(NUMPY), {"x": Batched(x[rows])}).data
        seen.extend(rows.tolist())
        return result

    parts = by_branch(run, np.arange(len(x)))
    assert sorted(seen) == list(range(len(x)))
    found = np.full(len(x), np.nan)
    for rows, steps in parts:
        found[rows] = steps
    assert found.tolist() == [COLLATZ(NUMPY, {"x": v}) for v in x]
    assert 1 < len(parts) < len(x) + 1


def test_a_batch_of_one_mind_is_not_split() -> None:
    parts = by_branch(lambda rows: len(rows), np.arange(5))
    assert [(rows.tolist(), result) for rows, result in parts] == [([0, 1, 2, 3, 4], 5)]


def test_other_errors_are_not_swallowed() -> None:
    def run(rows: Any) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        by_branch(run, np.arange(3))


@pytest.mark.parametrize(
    ("condition", "want"),
    [(True, True), (0, False), (np.bool_(True), True), (np.array(0.0), False), (Batched(np.array([1.0, 2.0])), True)],
)
def test_truth(condition: Any, want: bool) -> None:
    assert truth(condition) is want


def test_an_array_of_several_values_has_no_truth() -> None:
    with pytest.raises(ValueError, match="ambiguous"):
        truth(np.array([True, True]))


def test_what_is_held_is_the_namespaces_own() -> None:
    class Namespace:
        @staticmethod
        def stop_gradient(x: Any) -> Any:
            return ("held", x)

    program = parse_code("return stop_gradient(x)", ["x"])
    assert program(Namespace, {"x": 1.0}) == ("held", 1.0)

    class Frozen(Control):
        def hold(self, xp: Any, value: Any) -> Any:
            return 7.0

    assert program(NUMPY, {"x": 1.0}, Frozen()) == 7.0


def test_sizes_multiply_unless_shapes_are_the_same() -> None:
    check_size("add", [MAX_ELEMENTS, MAX_ELEMENTS], same_shape=True)
    with pytest.raises(SizeExceeded, match=r"the result of add of .* is past the limit of 4e\+06"):
        check_size("add", [MAX_ELEMENTS, 2], same_shape=False)
    check_size("add", [], same_shape=False)
