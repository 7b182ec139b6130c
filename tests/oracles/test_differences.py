"""Do differences know the function and nothing else: what is held, where the domain ends, which branch is taken?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured
from gradcheck.oracles import differences as module
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]


def measured(case: Case) -> dict[str, Measured]:
    said = Hearing(Inquiry(case)).all(["differences"])["differences"]
    assert isinstance(said, Evidence), said
    return dict(said.answers)


def holds(m: Measured, want: Any, within: float = 1e-7) -> None:
    """The truth lies within the bar, and the bar is narrow against the truth."""
    want = np.array(want, dtype=float)
    assert m.center.shape == want.shape
    assert (np.abs(m.center - want) <= m.bar).all(), (m.center, want, m.bar)
    assert (m.bar <= within * np.maximum(np.abs(want), 1e-3)).all(), m.bar


def one(
    spec_of: SpecOf, case_at: CaseAt, value: str, x: Any, domain: str = "real", derivative: str = "0*x"
) -> Measured:
    spec = spec_of(f'inputs: {{x: {{domain: "{domain}"}}}}\nvalue: "{value}"\nderivative: {{x: "{derivative}"}}')
    return measured(case_at(spec, ct=np.ones(len(x)), x=x))["vjp:x"]


def test_every_element_and_the_cotangent(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {a: {shape: [2, 3]}, x: {shape: [3]}}\nvalue: a @ x\nvjp: {a: 'outer(ct, x)', x: a.T @ ct}")
    rng = np.random.default_rng(0)
    a, x, ct = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    found = measured(case_at(spec, ct=ct, a=a, x=x))
    holds(found["vjp:a"], np.einsum("bi,bj->bij", ct, x))
    holds(found["vjp:x"], np.einsum("bi,bij->bj", ct, a))


def test_what_is_claimed_is_measured_and_the_jvp_beside_every_vjp(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = "inputs: {x: {}}\nvalue: x**3\n"
    for claim, names in [
        ("derivative: {x: 3*x**2}", {"vjp:x", "jvp"}),
        ("jvp: 3*x**2*t_x", {"jvp"}),
        ("hessian: {x: 6*x}", {"hess:x"}),
        ("hvp: {x: 6*x*t_x}", {"hvp:x"}),
        ("vjp: {x: ct*3*x**2}\njvp: 3*x**2*t_x", {"vjp:x", "jvp"}),
    ]:
        found = measured(case_at(spec_of(body + claim), ct=[1.0, 2.0], t={"x": [1.0, -1.0]}, x=[0.5, 2.0]))
        assert set(found) == names


def test_along_the_tangents(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {r: {domain: positive}, a: {}}\nvalue: {u: r*cos(a), v: r*sin(a)}\njvp: {u: t_r, v: t_a}")
    r, a, tr, ta = (np.array(v) for v in ([2.0, 0.5], [0.3, -1.0], [1.0, 2.0], [-1.0, 0.5]))
    found = measured(case_at(spec, t={"r": tr, "a": ta}, r=r, a=a))
    holds(found["jvp[u]"], tr * np.cos(a) - ta * r * np.sin(a))
    holds(found["jvp[v]"], tr * np.sin(a) + ta * r * np.cos(a))


def test_second_order(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {}, y: {}}\nvalue: x**2*y\nhvp: {x: 2*y*t_x + 2*x*t_y, y: 2*x*t_x}\nhessian: {x: 2*y}")
    found = measured(case_at(spec, ct=[2.0], t={"x": [3.0], "y": [-1.0]}, x=[0.5], y=[4.0]))
    holds(found["hvp:x"], [2 * (2 * 4 * 3 + 2 * 0.5 * -1)], 1e-3)
    holds(found["hvp:y"], [2 * (2 * 0.5 * 3)], 1e-3)
    holds(found["hess:x"], [2 * (2 * 4 * 3)], 1e-3)


def test_stop_gradient_is_held_at_the_base_point(spec_of: SpecOf, case_at: CaseAt) -> None:
    x = np.array([0.5, -2.0, 3.0])
    holds(one(spec_of, case_at, "x*stop_gradient(x**2)", x), x**2)
    holds(one(spec_of, case_at, "x**3", x), 3 * x**2)
    holds(one(spec_of, case_at, "stop_gradient(exp(x))*sin(x) + stop_gradient(x)*x", x), np.exp(x) * np.cos(x) + x)


def test_stop_gradient_is_held_in_loops_and_along_branches(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = """
    inputs: {x: {}}
    code: |
      y = x
      for i in range(3):
          y = y * stop_gradient(y) if x > 1 else y + stop_gradient(x)
      return y
    derivative: {x: 0*x}
    """
    x = np.array([0.5, 2.0, 1.5, -1.0])
    found = measured(case_at(spec_of(body), ct=np.ones(4), x=x))["vjp:x"]
    holds(found, np.where(x > 1, x**7, 1.0))


def test_steps_never_leave_the_domain(spec_of: SpecOf, case_at: CaseAt, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    honest = module._Field.values

    def watched(self: Any, rows: Any, inputs: Any) -> Any:
        found = honest(self, rows, inputs)
        asked.extend(inputs["x"][np.isfinite(found["value"])].tolist())
        return found

    monkeypatch.setattr(module._Field, "values", watched)
    x = np.array([0.0, 1e-9, 0.5, 1.0 - 1e-9, 1.0])
    found = one(spec_of, case_at, "x**2 + x", x, "[0, 1]")
    assert len(asked) > 20
    assert min(asked) >= 0.0 and max(asked) <= 1.0
    assert (np.abs(found.center - (2 * x + 1)) <= found.bar).all()
    assert (found.bar < 1e-3).all()


def test_at_an_edge_the_slope_is_one_sided(spec_of: SpecOf, case_at: CaseAt) -> None:
    found = one(spec_of, case_at, "log(x)", [1.0, 1.0 + 1e-12], "[1, inf)")
    holds(found, [1.0, 1 / (1 + 1e-12)], 1e-5)


def test_inside_a_predicate(spec_of: SpecOf, case_at: CaseAt) -> None:
    x = np.array([2.5001, 3.0, 10.0])
    found = one(spec_of, case_at, "sqrt(x - 2.5)", x, "x > 2.5")
    assert (np.abs(found.center - 0.5 / np.sqrt(x - 2.5)) <= found.bar).all()
    assert (found.bar[1:] < 1e-8).all()


def test_where_the_function_is_no_number_nothing_is_said(spec_of: SpecOf, case_at: CaseAt) -> None:
    found = one(spec_of, case_at, "sqrt(x)", [-1.0, 4.0], "x > -5")
    assert np.isinf(found.bar[0])
    holds(Measured(found.center[1:], found.bar[1:]), [0.25])


def test_a_displaced_point_takes_its_own_branch(spec_of: SpecOf, case_at: CaseAt) -> None:
    x = np.array([1.0, -1.0, 1e-3])
    holds(one(spec_of, case_at, "x**2 if x > 0 else -x", x), [2.0, -1.0, 2e-3])
    at_kink = one(spec_of, case_at, "x**2 if x > 0 else -x", [0.0])
    assert at_kink.kink is not None and at_kink.kink.all()
    assert at_kink.center[0] - at_kink.bar[0] <= -1 + 1e-6 and at_kink.center[0] + at_kink.bar[0] >= -1e-6


def test_a_kink_is_the_hull_of_both_sides(spec_of: SpecOf, case_at: CaseAt) -> None:
    found = one(spec_of, case_at, "where(x > 0, 3*x, x)", [0.0, 1.0, -2.0])
    assert found.kink is not None and found.kink.tolist() == [True, False, False]
    low, high = found.center[0] - found.bar[0], found.center[0] + found.bar[0]
    assert (round(float(low), 9), round(float(high), 9)) == (1.0, 3.0)
    assert not one(spec_of, case_at, "x**3", [0.0]).kink.any()  # type: ignore[union-attr]


def test_a_jump_is_measured_by_nobody(spec_of: SpecOf, case_at: CaseAt) -> None:
    found = one(spec_of, case_at, "where(x > 0, 1 + x, x)", [0.0])
    assert found.bar[0] > 1e3


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1e6, 1e20])
def test_steps_follow_the_scale(scale: float, spec_of: SpecOf, case_at: CaseAt) -> None:
    x = np.array([0.7, -1.3]) * scale
    found = one(spec_of, case_at, f"sin(x/{scale!r})", x)
    want = np.cos(x / scale) / scale
    assert (np.abs(found.center - want) <= found.bar).all()
    assert (found.bar <= 1e-8 / scale).all()


def test_the_same_question_gets_the_same_answer(spec_of: SpecOf, case_at: CaseAt) -> None:
    a, b = (one(spec_of, case_at, "exp(sin(x))", [0.3, 2.0]) for _ in range(2))
    assert np.array_equal(a.center, b.center) and np.array_equal(a.bar, b.bar)


def test_a_function_noisier_than_its_size_gets_wide_bars(
    spec_of: SpecOf, case_at: CaseAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its tail 0.5 x (1 + erf(x/√2)) is flat to the last bit of 1 + erf, which its own tiny value does not show."""
    x = np.linspace(-9.0, -5.0, 101)
    gelu = "x * 0.5 * (1 + erf(x / sqrt(2)))"
    truth = np.array([float(0.5 * mp.erfc(-v / mp.sqrt(2)) + v * mp.exp(-(v**2) / 2) / mp.sqrt(2 * mp.pi)) for v in x])
    found = one(spec_of, case_at, gelu, x)
    assert (np.abs(found.center - truth) <= found.bar).all()
    monkeypatch.setattr(module, "lifted", lambda noise, size: np.zeros_like(size))  # the lie: noise judged by size
    lying = one(spec_of, case_at, gelu, x)
    assert (np.abs(lying.center - truth) > lying.bar).any()
