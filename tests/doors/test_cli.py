"""Does the command line do what it says, end with the right code, and tell mistakes where they belong?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gradcheck import __version__, cli
from gradcheck.oracles import hearing

QUICK = ("--profile", "quick", "--witness", "engine", "--witness", "differences")


def gradcheck(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


def run(*words: str) -> Result:
    return gradcheck("run", *words, *QUICK)


def test_right_functions_end_with_0(specs: Path):
    result = run("right.grad.yaml", "planted.grad.yaml", "behaviour.grad.yaml")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 of 1 function is right")
    assert result.stderr == ""


def test_a_wrong_function_ends_with_1_and_is_explained(specs: Path):
    result = run("right.grad.yaml", "wrong.grad.yaml")
    assert result.exit_code == 1
    assert "[2/2] norm: claim disproved\n" in result.stdout
    assert "replay: gradcheck replay norm-" in result.stdout
    assert "Traceback" not in result.output


def test_unwitnessed_ends_with_1(specs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "WITNESSES", dict(hearing.WITNESSES))
    monkeypatch.setattr(hearing.Hearing, "one", lambda self, name: hearing.Silence(name, hearing.Reason.ABSENT, "gone"))
    result = run("right.grad.yaml")
    assert result.exit_code == 1
    assert "unwitnessed" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("broken.grad.yaml",), "broken.grad.yaml:5:12: odd.value: unknown function 'sinn'"),
        (("none.grad.yaml",), "none.grad.yaml"),
        (("right.grad.yaml", "--witness", "torhc"), "there is no witness 'torhc'"),
        (("right.grad.yaml", "--witness", "torhc"), "did you mean 'torch'?"),
        (("right.grad.yaml", "--profile", "quik"), "quik"),
        (("right.grad.yaml", "--workers", "0"), "--workers"),
        (("right.grad.yaml", "--seed", "x"), "--seed"),
        (("right.grad.yaml", "--nonsense"), "--nonsense"),
        ((), "PATHS"),
    ],
)
def test_what_cannot_be_judged_ends_with_2_and_says_why_on_stderr(specs: Path, words: tuple[str, ...], message: str):
    result = gradcheck("run", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_demanded_backend_that_is_missing_ends_with_2(specs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "installed", lambda name: name != "jax")
    result = gradcheck("run", "right.grad.yaml", "--witness", "jax")
    assert result.exit_code == 2
    assert result.stderr == "witness 'jax' was asked for but 'jax' is not installed; install gradcheck[jax]\n"


def test_a_missing_backend_that_nobody_demanded_is_a_counted_silence(specs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "installed", lambda name: name not in ("torch", "jax"))
    result = gradcheck("run", "right.grad.yaml", "--profile", "quick", "--json", "r.json")
    assert result.exit_code == 0
    assert json.loads(Path("r.json").read_text())["summary"]["silent"] == 2
    assert "silent" in result.stdout.splitlines()[0]


def test_a_fault_of_our_own_ends_with_3_and_says_so(specs: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*words: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("gradcheck.spec.load_many", broken)
    result = run("right.grad.yaml")
    assert result.exit_code == 3
    assert "ZeroDivisionError: a bug" in result.stderr
    assert result.stderr.endswith("this is a fault of gradcheck, not of your spec\n")


def test_a_fault_while_judging_ends_with_3(specs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gradcheck.run.function.plot_of", lambda spec: 1 / 0)
    result = run("right.grad.yaml")
    assert result.exit_code == 3
    assert "gradcheck failed: ZeroDivisionError" in result.stdout


def test_nothing_to_run_ends_with_5(specs: Path):
    result = run("right.grad.yaml", "-k", "nothing-like-it")
    assert result.exit_code == 5
    assert "nothing ran: no entry matches 'nothing-like-it'" in result.stderr


def test_an_interrupt_ends_with_130(specs: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradcheck.run.function.plot_of", interrupted)
    result = run("right.grad.yaml")
    assert result.exit_code == 130
    assert result.stderr.endswith("interrupted\n")


def test_an_interrupt_does_not_wait_for_the_workers(specs: Path):
    """A real signal, while a worker is busy for ten minutes."""
    Path("slow.py").write_text(
        "import pathlib, time\ndef wait(x):\n    pathlib.Path('begun').touch()\n    time.sleep(600)\n", encoding="utf-8"
    )
    Path("pyproject.toml").write_text(
        '[tool.gradcheck]\nallow-imports = ["slow"]\npython-path = ["."]\n', encoding="utf-8"
    )
    spec = "gradcheck: 1\nfunctions:\n  slow:\n    inputs: {x: {}}\n    value: x\n    gradient: {x: 1}\n"
    Path("slow.grad.yaml").write_text(spec + "    implementations: {numpy: {value: 'slow:wait'}}\n", encoding="utf-8")
    # where a test run was started in the background, SIGINT is ignored and the child inherits that
    start = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); import gradcheck.cli as c; c.main()"
    words = [sys.executable, "-c", start, "run", "slow.grad.yaml", *QUICK, "--workers", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        try:
            while not Path("begun").exists():
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, complaints
    assert "interrupted" in complaints


def test_a_process_ends_with_the_same_codes(specs: Path, python):
    result = python("-m", "gradcheck", "run", "wrong.grad.yaml", *QUICK)
    assert (result.returncode, result.stderr) == (1, "")
    result = python("-m", "gradcheck", "lint", "broken.grad.yaml")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean 'sin'?" in result.stderr


@pytest.mark.parametrize(("text", "names"), [("sin", {"sine"}), ("smooth", {"sine"}), ("o", {"norm", "sine"}), ("", 2)])
def test_k_selects_by_name_and_tag(specs: Path, text: str, names: Any):
    run("right.grad.yaml", "wrong.grad.yaml", "-k", text, "--json", "r.json")
    found = {f["id"] for f in json.loads(Path("r.json").read_text())["functions"]}
    assert found == names if isinstance(names, set) else len(found) == names


def test_json_lines_and_page_are_written_where_they_are_wanted(specs: Path):
    result = run(
        "wrong.grad.yaml", "right.grad.yaml", "--json", "a/r.json", "--jsonl", "b/r.jsonl", "--html", "c/r.html"
    )
    assert result.exit_code == 1
    whole = json.loads(Path("a/r.json").read_text())
    assert whole["gradcheck_run"] == 1
    assert set(whole) == {
        *("gradcheck_run", "version", "seed", "profile", "command", "versions", "machine", "witnesses", "summary"),
        "functions",
    }
    assert [f["id"] for f in whole["functions"]] == ["norm", "sine"]
    assert [json.loads(line) for line in Path("b/r.jsonl").read_text().splitlines()] == whole["functions"]
    assert Path("c/r.html").read_text().startswith("<!doctype html>")
    assert "report: c/r.html" in result.stdout


@pytest.mark.parametrize("option", ["--json", "--jsonl", "--html"])
def test_a_place_that_cannot_be_written_ends_with_2(specs: Path, option: str):
    result = run("right.grad.yaml", option, "right.grad.yaml/r")
    assert result.exit_code == 2
    assert "right.grad.yaml/r cannot be written" in result.stderr


def test_the_command_of_a_run_gives_it_again(specs: Path):
    Path("a b.grad.yaml").write_text(Path("right.grad.yaml").read_text(), encoding="utf-8")
    run("a b.grad.yaml", "-k", "sin", "--seed", "7", "--no-imports", "--workers", "1", "--json", "r.json")
    assert json.loads(Path("r.json").read_text())["command"] == (
        "gradcheck run 'a b.grad.yaml' -k sin --witness engine --witness differences --no-imports --seed 7"
        " --profile quick"
    )


def test_a_dtype_may_be_asked_for(specs: Path):
    pytest.importorskip("torch")
    words = ("--witness", "engine", "--witness", "torch", "--dtype", "float64", "--dtype", "float32")
    result = gradcheck("run", "right.grad.yaml", "--profile", "quick", *words, "--json", "r.json", "-v")
    assert result.exit_code == 0
    assert "torch float32" in result.stdout
    record = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert record["functions"][0]["witnesses"]["torch float32"]["verdict"] == "AGREES"
    assert "--dtype float64 --dtype float32" in record["command"]
    assert gradcheck("run", "right.grad.yaml", "--dtype", "float8").exit_code == 2


def test_report_shows_a_run_again_with_its_exit_code(specs: Path):
    shown = run("wrong.grad.yaml", "--json", "r.json")
    again = gradcheck("report", "r.json")
    assert again.exit_code == 1
    assert again.stdout in shown.stdout
    page = gradcheck("report", "r.json", "--html", "r.html")
    assert (page.exit_code, page.stdout) == (1, "report: r.html\n")
    assert "norm" in Path("r.html").read_text()


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_report_of_what_is_no_run_ends_with_2(specs: Path, text: str | None):
    if text is not None:
        Path("r.json").write_text(text, encoding="utf-8")
    result = gradcheck("report", "r.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("r.json ")


def test_replay_tells_failed_fixed_and_error(specs: Path):
    nothing = gradcheck("replay")
    assert (nothing.exit_code, nothing.stdout) == (5, "no failure is stored in .gradcheck/failures\n")
    run("wrong.grad.yaml")
    (path,) = Path(".gradcheck/failures").iterdir()
    name = path.stem
    told = "at x = [1]: the vjp in x, element [0], is 2 by claim; 1 by engine reverse, differences"
    everything = gradcheck("replay")
    assert (everything.exit_code, everything.stdout) == (1, f"FAILED {name}: {told}\n")
    failed = gradcheck("replay", name)
    assert failed.exit_code == 1
    assert failed.stdout.startswith(f"FAILED {name}: at x = [1]")
    assert "\n  torch reverse: DISAGREES: " in failed.stdout
    text = Path("wrong.grad.yaml").read_text()
    Path("wrong.grad.yaml").write_text(text.replace("2*x", "x / value"), encoding="utf-8")
    fixed = gradcheck("replay", name)
    assert (fixed.exit_code, fixed.stdout.split()[0]) == (0, "FIXED")
    Path("wrong.grad.yaml").write_text(text.replace("norm:", "length:"), encoding="utf-8")
    error = gradcheck("replay", name)
    assert (error.exit_code, error.stdout) == (2, "")
    assert error.stderr == f"ERROR {name}: wrong.grad.yaml has no function 'norm' any more\n"
    Path(".gradcheck/failures/other.json").write_text("{}", encoding="utf-8")
    everything = gradcheck("replay")
    assert (everything.exit_code, everything.stderr.count("ERROR")) == (2, 2)
    unknown = gradcheck("replay", name + "x")
    assert unknown.exit_code == 2
    assert f"did you mean '{name}'?" in unknown.stderr


def test_without_a_store_nothing_is_kept_nor_promised(specs: Path):
    result = run("wrong.grad.yaml", "--no-store")
    assert not Path(".gradcheck").exists()
    assert "replay: gradcheck run wrong.grad.yaml -k norm --seed 0 --profile quick" in result.stdout


def test_refused_imports_end_with_0_and_a_silence(specs: Path):
    text = Path("right.grad.yaml").read_text() + "    implementations: {numpy: {value: 'antigravity:geohash'}}\n"
    Path("own.grad.yaml").write_text(text, encoding="utf-8")
    assert run("own.grad.yaml").exit_code == 1
    assert run("own.grad.yaml", "--no-imports").exit_code == 0
    assert "antigravity" not in sys.modules


def test_lint_counts_what_it_read(specs: Path):
    result = gradcheck("lint", "right.grad.yaml", "behaviour.grad.yaml")
    assert result.exit_code == 0
    assert result.stdout.endswith("2 files, 1 functions and 1 behaviours: no complaints\n")
    broken = gradcheck("lint", ".")
    assert broken.exit_code == 2
    assert broken.stderr.count("broken.grad.yaml:5:12") == 1


def test_schema_is_json(specs: Path):
    result = gradcheck("schema")
    assert result.exit_code == 0
    assert {"functions", "semantics", "gradcheck"} <= set(json.loads(result.stdout)["properties"])


def test_doctor_says_who_is_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "installed", lambda name: name != "jax")
    result = gradcheck("doctor")
    assert result.exit_code == 0
    assert f"gradcheck {__version__}\n" in result.stdout
    assert "witness engine: ready\n" in result.stdout
    assert "witness jax: silent, jax is not installed\n" in result.stdout


@pytest.mark.parametrize("name", sorted(cli.main.commands))
def test_every_command_explains_itself(name: str):
    result = gradcheck(name, "--help")
    assert result.exit_code == 0
    assert (cli.main.commands[name].help or "").split("\n")[0][:40] in result.stdout


def test_the_help_names_every_exit_code():
    words = " ".join(gradcheck("--help").stdout.split())
    for code in ("0 clean", "1 a derivative is wrong", "2 could not judge", "3 a fault", "5 nothing ran", "130 inter"):
        assert code in words
    assert gradcheck("--version").stdout == f"gradcheck, version {__version__}\n"


HEAVY = ("torch", "jax", "flint", "numpy")
WATCH = """
import sys
try:
    {code}
except SystemExit:
    pass
print("imported:", *sorted(set({heavy}) & set(sys.modules)))
"""


def imported(python, code: str, **how: Any) -> set[str]:
    """Which of the heavy libraries a process of its own imports."""
    result = python("-c", WATCH.format(code=code, heavy=HEAVY), **how)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.strip().splitlines()[-1].split()[1:])


def test_help_imports_no_library_and_lint_no_framework(python):
    assert imported(python, "from gradcheck.cli import main; main(['--help'])") == set()
    lint = "from gradcheck.cli import main; main(['lint', 'specs'])"
    assert imported(python, lint, cwd=Path(__file__).parents[2]) <= {"numpy"}


def test_that_test_can_fail(python, tmp_path: Path):
    (tmp_path / "torch.py").write_text("", encoding="utf-8")
    assert imported(python, "import torch", PYTHONPATH=str(tmp_path)) == {"torch"}


def test_a_broken_pipe_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch, specs: Path):
    def closed(*words: object, **how: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(click, "echo", closed)
    result = gradcheck("schema")
    assert result.exit_code == 1
    assert "fault of gradcheck" not in result.output
