"""Is the form of a file checked strictly, and told to editors?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from gradcheck.errors import SpecErrors
from gradcheck.spec import json_schema, load
from gradcheck.spec.schema import File, Function, Step
from gradcheck.spec.words import ACTIONS, CLAIMS, why_not_a_name, why_not_an_input

GOOD = """
gradcheck: 1
functions:
  f:
    inputs: {x: {shape: [n]}, y: }
    value: y*sum(x**2)
    gradient: {x: 2*x*y, y: value / y}
    examples: [{x: [1, 2.5], y: 1, value: 7.25, decimals: 2}]
"""


def test_claims_and_actions_have_their_fields() -> None:
    assert set(CLAIMS) <= set(Function.model_fields)
    assert set(Step.model_fields) == {*ACTIONS, "raises", "warns"}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("gradcheck: 1", "gradcheck: 1.0", "a.grad.yaml:2:12: gradcheck: this format is not known"),
        ("gradcheck: 1", "gradcheck: '1'", "a.grad.yaml:2:12: gradcheck: this format is not known"),
        ("gradcheck: 1", "gradcheck: true", "a.grad.yaml:2:12: gradcheck: this format is not known"),
        ("value: 7.25", "value: true", "8:43: f.examples[0].value: true or false is not a number"),
        ("x: [1, 2.5]", "x: [1, '2']", "8:24: f.examples[0].x[1]: a text is not a number"),
        (
            "decimals: 2",
            "decimals: -1",
            "8:59: f.examples[0].decimals: -1 is not such a number; expected a whole number from 0 to 17",
        ),
        ("decimals: 2", "decimals: true", "f.examples[0].decimals: true or false is not such a number"),
        ("{shape: [n]}", "{shape: [true]}", "f.inputs.x.shape[0]: True is not a dimension"),
        ("{shape: [n]}", "[n]", "5:17: f.inputs.x: a list does not belong here; expected a mapping"),
        ("{shape: [n]}", "{shap: [n]}", "5:18: f.inputs.x: unknown key 'shap'; did you mean 'shape'?"),
        ("{shape: [n]}", "{domain: }", "5:26: f.inputs.x.domain: nothing is written here"),
        ("x: 2*x*y", "x: .nan", "7:19: f.gradient.x: nan is not a formula"),
        ("x: 2*x*y", "x: {}", "7:19: f.gradient.x: a mapping is not a formula"),
        ("examples:", "summary: [a]\n    examples:", "8:14: f.summary: a list is not a text"),
        ("examples:", "tags: [a b]\n    examples:", "8:12: f.tags[0]: 'a b' is not a tag"),
        (
            "examples:",
            "known: {torch: {verdict: SILENT}}\n    examples:",
            "8:13: f.known.torch: the key 'reason' is missing",
        ),
        ("examples:", "implementations: {numpy: {vjp: 'm:f'}}\n    examples:", "the key 'value' is missing"),
        (
            "examples:",
            "implementations: {numpy: {value: m}}\n    examples:",
            "f.implementations.numpy.value: this names no",
        ),
        ("functions:", "semantics: [a]\nfunctions:", "3:12: semantics: a list does not belong here"),
        ("functions:", "extra: 1\nfunctions:", "3:1: unknown key 'extra'; expected one of gradcheck, functions"),
    ],
)
def test_form(write: Any, old: str, new: str, complaint: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(SpecErrors) as refusal:
        load(write(GOOD.replace(old, new)))
    assert complaint in str(refusal.value)
    assert len(refusal.value.errors) == 1


def test_good(write: Any) -> None:
    assert load(write(GOOD)).functions[0].id == "f"


def test_all_at_once(write: Any) -> None:
    """Form, names, formulas and domains of all functions are told in one go, each once."""
    text = """gradcheck: 1
titel: none
functions:
  f: {inputs: {x: {domain: reel}}, value: x, gradient: {x: 1}}
  g: {inputs: {x: {}}, value: xx, gradient: {x: 1}, sumary: a}
  h: {inputs: {x: }, value: , gradiant: {x: 1}}
