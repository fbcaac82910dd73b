# Everything runs in .venv, which is made on first use and whenever requirements.txt changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The Procfile says "python"; the virtual environment's comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1

DEMO := HELIOGRAPH_DATA_DIR=data/demo

.DEFAULT_GOAL := help
.PHONY: help run demo test test-quick check format bench screenshots

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Needs Python 3.11 or newer: make PYTHON=<path of one>." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

run: $(STAMP) ## Start Heliograph: web and worker; Ctrl-C stops both
	@python -m core prepare
	@exec honcho --env /dev/null start

demo: $(STAMP) ## The same with a demo company already in it, in a data folder of its own
	@$(DEMO) python -m core prepare --demo
	@$(DEMO) exec honcho --env /dev/null start

# What shares a browser or a database stays on one worker (tests/conftest.py); the slow folders come first.
test: $(STAMP) ## Run every test
	python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

test-quick: $(STAMP) ## Units and pages, for the daily loop: a minute or two
	python -m pytest -q -n 2 --dist loadgroup tests/unit tests/pages

check: $(STAMP) ## The quick gate: lint, types, import directions, unit tests
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	python -m pytest -q tests/unit

format: $(STAMP) ## Put the code into its usual shape
	ruff check --fix-only .
	ruff format .

bench: $(STAMP) ## Measure what docs/performance.md promises
	@python -m benchmarks story --recipients 100000
	@python -m benchmarks demo
	@python -m benchmarks text
	@python -m benchmarks gateway
	@python -m benchmarks dispatch
	@python -m benchmarks preflight
	@python -m benchmarks statistics
	@python -m benchmarks history
	@python -m benchmarks export
	@python -m benchmarks maintenance
	@python -m benchmarks numbers
	@python -m benchmarks cdr
	@python -m benchmarks login
	@python -m benchmarks workers
	@python -m benchmarks receipts
	@python -m benchmarks pages

screenshots: $(STAMP) ## Take the pictures of the guide anew
	SCREENSHOTS_DIR=docs/guide/images python -m pytest -q tests/e2e/test_screenshots.py
