"""How does pytest see specs? Of each entry of a `*.grad.yaml`, one item a witness and one for the verdict.

Imported by every pytest run of a user, so only the standard library and pytest are imported at the top.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck.run import Config, Entry, Outcome

SUFFIX = ".grad.yaml"
VERDICT = "verdict"
PROFILE_NAMES = ("quick", "default", "thorough")
DTYPES = ("float64", "float32", "float16", "bfloat16")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's options."""
    group = parser.getgroup("gradcheck", "judging derivatives")
    group.addoption("--gradcheck-profile", default="quick", choices=PROFILE_NAMES, help="how hard to look")
    group.addoption("--gradcheck-seed", default=0, type=int, help="the seed of all cases")
    group.addoption("--gradcheck-witness", action="append", default=[], help="hear only these witnesses (repeatable)")
    group.addoption(
        "--gradcheck-dtype", action="append", default=[], choices=DTYPES,
        help="frameworks and implementations compute in this, whatever a spec says (repeatable)",
    )  # fmt: skip
    group.addoption("--gradcheck-no-imports", action="store_true", help="import no implementation under test")


def pytest_configure(config: pytest.Config) -> None:
    """Markers for -m."""
    config.addinivalue_line("markers", "gradcheck: an item that comes from a *.grad.yaml spec")
    config.addinivalue_line("markers", "gradcheck_witness(name): the witness that a gradcheck item is about")
    config.addinivalue_line("markers", "gradcheck_specs(*patterns, argument): see gradcheck.parametrize")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect spec files."""
    if file_path.name.endswith(SUFFIX):
        return SpecModule.from_parent(parent, path=file_path)
    return None


class SpecModule(pytest.File):
    """One spec file; its entries are judged when their first item runs, once."""

    def collect(self) -> Iterator[pytest.Item]:
        """Items in the order of the file: every witness of an entry, then its verdict."""
        from gradcheck.errors import GradcheckError
        from gradcheck.run import entries
        from gradcheck.spec import load

        try:
            self.settings = _config(self.config)
            file = load(_shown(self.path, self.config))
        except GradcheckError as error:
            raise self.CollectError(str(error)) from None
        self.judged: dict[str, Outcome] = {}
        for entry in entries([file]):
            for witness in [*_witnesses(entry, self.settings), VERDICT]:
                who, _, dtype = witness.partition(" ")
                name = f"{entry.id}/{dtype or 'float64'}@{who}"
                yield SpecItem.from_parent(self, name=name, entry=entry, witness=witness)

    def outcome(self, entry: Entry) -> Outcome:
        """The entry's outcome, from the one runner."""
        if entry.id not in self.judged:
            self.judged[entry.id] = _judge(entry, self.settings)
        return self.judged[entry.id]


def _shown(path: Path, config: pytest.Config) -> str:
    """A path as it is typed where pytest was called."""
    try:
        return str(path.relative_to(config.invocation_params.dir))
    except ValueError:
        return str(path)


def _judge(entry: Entry, settings: Config) -> Outcome:
    """An entry's outcome; what pytest was told to do with warnings changes no verdict."""
    from gradcheck.run import outcomes

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        return next(outcomes([entry], settings))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Below a failed `assert gradcheck.check(…)` stands the whole answer, which pytest's own line cuts short."""
    report = yield
    known = sys.modules.get("gradcheck.report.checked")
    if call.excinfo is None or known is None or not call.excinfo.errisinstance(AssertionError):
        return report
    frame = call.excinfo.traceback[-1].frame
    told = [str(v) for v in frame.f_locals.values() if isinstance(v, known.Result) and not v.passed]
    said = str(call.excinfo.value)  # begins with the answer, where it is the assertion's own message
    whole = [text for text in dict.fromkeys(told) if not said.startswith(text.partition("\n")[0])]
    report.sections += [("gradcheck", text) for text in whole]
    return report


def _config(config: pytest.Config) -> Config:
    """The settings of the runner. Raises UsageError and BackendMissing as the command line does."""
    from gradcheck.run import PROFILES, Config, demanded
    from gradcheck.run.failures.store import folder_of
    from gradcheck.run.settings import settings

    project = settings(config.rootpath)
    return Config(
        witnesses=demanded(config.getoption("--gradcheck-witness")),
        profile=PROFILES[config.getoption("--gradcheck-profile")],
        seed=config.getoption("--gradcheck-seed"),
        allowed=None if config.getoption("--gradcheck-no-imports") else project.allow_imports,
        python_path=project.python_path,
        store=str(config.invocation_params.dir / folder_of(None, project)),
        dtypes=tuple(dict.fromkeys(config.getoption("--gradcheck-dtype"))),
    )


