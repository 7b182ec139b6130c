"""Is people's code imported only where that is allowed, and blamed where it is wrong?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gradcheck.errors import UsageError
from gradcheck.judge import Finding, Verdict
from gradcheck.oracles import Evidence, Hearing, Inquiry, Reason, Silence
from gradcheck.oracles.implementations import MAX_POINTS, asked, load
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
Judged = Callable[..., dict[tuple[str, str], Finding]]
MODULE = "gradcheck_tests_own_rules"
CODE = """
import numpy as np

number = 3

def cube(x):
    return x**3

def cube_vjp(x, ct):
    return ct * 3 * x**2

def wrong_vjp(x, ct):
    return ct * 2 * x**2

def cube_jvp(x, t):
    return 3 * x**2 * t

def wrong_jvp(x, t):
    return -3 * x**2 * t

def wrong_cube(x):
    return x**3 + 1e-6

def flat_vjp(x, ct):
    return np.sum(ct * 3 * x**2)

def mutating_vjp(x, ct):
    x *= 0
    return ct

def raising_vjp(x, ct):
    raise ArithmeticError("no gradient today")

def gathered(x, i, keep):
    return x[i] * np.where(keep, 1.0, 2.0)  # an index, and truth values

def gathered_vjp(x, i, keep, ct):
    found = np.zeros_like(x)
    np.add.at(found, i, ct * np.where(keep, 1.0, 2.0))
    return found, None, None

def torch_gathered(x, i, keep):
    import torch
    return x[i] * torch.where(keep, 1.0, 2.0)

def jax_gathered(x, i, keep):
    import jax.numpy as jnp
    return x[i] * jnp.where(keep, 1.0, 2.0)

def axpy(a, x):
    return a * x

def axpy_vjp(a, x, ct):
    return np.sum(ct * x), ct * a

class Inner:
    @staticmethod
    def cube(x):
        return x**3

def torch_cube(x):
    return x**3

def torch_wrong_cube(x):
    import torch

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, ct):
            (x,) = ctx.saved_tensors
            return 2 * ct * x**2

    return Cube.apply(x)

def torch_detached(x):
    return x.detach()**3 + 0 * x

def jax_cube(x):
    return x**3

def jax_wrong_cube(x):
    import jax

    @jax.custom_vjp
    def cube(x):
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, ct: (2 * ct * x**2,))
    return cube(x)
