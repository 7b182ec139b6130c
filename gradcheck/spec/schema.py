"""Which keys and values may a spec file have? The file's shape as pydantic models, and as JSON Schema for editors.

These models check form only; meaning (names, formulas, shapes) is checked by `gradcheck.spec.build`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from gradcheck.spec import fields as f
from gradcheck.spec.words import ACTIONS, BLAMES, CLAIMS, DOMAINS_OF, DTYPES, VERDICTS, WORDS


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if value is None:
            f.refuse("nothing is written here", "a value, or no such key")
        return value


def _kind(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<formula>"


def _version(value: Any) -> int:
    if type(value) is not int or value != 1:
        f.refuse("this format is not known", "version 1, as in 'gradcheck: 1'")
    return value


def _dtype(value: Any) -> str:
    if value in ("float32", "float16", "bfloat16"):
        f.refuse(f"{value} is no dtype of one input", f"float64 here, and 'dtypes: [float64, {value}]' of the function")
    return f.one_of(value, ("float64",), "a dtype")


def _judged(value: Any) -> str:
    return f.one_of(value, DTYPES, "a dtype")


def _some(value: Any) -> Any:
    if value == []:
        f.refuse("no dtype is named", "one or more of " + ", ".join(DTYPES))
    return value


def _ulp(value: Any) -> float:
    return f.positive(value, "a number of units in the last place")


def _absolute(value: Any) -> float:
    return f.positive(value, "an absolute error")


def _accuracy_word(value: Any) -> str:
    return f.one_of(value, ("absolute",), "an accuracy")


def _decimals(value: Any) -> int:
    return f.whole(value, 0, 17)


def _verdict(value: Any) -> str:
    return f.one_of(value, VERDICTS, "a verdict")


def _blame(value: Any) -> str:
    word = f.text(value)
    if any(word == known or word.startswith(known + " ") for known in BLAMES):
        return word  # "torch forward": a witness and its mode
    return f.one_of(word, BLAMES, "a party to blame")


Formulas = dict[str, f.Formula]
OneOrMany = Annotated[
    Annotated[f.Formula, Tag("<formula>")] | Annotated[Formulas, Tag("<mapping>")], Discriminator(_kind)
]
NumbersByName = dict[str, f.Numbers]
NumbersOneOrMany = Annotated[
    Annotated[f.Numbers, Tag("<formula>")] | Annotated[NumbersByName, Tag("<mapping>")], Discriminator(_kind)
]
Decimals = Annotated[int, BeforeValidator(_decimals)]
Verdict = Annotated[str, BeforeValidator(_verdict), WithJsonSchema({"enum": list(VERDICTS)})]
Blame = Annotated[str, BeforeValidator(_blame)]
Names = list[f.Text]
_ABOVE_ZERO = WithJsonSchema({"type": "number", "exclusiveMinimum": 0})
Dtype = Annotated[str, BeforeValidator(_judged), WithJsonSchema({"enum": list(DTYPES)})]
AccuracyWord = Annotated[str, BeforeValidator(_accuracy_word), WithJsonSchema({"const": "absolute"})]


_DOMAIN = {
    "type": ["string", "number"],
    "description": "a word, an interval, a condition, or one of the former and a condition after a comma",
    "examples": [*(w for w in WORDS if w not in DOMAINS_OF), *DOMAINS_OF.values(), "(0, 1]", "norm(x) > 0"],
}


class Input(_Form):
    """One argument: nothing written means a real scalar."""

    shape: f.Shape = ()
    domain: Annotated[f.Formula, WithJsonSchema(_DOMAIN)] = "real"
    dtype: Annotated[str, BeforeValidator(_dtype), WithJsonSchema({"enum": ["float64"]})] = "float64"
    differentiable: f.Flag | None = None


class Accuracy(_Form):
    """How close a number must be, in units in the last place; or how large an error of rounding matters to nobody."""

    ulp: Annotated[float, BeforeValidator(_ulp), _ABOVE_ZERO] | None = None
    absolute: Annotated[float, BeforeValidator(_absolute), _ABOVE_ZERO] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_of_two(cls, data: Any) -> Any:
        if isinstance(data, dict) and set(data) in ({"ulp", "absolute"}, set()):
            f.refuse("one accuracy is asked for", "either ulp or absolute")
        return data


class Example(_Form):
    """A worked example: every input (or `t_<input>`, a tangent) as numbers, and what is expected there."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: NumbersByName
    value: NumbersOneOrMany | None = None
    gradient: NumbersByName | None = None
    derivative: NumbersByName | None = None
    jacobian: NumbersByName | None = None
    vjp: NumbersByName | None = None
    jvp: NumbersOneOrMany | None = None
    hessian: NumbersByName | None = None
    hvp: NumbersByName | None = None
    ct: NumbersOneOrMany | None = None
    decimals: Decimals | None = None


class NumpyImplementation(_Form):
    """NumPy code under test: `vjp(*inputs, ct)` returns one array an input."""

    value: f.Reference
    vjp: f.Reference | None = None
    jvp: f.Reference | None = None


class Implementations(_Form):
    """People's own code under test."""

    torch: f.Reference | None = None
    jax: f.Reference | None = None
    numpy: (
        Annotated[
            Annotated[f.Reference, Tag("<formula>")] | Annotated[NumpyImplementation, Tag("<mapping>")],
            Discriminator(_kind),
        ]
        | None
    ) = None


