"""What are the rules of the parts of a complex number, and of Fourier transforms?

A function that is not complex-analytic has a Wirtinger pair: its partial derivatives by z and by the conjugate of z. A
discrete Fourier transform is a symmetric matrix, so it is its own transpose; the transforms of real signals leave half
of the frequencies out, which stand for their conjugates. Source of the conventions: numpy.fft (negative exponent
forward, 1/n backward); Array API standard 2024.12, section "Fourier transform functions".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import along, nonzero, one_axis, shape_of

Rule = tuple[Value | None, ...]
TRANSFORM: dict[str, Any] = {"n": None, "axis": -1, "norm": "backward"}
INVERSE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}  # the norm of a transform's adjoint


def _angle_by_z(xp: Namespace, y: Value, z: Value) -> Value:
    return xp.divide(-0.5j, nonzero(xp, z))


def _angle_by_conj(xp: Namespace, y: Value, z: Value) -> Value:
    return xp.divide(0.5j, xp.conj(nonzero(xp, z)))


def _length(x: Value, params: Params) -> int:
    """How many points a transform has."""
    n = params["n"]
    return int(shape_of(x)[one_axis(params["axis"])] if n is None else n)


def _resized(xp: Namespace, x: Value, size: int, axis: int) -> Value:
    """x with `size` elements along one axis: cut off, or filled up with zeros."""
    shape = shape_of(x)
    if shape[axis] > size:
        return xp.getitem(x, index=along(shape, axis, slice(0, size)))
    if shape[axis] == size:
        return x
    rank = len(shape)
    filler = tuple(size - d if k - rank == axis else d for k, d in enumerate(shape))
    return xp.concat([x, xp.zeros(shape=filler)], axis=axis)


def _fourier(numpy: Any) -> Any:
    def transform(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
        return numpy(x, n, one_axis(axis), norm)

    return transform


def _fft_vjp(name: str) -> Any:
    """The transpose of a complex transform: itself, between swapped sizes."""

    def vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
        axis = one_axis(params["axis"])
        back = getattr(xp, name)(ct, n=None, axis=axis, norm=params["norm"])
        return (_resized(xp, back, shape_of(args[0])[axis], axis),)

    return vjp


def _rfft_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis = one_axis(params["axis"])
    whole = xp.fft(ct, n=_length(args[0], params), axis=axis, norm=params["norm"])
    return (_resized(xp, xp.real(whole), shape_of(args[0])[axis], axis),)


def _irfft_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis, size = one_axis(params["axis"]), shape_of(args[0])[one_axis(params["axis"])]
    n = shape_of(ct)[axis]
    pulled = xp.conj(xp.rfft(ct, n=None, axis=axis, norm=INVERSE[params["norm"]]))
    twice = np.full(n // 2 + 1, 2.0)
    twice[0] = 1.0
    if n % 2 == 0:
        twice[-1] = 1.0  # the highest frequency stands for itself alone
    weights = twice.reshape((-1,) + (1,) * (-axis - 1))
    return (_resized(xp, xp.multiply(pulled, weights), size, axis),)


def _irfft(x: Any, n: int | None = None, axis: int = -1, norm: Any = "backward") -> Any:
    return np.fft.irfft(x, n, one_axis(axis), norm)


def _hfft(xp: Namespace, x: Value, n: int | None = None, axis: int = -1, norm: str = "backward") -> Value:
    return xp.irfft(xp.conj(x), n=n, axis=axis, norm=INVERSE[norm])


def _ihfft(xp: Namespace, x: Value, n: int | None = None, axis: int = -1, norm: str = "backward") -> Value:
    return xp.conj(xp.rfft(x, n=n, axis=axis, norm=INVERSE[norm]))


def _axes(x: Value, s: Any, axes: Any) -> list[tuple[int, Any]]:
    """The axes of a transform over several, with the size wanted along each."""
    rank = len(shape_of(x))
    if axes is None:
        axes = range(-rank, 0) if s is None else range(-len(s), 0)
    axes = [int(a) if a < 0 else int(a) - rank for a in axes]
    return list(zip(axes, [None] * len(axes) if s is None else s, strict=True))


def _over_axes(name: str) -> Any:
    def formula(xp: Namespace, x: Value, s: Any = None, axes: Any = None, norm: str = "backward") -> Value:
        for axis, n in reversed(_axes(x, s, axes)):
            x = getattr(xp, name)(x, n=n, axis=axis, norm=norm)
        return x

    return formula


def _rfftn(xp: Namespace, x: Value, s: Any = None, axes: Any = None, norm: str = "backward") -> Value:
    *others, (last, n) = _axes(x, s, axes)
    x = xp.rfft(x, n=n, axis=last, norm=norm)
    for axis, size in reversed(others):
        x = xp.fft(x, n=size, axis=axis, norm=norm)
    return x


def _irfftn(xp: Namespace, x: Value, s: Any = None, axes: Any = None, norm: str = "backward") -> Value:
    *others, (last, n) = _axes(x, s, axes)
    for axis, size in others:
        x = xp.ifft(x, n=size, axis=axis, norm=norm)
    return xp.irfft(x, n=n, axis=last, norm=norm)


def _shifted(sign: int) -> Any:
    def formula(xp: Namespace, x: Value, axes: Any = None) -> Value:
        shape = shape_of(x)
        rank = len(shape)
        chosen = range(-rank, 0) if axes is None else (axes,) if isinstance(axes, int) else axes
        named = tuple(int(a) if a < 0 else int(a) - rank for a in chosen)
        shift = tuple(shape[a] // 2 if sign > 0 else -(shape[a] // 2) for a in named)
        return xp.roll(x, shift=shift, axis=named) if named else x

    return formula


def _transform(name: str, numpy: Any, vjp: Any, **more: Any) -> Primitive:
    return Primitive(
        name,
        1,
        numpy,
        ("n", "axis", "norm"),
        TRANSFORM,
        Batching.AXIS,
        vjp=vjp,
        linear=True,
        torch=f"torch.fft.{name}",
        jax=f"jax.numpy.fft.{name}",
        **more,
    )


def _many(name: str, formula: Any) -> Primitive:
    return composition(
        name,
        1,
        formula,
        params=("s", "axes", "norm"),
        defaults={"s": None, "axes": None, "norm": "backward"},
        batching=Batching.AXES,
    )


COMPLEX: tuple[Primitive, ...] = (
    Primitive("conj", 1, np.conj, slopes=(1.0,), wirtinger=((0.0, 1.0),), latex=r"\overline{{{0}}}"),
    Primitive(
        "real",
        1,
        np.real,
        slopes=(1.0,),
        wirtinger=((0.5, 0.5),),
        latex=r"\operatorname{{Re}}\left({0}\right)",
    ),
    Primitive(
        "imag", 1, np.imag, slopes=(0.0,), wirtinger=((-0.5j, 0.5j),), latex=r"\operatorname{{Im}}\left({0}\right)"
    ),
    Primitive(
        "angle",
        1,
        np.angle,
        slopes=(0.0,),
        wirtinger=((_angle_by_z, _angle_by_conj),),
        latex=r"\arg\left({0}\right)",
        note="the slope at 0 is taken as 0",
    ),
    _transform("fft", _fourier(np.fft.fft), _fft_vjp("fft"), analytic=True),
    _transform("ifft", _fourier(np.fft.ifft), _fft_vjp("ifft"), analytic=True),
    _transform("rfft", _fourier(np.fft.rfft), _rfft_vjp, note="of a real signal: the frequencies from 0 to n/2"),
    _transform("irfft", _irfft, _irfft_vjp, note="the real signal with these frequencies from 0 to n/2"),
    composition("hfft", 1, _hfft, params=("n", "axis", "norm"), defaults=TRANSFORM, batching=Batching.AXIS),
    composition("ihfft", 1, _ihfft, params=("n", "axis", "norm"), defaults=TRANSFORM, batching=Batching.AXIS),
    _many("fftn", _over_axes("fft")),
    _many("ifftn", _over_axes("ifft")),
    _many("rfftn", _rfftn),
    _many("irfftn", _irfftn),
    composition("fftshift", 1, _shifted(1), params=("axes",), defaults={"axes": None}, batching=Batching.AXES),
    composition("ifftshift", 1, _shifted(-1), params=("axes",), defaults={"axes": None}, batching=Batching.AXES),
)
