"""How is a curve drawn as plain SVG: ticks at round numbers, poles clipped, colours left to the page's style sheet?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TypeGuard

from gradcheck.report.numbers import brief

WIDTH, HEIGHT = 480, 220
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 24, 22  # margins: y labels, -, legend, x labels
MOST_POINTS = 400  # of a curve, before those that a straight line would hit are dropped
FLAT = 0.2  # a dropped point lies nearer than this to the line that replaces it, in pixels
OUTLIER = 2.0  # the range is cut where the extremes reach this many inter-quantile spreads past the quantiles
MARGIN = 0.25  # what a cut range still shows past the quantiles, in spreads

Point = tuple[float, float]
Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name in the legend, the class that styles it, and a value (None: a gap) for every x."""

    label: str
    style: str
    y: Values


@dataclass(frozen=True, slots=True)
class Frame:
    """The ranges that the plotting area shows, and the way from numbers to pixels within it."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float
    width: float = WIDTH - LEFT - RIGHT
    height: float = HEIGHT - TOP - BOTTOM

    def x(self, value: float) -> float:
        return self.width * (value - self.low_x) / (self.high_x - self.low_x)

    def y(self, value: float) -> float:
        return self.height * (self.high_y - value) / (self.high_y - self.low_y)


def line_plot(title: str, name: str, x: Values, lines: Sequence[Line]) -> str:
    """A plot of some curves over `x` (called `name`) as one <svg> element; empty where nothing is finite."""
    xs = [v for v in x if _finite(v)]
    ys = [v for line in lines for v in line.y if _finite(v)]
    if len(set(xs)) < 2 or not ys:
        return ""
    low_y, high_y = robust_range(ys)
    frame = Frame(min(xs), max(xs), low_y, high_y)
    paths = "".join(f'<path class="{line.style}" d="{_path(frame, x, line.y)}"/>' for line in lines)
    # A nested <svg> clips what leaves the plotting area, without an id that would have to be unique in the page.
    area = f'<svg x="{LEFT}" y="{TOP}" width="{frame.width:g}" height="{frame.height:g}">{paths}</svg>'
    label = escape(f"{title} over {name}", quote=True)
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{_axes(frame, name)}{area}{_legend(lines)}</svg>"
    )


def robust_range(values: Sequence[float]) -> tuple[float, float]:
    """What the y axis shows: everything, unless a pole or a spike would flatten the rest."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    q_low, q_high = _quantile(ordered, 0.05), _quantile(ordered, 0.95)
    spread = q_high - q_low
    if spread > 0 and math.isfinite(spread):
        low = low if low >= q_low - OUTLIER * spread else q_low - MARGIN * spread
        high = high if high <= q_high + OUTLIER * spread else q_high + MARGIN * spread
    return _padded(low, high)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers within [low, high], steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / about
    if not (math.isfinite(raw) and raw > 0):
        return []
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * (1 if raw < 1.5 * power else 2 if raw < 3.5 * power else 5 if raw < 7.5 * power else 10)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Divide where the step is below 1: 3 / 10 is 0.3, 3 * 0.1 is not.
    return [k / round(1 / step) if step < 1 and step > 1e-15 else k * step for k in range(first, last + 1)]


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low)
    if not math.isfinite(room):
        return (low / 2, high / 2)
    if room <= 1e-12 * max(abs(low), abs(high)):
        room = 0.5 * abs(low) or 1.0
    return (low - room, high + room)


def _quantile(ordered: Sequence[float], q: float) -> float:
    return ordered[round(q * (len(ordered) - 1))]


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _path(frame: Frame, x: Values, y: Values) -> str:
    return "".join(_polyline(_simplify(piece)) for piece in _pieces(frame, x, y) if piece)


