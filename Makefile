# `make demo` and `make test` are all that a new clone needs: each makes the virtual environment that it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# How many processes the tests may use; `make test JOBS=0` runs them in one, which is easier to debug.
JOBS ?= auto
PYTEST_ARGS ?=

.PHONY: help demo test lint docs clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two stamps, so that the demo does not wait for the tools of the tests.
$(VENV)/.run: pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(None if sys.version_info >= (3, 11) else "octogram-tui needs Python 3.11 or later, and this is " + v + ": give another one with PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.run ## run the quickstart: the console on a terminal, plain lines without one
	$(BIN)/octogram-tui sample_scenarios/quickstart.yml

test: lint ## everything that has to hold: style, types, layers, tests, coverage
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term:skip-covered --cov-report=json:.ci/out/coverage.json $(PYTEST_ARGS)
	$(BIN)/python -m octogram_tui.dev.coverage_floor .ci/out/coverage.json

lint: $(VENV)/.dev ## style, types and layers only
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev ## write the generated pages again
	$(BIN)/python -m octogram_tui.dev.events_page

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .ci/out .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