def _witnesses(entry: Entry, config: Config) -> list[str]:
    """The witnesses that get an item each: none where an entry is wrong on purpose (only its verdict counts)."""
    if getattr(entry, "expect", None) is not None:
        return []
    from gradcheck.run import heard_of
    from gradcheck.spec import Spec

    if isinstance(entry, Spec):
        return heard_of(entry, config)
    return [w for w in config.witnesses if w in ("engine", "torch", "jax")]


class SpecItem(pytest.Item):
    """One witness's verdict on one entry, or the entry's verdict as a whole."""

    def __init__(self, *, entry: Entry, witness: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry = entry
        self.witness = witness
        self.add_marker(pytest.mark.gradcheck)
        self.add_marker(pytest.mark.gradcheck_witness(witness))
        for tag in entry.tags:
            self.extra_keyword_matches.add(tag)

    def runtest(self) -> None:
        """Pass, fail with the finding, or skip with the reason of a silence."""
        module = self.parent
        assert isinstance(module, SpecModule)
        outcome = module.outcome(self.entry)
        self.user_properties.append(("gradcheck_verdict", outcome.verdict))
        self.user_properties.append(("gradcheck_blame", outcome.blame))
        self.user_properties.append(("gradcheck_replay", outcome.replay))
        if self.witness == VERDICT:
            if not outcome.passed:
                raise WrongDerivative(outcome)
            return
        result = outcome.witnesses[self.witness]
        self.user_properties.append(("gradcheck_reason", result.reason))
        if result.verdict in ("SILENT", "UNDECIDED"):  # what was not checked does not look like a pass
            pytest.skip(f"{self.witness} is {result.verdict.lower()}: {result.reason}")
        bad = result.verdict in ("DISAGREES", "CRASHED")
        bad |= result.verdict == outcome.verdict == "INACCURATE" and not outcome.passed  # the spec demands more
        known = any(k.witness == self.witness for k in getattr(self.entry, "known", ()))
        if bad and not (known and outcome.passed):
            raise WrongDerivative(outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our own failure text instead of a traceback."""
        if isinstance(excinfo.value, WrongDerivative):
            from gradcheck.report import explain

            return explain(excinfo.value.outcome)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line (0-based) and name, for reports."""
        return self.path, self.entry.place.line - 1, self.name


class WrongDerivative(AssertionError):
    """An entry did not pass."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


@dataclass(frozen=True)
class SpecCase:
    """What a test that is parametrized by specs gets: one function or behaviour."""

    entry: Entry
    settings: Config

    @property
    def id(self) -> str:
        """The entry's name."""
        return self.entry.id

    def judge(self) -> Outcome:
        """The entry's outcome, from the one runner: `.passed`, `.verdict`, `.sentence`, `.blame` …"""
        return _judge(self.entry, self.settings)


def parametrize(*patterns: str, argument: str = "entry") -> pytest.MarkDecorator:
    """Call a test once for every entry of the spec files that match, as `@gradcheck.parametrize("specs/*.grad.yaml")`.

    patterns: globs of spec files or folders, from pytest's root directory; argument: the name of the test's argument,
    which gets a SpecCase. Broken specs, and a pattern that matches nothing, are errors of collection.
    """
    if not patterns:
        raise TypeError("gradcheck.parametrize takes at least one pattern of spec files")
    return pytest.mark.gradcheck_specs(*patterns, argument=argument)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Carry out what `parametrize` asks for."""
    for mark in metafunc.definition.iter_markers("gradcheck_specs"):
        cases = _spec_cases(mark.args, metafunc.config)
        metafunc.parametrize(mark.kwargs["argument"], cases, ids=[case.id for case in cases])


def _spec_cases(patterns: tuple[str, ...], config: pytest.Config) -> list[SpecCase]:
    from gradcheck.errors import GradcheckError
    from gradcheck.run import entries
    from gradcheck.spec import load_many

    paths: list[Path] = []
    for pattern in patterns:
        matching = sorted(config.rootpath.glob(pattern))
        if not matching:
            raise pytest.Collector.CollectError(f"no spec file matches {pattern!r} below {config.rootpath}")
        paths += matching
    try:
        settings = _config(config)
        return [SpecCase(entry, settings) for entry in entries(load_many(_shown(p, config) for p in paths))]
    except GradcheckError as error:
        raise pytest.Collector.CollectError(str(error)) from None
