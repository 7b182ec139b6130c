"""Is a batch nothing but its points, side by side?"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import BranchInBatch
from gradcheck.expr import NUMPY, Batch, Batched, parse_formula

RNG = np.random.default_rng(5)
POINTS = 4
ENV = {
    "s": RNG.normal(size=(POINTS,)),
    "v": RNG.normal(size=(POINTS, 3)),
    "w": RNG.normal(size=(POINTS, 4)),
    "m": RNG.normal(size=(POINTS, 3, 4)),
    "q": RNG.normal(size=(POINTS, 3, 3)) + 3 * np.eye(3),
    "c": RNG.normal(size=(POINTS, 2, 3, 4)),
}
CONSTANTS = {"n": 3, "k": np.arange(4.0), "g": np.arange(12.0).reshape(3, 4) / 7}
FORMULAS = """
s + v
v * s - 1/s
m + w
w + m
v[:, None] + w
m * s + k
c * m - w
c - s
sin(m) + g
maximum(v, s)
where(v > s, v, s)
where(m > w, 1, g)
sum(m)
sum(m, axis=0)
sum(m, axis=-1)
sum(c, axis=(0, 2))
sum(m, axis=1, keepdims=True)
sum(s)
mean(c, axis=1)
max(m, axis=0)
std(m, axis=1)
norm(m)
norm(m, axis=0)
softmax(m, axis=0)
softmax(v)
logsumexp(m, axis=1)
prod(v)
cumsum(m, axis=0)
cumulative_prod(v, axis=0)
argmax(m, axis=0)
m @ w
v @ m
v @ v
v @ q @ v
q @ m
c @ w
q @ c
m @ k
g.T @ v
v @ g
q @ q @ g
outer(v, w)
outer(v, k)
dot(v, v)
vecdot(m, w)
vecdot(w, m)
trace(q)
diagonal(q)
diag(v)
m.T
c.T
permute_dims(c, (1, 0, 2))
permute_dims(c, (-1, 0, 1))
matrix_transpose(c)
inv(q)
det(q)
solve(q, v)
solve(q, m)
reshape(m, (4, 3))
reshape(m, (2, -1))
reshape(m, -1)
broadcast_to(w, (3, 4))
broadcast_to(s, (2, 2))
expand_dims(v, 0)
expand_dims(v, 1)
expand_dims(v, -1)
squeeze(expand_dims(v, 0), 0)
flip(m, axis=0)
roll(v, 1, axis=0)
repeat(v, 2, axis=0)
tril(q)
m[0]
m[:, 1]
m[-1, ::2]
m[..., None]
m[None, 1:]
c[1, :, -1]
concat([v, w])
concat([m, g], axis=0)
concat([m, g], axis=-1)
stack([v, v*s], axis=0)
stack([v, 2*v], axis=1)
stack([s, s**2])
stack([s, 1.0])
m.shape[1] * v
c.ndim * s
n * v
eye(3) @ v
zeros((2,)) + s
k * 2
stop_gradient(m) * w
take(v, argsort(v))
take(m, argsort(w), axis=1)
take(g, argsort(v), axis=0)
take(w, argsort(m, axis=1))
take(c, argsort(v), axis=-2)
take_along_axis(m, argsort(m, axis=0), axis=0)
take_along_axis(k, argsort(w))
take_along_axis(w, (2, -1))
scatter_add(v, argsort(v), v*v)
index_add(m, argsort(v), m)
v[argsort(v)]
w[argsort(w)[:2]]
m[argsort(v)]
m[:, argsort(w)]
m[1, argsort(w)]
m[argsort(v), argsort(w)[:3]]
c[:, argsort(v), 1:]
g[argsort(v)]
m[argsort(v)[0]]
sort(m)
sort(m, axis=0, descending=True)
top_k(w, 2)
median(c, axis=(0, 2))
median(m)
quantile(m, 0.3, axis=0, keepdims=True)
cumulative_sum(m, axis=0, include_initial=True)
cumulative_prod(v, include_initial=True)
cummax(m, axis=1)
logcumsumexp(m, axis=0)
argmax(m)
argmin(c, keepdims=True)
searchsorted(sort(w), v)
roll(m, 1)
roll(c, 5)
roll(m, (1, 2), axis=(0, 1))
repeat(m, 2)
repeat(c, 2, axis=1)
repeat(v, (2, 0, 1))
tile(m, (2, 1))
tile(v, (2, 2))
unstack(m, axis=1)[2]
moveaxis(c, 0, -1)
swapaxes(c, 0, 2)
rot90(m)
rot90(m, k=3)
hstack([m, q])
vstack([v, v*s])
meshgrid(v, w)[0]
meshgrid(v, k, indexing="ij")[1]
broadcast_arrays(s, m)[0]
pad(m, 1)
pad(m, ((1, 0), (0, 2)), mode="reflect")
pad(v, 2, constant_values=s)
diff(m, axis=0)
diff(v, prepend=s)
trapezoid(m, x=w)
trapezoid(m, x=v, axis=0)
einsum("ij,j", m, w)
einsum("ij,kj->ki", m, c[0])
einsum("ii->i", q)
einsum("i,ij,j->", v, g, w)
einsum("...ij,j->...i", c, w)
full((2,), s)
full_like(m, s)
linspace(s, 2*s, 4)
zeros_like(m)
count_nonzero(m > 0, axis=1)
""".strip().splitlines()


@pytest.mark.parametrize("text", FORMULAS)
def test_every_point_is_as_alone(text: str) -> None:
    program = parse_formula(text, [*ENV, *CONSTANTS])
    batched = program(Batch(NUMPY), {**{k: Batched(v) for k, v in ENV.items()}, **CONSTANTS})
    for point in range(POINTS):
        alone = np.asarray(program(NUMPY, {**{k: v[point] for k, v in ENV.items()}, **CONSTANTS}))
        there = batched.data[point] if isinstance(batched, Batched) else np.asarray(batched)
        assert there.shape == alone.shape
        assert (batched.shape, batched.ndim) == (alone.shape, alone.ndim)
        assert np.allclose(there, alone, rtol=1e-13, atol=1e-13)


def test_only_what_meets_a_batch_is_one() -> None:
    xp = Batch(NUMPY)
    assert not isinstance(xp.sin(np.ones(3)), Batched)
    assert not isinstance(xp.sum(np.ones((2, 3)), axis=0), Batched)
    assert not isinstance(xp.concat([np.ones(2), np.ones(3)]), Batched)
    assert isinstance(xp.add(np.ones(3), Batched(np.ones(5))), Batched)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(v, axis=1)", "sum: axis 1 is out of bounds for an array of 1 dimensions"),
        ("sum(v, axis=-2)", "axis -2 is out of bounds"),
        ("sum(s, axis=0)", "axis 0 is out of bounds for an array of 0 dimensions"),
        ("concat([v, w], axis=1)", "axis 1 is out of bounds"),
        ("expand_dims(v, 2)", "axis 2 is out of bounds"),
        ("reshape(v, (4,))", r"cannot reshape an array of shape \(3,\) into \(4,\)"),
        ("reshape(v, (2, -1))", "cannot reshape"),
        ("s @ v", "matmul takes vectors and matrices, not scalars"),
        ("v + w", "broadcast"),
    ],
)
def test_no_operation_reaches_the_axis_of_the_points(text: str, message: str) -> None:
    program = parse_formula(text, [*ENV])
    with pytest.raises(ValueError, match=message):
        program(Batch(NUMPY), {k: Batched(v) for k, v in ENV.items()})


def test_points_of_two_minds_say_who_wants_what() -> None:
    program = parse_formula("x if x > 0 else -x", ["x"])
    with pytest.raises(BranchInBatch) as split:
        program(Batch(NUMPY), {"x": Batched(np.array([1.0, -1.0, 2.0]))})
    assert split.value.takes.tolist() == [True, False, True]
    one_mind = program(Batch(NUMPY), {"x": Batched(np.array([1.0, 2.0]))})
    assert one_mind.data.tolist() == [1.0, 2.0]


def test_a_condition_of_several_values_at_a_point_is_refused() -> None:
    program = parse_formula("x if x > 0 else -x", ["x"])
    with pytest.raises(ValueError, match="ambiguous"):
        program(Batch(NUMPY), {"x": Batched(np.ones((2, 3)))})


def test_there_are_no_other_functions() -> None:
    with pytest.raises(AttributeError):
        _ = Batch(NUMPY).sinus
