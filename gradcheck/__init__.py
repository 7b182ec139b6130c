"""gradcheck decides whether a derivative is right, says who is wrong, and how it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck.api import check
    from gradcheck.cases.given import (
        SPD,
        Boolean,
        Complex,
        Integer,
        Orthogonal,
        Permutation,
        Real,
        Simplex,
        Sorted,
        Sphere,
        Symmetric,
        Triangular,
    )
    from gradcheck.pytest_plugin import parametrize

__version__ = "0.1.0"
__all__ = [
    "SPD",
    "Boolean",
    "Complex",
    "Integer",
    "Orthogonal",
    "Permutation",
    "Real",
    "Simplex",
    "Sorted",
    "Sphere",
    "Symmetric",
    "Triangular",
    "__version__",
    "check",
    "parametrize",
]
_DOMAINS = frozenset(__all__) - {"__version__", "check", "parametrize"}


def __getattr__(name: str) -> Any:
    """Fetched when it is asked for, so that importing gradcheck imports neither pytest nor NumPy."""
    if name == "parametrize":
        from gradcheck.pytest_plugin import parametrize

        return parametrize
    if name == "check":
        from gradcheck.api import check

        return check
    if name in _DOMAINS:
        from gradcheck.cases import given

        return getattr(given, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
