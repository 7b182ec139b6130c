"""Which functions does the language know?

The rows of all branches, merged into one read-only table by name; the other names people use for the same functions;
and the NumPy namespace, whose attributes are the rows' NumPy functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gradcheck.errors import UsageError, did_you_mean
from gradcheck.expr.composition import NUMPY
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.rows_arithmetic import ARITHMETIC
from gradcheck.expr.rows_assembly import ASSEMBLY
from gradcheck.expr.rows_bessel import BESSEL
from gradcheck.expr.rows_complex import COMPLEX
from gradcheck.expr.rows_convolution import CONVOLUTION
from gradcheck.expr.rows_decompositions import DECOMPOSITIONS
from gradcheck.expr.rows_einsum import EINSUM
from gradcheck.expr.rows_elementary import ELEMENTARY
from gradcheck.expr.rows_gamma import GAMMA
from gradcheck.expr.rows_indexing import INDEXING
from gradcheck.expr.rows_integrals import INTEGRALS
from gradcheck.expr.rows_lambert import LAMBERT
from gradcheck.expr.rows_layers import LAYERS
from gradcheck.expr.rows_linalg import LINALG
from gradcheck.expr.rows_losses import LOSSES
from gradcheck.expr.rows_matrix_functions import MATRIX_FUNCTIONS
from gradcheck.expr.rows_neural import NEURAL
from gradcheck.expr.rows_normalization import NORMALIZATION
from gradcheck.expr.rows_norms import NORMS
from gradcheck.expr.rows_numbers import NUMBERS
from gradcheck.expr.rows_pooling import POOLING
from gradcheck.expr.rows_probability import PROBABILITY
from gradcheck.expr.rows_reduction import REDUCTION
from gradcheck.expr.rows_running import RUNNING
from gradcheck.expr.rows_shape import SHAPES
from gradcheck.expr.rows_softmax import SOFTMAX
from gradcheck.expr.rows_sorting import SORTING
from gradcheck.expr.rows_special import SPECIAL
from gradcheck.expr.rows_tensor_products import TENSOR_PRODUCTS

__all__ = ["ALIASES", "NUMPY", "VOCABULARY", "lookup"]

OTHER_NAMES = {
    "absolute": "abs", "fabs": "abs", "neg": "negative", "mul": "multiply", "sub": "subtract", "div": "divide",
    "true_divide": "divide", "power": "pow", "float_power": "pow", "mod": "remainder",
    "rint": "round", "fix": "trunc", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "sigmoid": "expit", "lgamma": "gammaln",
    "loggamma": "gammaln", "psi": "digamma", "amax": "max", "amin": "min", "clamp": "clip", "detach": "stop_gradient",
    "bmm": "matmul", "mm": "matmul", "unsqueeze": "expand_dims",
    "permute": "permute_dims", "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}  # fmt: skip


def merge(*branches: Iterable[Primitive]) -> Mapping[str, Primitive]:
    """One read-only table of all rows; a name that comes twice is refused."""
    table: dict[str, Primitive] = {}
    for branch in branches:
        for row in branch:
            if row.name in table:
                raise ValueError(f"the vocabulary has two rows named {row.name!r}")
            table[row.name] = row
    return MappingProxyType(table)


def alias_table(table: Mapping[str, Primitive], others: Mapping[str, str]) -> Mapping[str, str]:
    """Every other name of a row; a name that is a row itself, or belongs to two rows, is refused."""
    pairs = [*others.items(), *((alias, row.name) for row in table.values() for alias in row.aliases)]
    aliases: dict[str, str] = {}
    for alias, name in pairs:
        if alias in table or name not in table or aliases.get(alias, name) != name:
            raise ValueError(f"{alias!r} cannot be another name of {name!r}")
        aliases[alias] = name
    return MappingProxyType(aliases)


ARRAYS = (*INDEXING, *SORTING, *RUNNING, *ASSEMBLY, *EINSUM, *NUMBERS)
NETWORKS = (*NEURAL, *NORMALIZATION, *CONVOLUTION, *POOLING, *LOSSES, *LAYERS)
VOCABULARY: Mapping[str, Primitive] = merge(
    *(ARITHMETIC, ELEMENTARY, COMPLEX, SPECIAL, REDUCTION, SOFTMAX, SHAPES, LINALG, ARRAYS, NETWORKS),
    *(DECOMPOSITIONS, MATRIX_FUNCTIONS, NORMS, TENSOR_PRODUCTS, GAMMA, BESSEL, PROBABILITY, INTEGRALS, LAMBERT),
)
ALIASES: Mapping[str, str] = alias_table(VOCABULARY, OTHER_NAMES)
NUMPY.__dict__.update({name: row.numpy for name, row in VOCABULARY.items()})


def lookup(name: str) -> Primitive:
    """The row called `name`, by its own or another name."""
    row = VOCABULARY.get(ALIASES.get(name, name))
    if row is None:
        suggestion = did_you_mean(name, [*VOCABULARY, *ALIASES])
        raise UsageError(f"the vocabulary has no function {name!r}", suggestion)
    return row
