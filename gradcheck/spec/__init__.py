"""What does an author claim? The frozen model of a spec, and the one loader that knows YAML."""

from gradcheck.spec.case import Case
from gradcheck.spec.loader import SUFFIX, Linted, lint, lint_many, load, load_many
from gradcheck.spec.model import (
    Accuracy,
    Claim,
    ClaimKind,
    Domain,
    Example,
    Expect,
    Implementation,
    Input,
    KinkConvention,
    Known,
    Place,
    Semantics,
    Spec,
    SpecFile,
    Step,
)
from gradcheck.spec.schema import json_schema
from gradcheck.spec.trial import Note

__all__ = [
    "SUFFIX",
    "Accuracy",
    "Case",
    "Claim",
    "ClaimKind",
    "Domain",
    "Example",
    "Expect",
    "Implementation",
    "Input",
    "KinkConvention",
    "Known",
    "Linted",
    "Note",
    "Place",
    "Semantics",
    "Spec",
    "SpecFile",
    "Step",
    "json_schema",
    "lint",
    "lint_many",
    "load",
    "load_many",
]
