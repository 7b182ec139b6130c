"""Does a seed bring back the same failing point, in another process, on two workers, in pytest; and does its id?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck import cli

MODULE = "gradcheck_tests_reproducible_rules"
CODE = """
import numpy as np

def product(x):
    return np.prod(x)

def product_vjp(x, ct):
    return ct * np.prod(x) / np.where(x == 0, 1, x)  # wrong at zeros
"""
SPEC = f"""gradcheck: 1
functions:
  product:
    inputs: {{x: {{shape: [n]}}}}
    value: prod(x)
    gradient: {{x: "prod(where(eye(n) == 1, 1, x[None, :] * ones((n, 1))), axis=1)"}}
    implementations: {{numpy: {{value: "{MODULE}:product", vjp: "{MODULE}:product_vjp"}}}}
  second:
    inputs: {{x: {{}}}}
    value: sin(x)
    gradient: {{x: -cos(x)}}
"""
SETTINGS = f'[tool.gradcheck]\nallow-imports = ["{MODULE}"]\npython-path = ["."]\nstore = "kept"\n'
ASKED = ("--witness", "engine", "--witness", "differences", "--profile", "quick", "--seed", "7")


def test_the_seed_and_the_id_bring_back_the_same_point(python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, text in {"a.grad.yaml": SPEC, f"{MODULE}.py": CODE, "pyproject.toml": SETTINGS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    asked = [word.replace("--", "--gradcheck-") for word in ASKED]
    here = CliRunner().invoke(cli.main, ["run", "a.grad.yaml", *ASKED, "--store", "one"])
    sys.modules.pop(MODULE, None)
    ran = [
        python("-m", "gradcheck", "run", "a.grad.yaml", *ASKED, "--store", "two", "--workers", "2"),
        python("-m", "pytest", "-p", "no:cacheprovider", "a.grad.yaml", *asked, PYTEST_ADDOPTS=""),
    ]
    assert [r.returncode for r in ran] == [here.exit_code, 1] == [1, 1], "\n".join(r.stdout + r.stderr for r in ran)
    assert all("seed 7, profile quick" in said for said in (here.stdout, ran[0].stdout))
    stores = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two", "kept")]
    assert len(stores[0]) == 2
    assert stores[0] == stores[1] == stores[2]
    id = next(name.removesuffix(".json") for name in stores[0] if name.startswith("product-"))
    assert all(f"replay: gradcheck replay {id}" in said for said in (here.stdout, *(r.stdout for r in ran)))
    again = CliRunner().invoke(cli.main, ["replay", id, *ASKED[:4]])  # what the process of pytest has stored
    sys.modules.pop(MODULE, None)
    assert (again.exit_code, again.stdout.split(":")[0]) == (1, f"FAILED {id}")
    assert "x = [0]: the vjp in x, element [0], is 1 by claim" in again.stdout
    assert "implementation:numpy reverse: DISAGREES" in again.stdout
    assert "- {x: [0], value: 0, gradient: {x: [1]}}" in again.stdout


@pytest.mark.parametrize("seed", [1, 2])
def test_that_a_seed_makes_a_difference(tmp_path: Path, seed: int):
    """So the test above can fail: before shrinking, other seeds give other points."""
    from gradcheck.cases import build, plans
    from gradcheck.spec import load

    path = tmp_path / "a.grad.yaml"
    path.write_text(SPEC, encoding="utf-8")
    spec = load(str(path)).functions[1]
    here, there = (build(spec, plans(spec, s, 1, 1)[0], 16) for s in (0, seed))
    assert here is not None
    assert there is not None
    assert here.inputs["x"].tolist() != there.inputs["x"].tolist()
