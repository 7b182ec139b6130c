"""How far does the proof reach: which rows do balls enclose, where do they leave the answer open, and why are some not?

An answer that is open (a ball that is not finite, or a comparison of balls that overlap) drives the precision up, and
stays unproven where no precision settles it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.expr import Batching, Primitive
from gradcheck.oracles.balls.complex import COMPLEX_TOO
from gradcheck.oracles.balls.vocabulary import BALLS

STEPS = "its neighbours are those of float64, not of real numbers"
WHOLE = "of whole numbers, which are exact as they are"
REASONS: Mapping[str, str] = {
    "nextafter": STEPS,
    **dict.fromkeys(
        "bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_left_shift bitwise_right_shift".split(), WHOLE
    ),
}  # row without an enclosure -> why
APART = "open where numbers may be equal"
LIMITS: Mapping[str, str] = {
    **dict.fromkeys(
        "less less_equal greater greater_equal equal not_equal sort argsort argmax argmin count_nonzero".split(), APART
    ),
    **dict.fromkeys("floor ceil round trunc floor_divide remainder fmod".split(), "open where it may jump"),
    **dict.fromkeys("sign signbit slogdet_sign".split(), "open where it may be the sign of zero"),
    "eigh_vectors": "open where eigenvalues may be equal",
    **dict.fromkeys(
        ("svd_u", "svd_vh"), "open where singular values may be equal, or one that is divided by may be zero"
    ),
    "cholesky": "open where the matrix may not be positive definite",
    **dict.fromkeys(("qr_q", "qr_r"), "open where the leading columns may be dependent"),
    **dict.fromkeys(("inv", "solve", "logabsdet"), "open where the matrix may be singular"),
    "solve_triangular": "open where the diagonal may hold a zero",
    "pinv": "of full rank; open where a singular value may count as zero",
}  # row -> where its enclosure says nothing


def reach(row: Primitive) -> str:
    """Whether a row is proven, in words: `yes`, `yes, complex too; open where …`, `formula`, `exact`, `no: …`."""
    if row.batching is Batching.CONSTANT:
        return "exact"
    if row.compose is not None:
        return "formula"
    if row.name not in BALLS.enclosures:
        return f"no: {REASONS.get(row.name, 'it has no enclosure')}"
    proven = "yes, complex too" if row.name in COMPLEX_TOO else "yes"
    return "; ".join(filter(None, [proven, LIMITS.get(row.name, "")]))
