"""Answers of a computation that is not differentiated step by step: fixed points, flows, linear systems."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from mpmath import mp

from docs.gallery.entries import Entry, Mistake
from gradcheck import Real

COUPLING = np.array([[0.2, -0.3], [0.1, 0.25]])
SWEEPS = 60  # the map shrinks distances to less than a half, so that this many leave nothing over


def coupling(x):
    return jnp.asarray(COUPLING, x.dtype)


def fixed_point_with(solve):
    """z = tanh(Cz + x), differentiated at its answer: Bai, Kolter & Koltun, "Deep equilibrium models" (2019), thm. 1.

    With D = diag(1 − z²) the implicit function theorem gives dz = (I − DC)⁻¹ D dx, so the vjp is D (I − DC)⁻ᵀ ct.
    """

    @jax.custom_vjp
    def fixed_point(x):
        return jax.lax.fori_loop(0, SWEEPS, lambda _, z: jnp.tanh(coupling(x) @ z + x), jnp.zeros_like(x))

    def forward(x):
        z = fixed_point(x)
        return z, z

    def backward(z, ct):
        d = 1 - z**2
        return (d * solve(jnp.eye(z.size) - d[:, None] * coupling(z), ct),)

    fixed_point.defvjp(forward, backward)
    return fixed_point


def fixed_point_truth(at, ct):
    """Cramer's rule for two unknowns, at a fixed point found by plain iteration in 40 digits."""
    with mp.workdps(40):
        x = [mp.mpf(float(v)) for v in at["x"]]
        c = [[mp.mpf(float(v)) for v in row] for row in COUPLING]
        z = [mp.mpf(0), mp.mpf(0)]
        for _ in range(200):
            z = [mp.tanh(c[i][0] * z[0] + c[i][1] * z[1] + x[i]) for i in range(2)]
        d = [1 - v**2 for v in z]
        m = [[(i == j) - d[i] * c[i][j] for j in range(2)] for i in range(2)]
        det = m[0][0] * m[1][1] - m[0][1] * m[1][0]
        a, b = float(ct[0]), float(ct[1])
        solved = [(m[1][1] * a - m[1][0] * b) / det, (m[0][0] * b - m[0][1] * a) / det]
        return {"x": [float(d[i] * solved[i]) for i in range(2)]}


STEPS, H = 4, 0.25


def slope(x, rate):
    return rate * x * (1 - x)


def stages(x, rate):
    """One step of Heun's method (Runge-Kutta of order 2): its middle point and where it ends."""
    middle = x + H * slope(x, rate)
    return middle, x + H / 2 * (slope(x, rate) + slope(middle, rate))


def growth(x, rate):
    """Logistic growth ẋ = rate·x(1 − x) from x over time 1, in steps of Heun's method."""
    for _ in range(STEPS):
        x = stages(x, rate)[1]
    return x


def growth_rule_with(states_of, through_both=True):
    """The adjoint of the steps themselves, backwards: Hager, "Runge-Kutta methods in optimal control" (2000).

    A step is y = x + h/2 (f(x) + f(m)) with m = x + h f(x); its adjoint pulls ct back through f(m), m and f(x) in turn.
    """

    def rule(inputs, ct):
        x, rate = inputs
        states = [x]
        for _ in range(STEPS):
            states.append(stages(states[-1], rate)[1])
        for_rate = np.zeros_like(rate)
        for state in states_of(states):
            middle, _ = stages(state, rate)
            at_middle = H / 2 * ct
            pulled = at_middle * rate * (1 - 2 * middle)  # the cotangent of m
            at_start = H / 2 * ct + H * (pulled if through_both else 0)
            for_rate = for_rate + at_middle * middle * (1 - middle) + at_start * state * (1 - state)
            ct = ct + (pulled if through_both else 0) + at_start * rate * (1 - 2 * state)
        return ct, for_rate

    return rule


def backwards(states):
    return states[-2::-1]


def forwards(states):
    return states[:-1]


