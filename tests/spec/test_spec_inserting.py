"""Does a spec get one example more, and stays all else in it as it was written?"""

from __future__ import annotations

import pytest

from gradcheck.errors import UsageError
from gradcheck.spec.inserting import with_example

FLOW = "{x: 5, value: 3}"
ITEM = [f"- {FLOW}"]
PLAIN = """# head
gradcheck: 1
functions:
  f:   # why
    inputs: {x: {}}
    value: 'sin(x)'
    gradient: {x: cos(x)}   # right
    # of f

  # of g
  g:
    inputs: {x: {}}
    code: |
      y = x

      return y  # not a comment of YAML
"""
BELOW = "    inputs: {x: {}}\n    value: x\n    examples:\n"


def added(text: str, new: str, name: str = "f", note: str = "") -> str:
    """The text with the example, which differs from it by new lines (or words) only."""
    found, line = with_example(text, name, ITEM, FLOW, note)
    assert "x: 5" in found.splitlines()[line - 1]
    assert found.replace(new, "", 1) == text
    return found


def function(body: str) -> str:
    return f"gradcheck: 1\nfunctions:\n  f:\n{body}"


def test_a_function_without_examples_gets_the_key_behind_its_own_comments() -> None:
    found = added(PLAIN, f"    examples:\n      # noted\n      - {FLOW}\n", note="noted")
    assert "    # of f\n    examples:\n" in found


def test_the_last_function_of_a_file_too_even_where_the_last_line_does_not_end() -> None:
    found = added(PLAIN, f"    examples:\n      - {FLOW}\n", "g")
    assert found.endswith(f"not a comment of YAML\n    examples:\n      - {FLOW}\n")
    open_ended, _ = with_example(PLAIN.rstrip("\n"), "g", ITEM, FLOW)
    assert open_ended == found


@pytest.mark.parametrize("indent", ["    ", "      ", "           "])
def test_a_list_goes_on_in_its_own_indent(indent: str) -> None:
    listed = f"{indent}- x: 1\n{indent}  value: 1  # one\n{indent}# the last\n\n"
    found = added(
        function(BELOW + listed) + "  g: {inputs: {x: {}}, value: x, gradient: {x: 1}}\n", f"{indent}- {FLOW}\n"
    )
    assert f"{indent}  value: 1  # one\n{indent}# the last\n{indent}- {FLOW}\n\n  g:" in found.replace(
        f"# one\n{indent}- {FLOW}\n{indent}# the last", f"# one\n{indent}# the last\n{indent}- {FLOW}"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", f"[{FLOW}]"),
        ("[{x: 1, value: 1}]  # one", f"[{{x: 1, value: 1}}, {FLOW}]  # one"),
        ("[{x: 1, value: 1}, ]", f"[{{x: 1, value: 1}}, {FLOW}, ]"),
        ("[\n      {x: 1, value: 1},  # one\n    ]", f"[\n      {{x: 1, value: 1}},\n      {FLOW},  # one\n    ]"),
    ],
    ids=["empty", "one", "comma", "lines"],
)
def test_a_list_in_brackets_goes_on_in_them(before: str, after: str) -> None:
    text = function(f"    inputs: {{x: {{}}}}\n    examples: {before}\n    value: x\n")
    assert with_example(text, "f", ITEM, FLOW, "noted")[0] == text.replace(before, after)


def test_a_function_in_braces_stays_on_its_line() -> None:
    text = "gradcheck: 1\nfunctions: {f: {inputs: {x: {}}, value: 'x' } }  # all\n"
    assert with_example(text, "f", ITEM, FLOW)[0] == text.replace("'x' ", f"'x', examples: [{FLOW}] ")


def test_line_ends_stay() -> None:
    text = PLAIN.replace("\n", "\r\n")
    found, line = with_example(text, "f", ITEM, FLOW)
    assert "\n" not in found.replace("\r\n", "")
    assert found.split("\r\n")[line - 1] == f"      - {FLOW}"


def test_where_it_would_change_anything_else_it_is_refused() -> None:
    """Blank lines at the end of a text that keeps them belong to the text."""
    text = function("    inputs: {x: {}}\n    value: x\n    summary: |+\n      a\n\n\n")
    with pytest.raises(UsageError, match="written in a way that no example can be added to by itself"):
        with_example(text, "f", ITEM, FLOW)
    with pytest.raises(UsageError, match="there is no function 'h'"):
        with_example(PLAIN, "h", ITEM, FLOW)
