"""How long does `gradcheck.check` take beside PyTorch's own checkers, looped over the same number of points?

    python -m benchmarks.doors.run [--points 256] [--peer-points 4] [--only NAME …] [--json FILE]

Functions of 100 inputs, to second order: ours judges value, shape, reverse, forward, adjoint, second and mixed; the
peer is `torch.autograd.gradcheck` (with forward mode) and `gradgradcheck` at each point. The peer is timed at a few
points and told for all, since its time grows with their number. Seconds of the processor, both in this one process.
The bounds are 1/20 where `torch.func.vmap` takes the function, 1/3 where it does not.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import gradcheck
from benchmarks import processor

SIZE = 100
CELLS = ("value", "shape", "reverse", "forward", "adjoint", "second", "mixed")
BATCHED, SINGLE = 1 / 20, 1 / 3


class Product(torch.autograd.Function):
    """x sin x in the old style, without setup_context: nothing can be batched."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x * torch.sin(x)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return ct * (torch.sin(x) + x * torch.cos(x))

    @staticmethod
    def jvp(ctx: Any, dx: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dx * (torch.sin(x) + x * torch.cos(x))


WEIGHTS = torch.linspace(-1, 1, SIZE * SIZE, dtype=torch.float64).sin().reshape(SIZE, SIZE) / 10
FUNCTIONS: dict[str, tuple[Callable[..., Any], float]] = {
    "one number": (lambda x: (x * torch.sin(x)).sum() + (x[:-1] * x[1:]).sum(), BATCHED),
    "elementwise": (lambda x: x * torch.sin(x), BATCHED),
    "a dense layer": (lambda x: torch.tanh(WEIGHTS @ x), BATCHED),
    "old style, one number": (lambda x: Product.apply(x).sum(), SINGLE),
    "old style, elementwise": (Product.apply, SINGLE),
}


def peer(fn: Callable[..., Any], points: int) -> float:
    """Seconds a point of PyTorch's checkers. Raises where they find the function wrong."""
    generator = torch.Generator().manual_seed(0)
    start = processor.seconds()
    for _ in range(points):
        x = torch.randn(SIZE, dtype=torch.float64, generator=generator, requires_grad=True)
        assert torch.autograd.gradcheck(fn, x, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(fn, x)
    return (processor.seconds() - start) / points


def ours(fn: Callable[..., Any], points: int) -> tuple[float, int]:
    """Seconds and calls of ours. Raises where it finds the function wrong."""
    start = processor.seconds()
    result = gradcheck.check(fn, [gradcheck.Real(SIZE)], "torch", order=2, points=points, cells=CELLS)
    assert result.passed, str(result)
    return processor.seconds() - start, result.checked.calls


def row(name: str, points: int, peer_points: int) -> dict[str, Any]:
    """The figures of one function."""
    fn, bound = FUNCTIONS[name]
    theirs = peer(fn, peer_points) * points
    seconds, calls = ours(fn, points)
    return {"name": name, "points": points, "ours": seconds, "calls": calls, "torch": theirs,
            "ratio": seconds / theirs, "bound": bound}  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=256)
    parser.add_argument("--peer-points", type=int, default=4)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    for _ in range(2):  # what is imported once, by either; what a fork imported is imported here by the next check
        ours(torch.sin, 2)
    peer(torch.sin, 1)
    rows = []
    for name in FUNCTIONS:
        if not options.only or name in options.only:
            rows.append(row(name, options.points, options.peer_points))
            told = rows[-1]
            kept = "kept " if told["ratio"] <= told["bound"] else "SHORT"
            ours_told = f"ours {told['ours']:7.2f} s, {told['calls']:6d} calls"
            ratio = f"ratio {told['ratio']:.3f}, wanted {told['bound']:.3f}"
            print(f"{kept} {name:24s} {ours_told}; torch {told['torch']:7.2f} s; {ratio}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