"""
BODY = "inputs: {{x: {{shape: [2]}}}}\nvalue: x**3\nvjp: {{x: ct*3*x**2}}\nimplementations:\n  {}"


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / f"{MODULE}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop(MODULE, None)


def case_of(implementation: str, spec_of: SpecOf, case_at: CaseAt, points: int = 6) -> Case:
    x = np.random.default_rng(0).uniform(0.5, 2.0, (points, 2))
    return case_at(spec_of(BODY.format(implementation)), x=x)


def numpy_of(value: str = "cube", vjp: str = "", jvp: str = "") -> str:
    parts = {"value": value, "vjp": vjp, "jvp": jvp}
    return "numpy: {" + ", ".join(f'{k}: "{MODULE}:{v}"' for k, v in parts.items() if v) + "}"


@pytest.mark.parametrize("allowed", [[MODULE], ["os", MODULE]])
def test_what_is_allowed_is_imported(allowed: list[str]) -> None:
    assert load(f"{MODULE}:cube", allowed)(2.0) == 8.0
    assert load(f"{MODULE}:Inner.cube", allowed)(2.0) == 8.0


@pytest.mark.parametrize("allowed", [[], ["gradcheck_tests"], [f"{MODULE}.sub"], [MODULE.upper()]])
def test_what_is_not_allowed_is_not_imported(allowed: list[str]) -> None:
    with pytest.raises(UsageError, match="is not in allow-imports"):
        load(f"{MODULE}:cube", allowed)
    assert MODULE not in sys.modules


def test_parts_of_an_allowed_package_are_allowed() -> None:
    assert load("os.path:join", ["os"])("a", "b").startswith("a")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (f"{MODULE}:cub", "has no 'cub'; did you mean 'cube'"),
        (f"{MODULE}:number", "is not callable"),
        (f"{MODULE}.nothing:cube", "cannot be imported"),
        (f"{MODULE}:Inner.square", "has no 'square'"),
    ],
)
def test_what_cannot_be_loaded_is_said(reference: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(reference, [MODULE])


RIGHT = {
    "numpy": numpy_of(vjp="cube_vjp"),
    "numpy jvp": numpy_of(vjp="cube_vjp", jvp="cube_jvp"),
    "torch": f"torch: {MODULE}:torch_cube",
    "jax": f"jax: {MODULE}:jax_cube",
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_agrees(name: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_of(RIGHT[name], spec_of, case_at), ["engine"], [MODULE])
    who = f"implementation:{name.split()[0]}"
    for mode in ("value", "reverse", *(["forward"] if "jvp" in name else [])):
        assert found[who, mode].verdict is Verdict.AGREES, found[who, mode].reason


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_whole_numbers_and_truth_values_come_as_such(
    backend: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    """So that a gather is written as people write it."""
    code = numpy_of("gathered", vjp="gathered_vjp") if backend == "numpy" else f"{backend}: {MODULE}:{backend}_gathered"
    spec = spec_of(
        "inputs:\n  x: {shape: [4]}\n  i: {shape: [3], domain: 'integer [0, 3]'}\n"
        "  keep: {shape: [3], domain: boolean}\n"
        "value: take(x, i)*where(keep == 1, 1, 2)\n"
        "vjp: {x: 'where(expand_dims(i, 1) == arange(4), 1, 0).T @ (ct*where(keep == 1, 1, 2))'}\n"
        f"implementations: {{{code}}}"
    )
    x = np.array([[1.0, 2.0, 3.0, 4.0]])
    case = case_at(spec, ct=[[1.0, 10.0, 100.0]], x=x, i=[[2, 0, 2]], keep=[[1, 0, 0]])
    found = judged(case, ["engine"], [MODULE])
    told = {mode: f.verdict for (who, mode), f in found.items() if who.startswith("implementation")}
    assert told == {"value": Verdict.AGREES, "reverse": Verdict.AGREES}, found


WRONG = {
    "numpy backward": (numpy_of(vjp="wrong_vjp"), "reverse"),
    "numpy forward": (numpy_of(vjp="cube_vjp", jvp="wrong_jvp"), "forward"),
    "numpy value": (numpy_of("wrong_cube", vjp="cube_vjp"), "value"),
    "numpy shape": (numpy_of(vjp="flat_vjp"), "reverse"),
    "torch backward": (f"torch: {MODULE}:torch_wrong_cube", "reverse"),
    "torch detached": (f"torch: {MODULE}:torch_detached", "reverse"),
    "jax backward": (f"jax: {MODULE}:jax_wrong_cube", "reverse"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_blamed(name: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    text, mode = WRONG[name]
    found = judged(case_of(text, spec_of, case_at), ["engine", "differences"], [MODULE])
    who = f"implementation:{name.split()[0]}"
    assert found[who, mode].verdict is Verdict.DISAGREES
    assert found[who, mode].blame == f"{who} {mode}"
    for key, finding in found.items():
        if key != (who, mode):
            assert finding.verdict is Verdict.AGREES, (key, finding.reason)


def test_code_that_raises_has_crashed(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_of(numpy_of(vjp="raising_vjp"), spec_of, case_at), ["engine"], [MODULE])
    crash = found["implementation:numpy", ""]
    assert (crash.verdict, crash.reason) == (Verdict.CRASHED, "ArithmeticError: no gradient today")


def test_code_that_writes_into_its_inputs_harms_no_other(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    case = case_of(numpy_of(vjp="mutating_vjp"), spec_of, case_at)
    before = case.inputs["x"].copy()
    found = judged(case, ["engine"], [MODULE])
    assert np.array_equal(case.inputs["x"], before)
    assert found["implementation:numpy", "reverse"].verdict is Verdict.DISAGREES
    assert found["engine", "reverse"].verdict is Verdict.AGREES


def test_several_inputs_in_the_order_written(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    spec = spec_of(
        "inputs: {a: {}, x: {shape: [2]}}\nvalue: a*x\nvjp: {a: sum(ct*x), x: ct*a}\nimplementations:\n  "
        + numpy_of("axpy", vjp="axpy_vjp")
    )
    found = judged(case_at(spec, a=[2.0, 3.0], x=[[1.0, 2.0], [-1.0, 0.5]]), ["engine"], [MODULE])
    about = [f for (who, mode), f in found.items() if who == "implementation:numpy"]
    assert about and all(f.verdict is Verdict.AGREES for f in about)


def test_no_imports_is_a_stated_silence(spec_of: SpecOf, case_at: CaseAt) -> None:
    said = Hearing(Inquiry(case_of(numpy_of(vjp="cube_vjp"), spec_of, case_at)), None).all([])
    assert said["implementation:numpy"] == Silence(
        "implementation:numpy", Reason.DECLINED, "imports are refused (--no-imports)"
    )
    assert MODULE not in sys.modules


def test_a_module_that_is_not_allowed_is_no_pass(spec_of: SpecOf, case_at: CaseAt) -> None:
    said = Hearing(Inquiry(case_of(numpy_of(vjp="cube_vjp"), spec_of, case_at)), ()).all([])["implementation:numpy"]
    assert isinstance(said, Silence)
    assert said.reason is Reason.CRASHED and "allow-imports" in said.message
    assert MODULE not in sys.modules


def test_points_past_the_limit_are_undecided_and_not_agreed(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    case = case_of(numpy_of(vjp="cube_vjp"), spec_of, case_at, points=MAX_POINTS["numpy"] + 10)
    there = np.isin(np.arange(case.points), asked(case, "numpy"))
    said = Hearing(Inquiry(case), [MODULE]).all([])["implementation:numpy"]
    assert isinstance(said, Evidence)
    assert there.sum() == MAX_POINTS["numpy"]
    assert np.isinf(said.answers["vjp:x"].bar[~there]).all()
    assert np.isfinite(said.answers["vjp:x"].bar[there]).all()
    found = judged(case, ["engine"], [MODULE])
    assert found["implementation:numpy", "reverse"].undecided == 20
    assert found["engine", "reverse"].undecided == 0
