"""What are convolutions made of?

Of windows. `sliding_windows` lays the windows along one axis side by side, in a new last axis; its adjoint
`overlap_add` adds such windows up where they came from. A convolution is one matrix product of the weights with the
windows (Chellapilla, Puri, Simard, "High performance convolutional neural networks for document processing", 2006), so
its derivatives are products with the same windows and an overlap-add, as people write them by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, along, one_axis, shape_of

Rule = tuple[Value | None, ...]
Pair = int | tuple[int, int]


def _pad(x: Any, before: int, after: int, axis: Axis = -1) -> Any:
    x = np.asarray(x)
    at = one_axis(axis) % x.ndim
    shape = (*x.shape[:at], before + x.shape[at] + after, *x.shape[at + 1 :])
    out = np.zeros(shape, x.dtype)
    out[(slice(None),) * at + (slice(before, before + x.shape[at]),)] = x
    return out


def _pad_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis, shape = one_axis(params["axis"]), shape_of(args[0])
    inner = slice(params["before"], params["before"] + shape[axis])
    return (xp.getitem(ct, index=along(shape, axis, inner)),)


def count_windows(length: int, size: int, stride: int = 1, dilation: int = 1) -> int:
    """How many windows of `size` elements, `dilation` apart, start every `stride` elements and fit in `length`."""
    span = (size - 1) * dilation + 1
    if min(size, stride, dilation) < 1 or span > length:
        raise ValueError(f"no window of {size} elements, {dilation} apart, every {stride}, fits in {length} elements")
    return (length - span) // stride + 1


def _sliding_windows(x: Any, size: int, axis: Axis = -1, stride: int = 1, dilation: int = 1) -> Any:
    x, axis = np.asarray(x), one_axis(axis)
    count_windows(x.shape[axis], size, stride, dilation)
    windows = np.lib.stride_tricks.sliding_window_view(x, (size - 1) * dilation + 1, axis=axis)
    at = axis % x.ndim
    return windows[(slice(None),) * at + (slice(None, None, stride),)][..., ::dilation]


def _sliding_windows_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis = one_axis(params["axis"])
    steps = {"stride": params["stride"], "dilation": params["dilation"]}
    return (xp.overlap_add(ct, length=shape_of(args[0])[axis], axis=axis - 1, **steps),)


def _overlap_add(x: Any, length: int, axis: Axis = -2, stride: int = 1, dilation: int = 1) -> Any:
    x = np.asarray(x)
    at = one_axis(axis) % x.ndim
    if at == x.ndim - 1:
        raise ValueError("overlap_add: the last axis holds the windows' elements, another one the windows")
    number, size = x.shape[at], x.shape[-1]
    if count_windows(length, size, stride, dilation) != number:
        raise ValueError(f"overlap_add: {length} elements have not {number} windows of {size}, every {stride}")
    out = np.zeros((*x.shape[:at], length, *x.shape[at + 1 : -1]), x.dtype)
    for k in range(size):
        place = slice(k * dilation, k * dilation + (number - 1) * stride + 1, stride)
        out[(slice(None),) * at + (place,)] += x[..., k]
    return out


def _overlap_add_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    size = shape_of(args[0])[-1]
    steps = {"stride": params["stride"], "dilation": params["dilation"]}
    return (xp.sliding_windows(ct, size=size, axis=one_axis(params["axis"]) + 1, **steps),)


def pair(value: Pair) -> tuple[int, int]:
    """A number for both axes, or one for each."""
    return (value, value) if isinstance(value, int | np.integer) else (value[0], value[1])


def padded(xp: Namespace, x: Value, padding: int, axis: int) -> Value:
    """x with `padding` zeros at both ends of an axis."""
    return xp.zero_pad(x, before=padding, after=padding, axis=axis) if padding else x


def _product(xp: Namespace, windows: Value, weight: Value, bias: Value | None, groups: int, rank: int) -> Value:
    """Weights times windows: (…, channels, *places, *window) and (outputs, channels/groups, *window).

    Gives (…, outputs, *places); `rank` is the number of places' axes, and of a window's.
    """
    shape, kernel = shape_of(windows), shape_of(weight)
    front, places = shape[: -2 * rank - 1], shape[-2 * rank : -rank]
    channels, outputs, inside = shape[-2 * rank - 1], kernel[0], int(np.prod(shape[-rank:]))
    if groups < 1 or channels % groups or outputs % groups or kernel[1] * groups != channels:
        raise ValueError(f"weights of shape {kernel} do not fit {channels} channels in {groups} groups")
    each, count = channels // groups, int(np.prod(places))
    laid = xp.matrix_transpose(xp.reshape(windows, shape=(*front, groups, each, count, inside)))
    columns = xp.reshape(laid, shape=(*front, groups, each * inside, count))
    rows = xp.reshape(weight, shape=(groups, outputs // groups, each * inside))
    result = xp.reshape(xp.matmul(rows, columns), shape=(*front, outputs, *places))
    return result if bias is None else xp.add(result, xp.reshape(bias, shape=(outputs, *(1,) * rank)))


def _conv1d(
    xp: Namespace,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Value:
    """x (…, channels, length), weight (outputs, channels/groups, size), bias (outputs) -> (…, outputs, places)."""
    size = shape_of(weight)[-1]
    windows = xp.sliding_windows(padded(xp, x, padding, -1), size=size, axis=-1, stride=stride, dilation=dilation)
    return _product(xp, windows, weight, bias, groups, 1)


def windows_of_images(
    xp: Namespace, x: Value, size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Value:
    """The windows of images (…, height, width), as (…, rows, columns, window height, window width)."""
    for axis, s, p in ((-2, pair(size)[0], pair(padding)[0]), (-1, pair(size)[1], pair(padding)[1])):
        if p < 0 or s < 1:
            raise ValueError(f"a window of size {s} with a padding of {p} along axis {axis} is none")
        x = padded(xp, x, p, axis)
    for s, step, apart in zip(pair(size), pair(stride), pair(dilation), strict=True):
        # the height at axis -2 first; its windows move behind, so that the width is at axis -2 then
        x = xp.sliding_windows(x, size=s, axis=-2, stride=step, dilation=apart)
    return x


def _conv2d(
    xp: Namespace,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Value:
    """x (…, channels, height, width), weight (outputs, channels/groups, *window) -> (…, outputs, rows, columns)."""
    *_, height, width = shape_of(weight)
    windows = windows_of_images(xp, x, (height, width), stride, padding, dilation)
    return _product(xp, windows, weight, bias, groups, 2)


STEPS = {"stride": 1, "dilation": 1}


def _convolution(name: str, formula: Any) -> Primitive:
    defaults = {"bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    more = {
        "analytic": True,
        "batching": Batching.TRAILING,
        "note": "a cross-correlation, as networks mean it; padding is zeros",
    }
    return composition(name, 2, formula, params=tuple(defaults), defaults=defaults, **more)


CONVOLUTION: tuple[Primitive, ...] = (
    Primitive(
        "zero_pad",
        1,
        _pad,
        ("before", "after", "axis"),
        {"axis": -1},
        Batching.AXIS,
        vjp=_pad_vjp,
        linear=True,
        analytic=True,
        note="zeros at both ends of an axis",
    ),
    Primitive(
        "sliding_windows",
        1,
        _sliding_windows,
        ("size", "axis", "stride", "dilation"),
        {"axis": -1, **STEPS},
        Batching.AXIS,
        vjp=_sliding_windows_vjp,
        linear=True,
        analytic=True,
        note="the windows stand along the axis, their elements along a new last one",
    ),
    Primitive(
        "overlap_add",
        1,
        _overlap_add,
        ("length", "axis", "stride", "dilation"),
        {"axis": -2, **STEPS},
        Batching.AXIS,
        vjp=_overlap_add_vjp,
        linear=True,
        analytic=True,
        note="the adjoint of sliding_windows: (…, windows, elements) to (…, length)",
    ),
    _convolution("conv1d", _conv1d),
    _convolution("conv2d", _conv2d),
)
