"""What is wanted of the figures, and is it there? Nothing fails by a time; the line says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks.engine.peers import COMPILED, EAGER, FUNCTIONAL, OURS, VALUE


class Goal(NamedTuple):
    """A ratio, by least and by median times, and the bound it is to keep."""

    label: str
    least: float
    median: float
    bound: float
    at_least: bool

    @property
    def kept(self) -> bool:
        """Whether the ratio of the least times keeps the bound."""
        return self.least >= self.bound if self.at_least else self.least <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        figures = f"{self.least:9.2f} {self.median:9.2f} {sign} {self.bound:5.2f}"
        return f"{'kept ' if self.kept else 'SHORT'} {self.label:72} {figures}"


# elements -> how many times our time PyTorch's (beside the eager face and the compiled gradient) and autograd's (beside
# grad()) are to be
AGAINST_TORCH = {"1": 3.0, "100": 3.0, "1,000": 2.0, "1,000,000": 0.5}
AGAINST_AUTOGRAD = {"1": 3.0, "100": 3.0, "1,000": 1.5, "100,000": 1.0, "1,000,000": 1.0}
OVER_THE_VALUE = ("1,000", "100,000", "1,000,000")


def ratio(label: str, seconds: Mapping[str, Any], over: str, under: str, bound: float, at_least: bool) -> Goal:
    a, b = seconds[over], seconds[under]
    return Goal(f"{label}: {over} / {under}", a["least"] / b["least"], a["median"] / b["median"], bound, at_least)


def goals(found: Mapping[str, list[dict[str, Any]]]) -> Iterator[Goal]:
    """Every bound that the parts which were run can be held to."""
    for row in found.get("chain", []):
        size, seconds, label = row["size"], row["seconds"], f"chain of {row['size']}"
        if "torch" in seconds and size in AGAINST_TORCH:
            yield from (ratio(label, seconds, "torch", ours, AGAINST_TORCH[size], True) for ours in (EAGER, COMPILED))
        if "autograd" in seconds and size in AGAINST_AUTOGRAD:
            yield ratio(label, seconds, "autograd", FUNCTIONAL, AGAINST_AUTOGRAD[size], True)
        if size in OVER_THE_VALUE:
            yield from (ratio(label, seconds, ours, VALUE, 4.0, False) for ours in OURS)
    for row in found.get("real", []):
        label, seconds = f"{row['name']}, {row['size']}", row["seconds"]
        yield from (ratio(label, seconds, ours, VALUE, 5.0, False) for ours in OURS)
        if "autograd" in seconds:
            yield ratio(label, seconds, "autograd", FUNCTIONAL, 1.0, True)
    for row in found.get("batch", []):
        label = f"{row['size']} points of {row['name']}"
        yield from (ratio(label, row["seconds"], loop, "batch", 50.0, True) for loop in ("loop", "eager loop"))
    if lengths := found.get("length"):
        first, last = lengths[0], lengths[-1]
        label = f"an operation in {last['size']:,} / in {first['size']:,}"
        for ours in OURS:
            grown = last["seconds_an_operation"][ours] / first["seconds_an_operation"][ours]
            yield Goal(f"{label}, time, {ours}", grown, grown, 2.0, False)  # quadratic time would be a hundred times
        grown = last["bytes_an_operation"] / first["bytes_an_operation"]
        yield Goal(f"{label}, bytes", grown, grown, 1.1, False)
    for row in found.get("memory", []):
        if "passes" in row:
            left, cycles = row["bytes_left_after_collection"], row["bytes_left"] / row["array"]
            yield Goal(f"bytes that a pass leaves behind, {row['name']}", left, left, 1.0, False)
            yield Goal(f"arrays that a pass leaves to the collector, {row['name']}", cycles, cycles, 0.1, False)
