# The two commands of the README are `make report` and `make test`; each installs what it needs into .venv.
.RECIPEPREFIX := >
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
# one more than there are cores: some tests wait for processes of their own
TESTERS ?= 3

.PHONY: report test suite check specs thorough verdicts bench conformance clean

.venv/installed: pyproject.toml constraints.txt
> test -x $(BIN)/python || $(PYTHON) -m venv .venv
> $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "torch==2.13.0"
> $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
> touch .venv/installed

# judge the whole catalogue and write the page
report: .venv/installed
> $(BIN)/gradcheck run specs --profile quick --workers $(WORKERS) --json reports/run.json --html reports/index.html

# everything CI runs; the types are checked beside the tests
test:
> $(MAKE) --no-print-directory -j 2 check suite

suite: .venv/installed
> $(BIN)/pytest -n $(TESTERS) --dist loadfile tests
> $(BIN)/pytest -n $(TESTERS) --dist loadfile -q specs

# what needs no test to run: style, types, the order of the rooms, the specs' form
check: .venv/installed
> $(BIN)/ruff check .
> $(BIN)/ruff format --check .
> $(BIN)/mypy
> $(BIN)/lint-imports
> $(BIN)/gradcheck lint specs

# the long look: more sizes, more points, more seeds; and which wrong claims would pass
thorough: .venv/installed
> $(BIN)/gradcheck run specs --profile thorough --workers $(WORKERS) --json reports/thorough.json --html reports/thorough.html
> for seed in $$(seq 1 19); do $(BIN)/gradcheck run specs/planted --seed $$seed --workers $(WORKERS) || exit 1; done
> $(BIN)/gradcheck mutate specs --at-least 99 --json reports/mutants.json

# how good the verdicts are: other units, planted errors, false alarms (an hour)
verdicts: .venv/installed
> $(BIN)/python -m benchmarks.verdicts.scale
> $(BIN)/python -m benchmarks.verdicts.sensitivity
> $(BIN)/python -m benchmarks.verdicts.sensitivity --certified
> $(BIN)/python -m benchmarks.verdicts.specificity

# ratios against the peers, measured side by side
bench: .venv/installed
> $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]"
> $(BIN)/python benchmarks/seeds.py
> $(BIN)/python -m benchmarks.engine.run --json reports/engine.json
> $(BIN)/python -m benchmarks.differences.run --json reports/differences.json
> $(BIN)/python -m benchmarks.shrinking.run --json reports/shrinking.json
> $(BIN)/python -m benchmarks.doors.single --only torch --json reports/single.json

# the array API standard's own tests, from a checkout of them: make conformance ARRAY_API_TESTS=path
conformance: .venv/installed
> $(BIN)/python tests/conformance/run.py $(ARRAY_API_TESTS)

clean:
> rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .gradcheck build dist *.egg-info
