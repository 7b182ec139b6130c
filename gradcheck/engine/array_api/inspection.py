"""What does the namespace say of itself?"""

from __future__ import annotations

from typing import Any

from gradcheck.engine.array_api.dtypes import DTYPES, KINDS, on_cpu
from gradcheck.engine.array_api.linalg import PARTS
from gradcheck.expr.vocabulary import VOCABULARY

__all__ = ["__array_namespace_info__", "absent"]

# Functions with a derivative that only a row of the vocabulary can give; the others of the standard have theirs, from
# a row or as a formula in rows, or have none. `unique_values` and its kin have one that no row can be expected for:
# their result's shape depends on the values.
WANTED = """conj imag real sort take_along_axis cholesky eigh eigvalsh pinv qr slogdet svd svdvals fft ifft
    rfft irfft hfft ihfft fftn ifftn rfftn irfftn""".split()


class Info:
    """Devices, dtypes and abilities, as the standard asks for them."""

    def capabilities(self) -> dict[str, Any]:
        """What an array may do that the standard leaves open."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where arrays are made."""
        return "cpu"

    def devices(self) -> list[str]:
        """Where arrays can be."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtype of each kind that is taken where none is asked for."""
        on_cpu(device)
        names = {"real floating": "float64", "complex floating": "complex128", "integral": "int64", "indexing": "int64"}
        return {kind: DTYPES[name] for kind, name in names.items()}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """All dtypes by name, or those of a kind, or of any of a tuple of kinds."""
        on_cpu(device)
        if kind is None:
            return dict(DTYPES)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if unknown := [k for k in kinds if k not in KINDS]:
            raise ValueError(f"there is no kind of dtypes {unknown[0]!r}; there are {', '.join(KINDS)}")
        return {name: dtype for name, dtype in DTYPES.items() if any(name in KINDS[k] for k in kinds)}


def __array_namespace_info__() -> Info:
    """The namespace's devices, dtypes and abilities."""
    return Info()


def absent() -> tuple[str, ...]:
    """The standard's functions whose derivative the vocabulary has no row for: refused to tensors that want one."""
    return tuple(name for name in WANTED if any(part not in VOCABULARY for part in PARTS.get(name, (name,))))
