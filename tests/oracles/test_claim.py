"""Is every kind of claim brought to the form in which witnesses answer?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured, Silence
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -3.0]])
CT = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
T = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
VECTOR = "inputs: {x: {shape: [3]}}\n"


def claimed(case: Case) -> dict[str, Measured]:
    said = Hearing(Inquiry(case)).all([])["claim"]
    assert isinstance(said, Evidence), said
    for measured in said.answers.values():
        assert measured.bar.shape == measured.center.shape
        assert (measured.bar >= 0).all()
    return dict(said.answers)


def close(measured: Measured, want: object) -> None:
    want = np.array(want, dtype=float)
    assert measured.center.shape == want.shape
    assert (np.abs(measured.center - want) <= 4 * measured.bar + 1e-300).all()
    assert (measured.bar <= 1e-13 * np.abs(want) + 1e-14).all()


def test_gradient(spec_of: SpecOf, case_at: CaseAt) -> None:
    ct = np.array([2.0, -1.0])
    said = claimed(case_at(spec_of(VECTOR + "value: sum(x**3)\ngradient: {x: 3*x**2}"), ct=ct, t={"x": T}, x=X))
    assert set(said) == {"value", "vjp:x", "jvp", "pairing"}
    close(said["value"], (X**3).sum(axis=1))
    close(said["vjp:x"], ct[:, None] * 3 * X**2)
    close(said["jvp"], (3 * X**2 * T).sum(axis=1))
    close(said["pairing"], ct * (3 * X**2 * T).sum(axis=1))


def test_derivative(spec_of: SpecOf, case_at: CaseAt) -> None:
    said = claimed(case_at(spec_of(VECTOR + "value: x**3\nderivative: {x: 3*x**2}"), ct=CT, t={"x": T}, x=X))
    close(said["vjp:x"], CT * 3 * X**2)
    close(said["jvp"], 3 * X**2 * T)
    close(said["pairing"], (CT * 3 * X**2 * T).sum(axis=1))


def test_jacobian(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(
        "inputs: {a: {shape: [2, 3]}, x: {shape: [3]}}\nvalue: a @ x\njacobian:\n  x: a\n  a: expand_dims(eye(2), 2)*x"
    )
    a = np.arange(12.0).reshape(2, 2, 3)
    ct, ta = CT[:, :2], np.ones((2, 2, 3)) * 0.5
    said = claimed(case_at(spec, ct=ct, t={"x": T, "a": ta}, x=X, a=a))
    close(said["vjp:x"], np.einsum("bi,bij->bj", ct, a))
    close(said["vjp:a"], np.einsum("bi,bj->bij", ct, X))
    close(said["jvp"], np.einsum("bij,bj->bi", a, T) + np.einsum("bij,bj->bi", ta, X))


def test_vjp_states_no_jvp_but_the_pairing(spec_of: SpecOf, case_at: CaseAt) -> None:
    said = claimed(case_at(spec_of(VECTOR + "value: x**3\nvjp: {x: ct*3*x**2}"), ct=CT, t={"x": T}, x=X))
    assert set(said) == {"value", "vjp:x", "pairing"}
    close(said["vjp:x"], CT * 3 * X**2)
    close(said["pairing"], (CT * 3 * X**2 * T).sum(axis=1))


def test_jvp_states_the_pairing_from_the_other_side(spec_of: SpecOf, case_at: CaseAt) -> None:
    said = claimed(case_at(spec_of(VECTOR + "value: x**3\njvp: 3*x**2*t_x"), ct=CT, t={"x": T}, x=X))
    assert set(said) == {"value", "jvp", "pairing"}
    close(said["jvp"], 3 * X**2 * T)
    close(said["pairing"], (CT * 3 * X**2 * T).sum(axis=1))


def test_hessian(spec_of: SpecOf, case_at: CaseAt) -> None:
    ct = np.array([2.0, -1.0])
    spec = spec_of(VECTOR + "value: sum(x)**3\nhessian: {x: '6*sum(x)*ones((3, 3))'}")
    said = claimed(case_at(spec, ct=ct, t={"x": T}, x=X))
    assert set(said) == {"value", "hess:x"}
    close(said["hess:x"], np.broadcast_to((ct * 6 * X.sum(axis=1) * T.sum(axis=1))[:, None], X.shape))


def test_hessian_of_a_matrix_input(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(
        "inputs: {x: {shape: [2, 2]}}\nvalue: sum(x**3)/3\n"
        "hessian: {x: 'reshape(diag(reshape(2*x, (4,))), (2, 2, 2, 2))'}"
    )
    x, t = np.arange(8.0).reshape(2, 2, 2) - 2, np.ones((2, 2, 2)) * 1.5
    close(claimed(case_at(spec, ct=[1.0, 2.0], t={"x": t}, x=x))["hess:x"], 2 * x * t * [[[1.0]], [[2.0]]])


def test_hvp(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {}, y: {}}\nvalue: x**2*y\nhvp: {x: 2*y*t_x + 2*x*t_y, y: 2*x*t_x}")
    said = claimed(case_at(spec, ct=[2.0], t={"x": [3.0], "y": [-1.0]}, x=[0.5], y=[4.0]))
    close(said["hvp:x"], [2 * (2 * 4 * 3 + 2 * 0.5 * -1)])
    close(said["hvp:y"], [2 * (2 * 0.5 * 3)])


def test_several_outputs(spec_of: SpecOf, case_at: CaseAt) -> None:
    polar = "inputs: {r: {domain: positive}, a: {}}\nvalue: {u: r*cos(a), v: r*sin(a)}\n"
    vjp = spec_of(polar + "vjp: {r: ct_u*cos(a) + ct_v*sin(a), a: ct_v*u - ct_u*v}")
    jvp = spec_of(polar + "jvp: {u: t_r*cos(a) - t_a*v, v: t_r*sin(a) + t_a*u}")
    r, a, t = np.array([2.0, 0.5]), np.array([0.3, -1.0]), {"r": [1.0, 2.0], "a": [-1.0, 0.5]}
    one, other = (case_at(s, t=t, r=r, a=a) for s in (vjp, jvp))
    pulled, pushed = claimed(one), claimed(other)
    assert set(pulled) == {"value[u]", "value[v]", "vjp:r", "vjp:a", "pairing"}
    assert set(pushed) == {"value[u]", "value[v]", "jvp[u]", "jvp[v]", "pairing"}
    cu, cv = one.cotangents["u"], one.cotangents["v"]
    close(pulled["vjp:r"], cu * np.cos(a) + cv * np.sin(a))
    close(pushed["jvp[u]"], np.array(t["r"]) * np.cos(a) - np.array(t["a"]) * r * np.sin(a))
    assert np.allclose(pulled["pairing"].center, pushed["pairing"].center, rtol=1e-12)


def test_a_number_stands_for_all_elements_at_kinks_only(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(VECTOR + "value: abs(x)\nderivative: {x: x/abs(x)}\nat_kinks: {'x == 0': {x: 0.25}}")
    x = np.array([[0.0, -2.0, 3.0], [1.0, 0.0, 0.0]])
    said = claimed(case_at(spec, ct=np.full((2, 3), 2.0), t={"x": T}, x=x))
    close(said["vjp:x"], [[0.5, -2.0, 2.0], [2.0, 0.5, 0.5]])
    assert said["vjp:x"].kink is not None
    assert said["vjp:x"].kink.tolist() == (x == 0).tolist()
    assert np.isfinite(said["jvp"].center).all()


def test_a_kink_of_the_whole_point(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(VECTOR + "value: norm(x)\ngradient: {x: x/value}\nat_kinks: {'norm(x) == 0': {x: 0}}")
    said = claimed(case_at(spec, ct=[1.0, 1.0], t={"x": T}, x=[[0, 0, 0], [3, 0, 4]]))
    close(said["vjp:x"], [[0, 0, 0], [0.6, 0, 0.8]])


def test_a_claim_that_branches_is_evaluated_point_by_point(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(
        VECTOR + "value: sum(x)**2 if x[0] > 1 else sum(x)\ngradient: {x: '2*sum(x) + 0*x if x[0] > 1 else 1 + 0*x'}"
    )
    said = claimed(case_at(spec, ct=[1.0, 1.0], t={"x": T}, x=X))
    close(said["vjp:x"], [[1, 1, 1], [-2.5, -2.5, -2.5]])


def test_stop_gradient_in_the_function_is_a_number_to_the_claim(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(VECTOR + "value: sum(x*stop_gradient(x))\ngradient: {x: x}")
    close(claimed(case_at(spec, ct=[1.0, 1.0], t={"x": T}, x=X))["vjp:x"], X)


def test_the_bar_sees_the_cancellation_of_the_formula(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {}}\nvalue: sin(x)\nderivative: {x: (cos(x) + 1e6) - 1e6}")
    said = claimed(case_at(spec, ct=[1.0], x=[0.5]))["vjp:x"]
    assert 1e-11 < said.bar[0] < 1e-9
    assert abs(said.center[0] - np.cos(0.5)) <= said.bar[0]


@pytest.mark.parametrize("formula", ["nan_free", "x**2"])
def test_where_a_claim_is_no_number_its_bar_is_infinite(formula: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    text = "0.5/sqrt(x)" if formula == "nan_free" else formula
    spec = spec_of(f"inputs: {{x: {{domain: 'x > -5'}}}}\nvalue: x**3\nderivative: {{x: {text}}}")
    said = Hearing(Inquiry(case_at(spec, ct=[1.0, 1.0], x=[-1.0, 4.0]))).all([])["claim"]
    assert not isinstance(said, Silence)
    vjp = said.answers["vjp:x"]
    assert np.isnan(vjp.center[0]) == (formula == "nan_free")
    assert np.isinf(vjp.bar[0]) == (formula == "nan_free")
    assert np.isfinite(vjp.bar[1])
