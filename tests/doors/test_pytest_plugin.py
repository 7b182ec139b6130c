"""What does pytest make of spec files, and does it tell the same as the command line?"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

import gradcheck
from gradcheck.oracles import hearing
from gradcheck.report import explain
from gradcheck.run import PROFILES, Config, entries, outcomes
from gradcheck.spec import load

QUICK = ("--gradcheck-witness", "engine", "--gradcheck-witness", "differences")


@pytest.fixture(scope="module", autouse=True)
def _libraries(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Everything that judging imports is imported before a run inside this process forgets its new modules again.

    (PyTorch cannot be imported twice, and imports parts of itself only when they are needed.)
    """
    import gradcheck.run.failures.replay
    import gradcheck.run.settings  # noqa: F401

    path = tmp_path_factory.mktemp("warm") / "a.grad.yaml"
    path.write_text(
        "gradcheck: 1\nfunctions:\n  f:\n    inputs: {x: {}}\n    dtypes: [float64, float32]\n"
        "    value: erf(x)\n    gradient: {x: x}\n"
    )
    explain(next(outcomes(entries([load(path)]), Config(profile=PROFILES["quick"]))))


@pytest.fixture
def inside(specs: Path, pytester: pytest.Pytester) -> pytest.Pytester:
    """A pytest of its own, where no spec is broken."""
    for path in specs.glob("*.grad.yaml"):
        if path.name != "broken.grad.yaml":
            (pytester.path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return pytester


def names(result: pytest.RunResult) -> list[str]:
    """The items that were collected, with the files they are in."""
    return [line for line in result.outlines if "::" in line and " " not in line]


def collect(inside: pytest.Pytester, *words: str) -> list[str]:
    return names(inside.runpytest_inprocess("--collect-only", "-q", *words))


def test_an_item_for_every_witness_and_one_for_the_verdict(inside: pytest.Pytester):
    assert collect(inside, "right.grad.yaml") == [
        "right.grad.yaml::sine/float64@certified",
        "right.grad.yaml::sine/float64@engine",
        "right.grad.yaml::sine/float64@differences",
        "right.grad.yaml::sine/float64@torch",
        "right.grad.yaml::sine/float64@jax",
        "right.grad.yaml::sine/float64@verdict",
    ]


def test_every_dtype_has_items_of_its_own(inside: pytest.Pytester):
    text = (inside.path / "right.grad.yaml").read_text(encoding="utf-8")
    narrow = text.replace("    value:", "    dtypes: [float64, float32]\n    value:", 1)
    assert narrow != text
    (inside.path / "narrow.grad.yaml").write_text(narrow, encoding="utf-8")
    assert collect(inside, "narrow.grad.yaml", "-k", "float32") == [
        "narrow.grad.yaml::sine/float32@torch",
        "narrow.grad.yaml::sine/float32@jax",
    ]
    asked = collect(inside, "right.grad.yaml", "--gradcheck-dtype", "bfloat16", "--gradcheck-witness", "torch")
    assert asked == ["right.grad.yaml::sine/bfloat16@torch", "right.grad.yaml::sine/float64@verdict"]
    result = inside.runpytest_inprocess("narrow.grad.yaml", "-k", "float32 and torch")
    result.assert_outcomes(passed=1, deselected=len(collect(inside, "narrow.grad.yaml")) - 1)


def test_a_demand_that_is_missed_fails_the_witness_and_the_verdict(inside: pytest.Pytester):
    pytest.importorskip("torch")
    (inside.path / "demand.grad.yaml").write_text(
        "gradcheck: 1\nfunctions:\n  f:\n    inputs: {x: {}}\n    value: x/3 + x\n    derivative: {x: 4/3}\n"
        "    dtypes: [float32]\n    accuracy: {ulp: 0.01}\n", encoding="utf-8",
    )  # fmt: skip
    result = inside.runpytest_inprocess(
        "demand.grad.yaml", "--gradcheck-witness", "engine", "--gradcheck-witness", "torch"
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*more than 0.01 units in the last place off, which the spec does not allow*"])


def test_a_behaviour_has_the_witnesses_with_a_tape(inside: pytest.Pytester):
    found = collect(inside, "behaviour.grad.yaml")
    assert [name.partition("@")[2] for name in found] == ["engine", "torch", "jax", "verdict"]


def test_what_is_planted_has_a_verdict_only_and_passes(inside: pytest.Pytester):
    assert collect(inside, "planted.grad.yaml") == ["planted.grad.yaml::doubled/float64@verdict"]
    inside.runpytest_inprocess("planted.grad.yaml", *QUICK).assert_outcomes(passed=1)


def test_an_implementation_has_an_item_of_its_own(inside: pytest.Pytester):
    (inside.path / "own.py").write_text("import numpy\nsine = numpy.sin\n", encoding="utf-8")
    text = (inside.path / "right.grad.yaml").read_text() + "    implementations: {numpy: {value: 'own:sine'}}\n"
    (inside.path / "own.grad.yaml").write_text(text, encoding="utf-8")
    inside.makepyprojecttoml('[tool.gradcheck]\nallow-imports = ["own"]\npython-path = ["."]\n')
    assert "own.grad.yaml::sine/float64@implementation:numpy" in collect(inside, "own.grad.yaml")
    refused = inside.runpytest_inprocess("own.grad.yaml", *QUICK, "--gradcheck-no-imports", "-rs")
    refused.assert_outcomes(passed=3, skipped=1)
    refused.stdout.fnmatch_lines(["*implementation:numpy is silent: imports are refused (--no-imports)*"])


def test_no_name_has_brackets(inside: pytest.Pytester):
    found = collect(inside, ".")
    assert len(found) == 6 + 6 + 1 + 4
    assert not any(set(name) & set("[]()") for name in found)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("-k", "engine"), 3),
        (("-k", "sine"), 3),
        (("-k", "smooth"), 3),
        (("-k", "verdict and not norm"), 3),
        (("-m", "gradcheck"), 9),
        (("-m", "not gradcheck"), 1),
        (("right.grad.yaml::sine/float64@engine",), 1),
    ],
)
def test_items_are_selected_as_tests_are(inside: pytest.Pytester, words: tuple[str, ...], count: int):
    inside.makepyfile("def test_of_their_own(): pass")
    assert len(collect(inside, *QUICK, *words)) == count


