"""A run with one of everything that a report must tell apart. The numbers are those the functions really have."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gradcheck.run.outcome import (
    ClaimText,
    Counterexample,
    Graph,
    GraphNode,
    Outcome,
    Plot,
    Run,
    Summary,
    WitnessResult,
)

WITNESSES = ("engine", "differences", "torch", "jax")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: opens the page in a headless Chromium")


def answer(verdict: str, reason: str = "", compared: int = 640, wrong: int = 0) -> WitnessResult:
    reason = reason or f"{compared} numbers within their bars"
    silent = verdict in ("SILENT", "CRASHED")
    modes = {} if silent else {"value": "AGREES", "reverse": verdict, "forward": verdict}
    return WitnessResult(verdict, reason, modes, 0 if silent else compared, 0, wrong, 0.01)


def number(witness: str, center: Any, bar: Any, kink: bool = False) -> dict[str, Any]:
    return {"witness": witness, "center": center, "bar": bar, "kink": kink}


def outcome(name: str, **changes: Any) -> Outcome:
    """A function that every witness agrees on, but for `changes`."""
    right = Outcome(
        id=name,
        kind="function",
        file="specs/seeds/demo.grad.yaml",
        line=12,
        summary=f"The function {name}.",
        tags=("demo",),
        passed=True,
        verdict="AGREES",
        sentence="all of engine, differences, torch and jax agree with the claim",
        blame="",
        expected=None,
        witnesses={witness: answer("AGREES") for witness in WITNESSES},
        cases=8,
        points=512,
        rejected=3,
        replay=f"gradcheck replay specs/seeds/demo.grad.yaml::{name} --seed 0",
        seconds=0.04,
        seconds_in_witnesses=0.03,
    )
    return replace(right, **changes)


def summary_of(outcomes: tuple[Outcome, ...]) -> Summary:
    cells = Counter(result.verdict for one in outcomes for result in one.witnesses.values())
    return Summary(
        functions=len(outcomes),
        cases=sum(one.cases for one in outcomes),
        points=sum(one.points for one in outcomes),
        agrees=cells["AGREES"],
        disagrees=cells["DISAGREES"],
        inaccurate=cells["INACCURATE"],
        undecided=cells["UNDECIDED"],
        silent=cells["SILENT"],
        crashed=cells["CRASHED"],
        unwitnessed=sum(one.verdict == "UNWITNESSED" for one in outcomes),
        failed_functions=sum(not one.passed for one in outcomes),
        seconds=2.25,
        seconds_in_witnesses=1.5,
    )


def run_of(*outcomes: Outcome, witnesses: tuple[str, ...] = WITNESSES) -> Run:
    return Run(
        version="0.1.0",
        seed=0,
        profile="default",
        command="gradcheck run specs --seed 0",
        versions={"python": "3.11.2", "numpy": "2.4.6", "torch": "2.13.0", "jax": "0.10.2"},
        machine="x86_64, 2 cores",
        witnesses=witnesses,
        summary=summary_of(outcomes),
        outcomes=outcomes,
    )


def _curves() -> Plot:
    x = [(i - 200) * 0.03 for i in range(401)]
    value: list[float | None] = [math.log(t * t) * math.sin(t) + 1 / t if t else None for t in x]
    slope = [2 * math.sin(t) / t + math.log(t * t) * math.cos(t) - 1 / t**2 if t else None for t in x]
    return Plot(tuple(x), tuple(value), tuple(slope), tuple(slope), "x")


def _graph() -> Graph:
    labels = ["x", "square", "log", "sin", "mul", "1", "divide", "add"]
    kinds = ["input", *["operation"] * 4, "constant", "operation", "output"]
    nodes = tuple(GraphNode(i, label, kind) for i, (label, kind) in enumerate(zip(labels, kinds, strict=True)))
    return Graph(nodes, ((0, 1), (1, 2), (0, 3), (2, 4), (3, 4), (5, 6), (0, 6), (4, 7), (6, 7)))


def curve() -> Outcome:
    """Row 004e: f = log(x²)·sin x + 1/x."""
    at = -4.712388980384690
    slope = 2 * math.sin(at) / at + math.log(at * at) * math.cos(at) - 1 / at**2
    return outcome(
        "log_times_sin",
        line=31,
        summary="log(x²)·sin x + 1/x, the exercise of the fifth notebook.",
        tags=("seed-004e",),
        latex=r"\log\left(x^{2}\right) \sin x + \frac{1}{x}",
        formula="log(x**2)*sin(x) + 1/x",
        claims=(
            ClaimText(
                "derivative",
                "x",
                "2*sin(x)/x + log(x**2)*cos(x) - 1/x**2",
                r"\frac{2 \sin x}{x} + \log\left(x^{2}\right) \cos x - \frac{1}{x^{2}}",
            ),
        ),
        domains={"x": "shape (), x != 0"},
        worst={
            "quantity": "vjp:x",
            "index": [],
            "point": 17,
            "origin": "drawn",
            "inputs": {"x": at},
            "cotangent": {"value": 1.0},
            "numbers": [
                number("claim", slope, 2.2e-16),
                number("engine reverse", slope * (1 + 2e-16), 3.1e-16),
                number("engine forward", slope, 3.1e-16),
                number("differences", slope * (1 + 3e-13), 4e-12),
                number("torch reverse", slope * (1 - 2e-16), 8e-16),
                number("jax reverse", slope, 8e-16),
            ],
            "error": 0.41,
            "ulp": 1.0,
        },
        power={"median": 3e-12, "worst": 2e-9},
        plot=_curves(),
        graph=_graph(),
        text="  log_times_sin:\n    inputs: {x: {domain: x != 0}}\n    value: log(x**2)*sin(x) + 1/x\n"
        "    derivative: {x: 2*sin(x)/x + log(x**2)*cos(x) - 1/x**2}\n",
        notes=("the landmark x = 0 is outside the domain and was not tried",),
    )


def _against_norm(name: str, **changes: Any) -> Outcome:
    """The claim 2x for the norm's gradient: everybody says x/‖x‖."""
    apart = {w: answer("DISAGREES", "0.6 against a claim of 6", wrong=611) for w in WITNESSES}
    numbers = (
        number("claim", 6.0, 0.0),
        number("engine reverse", 0.6, 1.1e-16),
        number("differences", 0.6000000000001, 3e-12),
        number("torch reverse", 0.6, 4e-16),
        number("jax reverse", 0.6, 4e-16),
    )
    found = Counterexample(
        {"n": 2},
        {"x": [3.0, 4.0]},
        {"value": 1.0},
        "vjp:x",
        (0,),
        numbers,
        "at x = [3, 4] the claim says 6, engine, differences, torch and jax say 0.6",
    )
    wrong = outcome(
        name,
        summary="The gradient of a norm, with a formula that is wrong.",
        verdict="DISAGREES",
        sentence="the claim is outside the bars of all four witnesses in 611 of 640 numbers",
        blame="claim",
        witnesses=apart,
        counterexample=found,
        latex=r"\sqrt{\sum_{i} x_{i}^{2}}",
        formula="sqrt(sum(x**2))",
        claims=(ClaimText("gradient", "x", "2*x", "2 x"),),
        domains={"x": "shape (n,), norm(x) > 0"},
        power={"median": 1e-12, "worst": 5e-11},
        text=f"  {name}:\n    inputs: {{x: {{shape: [n], domain: norm(x) > 0}}}}\n    value: sqrt(sum(x**2))\n"
        "    gradient: {x: 2*x}\n",
    )
    return replace(wrong, **changes)


