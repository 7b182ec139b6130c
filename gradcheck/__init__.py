"""gradcheck decides whether a derivative is right, says who is wrong, and how it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck.pytest_plugin import parametrize

__version__ = "0.1.0"
__all__ = ["__version__", "parametrize"]


def __getattr__(name: str) -> Any:
    """`parametrize` is fetched when it is asked for, so that importing gradcheck imports neither pytest nor NumPy."""
    if name == "parametrize":
        from gradcheck.pytest_plugin import parametrize

        return parametrize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
