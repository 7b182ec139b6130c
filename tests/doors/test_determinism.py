"""Does the same seed give the same record, run twice and by one worker or two?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gradcheck import cli

TIMES = ("seconds", "seconds_in_witnesses")


def gradcheck(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


SEVERAL = """gradcheck: 1
functions:
  norm:
    inputs: {x: {shape: [n], domain: "norm(x) > 0"}}
    value: sqrt(sum(x**2))
    gradient: {x: 2*x}
  affine:
    inputs: {A: {shape: [m, n]}, x: {shape: [n]}, b: {shape: [m]}}
    value: A @ x + b
    vjp: {A: "outer(ct, x)", x: A.T @ ct, b: ct}
  branching:
    inputs: {x: {}}
    code: |
      return x**3 if x > 1 else sin(x)
    gradient: {x: "where(x > 1, 3*x**2, cos(x))"}
semantics:
  accumulates:
    steps:
      - tensor: {w: [1, 1]}
      - let: {z: sum(3*w)}
      - backward: z
      - expect: {grad: {w: [3, 3]}}
"""


def timeless(value: Any) -> Any:
    """A document without its times."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in TIMES}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def test_the_same_seed_gives_the_same_document_whoever_works(specs: Path):
    Path("several.grad.yaml").write_text(SEVERAL, encoding="utf-8")
    documents = {}
    for name, how in {"once": (), "twice": (), "workers": ("--workers", "2")}.items():
        result = gradcheck("run", "several.grad.yaml", "--profile", "quick", "--json", f"{name}.json", *how)
        assert result.exit_code == 1, result.output
        documents[name] = timeless(json.loads(Path(f"{name}.json").read_text()))
    assert documents["once"] == documents["twice"] == documents["workers"]
    verdicts = [{n: w["verdict"] for n, w in f["witnesses"].items()} for f in documents["once"]["functions"]]
    assert set(verdicts[1]) == {"certified", "engine", "differences", "torch", "jax"}
    assert set(verdicts[1].values()) == {"AGREES"}
    assert [f["passed"] for f in documents["once"]["functions"]] == [False, True, True, True]


def test_another_seed_gives_other_points(specs: Path):
    worst = []
    for seed in ("0", "1"):
        gradcheck("run", "wrong.grad.yaml", "--witness", "engine", "--seed", seed, "--json", "r.json")
        worst.append(json.loads(Path("r.json").read_text())["functions"][0]["power"])
    assert worst[0] != worst[1]


def test_times_are_the_only_thing_left_out():
    assert timeless({"a": [{"seconds": 1, "b": 2}], "seconds_in_witnesses": 3}) == {"a": [{"b": 2}]}