def planted() -> Outcome:
    expected = {"verdict": "DISAGREES", "blame": "claim"}
    return _against_norm("norm_as_printed", expected=expected, passed=True, tags=("seed-001b", "planted"))


def disproved() -> Outcome:
    return _against_norm("norm_by_mistake", passed=False)


def _troubled(name: str, verdict: str, sentence: str, witness: WitnessResult, passed: bool = False) -> Outcome:
    agreeing = {w: answer("AGREES") for w in WITNESSES}
    return outcome(name, verdict=verdict, sentence=sentence, passed=passed, witnesses={**agreeing, "torch": witness})


def full() -> Run:
    """One of everything."""
    silent = {**{w: answer("AGREES") for w in WITNESSES}, "jax": answer("SILENT", "jax has no digamma of this order")}
    tape = {"engine": answer("AGREES", "4 steps as stated"), "torch": answer("AGREES", "4 steps as stated")}
    quiet = {w: answer("SILENT", f"{w} has no tape to accumulate on") for w in ("differences", "jax")}
    matrix = outcome(
        "quadratic_form",
        summary="xᵀ A x, in both arguments.",
        latex=r"x^{\mathsf{T}} A x",
        formula="x @ A @ x",
        claims=(
            ClaimText("gradient", "x", "(A + A.T) @ x", r"\left(A + A^{\mathsf{T}}\right) x"),
            ClaimText("gradient", "A", "outer(x, x)", r"x x^{\mathsf{T}}"),
        ),
        domains={"x": "shape (n,), real", "A": "shape (n, n), real"},
        power={"median": 2e-13, "worst": 4e-12},
    )
    return run_of(
        curve(),
        matrix,
        outcome("digamma_sum", witnesses=silent, summary="A function that one witness does not know."),
        _troubled(
            "expm1_tail",
            "INACCURATE",
            "torch reverse loses all digits below x = -37",
            answer("INACCURATE", "0 instead of 4.25e-18 at x = -40: no digit is right"),
            passed=True,
        ),
        _troubled("steep_sigmoid", "UNDECIDED", "the bars of differences are too wide", answer("UNDECIDED", "no bar")),
        _troubled("cholesky_trace", "CRASHED", "torch raised", answer("CRASHED", "LinAlgError: not positive definite")),
        planted(),
        disproved(),
        outcome("accumulates", kind="semantics", summary="Gradients add up over passes.", witnesses={**tape, **quiet}),
        outcome("zeroed", kind="semantics", summary="Zeroing starts afresh.", witnesses={**tape, **quiet}),
    )


@pytest.fixture(scope="session")
def run() -> Run:
    return full()


@pytest.fixture
def make() -> Callable[..., Outcome]:
    return outcome


@pytest.fixture
def make_run() -> Callable[..., Run]:
    return run_of


@pytest.fixture
def false_claim() -> Outcome:
    return disproved()


@pytest.fixture
def caught_lie() -> Outcome:
    return planted()


@pytest.fixture
def smooth() -> Outcome:
    return curve()
