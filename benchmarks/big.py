"""Is one wrong number of ten million found, at what cost in time and memory?

    python -m benchmarks.big [--sizes 1e4 1e5 1e6 1e7] [--only NAME …]

Each function has one number of its gradient (or of its jvp) wrong by a hundredth; each runs in a process of its own.
Memory is what that process took at its highest beyond what it had before the check (its interpreter and libraries),
over the bytes of the inputs. Times, of the processor, are in gradient evaluations: one call of the rule (PyTorch, JAX:
forward and backward) on arrays of that size at a drawn point, as all calls of the check are: of numbers in order, sines
take a third less. "until" is all that was asked before the wrong number showed; "to find" is
the search for it; "check" is the whole call, with the other cells.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import gradcheck
from gradcheck import Real
from gradcheck.run.check import large as check_large
from gradcheck.run.check import large_forward as check_large_forward

WRONG = 1.01
Case = tuple[Callable[..., Any], list[Any], dict[str, Any], Callable[[], Any]]


def spoilt(gradient: Any, place: int) -> Any:
    """The gradient with one number wrong, in its own memory."""
    gradient.reshape(-1)[place] *= WRONG
    return gradient


def usual(n: int) -> Any:
    """Numbers such as the check draws."""
    return np.random.default_rng(0).uniform(-3, 3, n)


def numpy_case(name: str, n: int) -> Case:
    """fn, its inputs, its rules, and one gradient evaluation."""
    place, dtype = _place(n), "float32" if "float32" in name else "float64"
    x = usual(n).astype(dtype)
    if "product" in name:
        m = int(n**0.5)
        a, b = np.ones((m, m)), np.ones(m)

        def product(i: Any, ct: Any) -> Any:
            return spoilt(np.outer(ct, i[1]), _place(m * m)), i[0].T @ ct

        return (lambda a, x: a @ x), [Real(m, m), Real(m)], {"vjp": product}, lambda: product((a, b), b)
    summed = "sum" in name

    def vjp(i: Any, ct: Any) -> Any:
        gradient = np.cos(i[0])
        gradient *= ct
        return (gradient if "jvp" in name else spoilt(gradient, place),)

    def jvp(i: Any, t: Any) -> Any:
        moved = spoilt(np.cos(i[0]), place)
        moved *= t[0]
        return moved.sum() if summed else moved

    rules = {"vjp": vjp, "jvp": jvp} if "jvp" in name else {"vjp": vjp}
    fn = (lambda x: np.sin(x).sum()) if summed else np.sin
    return fn, [Real(n, dtype=dtype)], rules, lambda: vjp((x,), 1.0 if summed else np.ones_like(x))


def torch_case(name: str, n: int) -> Case:
    """The same in PyTorch."""
    import torch

    torch.set_num_threads(1)
    count = int(n**0.5) ** 2 if "module" in name else n

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            gradient = torch.cos(ctx.saved_tensors[0])
            gradient *= ct
            gradient.view(-1)[_place(count)] *= WRONG
            return gradient

    class Layer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            m = int(n**0.5)
            self.weight = torch.nn.Parameter(torch.rand(m, m, dtype=torch.float64))

        def forward(self, x: Any) -> Any:
            return Sine.apply(self.weight) @ x

    if "module" in name:
        layer, x = Layer(), torch.ones(int(n**0.5), dtype=torch.float64)
        return layer, [Real(int(n**0.5))], {}, lambda: layer(x).sum().backward()
    fn = (lambda x: Sine.apply(x).sum()) if "sum" in name else Sine.apply
    y = torch.from_numpy(usual(n)).requires_grad_()
    return fn, [Real(n)], {"backend": "torch"}, lambda: torch.autograd.grad(fn(y).sum(), y)


def jax_case(name: str, n: int) -> Case:
    """The same in JAX."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @jax.custom_vjp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    sine.defvjp(lambda x: (jnp.sin(x), x), lambda x, ct: ((ct * jnp.cos(x)).at[_place(n)].multiply(WRONG),))
    fn = (lambda x: sine(x).sum()) if "sum" in name else sine
    x, pull = jnp.asarray(usual(n)), jax.jit(jax.grad(lambda x: sine(x).sum()))
    return fn, [Real(n)], {"backend": "jax"}, lambda: pull(x).block_until_ready()


CASES: dict[str, Callable[[str, int], Case]] = {
    "numpy sum": numpy_case, "numpy map": numpy_case, "numpy product": numpy_case, "numpy map float32": numpy_case,
    "numpy jvp of a sum": numpy_case, "numpy jvp of a map": numpy_case, "torch sum": torch_case,
    "torch map": torch_case, "torch module": torch_case, "jax sum": jax_case, "jax map": jax_case,
}  # fmt: skip


def _place(n: int) -> int:
    return int(0.765432 * n)


def one(name: str, n: int) -> str:
    """A line of the table."""
    fn, inputs, rules, gradient = CASES[name](name, n)
    gradient()
    times = []
    for _ in range(3):
        start = time.process_time()
        gradient()
        times.append(time.process_time() - start)
    unit = sorted(times)[1]
    searches: list[tuple[float, float]] = []
    for room in (check_large, check_large_forward):
        vars(room)["accused"] = timed(room.accused, searches)
    del gradient
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    result = gradcheck.check(fn, inputs, isolate=False, **rules)
    whole = time.process_time() - start
    size = sum(int(np.prod(g.shape)) for g in inputs) if "module" not in name else n
    bytes_in = size * (4 if "float32" in name else 8)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / bytes_in
    found = result.checked.standing.decisive
    seen = None if found is None else found.seen
    place = None
    if seen is not None:
        shape = seen.beside["point"].drawn[[*seen.inputs].index(seen.input)].shape
        place = int(np.ravel_multi_index(seen.index, shape))
        size = int(np.prod(shape))
    told = place == _place(size) or f"[{_place(size)}]" in (found.sentence if found else "")
    last = searches[-1] if searches else (start + whole, start + whole)
    seen_after, search_took = (last[0] - start) / unit, (last[1] - last[0]) / unit
    return (
        f"{name:<20} {n:>10,} {'yes' if not result.passed else 'NO':>5} {'yes' if told else 'NO':>5} {peak:>7.1f} "
        f"{unit:>9.4f} {seen_after:>9.1f} {search_took:>9.1f} {whole / unit:>9.1f} {result.checked.calls:>6}"
    )


def timed(search: Callable[..., Any], searches: list[tuple[float, float]]) -> Callable[..., Any]:
    """The search, which takes down when it began and ended."""

    def search_timed(*given: Any) -> Any:
        begun = time.process_time()
        found = search(*given)
        searches.append((begun, time.process_time()))
        return found

    return search_timed


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--sizes", nargs="+", default=["1e4", "1e5", "1e6", "1e7"])
    asked.add_argument("--only", nargs="+", default=list(CASES), choices=list(CASES))
    asked.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        print(one(given.one[0], int(float(given.one[1]))))
        return
    print(
        f"{'function':<20} {'numbers':>10} {'found':>5} {'place':>5} {'memory':>7} {'1 grad/s':>9} {'until':>9} "
        f"{'to find':>9} {'check':>9} {'calls':>6}"
    )
    for name in given.only:
        for size in given.sizes:
            command = [sys.executable, "-m", "benchmarks.big", "--one", name, size]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            print(run.stdout.strip() or f"{name:<20} {size}: {run.stderr[-300:]}", flush=True)


if __name__ == "__main__":
    main()
