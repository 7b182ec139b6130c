"""Which Fourier transforms does the standard name in `fft`?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.array_api.dispatch import Function, named, run, wrap
from gradcheck.engine.array_api.dtypes import on_cpu
from gradcheck.engine.array_api.shapes import roll

ONE_AXIS = "fft ifft rfft irfft hfft ihfft".split()
MANY_AXES = "fftn ifftn rfftn irfftn".split()

__all__ = [*ONE_AXIS, *MANY_AXES, "fftfreq", "fftshift", "ifftshift", "rfftfreq"]


def _one(name: str) -> Function:
    plainly = getattr(np.fft, name)

    def function(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
        return run(name, (x,), plainly, {"n": n, "axis": axis, "norm": norm})

    return named(function, name, f"The standard's transform `{name}` along one axis.")


def _many(name: str) -> Function:
    plainly = getattr(np.fft, name)

    def function(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Any:
        return run(name, (x,), plainly, {"s": s, "axes": axes, "norm": norm})

    return named(function, name, f"The standard's transform `{name}` along several axes (all where None).")


globals().update({name: _one(name) for name in ONE_AXIS})
globals().update({name: _many(name) for name in MANY_AXES})


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the transform of n samples at a distance of d."""
    on_cpu(device)
    return wrap(np.fft.fftfreq(n, d).astype(dtype or np.float64))


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the transform of n real samples at a distance of d."""
    on_cpu(device)
    return wrap(np.fft.rfftfreq(n, d).astype(dtype or np.float64))


def _shifted(x: Any, axes: Any, sign: int) -> Any:
    where = tuple(range(x.ndim)) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    shifts = tuple(x.shape[a] // 2 if sign > 0 else -(x.shape[a] // 2) for a in where)
    return roll(x, shifts, axis=where)


def fftshift(x: Any, /, *, axes: Any = None) -> Any:
    """The frequency zero moved to the middle of the axes (all where None)."""
    return _shifted(x, axes, 1)


def ifftshift(x: Any, /, *, axes: Any = None) -> Any:
    """The frequency zero moved from the middle of the axes back to their start."""
    return _shifted(x, axes, -1)
