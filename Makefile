# `make demo` and `make test` are all that a new clone needs: each makes the virtual environment that it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# How many processes the tests use: more than there are cores, since half of their time they wait for what they started.
# `make test JOBS=0` runs them in one, which is easier to debug.
JOBS ?= $(shell $(PYTHON) -c 'import os; n = len(os.sched_getaffinity(0)); print(n + min(n, 4))')
PYTEST_ARGS ?=
LOCKS := requirements
# Images of containers set it: each start of the program would compile all of it again, and each process of pytest all tests.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := pip --quiet --disable-pip-version-check install
PIP := $(BIN)/python -m $(INSTALL)

.PHONY: help demo test test-faults quick random lowest newest newest-versions lint lock docs dist installs site bench figures screenshots clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What is installed is what the locks say, to the hash, and nothing else; the lock holds the builder of this folder too.
# An environment that was made from other locks is made anew. Two more stamps, so that the demo does not wait for the
# tools of the tests.
$(VENV)/.made: $(LOCKS)/demo.txt $(LOCKS)/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { $(PYTHON) --version; echo "octogram-tui needs Python 3.11 or later: make PYTHON=python3.11 ..."; exit 1; } >&2
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml
	$(PIP) --no-deps --require-hashes --requirement $(LOCKS)/demo.txt
	$(PIP) --no-index --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --no-deps --require-hashes --requirement $(LOCKS)/dev.txt
	touch $@

demo: $(VENV)/.run ## run the quickstart: the console on a terminal, plain lines without one
	$(BIN)/octogram-tui sample_scenarios/quickstart.yml

# What is compiled of the tests, while another core judges style and types, is there for each process of pytest then.
test: $(VENV)/.dev ## everything that has to hold: style, types, layers, tests, coverage
	@{ $(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 & } ; \
	  $(MAKE) --no-print-directory lint; status=$$?; wait; exit $$status
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/coverage report --omit='octogram_tui/tui/*' --format=total --fail-under=80
	$(BIN)/coverage report --include='octogram_tui/engine/*' --fail-under=95
	$(BIN)/coverage report --include='octogram_tui/scenario/*' --fail-under=95
	$(BIN)/coverage report --include='agentd/octogram_agentd/wire/lines.py,agentd/octogram_agentd/wire/messages.py' --fail-under=95

test-faults: $(VENV)/.dev ## what `make test` leaves out: long faults, as root; some minutes
	OCTOGRAM_LONG_FAULTS=1 $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS) tests

# What needs no machine, no daemon and no terminal: the first answer to a change.
NEEDS_NOTHING := -m 'not sshd and not machines and not prometheus and not terminal and not browser and not act and not collector and not slurm and not node and not ansible and not containers and not kubectl and not neovim' --ignore-glob='*snapshots*'
IN_MEMORY := agentd/wire engine journal model projection report scenario template test_settings.py tools transport
QUICK := $(addprefix tests/,$(IN_MEMORY) tui) $(NEEDS_NOTHING)

# What other versions of the libraries are tried with: of the console what uses each kind of widget, key and screen.
# How it looks is held by the lock's versions only: pictures differ where nothing is wrong.
# Engine, journal, model, projection and the wire use no library: other versions cannot show a difference there.
OTHER := $(addprefix tests/,report scenario template test_settings.py tools transport tui/entry tui/look \
  $(addprefix tui/test_,console_pilot.py console_panes.py console_help.py console_keys.py console_bars.py dialogs.py \
  variable_form.py argument_form.py breakpoint_list.py line_view.py output_log.py source_view.py theme.py hostile_text.py)) $(NEEDS_NOTHING)

quick: $(VENV)/.dev ## the quick part of the tests, in memory: some minutes
	$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS) $(QUICK)

# Ten thousand random steps in memory, a minute in a terminal, every theme in one: some ten minutes. SEED=1000 takes other ones.
SEED ?= 0
random: $(VENV)/.dev ## drive the console at random for long, to find what ends it
	OCTOGRAM_RANDOM_STEPS=10000 OCTOGRAM_RANDOM_SEED=$(SEED) OCTOGRAM_EVERY_THEME=1 \
	  $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS) tests/tui -k 'random or every_theme'

