"""What does a call through a peer's signature cost, beside the peer's own: PyTorch's gradcheck, JAX's check_grads.

    python -m benchmarks.doors.single [--quick] [--only torch|jax] [--json FILE]

Each row is a right function at n numbers, checked by the peer and by us in turn, so that both meet the same machine.
A time is the least processor time of its repetitions (threads count, other people's programs do not), and the ratio
that of the two. At the end stands what is wanted: at most twice the peer's at 1 to 10 numbers, less than it from 100.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (1, 2, 3, 10, 100, 1000)
FEW, MANY = 10, 100  # numbers up to which twice the peer's cost is allowed, and from which it has to be less
SECONDS, MOST = 2.0, 40  # that one row may take for each party, about, and repetitions at most


@dataclass(frozen=True)
class Row:
    """One function at one size: milliseconds of both."""

    library: str
    name: str
    numbers: int
    theirs: float
    ours: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def kept(self) -> bool:
        """Whether what is wanted at this size is there; between the two sizes nothing is."""
        return self.ratio <= 2 if self.numbers <= FEW else self.ratio < 1 or self.numbers < MANY


Check = Callable[[], object]


def torch_rows(sizes: tuple[int, ...]) -> Iterator[tuple[str, int, Check, Check]]:
    import torch
    from torch.autograd import gradcheck, gradgradcheck

    from gradcheck import torch as ours

    torch.manual_seed(0)
    torch.set_num_threads(1)
    weights = {n: torch.randn(n, n, dtype=torch.float64) for n in sizes}
    functions: dict[str, Callable[[Any], Any]] = {
        "sin": torch.sin,
        "sum(x sin x)": lambda x: (x * x.sin()).sum(),
        "softmax": lambda x: x.softmax(-1),
        "tanh(W x)": lambda x: (weights[len(x)] @ x).tanh().sum(),
    }
    for name, f in functions.items():
        for n in sizes:
            x = torch.randn(n, dtype=torch.float64, requires_grad=True)
            yield name, n, lambda f=f, x=x: gradcheck(f, (x,)), lambda f=f, x=x: ours.gradcheck(f, (x,))
    for n in (k for k in sizes if k <= MANY):
        x = torch.randn(n, dtype=torch.float64, requires_grad=True)
        theirs = lambda x=x: gradgradcheck(torch.sin, (x,))  # noqa: E731  (as the rows above)
        yield "sin, twice", n, theirs, lambda x=x: ours.gradgradcheck(torch.sin, (x,))


def jax_rows(sizes: tuple[int, ...]) -> Iterator[tuple[str, int, Check, Check]]:
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    from gradcheck.jax import check_grads as ours

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    functions: dict[str, Callable[[Any], Any]] = {"sin": jnp.sin, "sum(x sin x)": lambda x: jnp.sum(x * jnp.sin(x))}
    for name, f in functions.items():
        for n in sizes:
            args = (jnp.asarray(rng.normal(size=n)),)
            for order in (1, 2):
                told = name if order == 1 else f"{name}, order 2"
                yield (
                    told, n, lambda f=f, a=args, o=order: check_grads(f, a, o),
                    lambda f=f, a=args, o=order: ours(f, a, o),
                )  # fmt: skip


LIBRARIES = {"torch": torch_rows, "jax": jax_rows}


def timed(one: Check, other: Check, seconds: float = SECONDS, most: int = MOST) -> tuple[float, float]:
    """The least milliseconds of processor time of each, asked in turn; the first round, which compiles, counts not."""
    found: tuple[list[float], list[float]] = ([], [])
    begun = time.perf_counter()
    for count in range(most + 1):
        for column, call in zip(found, (one, other), strict=True):
            start = time.process_time()
            call()
            if count:
                column.append(time.process_time() - start)
        if count and time.perf_counter() - begun > 2 * seconds:
            break
    return min(found[0]) * 1e3, min(found[1]) * 1e3


def rows(library: str, sizes: tuple[int, ...], seconds: float = SECONDS) -> Iterator[Row]:
    """Every function of a library; a check that fails ends the run, since all functions are right."""
    for name, n, theirs, ours in LIBRARIES[library](sizes):
        yield Row(library, name, n, *timed(theirs, ours, seconds))


def line(row: Row) -> str:
    mark = "" if row.kept else "   more than is wanted"
    return f"  {row.name:22s} {row.numbers:6d} {row.theirs:10.3f} {row.ours:10.3f} {row.ratio:8.2f}{mark}"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1 and 100 numbers only, few repetitions")
    parser.add_argument("--only", choices=LIBRARIES, action="append", help="this library")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(words)
    names = [n for n in options.only or LIBRARIES if find_spec(n)]
    versions = {"python": platform.python_version(), **{n: version(n) for n in names}}
    print(", ".join(f"{n} {v}" for n, v in versions.items()))
    found: list[Row] = []
    for name in names:
        print(f"\n{name:24s} {'n':>6s} {'theirs ms':>10s} {'ours ms':>10s} {'ratio':>8s}")
        for row in rows(name, (1, 100) if options.quick else SIZES, 0.2 if options.quick else SECONDS):
            found.append(row)
            print(line(row), flush=True)
    missed = [row for row in found if not row.kept]
    print(f"\n{len(found) - len(missed)} of {len(found)} rows cost as little as is wanted")
    if options.json:
        record = {"versions": versions, "rows": [asdict(row) | {"ratio": row.ratio} for row in found]}
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
