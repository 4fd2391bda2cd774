# Each target is complete by itself on a fresh machine with Python 3.11 or newer.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Each runs whole files, in their order (a long one that comes last keeps one alone), with up to 5 GB.
TESTERS ?= 2

.PHONY: setup demo test check docs

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

demo: setup
	$(BIN)/grader grade mnist_softmax assignments/mnist_softmax/samples --output demo-results

test: setup
	$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m grader.authoring.handouts
	$(BIN)/python -m grader.report.schema > docs/report.schema.json
	$(BIN)/python -m grader.authoring.reference > docs/checks.md
