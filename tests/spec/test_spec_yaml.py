"""Is YAML 1.2 read, with the right places, and everything else refused?"""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from gradcheck.spec import yaml_nodes
from gradcheck.spec.complaints import LIMIT, Complaints, short
from gradcheck.spec.document import Document
from gradcheck.spec.model import Place
from gradcheck.spec.scalars import NotANumber, resolve

LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


def read(text: str, loader: Any = None) -> Document:
    complaints = Complaints("a.yaml")
    document = yaml_nodes.parse(text, complaints, loader)
    assert document is not None
    assert not complaints.errors()
    return document


def complain(text: str, loader: Any = None) -> list[str]:
    complaints = Complaints("a.yaml")
    yaml_nodes.parse(text, complaints, loader)
    return [str(error) for error in complaints.errors()]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None), ("nULL", "nULL"),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("n", "n"),
        ("0", 0), ("-12", -12), ("+3", 3), ("017", 17), ("0o17", 15), ("0x1F", 31), ("-0x1F", "-0x1F"),
        ("0b11", "0b11"),
        ("1e-6", 1e-6), ("1E3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-1.5e+2", -150.0), ("1e", "1e"), (".", "."),
        ("1:20", "1:20"), ("1_000", "1_000"), ("2001-01-01", "2001-01-01"), ("=", "="), ("<<", "<<"),
        (".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf), ("inf", "inf"), ("nan", "nan"),
        ("0e400", 0.0), ("1e308", 1e308), ("5e-324", 5e-324), ("x**2", "x**2"), ("-x", "-x"), ("٣", "٣"),
    ],
)  # fmt: skip
def test_words(word: str, value: object) -> None:
    found = resolve(word)
    assert found == value
    assert type(found) is type(value)


def test_nan() -> None:
    assert all(math.isnan(float(resolve(word) or 0)) for word in (".nan", ".NaN", ".NAN"))


@pytest.mark.parametrize("word", ["1e400", "-1e400", "1e-400", "0.001e-330", "9" * 101, "0x" + "f" * 100])
def test_numbers_that_cannot_be_held(word: str) -> None:
    with pytest.raises(NotANumber):
        resolve(word)


@pytest.mark.parametrize("loader", LOADERS)
def test_data_and_marks(loader: Any) -> None:
    document = read('a: 1\nb:\n  - "x y"\n  - {c: [2, "3"]}\n', loader)
    assert document.data == {"a": 1, "b": ["x y", {"c": [2, "3"]}]}
    assert document.key(("b",)) == Place("a.yaml", 2, 1)
    assert document.value(("b", 0)) == Place("a.yaml", 3, 5)
    assert document.key(("b", 1, "c")) == Place("a.yaml", 4, 6)
    assert document.value(("b", 1, "c", 1)) == Place("a.yaml", 4, 13)
    assert document.value(("b", 1, "no", "such")) == document.value(("b", 1))


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\na: 2\n", "a.yaml:2:1: duplicate key 'a', first written in line 1"),
        ("a: &x 1\n", "a.yaml:1:4: the anchor &x is not read; expected a value without anchor"),
        ("a: !!str 1\n", "a.yaml:1:4: the tag 'tag:yaml.org,2002:str' is not read; expected a value without a tag"),
        ("a: !own 1\n", "a.yaml:1:4: the tag '!own' is not read; expected a value without a tag"),
        ("? [a]\n: 1\n", "a.yaml:1:3: a list or mapping cannot be a key; expected a word"),
        ("a: 1\n---\nb: 1\n", "a.yaml:2:1: a second document begins here; expected one document a file"),
        ("# c\n", "a.yaml:2:1: the file is empty; expected 'gradcheck: 1' and functions"),
        ("a: 1e999\n", "a.yaml:1:4: a number too large for float64; got '1e999'"),
        ("a: '\x01'\n", "a.yaml:1:5: the control character '\\x01' must not stand in a spec file"),
        ("[" * 30, "a.yaml:1:26: nested more than 24 levels deep"),
    ],
)
def test_refused(text: str, complaint: str, loader: Any) -> None:
    assert complain(text, loader) == [complaint]