def _pieces(frame: Frame, x: Values, y: Values) -> list[list[Point]]:
    """The curve in pixels, broken at gaps and where it jumps from above the picture to below it: a pole."""
    pieces: list[list[Point]] = [[]]
    stride = max(1, len(x) // MOST_POINTS)
    for a, b in list(zip(x, y, strict=True))[::stride]:
        if not (_finite(a) and _finite(b)):
            pieces.append([])
            continue
        # Far outside the picture a coordinate may be any number: kept within one height of it.
        point = (frame.x(a), min(2 * frame.height, max(-frame.height, frame.y(b))))
        if pieces[-1] and _outside(frame, pieces[-1][-1]) * _outside(frame, point) < 0:
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _outside(frame: Frame, point: Point) -> int:
    return (point[1] > frame.height) - (point[1] < 0)


def _simplify(points: list[Point]) -> list[Point]:
    """Fewer points for the same picture (Ramer, Douglas, Peucker): those a straight line would hit are dropped."""
    if len(points) < 3:
        return points
    first, last = points[0], points[-1]
    gaps = [_distance(p, first, last) for p in points[1:-1]]
    worst = max(range(len(gaps)), key=gaps.__getitem__)
    if gaps[worst] <= FLAT:
        return [first, last]
    return [*_simplify(points[: worst + 2])[:-1], *_simplify(points[worst + 1 :])]


def _distance(p: Point, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    return abs(dx * (p[1] - a[1]) - dy * (p[0] - a[0])) / length if length else math.dist(p, a)


def _polyline(points: list[Point]) -> str:
    """Relative moves in tenths of a pixel, the shortest way to write them. A lone point becomes a dot."""
    tenths = [(round(px * 10), round(py * 10)) for px, py in points]
    moves = [f"M{_tenths(tenths[0][0])} {_tenths(tenths[0][1])}"]
    for (ax, ay), (bx, by) in pairwise(tenths):
        across, down = _tenths(bx - ax), _tenths(by - ay)
        moves.append(f"l{across}{down}" if down.startswith("-") else f"l{across} {down}")
    return "".join(moves) if len(points) > 1 else moves[0] + "h.1"


def _short(pixels: float) -> str:
    return _tenths(round(pixels * 10))


def _tenths(n: int) -> str:
    sign, whole, rest = "-" if n < 0 else "", abs(n) // 10, abs(n) % 10
    return f"{sign}{whole}" if not rest else f"{sign}{whole or ''}.{rest}"


def _axes(frame: Frame, name: str) -> str:
    """The frame, one path for all grid lines, one for the lines at zero, and the labels."""
    across, up = ticks(frame.low_x, frame.high_x, 6), ticks(frame.low_y, frame.high_y, 4)
    lines = [(v, f"M{_short(LEFT + frame.x(v))} {TOP}v{frame.height:g}") for v in across]
    lines += [(v, f"M{LEFT} {_short(TOP + frame.y(v))}h{frame.width:g}") for v in up]
    grid = "".join(d for v, d in lines if v != 0)
    zero = "".join(d for v, d in lines if v == 0)
    below = "".join(f'<text x="{_short(LEFT + frame.x(v))}" y="{HEIGHT - 7}">{brief(v, 6)}</text>' for v in across)
    beside = "".join(f'<text x="{LEFT - 5}" y="{_short(TOP + frame.y(v) + 4)}">{brief(v, 4)}</text>' for v in up)
    corner = f'<text class="name" x="{WIDTH - RIGHT - 4}" y="{HEIGHT - BOTTOM - 5}">{escape(name)}</text>'
    return (
        f'<path class="grid" d="{grid}M{LEFT} {TOP}h{frame.width:g}v{frame.height:g}h-{frame.width:g}z"/>'
        + (f'<path class="zero" d="{zero}"/>' if zero else "")
        + f'<g class="x">{below}</g><g class="y">{beside}{corner}</g>'
    )


def _legend(lines: Sequence[Line]) -> str:
    parts, at = [], float(LEFT)
    for line in lines:
        parts.append(f'<path class="{line.style}" d="M{at:.0f} 11h24"/>')
        parts.append(f'<text x="{at + 33:.0f}" y="15">{escape(line.label)}</text>')
        at += 56 + 6.2 * len(line.label)
    return "".join(parts)
