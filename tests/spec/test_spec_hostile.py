"""Is every hostile or broken file refused with its own message, and nothing in it run?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_files import FOLDER, MADE, MARKER, assert_nothing_ran, assert_refused, manifest, matches

from gradcheck.errors import SpecErrors
from gradcheck.spec import load, load_many

EXPECTED = manifest()
VALID = "gradcheck: 1\nfunctions:\n  f: {inputs: {x: {}}, value: x**2, gradient: {x: 2*x}}\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are made, and injections would leave their marks, in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


def test_every_file_is_in_the_manifest() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.grad.yaml")) == sorted(EXPECTED)
    assert len(EXPECTED) >= 60


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_refused(name: str) -> None:
    assert_refused(str(FOLDER / name), EXPECTED[name])


@pytest.mark.parametrize("name", sorted(MADE))
def test_made_refused(name: str) -> None:
    make, expected = MADE[name]
    make(Path(name))
    assert_refused(name, expected)


def test_a_directory_is_no_file() -> None:
    Path("folder.grad.yaml").mkdir()
    with pytest.raises(SpecErrors, match="1:1: this is a directory; expected a spec file"):
        load("folder.grad.yaml")
    with pytest.raises(SpecErrors, match=r"1:1: no \*.grad.yaml file in this directory; expected at least one"):
        load_many(["folder.grad.yaml"])


def test_all_at_once() -> None:
    with pytest.raises(SpecErrors) as refusal:
        load_many([FOLDER])
    assert {Path(error.file).name for error in refusal.value.errors} == set(EXPECTED)
    assert_nothing_ran()


class TestTheHarness:
    """A check that cannot fail is none: lies are planted, and must be found."""

    def test_a_valid_file_is_not_refused(self) -> None:
        Path("valid.grad.yaml").write_text(VALID)
        with pytest.raises(AssertionError, match="was accepted"):
            assert_refused("valid.grad.yaml", ["1:1: anything"])

    @pytest.mark.parametrize(
        "expected",
        [
            [],
            ["6:12: f.value: another message"],
            ["6:13: " + EXPECTED["inject_call_open.grad.yaml"][0][6:], "9:9: more"],
        ],
    )
    def test_another_message_is_noticed(self, expected: list[str]) -> None:
        with pytest.raises(AssertionError, match="expected"):
            assert_refused(str(FOLDER / "inject_call_open.grad.yaml"), expected)

    def test_a_mark_is_noticed(self) -> None:
        Path(MARKER).touch()
        with pytest.raises(AssertionError, match="an injection ran"):
            assert_refused(str(FOLDER / "inject_call_open.grad.yaml"), EXPECTED["inject_call_open.grad.yaml"])

    def test_the_injection_would_run_in_python(self) -> None:
        exec("open('PWNED', 'w').close()", {})
        with pytest.raises(AssertionError, match="an injection ran"):
            assert_nothing_ran()

    @pytest.mark.parametrize(
        ("found", "expected", "same"),
        [
            (["a", "b"], ["a", "b"], True),
            (["a"], ["a", "b"], False),
            (["a", "x", "b"], ["a", "...", "b"], True),
            (["a", "b"], ["a", "...", "b"], True),
            (["a"], ["a", "...", "a"], False),
            (["a", "x"], ["a", "...", "b"], False),
        ],
    )
    def test_dots(self, found: list[str], expected: list[str], same: bool) -> None:
        assert matches(found, expected) is same
