# Two commands: `make run` assesses the example posts, `make test` passes every test. Each sets up what it needs.
# `make smoke` runs the whole study on tiny models and invented posts.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check smoke format clean
run: $(VENV)/.installed
	$(BIN)/shouwang assess examples/posts.jsonl

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_imports.py

smoke: $(VENV)/.installed-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" bash runs/smoke.sh

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV)

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "shouwang needs Python 3.11 or later, found " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11 run")'
	$(PYTHON) -m venv $(VENV)
	-$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip  # the one of Python 3.11 takes twice as long
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