def test_a_right_function_passes_and_a_wrong_one_fails_with_its_explanation(inside: pytest.Pytester, specs: Path):
    result = inside.runpytest_inprocess("right.grad.yaml", "wrong.grad.yaml", *QUICK)
    result.assert_outcomes(passed=3, failed=3)
    (entry,) = entries([load("wrong.grad.yaml")])
    settings = Config(("engine", "differences"), PROFILES["quick"], store=str(inside.path / "unused"))
    expected = explain(next(outcomes([entry], settings)))
    sections, _, _ = str(result.stdout).partition(
        "short test summary info"
    )  # which is cut short, but not where CI is set
    assert sections.count(expected) == 3
    assert "Traceback" not in str(result.stdout)
    assert "FAILED wrong.grad.yaml::norm/float64@verdict" in str(result.stdout)


def test_a_failure_can_be_replayed_from_where_pytest_was_called(inside: pytest.Pytester):
    result = inside.runpytest_inprocess("wrong.grad.yaml", *QUICK)
    (path,) = (inside.path / ".gradcheck" / "failures").iterdir()
    result.stdout.fnmatch_lines([f"  replay: gradcheck replay {path.stem}"])
    assert '"file": "wrong.grad.yaml"' in path.read_text()


def test_x_stops_at_the_first_and_lf_repeats_the_failed_ones(inside: pytest.Pytester):
    inside.runpytest_inprocess(".", *QUICK, "-x").assert_outcomes(passed=6, failed=1)
    inside.runpytest_inprocess(".", *QUICK).assert_outcomes(passed=6, failed=3)
    result = inside.runpytest_inprocess(".", *QUICK, "--lf", "-v")
    result.assert_outcomes(failed=3)
    assert "sine" not in str(result.stdout)


