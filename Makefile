# `make demo` and `make test` are all that a new clone needs: each makes the virtual environment that it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# How many processes the tests use; `make test JOBS=0` runs them in one, which is easier to debug.
JOBS ?= auto
PYTEST_ARGS ?=
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help demo test lint docs screenshots clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two stamps, so that the demo does not wait for the tools of the tests.
$(VENV)/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { $(PYTHON) --version; echo "octogram-tui needs Python 3.11 or later: make PYTHON=python3.11 ..."; exit 1; } >&2
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) install --editable '.[dev]'
	touch $@

demo: $(VENV)/.run ## run the quickstart: the console on a terminal, plain lines without one
	$(BIN)/octogram-tui sample_scenarios/quickstart.yml

test: lint ## everything that has to hold: style, types, layers, tests, coverage
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/coverage report --format=total --fail-under=70
	$(BIN)/coverage report --include='octogram_tui/engine/*' --fail-under=95
	$(BIN)/coverage report --include='octogram_tui/scenario/*' --fail-under=95
	$(BIN)/coverage report --include='agentd/octogram_agentd/wire.py' --fail-under=95

lint: $(VENV)/.dev ## style, types and layers only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	for conftest in tests/*/conftest.py; do $(BIN)/mypy $$conftest || exit 1; done
	cd sample_scenarios/stand_ins && $(CURDIR)/$(BIN)/mypy --config-file ../../pyproject.toml octez.py octez_stand_in
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.dev ## write the generated pages again
	$(BIN)/python -m octogram_tui.dev.pages

screenshots: $(VENV)/.run ## take the console's pictures in docs/ again
	$(BIN)/python -m octogram_tui.dev.screenshots

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .ci/out .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
