"""What does proof cost? The gradient of a ten-operation function at 1,000 points, in balls and in float64, in one run.

    python benchmarks/certified.py

The wanted bound: 15 ms at 106 bits. The ratio to the float64 engine is of this run, so it holds on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from gradcheck import engine
from gradcheck.expr import NUMPY
from gradcheck.oracles.balls.flint_library import balls, precision
from gradcheck.oracles.balls.vocabulary import BALLS
from gradcheck.oracles.certified import NOTHING, PRECISIONS, numbers_of, widened

POINTS, BITS, WANTED, REPEATS = 1_000, 106, 15.0, 15


def function(xp: Any, x: Any, y: Any) -> Any:
    """Ten operations: five of arithmetic, a square twice, and sin, exp, log1p, tanh."""
    wave = xp.sin(xp.multiply(x, y))
    hill = xp.exp(xp.negative(xp.square(y)))
    slow = xp.log1p(xp.square(x))
    return xp.add(xp.multiply(xp.add(wave, hill), slow), xp.tanh(x))


def least(work: Callable[[], Any]) -> float:
    """Milliseconds of the quickest of several runs."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return 1e3 * min(times)


def main() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, POINTS))
    ones = np.ones(POINTS)
    plain = least(lambda: engine.vjp(function, NUMPY, (x, y), ones))
    print(f"the engine in float64        {plain:8.3f} ms")
    for bits in (53, BITS, *PRECISIONS):
        with precision(bits):
            args, ct = (widened(x, bits), widened(y, bits)), balls(ones)
            inside = least(lambda args=args, ct=ct: engine.vjp(function, BALLS, args, ct))
        wanted = f", wanted at most {WANTED} ms: {'kept' if inside <= WANTED else 'SHORT'}" if bits == BITS else ""
        print(f"the same in balls, {bits:4} bits {inside:8.3f} ms, {inside / plain:6.0f} times{wanted}")
    with precision(BITS):
        value, _ = engine.vjp(function, BALLS, (balls(x), balls(y)), balls(ones))
        told = least(lambda: numbers_of(value, NOTHING))
        into = least(lambda: widened(x, BITS))
    print(f"1,000 floats into balls      {into:8.3f} ms; 1,000 balls into floats with bars {told:.3f} ms")


if __name__ == "__main__":
    main()
