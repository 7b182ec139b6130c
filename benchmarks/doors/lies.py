"""Which wrong rules of 100 inputs does `gradcheck.check` still see, where it looks along directions and in batches?

    python -m benchmarks.doors.lies [--points 256] [--only NAME …] [--json FILE]

Every row is a right rule with one lie in it: one entry of a Jacobian of 100 x 100, a column, at one point only, at a
kink only, in second order only, in single calls only, in forward mode only. Each is judged as `benchmarks.doors.run`
judges, and must fail; the rule without its lie must pass. Exit code 1 where one does not.
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
from benchmarks.doors.run import CELLS, SIZE, WEIGHTS

Lie = Callable[[Any, Any, Any], Any]  # (x, ct, the right gradient) -> the gradient that is given


def at_two(x: Any) -> Any:
    """1 where every number is 2, which is a planted point; else 0. Without a branch, so that it runs in a batch."""
    return (x == 2).all().to(x.dtype)


def entry(x: Any) -> Any:
    """The entry (7, 13) of the Jacobian of tanh(W x)."""
    return WEIGHTS[7, 13] * (1 - torch.tanh((WEIGHTS @ x)[7]) ** 2)


def hot(k: int) -> Any:
    """One number of a gradient."""
    return torch.nn.functional.one_hot(torch.tensor(k), SIZE).to(torch.float64)


LIES: dict[str, Lie] = {
    "none": lambda x, ct, g: g,
    "one entry, 1e-3 of itself": lambda x, ct, g: g + 1e-3 * hot(13) * ct[7] * entry(x),
    "one entry, at one point": lambda x, ct, g: g + 0.1 * hot(13) * ct[7] * at_two(x),
    "one column, 1e-6 of itself": lambda x, ct, g: g * (1 + 1e-6 * hot(42)),
    "one column, at one point": lambda x, ct, g: g * (1 + 0.1 * hot(42) * at_two(x)),
    "two entries change places": lambda x, ct, g: torch.where(hot(3) == 1, g[4], torch.where(hot(4) == 1, g[3], g)),
}  # fmt: skip


def dense(lie: Lie, old: bool = False, forward_lie: float = 0.0, single: bool = False) -> Callable[..., Any]:
    """tanh(W x) with a hand-written rule that lies. old: without setup_context. single: only outside of batches."""

    class Honest(torch.autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return torch.tanh(x @ WEIGHTS.T)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            (x,) = ctx.saved_tensors
            return (ct * (1 - torch.tanh(x @ WEIGHTS.T) ** 2)) @ WEIGHTS

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any) -> Any:
            return Honest.apply(x.movedim(in_dims[0], 0)), 0

    class Lying(torch.autograd.Function):
        generate_vmap_rule = not single

        @staticmethod
        def forward(x: Any) -> Any:
            return torch.tanh(WEIGHTS @ x)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            (x,) = ctx.saved_tensors
            return lie(x, ct, WEIGHTS.T @ (ct * (1 - torch.tanh(WEIGHTS @ x) ** 2)))

        @staticmethod
        def jvp(ctx: Any, dx: Any) -> Any:
            (x,) = ctx.saved_tensors
            return (1 - torch.tanh(WEIGHTS @ x) ** 2) * (WEIGHTS @ dx) + forward_lie * hot(5) * dx[9]

    if single:
        Lying.vmap = staticmethod(lambda info, in_dims, x: (Honest.apply(x.movedim(in_dims[0], 0)), 0))  # type: ignore[attr-defined]

    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return torch.tanh(WEIGHTS @ x)

        backward = Lying.backward
        jvp = Lying.jvp

    function: Any = Old if old else Lying
    return lambda x: function.apply(x)


class Slope(torch.autograd.Function):
    """cos(x), of which one number's own derivative is wrong by a millionth."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return torch.cos(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return -ct * torch.sin(x) * (1 + 1e-6 * hot(77))


class Twice(torch.autograd.Function):
    """sin(x), whose gradient's own gradient is wrong (`Slope`)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return torch.sin(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return ct * Slope.apply(x)  # type: ignore[no-untyped-call]


class Diagonal(torch.autograd.Function):
    """sin(x), number by number, with one entry beside the diagonal of its Jacobian."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return torch.sin(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return ct * torch.cos(x) + 1e-6 * hot(31) * ct[8]


class Relu(torch.autograd.Function):
    """max(x, 0), with the gradient 5 where one number is exactly 0."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return torch.relu(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return ct * ((x > 0) + 5.0 * (x == 0))


class Root(torch.autograd.Function):
    """x / sqrt(1 + x²), with a gradient that is 0 for numbers below 1e-6."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return x / torch.sqrt(1 + x * x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return torch.where((x.abs() < 1e-6) & (x != 0), 0.0, ct * (1 + x * x) ** -1.5)


def functions() -> dict[str, Callable[..., Any]]:
    """Every rule by its name; those called "none" are right."""
    found = {name: dense(lie) for name, lie in LIES.items()}
    found |= {f"old style: {name}": dense(lie, old=True) for name, lie in LIES.items()}
    found["one column, at one point, in single calls only"] = dense(LIES["one column, at one point"], single=True)
    found["the jvp alone, one entry"] = dense(LIES["none"], forward_lie=1e-6)
    found["second order alone, one number"] = Twice.apply
    found["one entry beside a diagonal"] = Diagonal.apply
    found["at a kink alone, summed"] = lambda x: Relu.apply(x).sum()  # type: ignore[no-untyped-call]
    found["at numbers below 1e-6, summed"] = lambda x: Root.apply(x).sum()  # type: ignore[no-untyped-call]
    return found


def row(name: str, fn: Callable[..., Any], points: int) -> dict[str, Any]:
    """Whether it is as it should be, what was said, and seconds."""
    start = processor.seconds()
    result = gradcheck.check(fn, [gradcheck.Real(SIZE)], "torch", order=2, points=points, cells=CELLS)
    said = str(result).splitlines()[0]
    kept = result.passed == name.endswith("none")
    return {"name": name, "kept": kept, "said": said, "seconds": processor.seconds() - start}


def main(words: list[str] | None = None) -> int:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=256)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    rows = []
    for name, fn in functions().items():
        if not options.only or name in options.only:
            rows.append(row(name, fn, options.points))
            told = rows[-1]
            print(
                f"{'kept' if told['kept'] else 'LOST'} {name:48s} {told['seconds']:6.2f} s  {told['said'][:120]}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(r["kept"] for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
