"""How does pytest see specs? Of each entry of a `*.grad.yaml`, one item a witness and one for the verdict.

Imported by every pytest run of a user, so only the standard library and pytest are imported at the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck.run import Config, Entry, Outcome

SUFFIX = ".grad.yaml"
VERDICT = "verdict"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's options."""
    group = parser.getgroup("gradcheck", "judging derivatives")
    group.addoption("--gradcheck-profile", default="quick", help="quick, default or thorough")
    group.addoption("--gradcheck-seed", default=0, type=int, help="the seed of all cases")
    group.addoption("--gradcheck-witness", action="append", default=[], help="hear only these witnesses (repeatable)")
    group.addoption("--gradcheck-no-imports", action="store_true", help="import no implementation under test")


def pytest_configure(config: pytest.Config) -> None:
    """Markers for -m."""
    config.addinivalue_line("markers", "gradcheck: an item that comes from a *.grad.yaml spec")
    config.addinivalue_line("markers", "gradcheck_witness(name): the witness that a gradcheck item is about")


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
            file = load(self._shown())
        except GradcheckError as error:
            raise self.CollectError(str(error)) from None
        self.settings = _config(self.config)
        self.judged: dict[str, Outcome] = {}
        for entry in entries([file]):
            for witness in [*_witnesses(entry, self.settings), VERDICT]:
                name = f"{entry.id}/float64@{witness}"
                yield SpecItem.from_parent(self, name=name, entry=entry, witness=witness)

    def _shown(self) -> str:
        try:
            return str(self.path.relative_to(self.config.invocation_params.dir))
        except ValueError:
            return str(self.path)

    def outcome(self, entry: Entry) -> Outcome:
        """The entry's outcome, from the one runner."""
        from gradcheck.run import outcomes

        if entry.id not in self.judged:
            self.judged[entry.id] = next(outcomes([entry], self.settings))
        return self.judged[entry.id]


def _config(config: pytest.Config) -> Config:
    from gradcheck.errors import GradcheckError
    from gradcheck.oracles.hearing import WITNESSES, check_names
    from gradcheck.run import PROFILES, Config
    from gradcheck.run.settings import settings

    profile = config.getoption("--gradcheck-profile")
    names = tuple(config.getoption("--gradcheck-witness")) or tuple(WITNESSES)
    try:
        check_names(names)
        project = settings(config.rootpath)
    except GradcheckError as error:
        raise pytest.UsageError(str(error)) from None
    if profile not in PROFILES:
        raise pytest.UsageError(f"there is no profile {profile!r}; there are {', '.join(PROFILES)}")
    allowed = None if config.getoption("--gradcheck-no-imports") else project.allow_imports
    return Config(
        witnesses=names, profile=PROFILES[profile], seed=config.getoption("--gradcheck-seed"), allowed=allowed,
        python_path=project.python_path,
    )  # fmt: skip


def _witnesses(entry: Entry, config: Config) -> list[str]:
    """The witnesses that get an item each: none where an entry is wrong on purpose (only its verdict counts)."""
    if getattr(entry, "expect", None) is not None:
        return []
    found = [w for w in config.witnesses if hasattr(entry, "claims") or w != "differences"]
    return found + [f"implementation:{i.backend}" for i in getattr(entry, "implementations", ())]


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
        self.user_properties.append(("gradcheck_replay", outcome.replay))
        if self.witness == VERDICT:
            if not outcome.passed:
                raise WrongDerivative(outcome)
            return
        result = outcome.witnesses[self.witness]
        self.user_properties.append(("gradcheck_reason", result.reason))
        if result.verdict == "SILENT":
            pytest.skip(f"{self.witness} is silent: {result.reason}")
        bad = result.verdict in ("DISAGREES", "CRASHED")
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