semantics:
  b: {steps: [{tensor: {w: a}}]}
"""
    with pytest.raises(SpecErrors) as refusal:
        load(write(text))
    assert [(error.line, error.key) for error in refusal.value.errors] == [
        (2, ""), (4, "f.inputs.x.domain"), (5, "g.value"), (5, "g"), (6, "h.value"), (6, "h"),
        (8, "b.steps[0].tensor.w"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["x", "X1", "x_1", "T", "shape", "alpha"])
def test_names(name: str) -> None:
    assert why_not_an_input(name) == ""


@pytest.mark.parametrize("name", ["ct", "value", "t_x", "ct_y", "range", "decimals", "gradient", "hvp"])
def test_reserved_names(name: str) -> None:
    assert why_not_an_input(name)


@pytest.mark.parametrize(
    "name", ["", "1x", "_x", "__class__", "a b", "a.b", "é", "if", "sin", "abs", "pi", "inf", "x" * 61]
)
def test_no_names(name: str) -> None:
    assert why_not_a_name(name)


def _resolve(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref")
    return schema["definitions"][reference.removeprefix("#/definitions/")] if reference else part


def _accepts(schema: dict[str, Any], part: dict[str, Any], value: Any) -> bool:
    """Enough of JSON Schema for the keywords that the schema uses."""
    part = _resolve(schema, part)
    types = {"string": str, "number": (int, float), "integer": int, "boolean": bool, "array": list, "object": dict,
             "null": type(None)}  # fmt: skip
    wanted = part.get("type")
    if wanted:
        kinds = [wanted] if isinstance(wanted, str) else wanted
        if not any(isinstance(value, types[kind]) for kind in kinds) or (
            isinstance(value, bool) and "boolean" not in kinds
        ):
            return False
    if "const" in part and (value != part["const"] or isinstance(value, bool)):
        return False
    if "enum" in part and value not in part["enum"]:
        return False
    if "anyOf" in part and not any(_accepts(schema, choice, value) for choice in part["anyOf"]):
        return False
    if "oneOf" in part and sum(_accepts(schema, choice, value) for choice in part["oneOf"]) != 1:
        return False
    if "minimum" in part and value < part["minimum"]:
        return False
    if isinstance(value, list) and "items" in part:
        return all(_accepts(schema, part["items"], item) for item in value)
    if isinstance(value, dict):
        if any(key not in value for key in part.get("required", ())):
            return False
        properties, rest = part.get("properties", {}), part.get("additionalProperties", True)
        for key, item in value.items():
            inner = properties.get(key, rest)
            if inner is False or (isinstance(inner, dict) and not _accepts(schema, inner, item)):
                return False
    return True


def test_json_schema_accepts_what_the_loader_accepts() -> None:
    schema = json_schema()
    assert _accepts(schema, schema, yaml.safe_load(GOOD))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gradcheck: 1", "gradcheck: 2"),
        ("value: y*", "valeu: y*"),
        ("value: y*sum(x**2)", "code: return x\n    value: x"),
        ("gradient: {x: 2*x*y, y: value / y}", "summary: a"),
        ("{shape: [n]}", "{shape: n}"),
        ("{shape: [n]}", "{shape: [0]}"),
        ("{shape: [n]}", "{dtype: float32}"),
        ("{x: 2*x*y, y: value / y}", "[x]"),
        ("[1, 2.5]", "[a]"),
        ("decimals: 2", "decimals: 'two'"),
    ],
)
def test_json_schema_refuses(old: str, new: str) -> None:
    schema = json_schema()
    assert GOOD.count(old) == 1
    assert not _accepts(schema, schema, yaml.safe_load(GOOD.replace(old, new)))


def test_json_schema_is_of_draft_7() -> None:
    schema = json_schema()
    text = json.dumps(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert not [word for word in ("$defs", "prefixItems", "x-numbers", "unevaluated", "discriminator") if word in text]
    references = {part.split('"')[0] for part in text.split("#/definitions/")[1:]}
    assert references <= set(schema["definitions"])
    assert set(schema["properties"]) == set(File.model_fields)
