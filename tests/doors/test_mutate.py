"""Does `gradcheck mutate` show what became of every mutant, and end with the right code?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck import cli

WITNESSES = ("--witness", "engine", "--witness", "differences")
BLIND = """gradcheck: 1
functions:
  far_branch:
    inputs: {x: {domain: "(-1, 1)"}}
    value: exp(x)
    gradient: {x: "where(x > 5, 7, exp(x))"}
"""


def mutate(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["mutate", *words, *WITNESSES])


def test_where_all_are_caught_it_ends_with_0(specs: Path) -> None:
    result = mutate("right.grad.yaml", "planted.grad.yaml")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "function", "mutants", "killed", "unwitnessed", "equivalent", "malformed", "survived", "score",
    ]  # fmt: skip
    assert lines[1].split() == ["sine", "11", "10", "0", "1", "0", "0", "100.0", "%"]
    assert "10 of 10 wrong claims of 1 function are caught: 100.0 %; none survived" in lines
    assert "1 means the same and is not counted: 1 the same by algebra, wherever both are defined" in lines
    assert "1 function that is wrong on purpose was not mutated" in lines
    assert result.stderr == ""


def test_a_survivor_is_shown_with_its_reason_and_ends_with_1(specs: Path) -> None:
    (specs / "blind.grad.yaml").write_text(BLIND, encoding="utf-8")
    result = mutate("blind.grad.yaml", "right.grad.yaml", "--survivors", "--json", "out/mutants.json")
    assert result.exit_code == 1
    assert "branch: where(x > 5, 7, exp(x)) → exp(x) in gradient of x, column 1" in result.stdout
    assert "no point reaches what was changed" in result.stdout
    assert "sine" not in result.stdout
    written = json.loads((specs / "out" / "mutants.json").read_text(encoding="utf-8"))
    assert written["gradcheck_mutation"] == 1
    assert written["command"].startswith("gradcheck mutate blind.grad.yaml right.grad.yaml --witness engine")
    blind, sine = written["functions"]
    assert blind["counts"]["survived"] == sum(m["fate"] == "survived" for m in blind["mutants"]) > 0
    assert written["summary"]["survived"] == blind["counts"]["survived"] and sine["score"] == 1.0


@pytest.mark.parametrize(("percent", "code"), [("60", 0), ("99", 1), ("100", 1)])
def test_survivors_may_be_put_up_with_down_to_a_score(specs: Path, percent: str, code: int) -> None:
    (specs / "blind.grad.yaml").write_text(BLIND, encoding="utf-8")
    assert mutate("blind.grad.yaml", "right.grad.yaml", "--at-least", percent).exit_code == code


def test_what_does_not_pass_ends_with_2_and_says_so(specs: Path) -> None:
    result = mutate("wrong.grad.yaml")
    assert result.exit_code == 2
    assert "norm  not mutated: it does not pass as it stands: DISAGREES" in result.stdout


@pytest.mark.parametrize(
    "words", [("right.grad.yaml", "-k", "cosine"), ("planted.grad.yaml",), ("behaviour.grad.yaml",)]
)
def test_where_nothing_ran_it_ends_with_5(specs: Path, words: tuple[str, ...]) -> None:
    result = mutate(*words)
    assert result.exit_code == 5
    assert "nothing ran: no claim was mutated" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [(("broken.grad.yaml",), "unknown function 'sinn'"), (("right.grad.yaml", "--witness", "torhc"), "did you mean")],
)
def test_what_cannot_be_asked_ends_with_2(specs: Path, words: tuple[str, ...], message: str) -> None:
    result = mutate(*words)
    assert result.exit_code == 2 and message in result.stderr


def test_the_command_is_there_without_loading_a_library(specs: Path, python) -> None:
    code = "import sys\nfrom gradcheck import cli\ncli.main(['mutate', '--help'], standalone_mode=False)\n"
    result = python("-c", code + "print([m for m in ('torch', 'jax', 'numpy') if m in sys.modules])")
    assert result.stdout.strip().endswith("[]"), result.stderr
