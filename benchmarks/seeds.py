"""How long does judging the seed functions take, beside the peers' checkers at the same points?

For every function of `specs/seeds`, one batch of points (1,000 unless said otherwise) is judged by gradcheck with all
witnesses (cases, verdicts, power, plot and graph included) and then, point by point, by `torch.autograd.gradcheck` and
`jax.test_util.check_grads` (order 1, forward and reverse) on hand-written functions of the two frameworks. One process,
one run, imports outside, compilations inside. Output: seconds and the ratio, per function and in all.

    python benchmarks/seeds.py [--points 1000] [--json FILE]

With JAX_COMPILATION_CACHE_DIR set, a second run finds its compilations there (the figure for warm caches).
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax.test_util import check_grads

from gradcheck.cases import build, plans
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.run import Config, Profile
from gradcheck.run.function import judge_function
from gradcheck.spec import Case, Spec, load_many

SEEDS = Path(__file__).parent.parent / "specs" / "seeds"


def doubled(norm: Callable[[Any], Any], total: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The notebook's loop: doubled until its norm reaches 1000."""

    def f(a: Any) -> Any:
        b = a * 2
        while norm(b) < 1000:
            b = b * 2
        return b if total(b) > 0 else 100 * b

    return f


def both(make: Callable[[Any], Callable[..., Any]]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function for PyTorch and for JAX, where only the module differs."""
    return make(torch), make(jnp)


# entry id -> (PyTorch function, JAX function)
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "s000a_cubic_minus_square": both(lambda xp: lambda x, y: 3 * x**3 - y**2),
    "s000b_cubic_minus_square_of_vectors": both(lambda xp: lambda x, y: 3 * x**3 - y**2),
    "s000e_cosine_and_squared_sine": both(lambda xp: lambda x, y: 3 * xp.cos(x) - xp.sin(y) ** 2),
    "s000f_cosine_with_a_fixed_angle": both(lambda xp: lambda x, y: 3 * xp.cos(x) - xp.sin(y) ** 2),
    "s001a_euclidean_norm": both(lambda xp: lambda x: xp.sqrt(xp.sum(x**2))),
    "s001c_squares": both(lambda xp: lambda x: x**2),
    "s001d_cubic_minus_square": both(lambda xp: lambda a, b: 3 * a**3 - b**2),
    "s001d_jacobian_laid_out_over_pairs": both(lambda xp: lambda q: 3 * q[:, 0] ** 3 - q[:, 1] ** 2),
    "s002a_mean_of_squares": both(lambda xp: lambda x: xp.mean(2 * (x + 2) ** 2)),
    "s002c_squares_with_a_cotangent": both(lambda xp: lambda x: 2 * (x + 2) ** 2),
    "s002e_ten_times_the_sum": both(lambda xp: lambda w: xp.sum(10 * w)),
    "s003a_twice_the_square": both(lambda xp: lambda x: 2 * xp.dot(x, x)),
    "s003c_sum": both(lambda xp: lambda x: xp.sum(x)),
    "s003d_square": both(lambda xp: lambda x: x * x),
    # with detach() the checkers of both frameworks report a right gradient as wrong (they move the detached part too),
    # so they get the plain product: the same operations
    "s003e_held_constant": both(lambda xp: lambda x: x * x * x),
    "s003g_cube": both(lambda xp: lambda x: x * x * x),
    "s004a_twice_the_square": both(lambda xp: lambda x: 2 * xp.dot(x, x)),
    "s004b_three_squares": both(lambda xp: lambda x: 3 * x**2),
    "s004c_doubled_until_large": (doubled(torch.linalg.norm, torch.sum), doubled(jnp.linalg.norm, jnp.sum)),
    "s004c_vectors_doubled_until_large": (doubled(torch.linalg.norm, torch.sum), doubled(jnp.linalg.norm, jnp.sum)),
    "s004d_sine": both(lambda xp: lambda x: xp.sin(x)),
    "s004e_log_sine_and_reciprocal": both(lambda xp: lambda x: xp.log(x**2) * xp.sin(x) + 1 / x),
}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peer_torch(f: Callable[..., Any], case: Case, moving: list[bool]) -> int:
    """Points that PyTorch's checker rejects."""
    rejected = 0
    for row in range(case.points):
        args = [torch.tensor(a[row], requires_grad=m) for a, m in zip(case.inputs.values(), moving, strict=True)]
        rejected += not torch.autograd.gradcheck(f, args, raise_exception=False)
    return rejected


def peer_jax(f: Callable[..., Any], case: Case, moving: list[bool]) -> int:
    """Points that JAX's checker rejects."""
    rejected = 0
    for row in range(case.points):
        args = [jnp.asarray(a[row]) for a in case.inputs.values()]
        wrt = tuple(a for a, m in zip(args, moving, strict=True) if m)

        def g(*moved: Any, args: list[Any] = args) -> Any:
            rest = iter(moved)
            return f(*[next(rest) if m else a for a, m in zip(args, moving, strict=True)])

        try:
            check_grads(g, wrt, order=1)
        except (AssertionError, ValueError):
            rejected += 1
    return rejected


def warm_up(spec: Spec) -> None:
    """Imports that the libraries put off until first use belong to nobody's time."""
    (plan, *_) = plans(spec, 0, 1, 1)
    case = build(spec, plan, 4)
    assert case is not None
    Hearing(Inquiry(case)).all(("engine", "differences", "torch", "jax"))
    peer_torch(FUNCTIONS[spec.id][0], case, [i.differentiable for i in spec.inputs])
    peer_jax(FUNCTIONS[spec.id][1], case, [i.differentiable for i in spec.inputs])


def measure(spec: Spec, points: int) -> dict[str, Any]:
    """Both sides' seconds for one function at the same points."""
    config = Config(profile=Profile("benchmark", shapes=1, per_shape=1, points=points))
    ours, outcome = timed(lambda: judge_function(spec, config))
    assert outcome.passed, outcome.sentence
    (plan, *_) = plans(spec, config.seed, 1, 1)
    case = build(spec, plan, points)
    assert case is not None
    moving = [i.differentiable for i in spec.inputs]
    in_torch, in_jax = FUNCTIONS[spec.id]
    torch_seconds, torch_rejects = timed(lambda: peer_torch(in_torch, case, moving))
    jax_seconds, jax_rejects = timed(lambda: peer_jax(in_jax, case, moving))
    return {
        "id": spec.id, "points": case.points, "ours": ours, "torch": torch_seconds, "jax": jax_seconds,
        "torch_rejects": torch_rejects, "jax_rejects": jax_rejects,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    specs = [spec for file in load_many([str(SEEDS)]) for spec in file.functions]
    missing = {spec.id for spec in specs} ^ set(FUNCTIONS)
    assert not missing, f"functions without a peer's version, or the other way round: {sorted(missing)}"
    warm_up(specs[0])
    jax.clear_caches()
    rows = []
    print(f"{'function':38} {'ours':>8} {'gradcheck':>10} {'check_grads':>12} {'ratio':>7}  rejected by the peers")
    for spec in specs:
        row = measure(spec, options.points)
        rows.append(row)
        peers = row["torch"] + row["jax"]
        rejects = f"{row['torch_rejects']} torch, {row['jax_rejects']} jax"
        times = f"{row['ours']:7.2f}s {row['torch']:9.2f}s {row['jax']:11.2f}s {peers / row['ours']:6.1f}x"
        print(f"{spec.id:38} {times}  {rejects}", flush=True)
    ours, peers = math.fsum(r["ours"] for r in rows), math.fsum(r["torch"] + r["jax"] for r in rows)
    print(f"in all: gradcheck {ours:.2f} s, peers {peers:.2f} s: {peers / ours:.1f} times the time")
    if options.json:
        summary = {"ours": ours, "peers": peers, "ratio": peers / ours, "numpy": np.__version__, "rows": rows}
        options.json.write_text(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