def growth_rule_of_the_flow(inputs, ct):
    """Chen et al., "Neural ordinary differential equations" (2018), alg. 1: the equation is solved again, backwards.

    The derivative of the flow, nearly; not of the steps that were taken.
    """
    x, rate = inputs
    x = growth(x, rate)
    for_rate = np.zeros_like(rate)
    for _ in range(STEPS):
        half, double = (x, ct, for_rate), None
        for weight in (0.0, 1.0):
            a, b, _ = half if double is None else tuple(p + H * q for p, q in zip(half, double, strict=True))
            found = (-slope(a, rate), b * rate * (1 - 2 * a), b * a * (1 - a))
            double = found if weight == 0.0 else tuple((p + q) / 2 for p, q in zip(double, found, strict=True))
        x, ct, for_rate = (p + H * q for p, q in zip(half, double, strict=True))
    return ct, for_rate


def growth_truth(at, ct):
    """By differences over 10⁻³⁰ of the same steps in 80 digits."""
    with mp.workdps(80):
        x, rate = mp.mpf(float(at["x"])), mp.mpf(float(at["rate"]))
        h = mp.mpf(10) ** -30
        by_x = (growth(x + h, rate) - growth(x - h, rate)) / (2 * h)
        by_rate = (growth(x, rate + h) - growth(x, rate - h)) / (2 * h)
        return {"x": float(ct * by_x), "rate": float(ct * by_rate)}


def solve(a, b):
    """x with (a + 4 I) x = b."""
    return np.linalg.solve(a + 4 * np.eye(2), b)


def solve_rule(inputs, ct):
    """Giles, "Collected matrix derivative results" (2008), 2.3.1: db = A⁻ᵀ ct, dA = −db xᵀ."""
    a, b = inputs
    g = np.linalg.solve((a + 4 * np.eye(2)).T, ct)
    return -np.outer(g, solve(a, b)), g


def solve_rule_untransposed(inputs, ct):
    a, b = inputs
    g = np.linalg.solve(a + 4 * np.eye(2), ct)
    return -np.outer(g, solve(a, b)), g


def solve_rule_outer_swapped(inputs, ct):
    a, b = inputs
    g = np.linalg.solve((a + 4 * np.eye(2)).T, ct)
    return -np.outer(solve(a, b), g), g


def solve_truth(at, ct):
    """From the inverse of a matrix of two rows, written out; ∂A⁻¹/∂Aᵢⱼ = −A⁻¹ eᵢ eⱼᵀ A⁻¹."""
    (p, q), (r, s) = at["a"] + 4 * np.eye(2)
    inverse = np.array([[s, -q], [-r, p]]) / (p * s - q * r)
    ct = np.asarray(ct)
    by_a = [[-(ct @ inverse[:, i]) * (inverse[j] @ at["b"]) for j in range(2)] for i in range(2)]
    return {"a": by_a, "b": inverse.T @ ct}


ENTRIES = (
    Entry(
        "implicit layer: a fixed point (jax)",
        "the implicit function theorem, whose matrix is transposed; loops of the solver are nobody's business",
        fixed_point_with(lambda m, ct: jnp.linalg.solve(m.T, ct)),
        {"x": Real(2, low=-2, high=2)},
        fixed_point_truth,
        (
            Mistake("the system not transposed", fixed_point_with(jnp.linalg.solve), "reverse", "x"),
            Mistake("only the last sweep", fixed_point_with(lambda m, ct: ct), "reverse", "x"),
        ),
    ),
    Entry(
        "ODE adjoint (NumPy)",
        "the adjoint of the steps is exact; the flow's own equation, solved backwards, is not",
        (growth, growth_rule_with(backwards)),
        {"x": Real(low=0.1, high=0.9), "rate": Real(low=0.5, high=2)},
        growth_truth,
        (
            Mistake("states visited forwards", (growth, growth_rule_with(forwards)), "reverse", "rate"),
            Mistake("not through the middle point", (growth, growth_rule_with(backwards, False)), "reverse", "x"),
            Mistake("the flow's adjoint, for its steps", (growth, growth_rule_of_the_flow), "reverse", "x"),
        ),
    ),
    Entry(
        "linear system (NumPy)",
        "an inverse is applied transposed, and an outer product has an order",
        (solve, solve_rule),
        {"a": Real(2, 2, low=-1, high=1), "b": Real(2)},
        solve_truth,
        (
            Mistake("the system not transposed", (solve, solve_rule_untransposed), "reverse", "a"),
            Mistake("the outer product the other way", (solve, solve_rule_outer_swapped), "reverse", "a"),
        ),
    ),
)  # fmt: skip
