"""gradcheck decides whether a derivative is right, says who is wrong, and how it knows."""

__version__ = "0.1.0"
