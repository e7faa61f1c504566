# `make sweep` and `make test` need Python 3.11 to 3.13 and nothing else; both make .venv first.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TEST := $(BIN)/python -m pytest
BESIDE := --numprocesses $(JOBS) --dist worksteal  # memory bounds the jobs: 6 GB each

.PHONY: sweep test test-all check columns figures clean

sweep: $(VENV)/.run  ## the digits experiment, from nothing to tables and figures
	$(BIN)/python -m capacity.sweep configs/digits.yaml name=my-digits --resume

test: $(VENV)/.dev  ## the tests, without those that take minutes
	$(TEST) -m "not long and not ray" $(BESIDE)
	$(TEST) -m "not long and ray"

test-all: $(VENV)/.dev  ## all tests
	$(TEST) -m "not ray" $(BESIDE)
	$(TEST) -m ray

check: $(VENV)/.dev  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

columns: $(VENV)/.run  ## results/COLUMNS.md from the schema
	$(BIN)/python -c "from capacity.rows import reference; print(reference(), end='')" > results/COLUMNS.md

clean:  ## remove what this file made
	rm -rf $(VENV) results/my-digits
	find capacity -name __pycache__ -exec rm -rf {} +  # with what numba compiled

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" || \
	  { echo "capacity needs Python 3.11 to 3.13; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "installing into $(VENV) (a minute or two, about 1.5 GB)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) -e ".[dev]"
	@touch $@