class Known(_Form):
    """A known deviation of one witness; it must show, else it is stale."""

    verdict: Verdict
    reason: f.Text


class Expect(_Form):
    """What a spec that is wrong on purpose must get."""

    verdict: Verdict
    blame: Blame = ""


def _nothing_is_default(value: Any) -> Any:
    return {} if value is None else value


class Function(_Form):
    """A function and what is claimed of its derivatives."""

    summary: f.Text = ""
    tags: list[f.Tag] = Field(default_factory=list)
    inputs: dict[str, Annotated[Input, BeforeValidator(_nothing_is_default)]]
    value: OneOrMany | None = None
    code: f.Text | None = None
    gradient: Formulas | None = None
    derivative: Formulas | None = None
    jacobian: Formulas | None = None
    vjp: Formulas | None = None
    jvp: OneOrMany | None = None
    hessian: Formulas | None = None
    hvp: Formulas | None = None
    at_kinks: dict[str, Formulas] = Field(default_factory=dict)
    examples: list[Example] = Field(default_factory=list)
    implementations: Implementations | None = None
    known: dict[str, Known] = Field(default_factory=dict)
    expect: Expect | None = None
    dtypes: Annotated[list[Dtype], BeforeValidator(_some)] = Field(
        default_factory=lambda: ["float64"], json_schema_extra={"minItems": 1}
    )
    accuracy: (
        Annotated[
            Annotated[AccuracyWord, Tag("<formula>")] | Annotated[Accuracy, Tag("<mapping>")], Discriminator(_kind)
        ]
        | None
    ) = None


class Backward(_Form):
    """A backward pass with its arguments."""

    of: f.Text
    gradient: f.Numbers | None = None
    retain_graph: f.Flag | None = None
    create_graph: f.Flag = False


class Sgd(_Form):
    """One step of gradient descent, with the tape off."""

    lr: float
    of: Names


class State(_Form):
    """What must hold after the steps so far."""

    value: NumbersByName = Field(default_factory=dict)
    grad: dict[str, f.Numbers | None] = Field(default_factory=dict)
    requires_grad: dict[str, f.Flag] = Field(default_factory=dict)
    is_leaf: dict[str, f.Flag] = Field(default_factory=dict)
    node: dict[str, f.Text] = Field(default_factory=dict)
    nodes: dict[str, list[f.Text]] = Field(default_factory=dict)
    decimals: Decimals | None = None


class Repeat(_Form):
    """The same steps several times."""

    times: Annotated[int, BeforeValidator(lambda value: f.whole(value, 1, 1_000))]
    steps: list[Step]


class Step(_Form):
    """One action, and the error or warning it must give."""

    tensor: NumbersByName | None = None
    constant: NumbersByName | None = None
    let: Formulas | None = None
    no_grad: Formulas | None = None
    detach: dict[str, f.Text] | None = None
    requires_grad: dict[str, f.Flag] | None = None
    backward: (
        Annotated[Annotated[f.Text, Tag("<formula>")] | Annotated[Backward, Tag("<mapping>")], Discriminator(_kind)]
        | None
    ) = None
    zero_grad: Names | None = None
    sgd: Sgd | None = None
    repeat: Repeat | None = None
    expect: State | None = None
    raises: f.Text | None = None
    warns: f.Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_action(cls, data: Any) -> Any:
        actions = [key for key in data if key in ACTIONS] if isinstance(data, dict) else ["?"]
        if not actions and all(key in cls.model_fields for key in data):
            f.refuse("this step does nothing", "one of " + ", ".join(ACTIONS))
        if len(actions) > 1:
            f.refuse(f"{len(actions)} actions in one step", "one action a step", at=(actions[1],))
        return data


class Behaviour(_Form):
    """How a tape must behave."""

    summary: f.Text = ""
    tags: list[f.Tag] = Field(default_factory=list)
    steps: list[Step]


class File(_Form):
    """A gradcheck spec file, *.grad.yaml."""

    gradcheck: Annotated[int, BeforeValidator(_version), WithJsonSchema({"const": 1})]
    functions: dict[str, Function] = Field(default_factory=dict)
    semantics: dict[str, Behaviour] = Field(default_factory=dict)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 7) of a spec file, for editors."""
    text = json.dumps(_without_null(File.model_json_schema())).replace("#/$defs/", "#/definitions/")
    text = text.replace(f'"{f.NUMBERS_MARK}": true', '"$ref": "#/definitions/Numbers"')
    schema: dict[str, Any] = json.loads(text)
    definitions = {**schema.pop("$defs"), "Numbers": f.NUMBERS_SCHEMA}
    function = definitions["Function"]
    function["anyOf"] = [{"required": [claim]} for claim in (*CLAIMS, "implementations")]
    function["oneOf"] = [{"required": ["value"]}, {"required": ["code"]}]
    inputs = function["properties"]["inputs"]
    inputs["additionalProperties"] = {"anyOf": [inputs["additionalProperties"], {"type": "null"}]}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "definitions": definitions}


def _without_null(schema: Any) -> Any:
    """The schema without the nulls that stand for keys left out; a key that is written has a value."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "default" in schema and schema["default"] is None:
        choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
        schema = {**{k: v for k, v in schema.items() if k not in ("default", "anyOf")}, "anyOf": choices}
    return {key: _without_null(value) for key, value in schema.items()}
