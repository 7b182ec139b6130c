"""Who is right? Comparing bars, error budgets (the only tolerances of the project), verdict and blame."""

from gradcheck.judge.finding import Finding, Number, Verdict, Worst
from gradcheck.judge.findings import judge, wrong_numbers, wrong_points
from gradcheck.judge.power import Power, power
from gradcheck.judge.sets import conventions
from gradcheck.judge.whole import Whole, overall, witness_verdict

__all__ = [
    "Finding",
    "Number",
    "Power",
    "Verdict",
    "Whole",
    "Worst",
    "conventions",
    "judge",
    "overall",
    "power",
    "witness_verdict",
    "wrong_numbers",
    "wrong_points",
]
