"""Which statements make a formula's functions known in plain Python? Imports from NumPy and SciPy of the same names.

Only names that mean there what they mean in the language: tests call both.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from types import MappingProxyType

HOMES: Mapping[str, frozenset[str]] = MappingProxyType({
    "numpy": frozenset(
        "abs absolute fabs negative square sqrt cbrt sign floor ceil trunc copysign hypot maximum minimum where exp "
        "exp2 expm1 log log1p log2 log10 logaddexp sin cos tan asin acos atan atan2 arcsin arccos arctan arctan2 sinh "
        "cosh tanh asinh acosh atanh arcsinh arccosh arctanh sinc sum mean max min prod matmul eye zeros ones arange "
        "outer reshape concat stack tril triu flip zeros_like ones_like pow power deg2rad rad2deg diag dot trace add "
        "subtract multiply divide pi e inf".split()
    ),
    "numpy.linalg": frozenset("inv solve det norm".split()),
    "scipy.special": frozenset(
        "expit logit erf erfc erfcx gammaln digamma gamma softmax log_softmax logsumexp ndtr log_ndtr xlogy xlog1py "
        "i0 i1 k0 k1 j0 j1 y0 y1".split()
    ),
})  # fmt: skip
DEFINED: Mapping[str, str] = MappingProxyType(
    {
        "sigmoid": "from scipy.special import expit as sigmoid",
        "softplus": "def softplus(x): return np.logaddexp(x, 0)",
        "relu": "def relu(x): return np.maximum(x, 0)",
    }
)
CONSTANTS = ("pi", "e", "inf")
PLAIN = frozenset({"range"})  # Python's own


def words_for(texts: Sequence[str], numbers: Sequence[str]) -> list[str] | None:
    """The statements, one a home; None where a name is not known to mean the same, or is one of the `numbers` too."""
    used: set[str] = set()
    defined: set[str] = set()
    for text in texts:
        tree = ast.parse("def f():\n" + "\n".join(f"    {line}" for line in _as_body(text)))
        used |= {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        used |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in CONSTANTS}
        defined |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    left = used - defined - PLAIN
    if left & set(numbers):
        return None
    found = []
    for home, names in HOMES.items():
        here = sorted(left & names)
        if here:
            found.append(f"from {home} import {', '.join(here)}")
        left -= names
    found += [DEFINED[name] for name in sorted(left & set(DEFINED))]
    return None if left - set(DEFINED) else found


def _as_body(text: str) -> list[str]:
    """A formula, or a program, as the lines of a function's body."""
    try:
        ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return text.rstrip().split("\n")
    return [f"return ({' '.join(text.split())})"]
