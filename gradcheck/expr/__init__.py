"""What is a function? A vocabulary of primitives, a safe parser, and evaluation in any array namespace."""

from gradcheck.expr.batch import Batch, Batched
from gradcheck.expr.control import Control, Recording, Replay, by_branch
from gradcheck.expr.latex import to_latex
from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.program import Program, parse_code, parse_formula
from gradcheck.expr.vocabulary import ALIASES, NUMPY, VOCABULARY

__all__ = [
    "ALIASES",
    "NUMPY",
    "VOCABULARY",
    "Batch",
    "Batched",
    "Batching",
    "Control",
    "Primitive",
    "Program",
    "Recording",
    "Replay",
    "by_branch",
    "parse_code",
    "parse_formula",
    "to_latex",
]
