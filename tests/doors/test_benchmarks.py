"""Does the engine's benchmark run, and does it see a wrong number? No time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = "sys.exit(run.main(['--quick', '--only', 'chain']))"
LIE = """
import sys
from benchmarks.engine import peers, run

def lying(f, args, moving):
    work = peers.ours_functional(f, args, moving)
    def lie():
        right = work()
        return LIE
    return lie

peers.PEERS.clear()
peers.OURS["ours grad()"] = peers.Peer("ours grad()", lying)
"""


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_every_part_runs_and_all_gradients_agree(tmp_path: Path):
    told = python("-m", "benchmarks.engine.run", "--quick", "--json", str(tmp_path / "figures.json"))
    assert told.returncode == 0, told.stderr
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    ways = {"ours", "ours grad()", "ours compiled", "numpy value"}
    ways |= {name for name in ("torch", "autograd", "jax", "jax jit") if find_spec(name.partition(" ")[0])}
    assert {name for row in figures["chain"] for name in row["seconds"]} == ways
    assert [row["name"] for row in figures["real"]] == [
        "Gaussian mixture", "LSTM", "bundle adjustment", "attention block",
    ]  # fmt: skip
    compared = [row for part in ("chain", "real", "batch", "length") for row in figures[part]]
    assert all(0 <= row["apart"] < 1e-12 for row in compared), compared
    assert figures["memory"]


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ("[part * (1 + 1e-6) for part in right]", "part 0: ours grad() is 1.0e-06 of its length away from ours"),
        ("[part * float('nan') for part in right]", "part 0: ours grad() is nan of its length away from ours"),
        ("[part[None] for part in right]", "part 0: ours grad() has the shape (1, 1), ours has (1,)"),
        ("[None]", "ours grad() has 0 parts, ours has 1"),
    ],
)
def test_a_wrong_gradient_ends_the_run(lie: str, message: str):
    told = python("-c", LIE.replace("LIE", lie) + RUN)
    assert told.returncode == 1, told.stderr
    assert told.stderr == f"the numbers differ: {message}\n"


def test_another_function_as_the_plain_value_ends_the_run():
    plant = "import sys\nfrom benchmarks.engine import peers, run\npeers.PEERS.clear()\npeers.PLAIN.tanh = abs\n"
    told = python("-c", plant + RUN)
    assert told.returncode == 1, told.stderr
    assert told.stderr.startswith("the numbers differ: part 0: numpy value is ")


def test_a_bound_that_is_missed_is_told():
    judge = """
from benchmarks.engine.goals import goals
seconds = {"ours": 1.0, "ours grad()": 1.0, "ours compiled": 0.9, "numpy value": 0.3, "torch": 2.9, "autograd": 3.1}
row = {"size": "100", "seconds": {name: {"least": t, "median": 2 * t} for name, t in seconds.items()}}
print(*goals({"chain": [row], "real": [row | {"name": "LSTM"}]}), sep="\\n")
"""
    told = python("-c", judge)
    assert told.returncode == 0, told.stderr
    assert [" ".join(line.split()) for line in told.stdout.splitlines()] == [
        "SHORT chain of 100: torch / ours 2.90 2.90 ≥ 3.00",
        "kept chain of 100: torch / ours compiled 3.22 3.22 ≥ 3.00",
        "kept chain of 100: autograd / ours grad() 3.10 3.10 ≥ 3.00",
        "kept LSTM, 100: ours / numpy value 3.33 3.33 ≤ 5.00",
        "kept LSTM, 100: ours grad() / numpy value 3.33 3.33 ≤ 5.00",
        "kept LSTM, 100: ours compiled / numpy value 3.00 3.00 ≤ 5.00",
        "kept LSTM, 100: autograd / ours grad() 3.10 3.10 ≥ 1.00",
    ]


@pytest.mark.parametrize(
    ("number", "digits"), [(0.0, 1), (1.0, 1), (-40.0, 1), (300.0, 1), (1e-9, 1), (1.25, 3), (0.0732, 3), (-1.0307, 5)]
)
def test_digits_of_a_shrunk_point_are_counted(number: float, digits: int):
    from benchmarks.shrinking import run

    assert run.digits(number) == digits


def test_shrinking_is_measured_and_a_right_function_has_nothing_to_shrink(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from benchmarks.shrinking import run

    claims = "{x: 'where(x > 20, 2, 3)*x**2'}"
    text = f"gradcheck: 1\nfunctions:\n  wrong_far_out: {{inputs: {{x: {{}}}}, value: x**3, gradient: {claims}}}\n"
    (tmp_path / "a.grad.yaml").write_text(text + "  right: {inputs: {x: {}}, value: x**2, gradient: {x: 2*x}}\n")
    assert run.main([str(tmp_path), "--profile", "quick"]) == 0
    told = capsys.readouterr().out
    assert "wrong_far_out" in told.splitlines()[0] and " 1 digits" in told and "x = 30" in told
    assert "failures   1\n" in told and "without a failing point: none" in told
