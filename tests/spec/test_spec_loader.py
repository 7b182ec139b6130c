"""Are many files read in order, each once, and all their complaints told?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck.errors import SpecErrors
from gradcheck.spec import lint, load, load_many

Write = Callable[..., str]
ROOT = Path(__file__).parents[2]
LIBRARIES = ("torch", "jax", "scipy.stats", "sympy", "hypothesis", "matplotlib", "flint", "rich", "click")


def one(name: str, value: str = "x") -> str:
    return f"gradcheck: 1\nfunctions:\n  {name}: {{inputs: {{x: }}, value: {value}, vjp: {{x: ct}}}}\n"


def test_files_and_directories(write: Write) -> None:
    Path("s/deep").mkdir(parents=True)
    Path("s/.hidden").mkdir()
    for name in ("s/b", "s/a", "s/deep/c", "s/.hidden/d", "z"):
        write(one(name.replace("/", "_").replace(".", "_")), f"{name}.grad.yaml")
    write("not a spec", "s/other.yaml")
    files = load_many(["z.grad.yaml", "s", "s/a.grad.yaml", Path("s") / "deep"])
    assert [file.path for file in files] == ["z.grad.yaml", "s/a.grad.yaml", "s/b.grad.yaml", "s/deep/c.grad.yaml"]
    assert files[1].functions[0].place.file == "s/a.grad.yaml"


def test_complaints_of_all_files(write: Write) -> None:
    write(one("f", "q"), "b.grad.yaml")
    write(one("g", "q") + one("h", "r").split("\n", 2)[2], "a.grad.yaml")
    with pytest.raises(SpecErrors) as refusal:
        load_many(["b.grad.yaml", "none.grad.yaml", "a.grad.yaml"])
    assert [(error.file, error.line) for error in refusal.value.errors] == [
        ("b.grad.yaml", 3), ("none.grad.yaml", 1), ("a.grad.yaml", 3), ("a.grad.yaml", 4),
    ]  # fmt: skip
    assert refusal.value.exit_code == 2


def test_names_are_used_once(write: Write) -> None:
    write(one("f"), "a.grad.yaml")
    write(one("f"), "b.grad.yaml")
    with pytest.raises(SpecErrors) as refusal:
        load_many(["a.grad.yaml", "b.grad.yaml"])
    assert str(refusal.value) == (
        "b.grad.yaml:3:3: f: this name is used before, in a.grad.yaml:3; expected a name of its own"
    )


def test_nothing_to_read(write: Write) -> None:
    assert load_many([]) == ()
    Path("empty").mkdir()
    with pytest.raises(SpecErrors, match=r"empty:1:1: no \*\.grad\.yaml file in this directory"):
        load_many(["empty"])


def test_lint_tells_both(write: Write) -> None:
    good, bad = lint(write(one("f"))), lint(write(one("f", "q"), "b.grad.yaml"))
    assert (good.file is None, len(good.errors)) == (False, 0)
    assert (bad.file is None, len(bad.errors)) == (True, 1)


def test_the_documented_examples_are_sound(write: Write) -> None:
    """The behaviour shown in the format's own description can be loaded."""
    text = (ROOT / "docs" / "spec-format.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```yaml\n")[1:]]
    shown = [block for block in blocks if "{…}" not in block]
    assert shown
    for block in shown:
        assert load(write(block if block.startswith("gradcheck:") else "gradcheck: 1\n" + block))


def test_a_thousand_functions(write: Write) -> None:
    body = one("f", "x*sin(x)").split("\n")[2]
    text = "gradcheck: 1\nfunctions:\n" + "\n".join(body.replace("  f:", f"  f{i}:", 1) for i in range(1000))
    assert len(load(write(text)).functions) == 1000


def _modules_after(code: str) -> set[str]:
    script = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split()
    )


def test_the_import_is_light(write: Write) -> None:
    loaded = _modules_after(f"from gradcheck.spec import load\nload({str(Path(write(one('f'))).resolve())!r})")
    assert not loaded.intersection(LIBRARIES)
    assert "gradcheck.spec.loader" in loaded


def test_that_test_can_fail() -> None:
    assert _modules_after("import scipy.stats").intersection(LIBRARIES) == {"scipy.stats"}
