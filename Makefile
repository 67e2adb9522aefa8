# Everything below works on a machine with Python >= 3.11, git, make and a package index; no root, no Docker.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check lint types contracts screenshots bench faults laws undo clean

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Wesley needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo,dev]'
	@touch $(STAMP)

demo: $(STAMP)  ## embedded PostgreSQL, the example session, the TUI (headless without a terminal)
	@$(BIN)/wesley demo

test: $(STAMP) check  ## linters, types, import contracts, then the whole default suite
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: lint types contracts

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

screenshots: $(STAMP)  ## draw the pictures in screenshots/ again
	$(BIN)/python -m pytest -q tests/tui --snapshot-update

bench: $(STAMP)  ## ratios against floors and peers; prints a table
	$(BIN)/python -m pytest -q -s -o python_files='bench_*.py' tests/benchmarks

laws: $(STAMP)  ## random databases become each other and back, with their rows; prints how many held
	WESLEY_SLOW=1 $(BIN)/python -m pytest -q -s tests/integration/test_law_convergence.py tests/integration/test_law_circles.py

faults: $(STAMP)  ## kill everything everywhere while migrations run, and compare the end; takes a while
	WESLEY_SLOW=1 $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/faults tests/integration/test_cli_signals.py tests/integration/test_cli_no_run.py tests/tui/test_real_signals.py

undo: $(STAMP)  ## every kind of plan taken back from every step, and who really waits for whom; takes a while
	WESLEY_SLOW=1 $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/integration/test_undo.py tests/integration/test_blockers.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