lowest: ## what uses a library of the quick part, with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear build/lowest
	build/lowest/bin/python -m $(INSTALL) --no-deps --require-hashes --requirement $(LOCKS)/lowest.txt
	build/lowest/bin/python -m $(INSTALL) --no-index --no-deps --no-build-isolation --editable .
	build/lowest/bin/python -m pytest -n $(JOBS) $(PYTEST_ARGS) $(OTHER)

newest: newest-versions ## what uses a library of the quick part, with the newest versions of the day
	build/newest/bin/python -m pytest -n $(JOBS) $(PYTEST_ARGS) $(OTHER)

newest-versions:
	$(PYTHON) -m venv --clear build/newest
	build/newest/bin/python -m $(INSTALL) --editable '.[dev]'

lint: $(VENV)/.dev ## style, types and layers only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	for conftest in $$(find tests -mindepth 2 -name conftest.py); do $(BIN)/mypy $$conftest || exit 1; done
	cd sample_scenarios/stand_ins && $(CURDIR)/$(BIN)/mypy --config-file ../../pyproject.toml octez.py octez_stand_in
	$(BIN)/lint-imports --no-cache

# The resolver lives for this target only. What is locked stays locked: `make lock LOCK=--upgrade` takes newer versions.
LOCK ?=
COMPILE_ANY = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-strip-extras \
  --no-config --no-emit-index-url --no-emit-find-links --no-emit-build-options --custom-compile-command 'make lock'
COMPILE = $(COMPILE_ANY) --group build pyproject.toml

lock: ## resolve requirements/ again, after a change of the ranges in pyproject.toml
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/python -m $(INSTALL) 'uv>=0.9'
	$(COMPILE) $(LOCK) --output-file $(LOCKS)/demo.txt
	$(COMPILE) $(LOCK) --extra dev --constraint $(LOCKS)/demo.txt --output-file $(LOCKS)/dev.txt
	$(COMPILE) --upgrade --resolution lowest-direct --extra dev --output-file $(LOCKS)/lowest.txt
	$(COMPILE_ANY) $(LOCK) --group site --output-file $(LOCKS)/site.txt

docs: $(VENV)/.dev ## write the generated pages again
	$(BIN)/python -m tools.pages

dist: $(VENV)/.dev ## make the wheel and the archive of the source in dist/: twice, and the same to the bit
	$(BIN)/python -m tools.dist

installs: dist ## install what `make dist` made with pip on every Python, pipx and uv tool, and use it without a network
	$(BIN)/python -m tools.installs

# What makes the site is in an environment of its own: the program and its tests need nothing of it.
build/site/.made: $(LOCKS)/site.txt
	$(PYTHON) -m venv --clear build/site
	build/site/bin/python -m $(INSTALL) --no-deps --require-hashes --requirement $(LOCKS)/site.txt
	touch $@

site: $(VENV)/.run build/site/.made ## make the site of the documentation in build/site/html, and check every link in it
	$(BIN)/python -m tools.site build/site/bin/zensical build/site/html

# The program as users install it, and beside it the tools that it is compared with, as far as they can be had.
BENCH ?=
bench: ## write docs/performance.md again, a quarter of an hour of a quiet machine; BENCH="jobs logs" takes some only
	$(PYTHON) -m venv --clear build/bench
	build/bench/bin/python -m $(INSTALL) --no-deps --require-hashes --requirement $(LOCKS)/demo.txt
	build/bench/bin/python -m $(INSTALL) --no-index --no-deps --no-build-isolation .
	grep -v '^#' bench/requirements.txt | while read -r tool; do \
	  build/bench/bin/python -m $(INSTALL) "$$tool" || echo "$$tool cannot be had: its rows will say so"; done
	build/bench/bin/python bench/page.py $(BENCH)

figures: $(VENV)/.run ## the shape of the code, its start and CPU per job, to compare before and after a change
	$(BIN)/python bench/figures.py

screenshots: $(VENV)/.run ## take the console's pictures in docs/ again
	$(BIN)/python -m tools.screenshots

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .ci/out .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
