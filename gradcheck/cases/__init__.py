"""Where do points come from? Domains, landmarks, Hypothesis for sizes, seeds, scales and special numbers, shrinking."""

from gradcheck.cases.batch import batch
from gradcheck.cases.build import PHASES, build, example_case, example_sizes, outputs
from gradcheck.cases.empty import empty_cases
from gradcheck.cases.jumps import near_jumps
from gradcheck.cases.landmarks import NO_MARKS, Marks
from gradcheck.cases.narrow import narrowed, neighbours
from gradcheck.cases.plans import Plan, beside, plans
from gradcheck.cases.shrink import only, shrink
from gradcheck.cases.simpler import shortest
from gradcheck.cases.tally import Tally
from gradcheck.cases.uniform import uniform_cases
from gradcheck.cases.visits import visits

__all__ = [
    "NO_MARKS",
    "PHASES",
    "Marks",
    "Plan",
    "Tally",
    "batch",
    "beside",
    "build",
    "empty_cases",
    "example_case",
    "example_sizes",
    "narrowed",
    "near_jumps",
    "neighbours",
    "only",
    "outputs",
    "plans",
    "shortest",
    "shrink",
    "uniform_cases",
    "visits",
]
