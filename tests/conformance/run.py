"""Does the engine's namespace keep to the array API standard, by the standard's own test suite?

    python tests/conformance/run.py PATH [--max-examples 50] [--random] [--tests FILE ...]

PATH is a checkout of github.com/data-apis/array-api-tests with its submodule; what its requirements.txt names must be
importable. The suite runs all its tests; those of skips.txt beside this file, each with its reason, must fail, and all
others must pass or be skipped by the suite itself. A listed test that passes is an error too: its line is out of date.
Only those that fail for some of the suite's examples and not for others ("sometimes:") are not run. Examples are the
same in every run unless --random. Output: the counts, and those of the listed tests by reason.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
NAMESPACE = "gradcheck.engine.array_api"
VERSION = "2024.12"
SOMETIMES = "sometimes: "


def listed(text: str) -> dict[str, str]:
    """The reason of each test of a skip list; a line without one, or a test that comes twice, is a ValueError."""
    reasons: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        test, mark, reason = line.partition("  # ")
        if not mark or len(reason.split()) < 4:
            raise ValueError(f"line {number} of the skip list gives no reason: {line!r}")
        if test in reasons:
            raise ValueError(f"line {number} of the skip list repeats {test!r}")
        reasons[test] = reason
    return reasons


def outcomes(xml: Path) -> Counter[str]:
    """How often each outcome came, in the words of pytest."""
    counts: Counter[str] = Counter()
    for case in ElementTree.parse(xml).iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif skipped is not None:
            ours = skipped.get("type") == "pytest.xfail" or "--skips-file" in (skipped.get("message") or "")
            counts["listed" if ours else "skipped by the suite"] += 1
        else:
            counts["passed"] += 1
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suite", type=Path)
    parser.add_argument("--max-examples", type=int, default=50)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--tests", nargs="+", default=["array_api_tests"])
    asked = parser.parse_args()
    reasons = listed((HERE / "skips.txt").read_text())
    with tempfile.TemporaryDirectory() as folder:
        xfails, skips, xml = (Path(folder, name) for name in ("xfails.txt", "skips.txt", "outcomes.xml"))
        for file, sometimes in ((xfails, False), (skips, True)):
            tests = [test for test, reason in reasons.items() if reason.startswith(SOMETIMES) is sometimes]
            file.write_text("".join(f"{test}\n" for test in tests))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "xfail_strict=true"]
        command += [f"--xfails-file={xfails}", f"--skips-file={skips}"]
        command += ["--disable-deadline", f"--max-examples={asked.max_examples}"]
        command += [] if asked.random else ["--derandomize"]
        command += ["-W", "ignore", f"--junitxml={xml}", *asked.tests]
        path = os.pathsep.join([str(HERE.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        settings = {"ARRAY_API_TESTS_MODULE": NAMESPACE, "ARRAY_API_TESTS_VERSION": VERSION, "PYTHONPATH": path}
        settings["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        run = subprocess.run(command, cwd=asked.suite, env={**os.environ, **settings}, check=False)
        counts = outcomes(xml) if xml.exists() else Counter()
    print(f"\narray API {VERSION}: " + ", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    for reason, count in Counter(reasons.values()).most_common():
        print(f"  {count:3} {reason}")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
