"""Which words have a meaning of their own in a spec, and which may be names?"""

from __future__ import annotations

import keyword
import re

from gradcheck.expr.grammar import taken
from gradcheck.spec.model import ClaimKind

CLAIMS = tuple(kind.value for kind in ClaimKind)
VERDICTS = ("AGREES", "DISAGREES", "INACCURATE", "UNDECIDED", "SILENT", "CRASHED", "UNWITNESSED")
WITNESSES = ("claim", "certified", "engine", "differences", "complex_step", "torch", "jax", "implementation")
DTYPES = ("float64", "float32", "float16", "bfloat16")
BACKENDS = ("torch", "jax", "numpy")
BLAMES = (*WITNESSES, *(f"implementation:{backend}" for backend in BACKENDS), "example", "undetermined")
STRUCTURES = ("simplex", "sphere", "orthogonal", "symmetric", "spd", "triangular", "sorted", "permutation")
WORDS = (
    "real", "positive", "negative", "nonnegative", "nonzero", "unit", "integer", "boolean", "probability", *STRUCTURES,
    "index", "log_uniform",
)  # fmt: skip
ACTIONS = (
    "tensor", "constant", "let", "no_grad", "detach", "requires_grad", "backward", "zero_grad", "sgd", "repeat",
    "expect",
)  # fmt: skip
# a domain's word -> how it is written with what it is of (`spd` may stand alone, too)
DOMAINS_OF = {"index": "index(n)", "log_uniform": "log_uniform(1e-8, 1e8)", "spd": "spd(1e6)"}

MAX_NAME = 60
NAME = r"[A-Za-z][A-Za-z0-9_]*"
ID = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*"
REFERENCE = rf"{NAME}(\.{NAME})*:{NAME}(\.{NAME})*"
_CONSTANTS = ("pi", "e", "inf", "nan")
_RESERVED = ("value", "ct", "range", "decimals", *CLAIMS)


def why_not_a_name(name: str) -> str:
    """Why `name` cannot be a name in formulas; an empty string where it can."""
    if not re.fullmatch(NAME, name):
        return "is not a name: letters, digits and '_', a letter first"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    if keyword.iskeyword(name) or name == "range":
        return "is a keyword of the language"
    if taken(name):
        return "is a function of the vocabulary"
    return "is a constant of the language" if name in _CONSTANTS else ""


def why_not_an_input(name: str) -> str:
    """Why `name` cannot be an input, an output or a dimension; an empty string where it can."""
    if name in _RESERVED or name.startswith(("t_", "ct_")):
        return "is reserved: claims give it a meaning"
    return why_not_a_name(name)
