"""How is a number written for people, with as many digits as its error bar allows?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MOST_DIGITS = 17  # a float64 has no more
LONGEST_LIST = 6  # numbers shown of one axis before the middle is left out


def real(value: Any) -> float:
    """The float behind plain data: "NaN" and "Infinity" are words there, None is no number."""
    return math.nan if value is None else float(value)


def plain(value: Any) -> str:
    """A number in its shortest exact form: 6, 0.1, 4.25e-18, NaN, ∞."""
    if isinstance(value, bool):
        return str(value).lower()
    number = real(value)
    if not math.isfinite(number):
        return _special(number)
    if number == int(number) and abs(number) < 1e15:
        return "-0" if number == 0 and math.copysign(1, number) < 0 else str(int(number))
    return _tidy(repr(number))


def brief(value: Any, digits: int = 2) -> str:
    """A number to a few digits: 3e-12, 0.25."""
    number = real(value)
    return _tidy(f"{number:.{digits}g}") if math.isfinite(number) else _special(number)


def with_bar(center: Any, bar: Any) -> str:
    """A number and how far it may be off: digits past the bar are left out. 0.841471 ± 3e-6"""
    number, radius = real(center), real(bar)
    if not math.isfinite(number):
        return _special(number)
    if math.isnan(radius):
        return f"{plain(number)} (no bar)"
    if math.isinf(radius):
        return f"{brief(number, 6)} ± ∞"
    if radius == 0:
        return plain(number)
    return f"{_to_the_bar(number, radius)} ± {brief(radius, 1)}"


def digits(a: Any, b: Any) -> float | None:
    """How many leading decimal digits two numbers share: inf where they are equal, None where one is NaN."""
    x, y = real(a), real(b)
    if math.isnan(x) or math.isnan(y):
        return None
    if x == y:
        return math.inf
    if math.isinf(x) or math.isinf(y):
        return 0.0
    larger = max(abs(x), abs(y))
    # Halves, so that two numbers near the largest float do not overflow their difference.
    return max(0.0, -math.log10(abs(x / 2 - y / 2) / (larger / 2)))


def digits_text(count: float | None) -> str:
    """Digits of agreement in words: "all", "12.4", "none", or a dash."""
    if count is None:
        return "–"
    if math.isinf(count):
        return "all"
    return f"{math.floor(count * 10) / 10:.1f}" if count >= 0.1 else "none"


def listing(value: Any) -> str:
    """A number or nested lists of numbers, long axes shortened: [0.1, 0.2, 0.3, … 94 more …, 0.9, 1]."""
    if not isinstance(value, list | tuple):
        return plain(value) if isinstance(value, int | float) or _is_number_word(value) else str(value)
    if len(value) <= LONGEST_LIST:
        return "[" + ", ".join(map(listing, value)) + "]"
    head, tail = value[: LONGEST_LIST - 3], value[-2:]
    middle = f"… {len(value) - len(head) - len(tail):,} more …"
    return "[" + ", ".join([*map(listing, head), middle, *map(listing, tail)]) + "]"


def assignments(values: Mapping[str, Any]) -> str:
    """Inputs at a point: "x = [3, 4], y = 2"."""
    return ", ".join(f"{name} = {listing(value)}" for name, value in values.items())


def cotangents(values: Mapping[str, Any]) -> str:
    """The cotangent of one output by itself, several by name; nothing where it is the number 1, as of a gradient."""
    if set(values) != {"value"}:
        return assignments(values)
    return "" if values["value"] == 1 else listing(values["value"])


def count(number: int) -> str:
    """A whole number with its thousands apart: 12,345."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """A time span to about two digits: 35 ms, 1.2 s, 3 min 5 s."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s"


def _to_the_bar(number: float, radius: float) -> str:
    if abs(number) < radius and number != 0:
        return brief(number, 1)
    if number == 0:
        return "0"
    leading = math.floor(math.log10(abs(number)))
    wanted = leading - math.floor(math.log10(radius)) + 1
    significant = min(MOST_DIGITS, max(1, wanted))
    if -5 <= leading < 10:
        return f"{number:.{max(0, significant - 1 - leading)}f}"
    return _tidy(f"{number:.{significant - 1}e}")


def _special(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "∞" if number > 0 else "-∞"


def _tidy(text: str) -> str:
    """1e-06 and 1e+20 as 1e-6 and 1e20."""
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def _is_number_word(value: Any) -> bool:
    return value in ("NaN", "Infinity", "-Infinity")