def test_alias() -> None:
    found = complain("a: &x 1\nb: *x\n*x : 2\n")
    assert found[1:] == [
        "a.yaml:2:4: the alias *x is not read; expected the value written out",
        "a.yaml:3:1: the alias *x is not read; expected the value written out",
    ]


def test_several_at_once() -> None:
    found = complain("a: 1e999\nb: &x 1\na: !t 2\n")
    assert [line.split(": ")[0] for line in found] == ["a.yaml:1:4", "a.yaml:2:4", "a.yaml:3:1", "a.yaml:3:4"]


def test_quoted_words_are_text() -> None:
    assert read("{a: '1', b: \"true\", c: \"\", d: ''}").data == {"a": "1", "b": "true", "c": "", "d": ""}


def test_keys_are_words() -> None:
    assert read("{1: a, true: b, null: c, 0x1: d}").data == {"1": "a", "true": "b", "null": "c", "0x1": "d"}


def test_byte_order_mark(tmp_path: Any) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    document = yaml_nodes.read(path, Complaints("a.yaml"))
    assert document is not None
    assert document.data == {"a": 1}
    assert document.key(("a",)) == Place("a.yaml", 1, 1)


INSIDE = [
    ("plain", "v: a + b*c\n", "c"),
    ("single", "v: 'it''s a + c'\n", "c"),
    ("double", 'v: "t\\t\\x41\\u0041 + c"\n', "c"),
    ("double continued", 'v: "a + \\\n    b + c"\n', "c"),
    ("double folded", 'v: "a\n\n  + c"\n', "c"),
    ("literal", "v: |\n    a\n      b\n\n    c\n", "c"),
    ("literal, indicator", "v: |2\n    a\n  c\n", "c"),
    ("literal, blank first", "v: |-\n\n   a\n   c\n", "c"),
    ("folded", "v: >\n   a\n   b\n\n   + c\n", "c"),
    ("folded, strip", "v: >-\n   a  +  b\n   + c", "c"),
    ("plain, two lines", "v: a +\n    b  +  c\n", "c"),
    ("in a list", "v: [x, {k: a + c}]\n", "c"),
    ("in a list, block", "v:\n  - a\n  - c\n", "c"),
]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("text", "letter"), [row[1:] for row in INSIDE], ids=[row[0] for row in INSIDE])
def test_inside(text: str, letter: str, loader: Any) -> None:
    """The place of a letter in the meant text is where that letter is written."""
    document = read(text, loader)
    path, meant = next((p, v) for p in document.marks if isinstance(v := document.get(p), str) and letter in v)
    before = meant[: meant.index(letter)].split("\n")
    place = document.inside(path, len(before), len(before[-1]) + 1)
    assert document.lines[place.line - 1][place.column - 1] == letter
    assert document.lines[place.line - 1].count(letter) == 1


def test_inside_key() -> None:
    document = read('m: {"a > q": 1, b > q: 2}\n')
    assert document.inside_key(("m", "a > q"), 5).column == 10
    assert document.inside_key(("m", "b > q"), 5).column == 21


@pytest.mark.parametrize("loader", LOADERS)
def test_text_of_an_entry(loader: Any) -> None:
    b = "  b:\n    c: |\n      x\n      # within\n    # still b's"
    text = f"f:\n  a: 1  # one\n\n{b}\n\n  # about d\n  d: {{e: 1,\n      g: 2}}\n"
    document = read(text, loader)
    assert document.text(("f", "a")) == "  a: 1  # one"
    assert document.text(("f", "b")) == b
    assert document.text(("f", "d")) == "  d: {e: 1,\n      g: 2}"
    assert document.text(("f",)) == text.rstrip("\n")


def test_text_of_the_last_entry_without_line_break() -> None:
    assert read("f:\n  a: 1").text(("f", "a")) == "  a: 1"


def test_complaints_are_ordered_and_limited() -> None:
    complaints = Complaints("a.yaml")
    for line in reversed(range(1, LIMIT + 4)):
        complaints.add(Place("a.yaml", line), "no")
        complaints.add(Place("a.yaml", line), "no")
    errors = complaints.errors()
    assert [error.line for error in errors] == list(range(1, LIMIT + 2))
    assert errors[-1].message == "and 3 more complaints in this file"


def test_short() -> None:
    assert short("a\nb") == "a b"
    assert short("x" * 400) == "x" * 299 + "…"
