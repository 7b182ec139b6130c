"""What does a run yield? One outcome a function or behaviour; reports read nothing else.

Everything here is plain data (numbers, strings, lists, dicts), so that an outcome crosses processes and becomes JSON
without loss: NaN and infinities are written as the strings "NaN", "Infinity", "-Infinity".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class WitnessResult:
    """What came of one witness for one function, over all cases."""

    verdict: str  # AGREES, DISAGREES, INACCURATE, UNDECIDED, SILENT, CRASHED
    reason: str  # one sentence
    modes: Mapping[str, str]  # "value", "reverse", "forward", "second" -> verdict
    compared: int = 0  # numbers compared
    undecided: int = 0
    wrong: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ClaimText:
    """A claim as people read it."""

    kind: str  # "gradient", "derivative", "vjp" …
    of: str  # the input, "" for a jvp
    text: str
    latex: str


@dataclass(frozen=True, slots=True)
class Plot:
    """f and f' of a function of one number: the claim and autodiff over one another. Columns of equal length."""

    x: tuple[float | None, ...]
    value: tuple[float | None, ...]  # None where not finite or outside the domain
    claim: tuple[float | None, ...]
    autodiff: tuple[float | None, ...]
    input: str


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of the dependency graph: an input, a constant, or an operation named after its primitive."""

    id: int
    label: str  # "x", "2", "mul"
    kind: str  # "input", "constant", "operation", "output"


@dataclass(frozen=True, slots=True)
class Graph:
    """What depends on what, from the inputs to the result; `edges` hold (from, to) node ids."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest and simplest point found at which the claim (or a witness) is wrong."""

    sizes: Mapping[str, int]
    inputs: Mapping[str, Any]  # nested lists
    cotangent: Mapping[str, Any]
    quantity: str  # "vjp:x"
    index: tuple[int, ...]
    numbers: tuple[Mapping[str, Any], ...]  # {"witness", "center", "bar", "kink"}; the claim first
    sentence: str  # "at x = [3]: vjp:x[0] is 6 by claim; 1 by engine reverse, differences"
    tangents: Mapping[str, Any] = field(default_factory=dict)  # nested lists; {} where no direction mattered
    dtype: str = "float64"  # what the witness at fault computed in
    example: tuple[str, ...] = ()  # lines of YAML: the point as an item of `examples:`, with the right numbers if known
    python: tuple[str, ...] = ()  # lines that print the wrong number beside the right one, without gradcheck
    right: str = ""  # whose numbers the example expects: "certified"; "" where nobody knows them
    witness: str = ""  # whose number contradicts the claim's: "engine", "implementation:torch float32"
    layout: str = ""  # how the numbers were given to it, where it fails only so: "transposed: x"


@dataclass(frozen=True, slots=True)
class Covered:
    """What the points of all cases held of one input."""

    distinct: int  # different numbers
    low: float | str | None  # the smallest and the largest, as `plain` writes them; None of no numbers
    high: float | str | None


@dataclass(frozen=True, slots=True)
class Branch:
    """One side of a choice of the function or of a claim, told by the statement that holds where it is taken."""

    of: str  # "" for the function, "gradient of x" for a claim
    line: int  # of a code block, 0 in a formula
    text: str  # "x > 800"


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a function was tried, over its cases in float64."""

    origins: Mapping[str, int]  # "example", "landmark", "drawn" … -> points
    narrow: Mapping[str, int]  # dtype -> points judged in it besides
    drawn: int  # points drawn, those refused among them
    refused: Mapping[str, int]  # why -> points drawn
    sizes: tuple[Mapping[str, int], ...]  # of the dimensions, each once
    inputs: Mapping[str, Covered]
    branches: int  # sides of all choices
    never: tuple[Branch, ...]  # those that no point took
    warnings: tuple[str, ...]  # where little or nothing was really tested
    empty: Mapping[str, str] = field(default_factory=dict)  # dimension -> what came of its size 0, where it was tried


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a report may tell about one function or behaviour."""

    id: str
    kind: str  # "function" or "semantics"
    file: str
    line: int
    summary: str
    tags: tuple[str, ...]
    passed: bool
    verdict: str  # a Verdict: AGREES, DISAGREES, …, UNWITNESSED
    sentence: str  # why, in one sentence
    blame: str  # "" or who is wrong
    expected: Mapping[str, str] | None  # {"verdict", "blame"} for what is wrong on purpose
    witnesses: Mapping[str, WitnessResult]
    cases: int = 0
    points: int = 0
    rejected: int = 0
    worst: Mapping[str, Any] | None = None  # the fields of judge.finding.Worst, as plain data
    counterexample: Counterexample | None = None
    power: Mapping[str, Any] | None = None  # {"median": 1e-12, "worst": 1e-9}: smallest relative error caught
    replay: str = ""  # a command
    text: str = ""  # the spec's YAML as written
    formula: str = ""
    latex: str = ""
    claims: tuple[ClaimText, ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)  # input -> "shape (n,), norm(x) > 0"
    plot: Plot | None = None
    graph: Graph | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    seconds_in_witnesses: float = 0.0
    statistics: Statistics | None = None  # None of a behaviour, and in records of versions before there were any


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a run. The verdict counts are of (function, witness) cells."""

    functions: int
    cases: int
    points: int
    agrees: int
    disagrees: int
    inaccurate: int
    undecided: int
    silent: int
    crashed: int
    unwitnessed: int
    failed_functions: int
    seconds: float
    seconds_in_witnesses: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the runner: what ran where, and every outcome in the order of the files."""

    version: str
    seed: int
    profile: str
    command: str
    versions: Mapping[str, str]  # "python", "numpy", "torch", …
    machine: str
    witnesses: tuple[str, ...]  # the columns of the matrix, in order
    summary: Summary
    outcomes: tuple[Outcome, ...]
