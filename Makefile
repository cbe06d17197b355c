# Everything a fresh clone needs, with Python 3.11+ and make and nothing else.
#
#   make demo         install, then start a shop full of invented customers
#   make test         the test suite
#   make test-engines the segment rules on ClickHouse's engine, which is half a gigabyte
#   make check        formatting, lint rules, types, import rules
#   make bench        the benchmarks
#   make screenshots  the pictures of the documentation
#   make lock         pin the dependencies again, newest versions
#   make audit        known vulnerabilities of the pinned dependencies (asks the network)
#   make clean        remove everything made here, .venv included
#
# A second run of any of them installs nothing. Another interpreter: make PYTHON=python3.13 demo

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INSTALL := @$(UV) pip install --quiet --python $(BIN)/python
WORKERS ?= 2
# A process that compiles what it imports takes twice as long to start, and tests start many.
unexport PYTHONDONTWRITEBYTECODE
# Only the targets that make a .venv look for an interpreter; a version manager's shim may exist and still fail.
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
RECENT := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: help
help:
	@sed -n 's/^# \{0,1\}//; 3,13p' Makefile

# Three stamps: the empty .venv with its pinned installer, what runs the product, what develops it.
$(VENV)/installer: requirements-build.lock
	@for python in $(CANDIDATES); do \
	    if "$$python" -c "$(RECENT)" 2>/dev/null; then \
	        echo "Making $(VENV) with $$("$$python" --version) ($$python)"; \
	        "$$python" -m venv --clear $(VENV); \
	        sed -n '/^uv==/,/# via/p' requirements-build.lock | \
	            $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement /dev/stdin; \
	        touch $@; exit 0; \
	    fi; \
	done; \
	echo "Customer 360 needs Python 3.11 or newer, and none of these is: $(CANDIDATES)." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(VENV)/runtime: $(VENV)/installer requirements.lock pyproject.toml hatch_build.py
	@echo "Installing what runs Customer 360"
	$(INSTALL) --require-hashes --requirements requirements.lock
	$(INSTALL) --no-deps --build-constraints requirements-build.lock --editable .
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.lock
	@echo "Installing what develops Customer 360"
	$(INSTALL) --require-hashes --requirements requirements-dev.lock
	@touch $@

$(VENV)/clickhouse: $(VENV)/development requirements-clickhouse.lock
	@echo "Installing ClickHouse's engine"
	$(INSTALL) --require-hashes --requirements requirements-clickhouse.lock
	@touch $@

.PHONY: install install-dev
install: $(VENV)/runtime
install-dev: $(VENV)/development

.PHONY: demo test test-engines check bench screenshots audit
demo: install
	$(BIN)/c360 demo

test: install-dev
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-engines: $(VENV)/clickhouse
	C360_ENGINES=clickhouse $(BIN)/pytest -n $(WORKERS) -o timeout=600 tests/segments/test_to_sql.py tests/segments/test_changed.py

check: install-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install-dev
	$(BIN)/c360 bench

screenshots: install-dev
	$(BIN)/python -m customer360.demo.screenshots

audit: install-dev
	$(BIN)/pip-audit --disable-pip --require-hashes --requirement requirements.lock
	$(BIN)/pip-audit --disable-pip --require-hashes --requirement requirements-dev.lock

# The development lock is made under the constraints of the other one, so both name the same versions.
COMPILE := $(UV) pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
.PHONY: lock
lock: $(VENV)/installer
	$(COMPILE) requirements-build.in --output-file requirements-build.lock
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra dev --extra postgres --extra duplicates \
	    --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --extra clickhouse \
	    --constraints requirements-dev.lock --output-file requirements-clickhouse.lock

.PHONY: clean
clean:
	rm -rf $(VENV) build dist src/customer360/web/static/vendor
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
