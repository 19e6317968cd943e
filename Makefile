# LakeDrop: `make` alone lists what there is. Everything lives below .venv and this folder.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.NOTPARALLEL:

PYTHON_BIN := .venv/bin/python
# Two workers suit small machines; `make test PYTEST_WORKERS=8 PYTEST_ARGS=tests/unit` is fine.
PYTEST_WORKERS ?= 2
PYTEST_ARGS ?=
LOCK := .venv/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# A Python chosen by name (make setup PYTHON=python3.12) reaches the set-up script.
export PYTHON

.PHONY: help setup setup-dev setup-bench run test check bench soak screenshots translations lock clean

help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name what; do printf '  make %-13s%s\n' "$$name" "$$what"; done

setup:  ## make .venv ready to run LakeDrop (quick when nothing changed)
	@sh packaging/setup.sh run

setup-dev:  ## the same, with what the tests and checks need
	@sh packaging/setup.sh test

setup-bench:  ## the same, with the programs that the benchmarks measure against
	@sh packaging/setup.sh bench

run: setup  ## open the window; without a display, upload the sample data and show what happened
	@sh packaging/run.sh

check: setup-dev  ## format, lint, strict types, import walls
	$(PYTHON_BIN) -m ruff format --check .
	$(PYTHON_BIN) -m ruff check .
	$(PYTHON_BIN) -m mypy
	.venv/bin/lint-imports

test: check  ## everything that must hold: the checks, then all the tests
	$(PYTHON_BIN) -m pytest -n $(PYTEST_WORKERS) $(PYTEST_ARGS)

bench: setup-bench  ## measure against plain peers; prints ratios
	$(PYTHON_BIN) -m tests.benchmarks

soak: setup-dev  ## the tests marked soak, with their long counts (hours)
	LAKEDROP_SOAK=1 $(PYTHON_BIN) -m pytest -m soak --timeout 0 $(PYTEST_ARGS)

screenshots: setup-dev  ## take the pictures of every page of the window
	$(PYTHON_BIN) -m tests.screenshots

translations: setup-dev  ## bring resources/translations up to the window's texts
	$(PYTHON_BIN) resources/make_translations.py

lock: setup-dev  ## make the lock files anew from pyproject.toml (UPGRADE=1: newest versions)
	$(LOCK) --extra build --output-file requirements.lock
	$(LOCK) --extra build --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock

clean:  ## remove .venv, the scratch lake and everything else that make made
	rm -rf .venv .setup.lock .demo build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