def test_an_entry_is_judged_once_for_all_its_items(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    from gradcheck.run import runner

    judged: list[str] = []
    honest = runner.judge_entry
    monkeypatch.setattr(runner, "judge_entry", lambda e, c: judged.append(e.id) or honest(e, c))
    inside.runpytest_inprocess(".", *QUICK)
    assert sorted(judged) == ["accumulates", "doubled", "norm", "sine"]


def test_junit_xml_has_the_properties(inside: pytest.Pytester):
    inside.runpytest_inprocess("wrong.grad.yaml", *QUICK, "--junitxml=j.xml")
    cases = list(ElementTree.parse(inside.path / "j.xml").iter("testcase"))
    assert [case.get("name") for case in cases] == [f"norm/float64@{w}" for w in ("engine", "differences", "verdict")]
    for case in cases:
        found = {p.get("name"): p.get("value") for p in case.iter("property")}
        assert found["gradcheck_verdict"] == "DISAGREES"
        assert found["gradcheck_blame"] == "claim"
        assert (found["gradcheck_replay"] or "").startswith("gradcheck replay norm-")
        failure = case.find("failure")
        assert failure is not None
        assert "at x = [1]" in (failure.text or "")
    assert "numbers differ by more than their bars" in ElementTree.tostring(cases[0], encoding="unicode")


def test_a_silent_witness_is_skipped_with_its_reason(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "installed", lambda name: name not in ("torch", "jax"))
    result = inside.runpytest_inprocess("right.grad.yaml", "-rs")
    result.assert_outcomes(passed=4, skipped=2)
    result.stdout.fnmatch_lines(["*torch is silent: torch is not installed", "*jax is silent: jax is not installed"])


def test_an_undecided_witness_does_not_look_like_a_pass(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    from gradcheck.run import runner
    from gradcheck.run.outcome import WitnessResult

    honest = runner.judge_entry

    def judge(entry, config):
        outcome = honest(entry, config)
        outcome.witnesses["differences"] = WitnessResult("UNDECIDED", "its bars are too wide", {})
        return outcome

    monkeypatch.setattr(runner, "judge_entry", judge)
    result = inside.runpytest_inprocess("right.grad.yaml", *QUICK, "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*differences is undecided: its bars are too wide"])


def test_an_unwitnessed_function_fails(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    silent = hearing.Reason.ABSENT
    monkeypatch.setattr(hearing.Hearing, "one", lambda self, name: hearing.Silence(name, silent, "gone"))
    result = inside.runpytest_inprocess("right.grad.yaml", *QUICK)
    result.assert_outcomes(failed=1, skipped=2)
    result.stdout.fnmatch_lines(["*no independent witness agrees with the claimed vjp:x*"])


def test_a_fault_of_our_own_fails_every_item(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gradcheck.run.function.plot_of", lambda spec: 1 / 0)
    result = inside.runpytest_inprocess("right.grad.yaml", *QUICK)
    result.assert_outcomes(failed=3)
    assert "gradcheck failed: ZeroDivisionError" in str(result.stdout)


def test_a_broken_spec_is_an_error_of_collection_with_its_place(inside: pytest.Pytester, specs: Path):
    (inside.path / "broken.grad.yaml").write_text((specs / "broken.grad.yaml").read_text(), encoding="utf-8")
    result = inside.runpytest_inprocess("broken.grad.yaml")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["broken.grad.yaml:5:12: odd.value: unknown function 'sinn'*did you mean 'sin'?"])
    assert "Traceback" not in str(result.stdout)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gradcheck-witness", "torhc"), "there is no witness 'torhc'*did you mean 'torch'?"),
        (("--gradcheck-witness", "jax"), "witness 'jax' was asked for but 'jax' is not installed*"),
    ],
)
def test_a_witness_that_cannot_be_heard_is_an_error(inside: pytest.Pytester, monkeypatch, words, message):
    monkeypatch.setattr(hearing, "installed", lambda name: name != "jax")
    result = inside.runpytest_inprocess("right.grad.yaml", *words)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_mistakes_in_the_settings_are_errors(inside: pytest.Pytester):
    unknown = inside.runpytest_inprocess("right.grad.yaml", "--gradcheck-profile", "quik")
    assert unknown.ret == pytest.ExitCode.USAGE_ERROR
    inside.makepyprojecttoml("[tool.gradcheck]\nallow_imports = []\n")
    result = inside.runpytest_inprocess("right.grad.yaml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*has no key 'allow_imports'; did you mean 'allow-imports'?"])


