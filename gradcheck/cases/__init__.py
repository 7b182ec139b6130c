"""Where do points come from? Domains, landmarks, Hypothesis for sizes, seeds, scales and special numbers, shrinking."""

from gradcheck.cases.batch import batch
from gradcheck.cases.build import build, example_case, example_sizes, outputs
from gradcheck.cases.jumps import near_jumps
from gradcheck.cases.narrow import narrowed, neighbours
from gradcheck.cases.plans import Plan, plans
from gradcheck.cases.shrink import only, shrink
from gradcheck.cases.simpler import shortest

__all__ = [
    "Plan",
    "batch",
    "build",
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
]
