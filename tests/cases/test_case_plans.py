"""Do plans vary sizes, follow from their seed alone, and come in the number asked for?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gradcheck.cases import plans
from gradcheck.cases.plans import MAX_DIM, SCALES, Plan, digest, dimensions
from gradcheck.spec import Spec, load

SpecOf = Callable[..., Spec]
MATRIX = "inputs: {x: {shape: [n, m]}, y: {shape: [m]}, z: {}}\nvalue: sum(x @ y)*z\nvjp: {z: ct*sum(x @ y)}"
SCALAR = "inputs: {x: {}}\nvalue: sin(x)\nderivative: {x: cos(x)}"


def test_dimensions_in_the_order_written(spec_of: SpecOf) -> None:
    assert dimensions(spec_of(MATRIX)) == ("n", "m")
    assert dimensions(spec_of(SCALAR)) == ()


def test_as_many_different_sizes_as_asked_for(spec_of: SpecOf) -> None:
    found = plans(spec_of(MATRIX), seed=0, shapes=4, per_shape=2)
    assert len(found) == 8
    assert len({plan.sizes for plan in found}) == 4
    for plan in found:
        assert [d for d, _ in plan.sizes] == ["n", "m"]
        assert all(1 <= size <= MAX_DIM for _, size in plan.sizes)
        assert plan.scale in SCALES
    assert len({(plan.sizes, plan.seed) for plan in found}) == 8


def test_where_there_are_no_dimensions_there_is_one_size(spec_of: SpecOf) -> None:
    found = plans(spec_of(SCALAR), seed=0, shapes=4, per_shape=3)
    assert [plan.sizes for plan in found] == [(), (), ()]
    assert len({plan.seed for plan in found}) == 3


def test_the_first_sizes_tell_axes_apart(spec_of: SpecOf) -> None:
    for seed in range(6):
        (first,) = plans(spec_of(MATRIX), seed, shapes=1, per_shape=1)
        sizes = [size for _, size in first.sizes]
        assert min(sizes) >= 2
        assert len(set(sizes)) == len(sizes)


def test_the_seed_decides(spec_of: SpecOf) -> None:
    spec = spec_of(MATRIX)
    assert plans(spec, 5, 3, 2) == plans(spec, 5, 3, 2)
    assert plans(spec, 5, 3, 2) != plans(spec, 6, 3, 2)
    assert plans(spec, 5, 3, 2) != plans(spec_of(MATRIX, name="other"), 5, 3, 2)


def test_another_process_makes_the_same_plans(tmp_path: Path) -> None:
    path = tmp_path / "a.grad.yaml"
    path.write_text("gradcheck: 1\nfunctions:\n  f:\n    " + MATRIX.replace("\n", "\n    ") + "\n", encoding="utf-8")
    program = (
        "from gradcheck.spec import load; from gradcheck.cases import plans; import sys;"
        "print(plans(load(sys.argv[1]).functions[0], 3, 3, 2))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "77"},
    )  # fmt: skip
    assert out.stdout.strip() == str(plans(load(str(path)).functions[0], 3, 3, 2))


def test_digests_differ_by_name_and_seed() -> None:
    assert len({digest(name, seed) for name in ("f", "g", "f1") for seed in (0, 1, 11)}) == 9


def test_a_plan_is_a_value() -> None:
    assert Plan((("n", 2),), 1, 1.0) == Plan((("n", 2),), 1, 1.0)