def test_options_reach_the_runner(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    from gradcheck.run import runner

    seen: list[Config] = []
    honest = runner.judge_entry
    monkeypatch.setattr(runner, "judge_entry", lambda e, c: seen.append(c) or honest(e, c))
    options = ("--gradcheck-seed", "7", "--gradcheck-no-imports", "--gradcheck-profile", "default")
    inside.runpytest_inprocess("right.grad.yaml", *QUICK, *options).assert_outcomes(passed=3)
    (config,) = seen
    assert (config.seed, config.allowed, config.profile.name) == (7, None, "default")
    assert config.witnesses == ("engine", "differences")


def test_warnings_as_errors_change_no_verdict(inside: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    from gradcheck.run import runner

    honest = runner.judge_entry

    def judge(entry, config):
        import warnings

        warnings.warn("a library is going to change", DeprecationWarning, stacklevel=1)
        return honest(entry, config)

    monkeypatch.setattr(runner, "judge_entry", judge)
    result = inside.runpytest_inprocess("right.grad.yaml", *QUICK, "-W", "error")
    result.assert_outcomes(passed=3, warnings=1)


def test_xdist_gives_the_same(inside: pytest.Pytester):
    result = inside.runpytest_inprocess(".", *QUICK, "-n", "2", "-rA")
    result.assert_outcomes(passed=6, failed=3)
    alone = inside.runpytest_inprocess(".", *QUICK, "-rA")
    assert _told(result) == _told(alone)


def _told(result: pytest.RunResult) -> list[str]:
    return sorted(line.split(" - ")[0] for line in result.outlines if line.startswith(("PASSED", "FAILED")))


def test_the_plugin_pulls_in_only_pytest_and_the_standard_library(python):
    code = """
import sys, pytest
before = set(sys.modules)
import gradcheck.pytest_plugin, gradcheck
tops = {m.partition(".")[0] for m in set(sys.modules) - before}
print(sorted(tops - set(sys.stdlib_module_names)))
import click
print(sorted(m for m in set(sys.modules) - before if m == "click"))
"""
    result = python("-c", code)
    assert result.stdout.splitlines() == ["['gradcheck']", "['click']"], result.stderr  # the second: it would be seen


PARAMETRIZED = """
    import gradcheck

    @gradcheck.parametrize({patterns})
    def test_entry({argument}):
        outcome = {argument}.judge()
        assert outcome.id == {argument}.id
        assert outcome.passed, outcome.sentence
"""


def module(inside: pytest.Pytester, patterns: str, argument: str = "entry") -> None:
    inside.makepyfile(test_own=dedent(PARAMETRIZED.format(patterns=patterns, argument=argument)))


def test_parametrize_calls_a_test_for_every_entry(inside: pytest.Pytester):
    module(inside, '"*.grad.yaml"')
    assert collect(inside, "test_own.py") == [
        f"test_own.py::test_entry[{name}]" for name in ("accumulates", "doubled", "sine", "norm")
    ]
    result = inside.runpytest_inprocess("test_own.py", *QUICK)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAILED test_own.py::test_entry[[]norm] - AssertionError: the vjp in x: *"])
    inside.runpytest_inprocess("test_own.py", *QUICK, "-k", "sine or doubled").assert_outcomes(passed=2, deselected=2)


def test_parametrize_finds_files_from_the_root_whatever_the_directory(inside: pytest.Pytester, monkeypatch):
    module(inside, '"right.grad.yaml", "planted.grad.yaml", argument="spec"', "spec")
    inside.makeini("[pytest]\n")
    (inside.path / "below").mkdir()
    monkeypatch.chdir(inside.path / "below")
    inside.runpytest_inprocess("../test_own.py", *QUICK).assert_outcomes(passed=2)


def test_parametrize_takes_a_folder(inside: pytest.Pytester):
    (inside.path / "sub").mkdir()
    (inside.path / "right.grad.yaml").rename(inside.path / "sub" / "right.grad.yaml")
    module(inside, '"sub"')
    inside.runpytest_inprocess("test_own.py", *QUICK).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ('"none/*.grad.yaml"', "no spec file matches 'none/*.grad.yaml' below *"),
        ('"right.grad.yaml", "none"', "no spec file matches 'none' below *"),
        ('"broken.grad.yaml"', "broken.grad.yaml:5:12: odd.value: unknown function 'sinn'*"),
        ("", "*TypeError: gradcheck.parametrize takes at least one pattern of spec files"),
    ],
)
def test_parametrize_by_nothing_or_by_a_broken_file_is_an_error(
    inside: pytest.Pytester, specs: Path, patterns, message
):
    (inside.path / "broken.grad.yaml").write_text((specs / "broken.grad.yaml").read_text(), encoding="utf-8")
    module(inside, patterns)
    result = inside.runpytest_inprocess("test_own.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_the_package_has_nothing_else_to_fetch():
    assert gradcheck.parametrize is sys.modules["gradcheck.pytest_plugin"].parametrize
    with pytest.raises(AttributeError, match="module 'gradcheck' has no attribute 'parametrise'"):
        _ = gradcheck.parametrise  # type: ignore[attr-defined]
