"""Rules that are wrong between two thresholds that lie 1e-3 apart, wherever the thresholds are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.regions.faults import fault

LOW, HIGH = 1.2345, 1.2355
BOUNDS = {"knee": -2.7182, "width": 1e-3}


def sine_between(x: Any, ct: Any) -> Any:
    """The thresholds stand in the code."""
    return fault(ct * np.cos(x), (x > 2.345) & (x < 2.346), -ct)


def sine_between_globals(x: Any, ct: Any) -> Any:
    """The thresholds stand in the module."""
    return fault(ct * np.cos(x), (x > LOW) & (x < HIGH), -ct)


def sine_between_entries(x: Any, ct: Any) -> Any:
    """The thresholds come from a table of the module."""
    return fault(ct * np.cos(x), np.abs(x - BOUNDS["knee"]) < BOUNDS["width"] / 2, -ct)


def _between(low: float, high: float) -> Callable[..., Any]:
    def rule(x: Any, ct: Any) -> Any:
        return fault(ct * np.cos(x), (x > low) & (x < high), -ct)

    return rule


sine_between_cells = _between(-0.8765, -0.8755)


def _at(x: Any, knee: float = 3.1725) -> Any:
    return (x > knee) & (x < knee + 1e-3)


def sine_between_defaults(x: Any, ct: Any) -> Any:
    """The threshold is a default of a function that the rule calls."""
    return fault(ct * np.cos(x), _at(x), -ct)


def sine_between_computed(x: Any, ct: Any) -> Any:
    """The threshold is computed: a root."""
    knee = np.sqrt(5.3)
    return fault(ct * np.cos(x), (x > knee - 5e-4) & (x < knee + 5e-4), -ct)


def sine_between_worked_out(x: Any, ct: Any) -> Any:
    """The threshold is computed: a logarithm of a ratio of two numbers of the code."""
    knee = -np.log(7.7 / np.float64(2.9))
    return fault(ct * np.cos(x), (x > knee - 5e-4) & (x < knee + 5e-4), -ct)


@dataclass(frozen=True)
class Table:
    """A rule that holds its threshold itself."""

    knee: float

    def __call__(self, x: Any, ct: Any) -> Any:
        return fault(ct * np.cos(x), np.abs(x - self.knee) < 5e-4, -ct)


sine_between_fields = Table(-1.6789)


def sum_between(x: Any, ct: Any) -> Any:
    """The threshold is one of the sum of all, not of an element."""
    total = x.sum()
    return fault(2 * ct * x, (total > 1.7) & (total < 1.701), ct * x)
