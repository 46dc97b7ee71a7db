# The one front door. `make help` lists what there is; continuous integration runs `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --quiet
PROTOC := $(BIN)/python -m grpc_tools.protoc --proto_path=proto --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc
PROTOS := $(wildcard proto/cascade/v1/*.proto)
PACKAGES := xmpp cascade chassis edge_node central_hub chappe
COMPILED := build/compiled
# Runs a command with the packages of the wheel in place of the sources.
RELEASED := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/$(COMPILED):$(CURDIR)
PYTHON_HEADERS = command -v gcc >/dev/null && \
	test -e "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_paths()["include"])')/Python.h"
UV := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
HOT_TESTS := tests/unit/xmpp tests/unit/edge_node tests/contracts tests/stories tests/simulation tests/integration/cluster \
	tests/integration/listeners
# Arguments of a target: make sim SEED=7, make fuzz DURATION_SECONDS=600, make unit TESTS=tests/unit/chassis
TESTS ?= tests/unit tests/architecture
DURATION_SECONDS ?= 60
ROUNDS ?= 5

# Generates messages, services and the types of both into a folder.
protoc = $(PROTOC) --python_out=$(1) --pyi_out=$(1) --grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)

# Runs a command and shows its output only if it fails.
quietly = output=$$($(1) 2>&1) || { printf '%s\n' "$$output" >&2; echo "failed: make $@" >&2; exit 1; }

# ---------------------------------------------------------------------------------------------------- environment

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Chappe needs Python 3.11 or newer; this is $$($(PYTHON) --version 2>&1). Choose another: make PYTHON=..." >&2; exit 1; }
	@if [ ! -x $(BIN)/pip ]; then \
		if ! $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
			if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
				apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; \
			else \
				echo "This Python can make no virtual environment: install the package python3-venv." >&2; exit 1; \
			fi; \
		fi; \
		$(PYTHON) -m venv --clear $(VENV); \
	fi
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements/runtime.txt pyproject.toml
	@echo "installing the locked libraries into $(VENV)"
	@$(INSTALL) --require-hashes --requirement requirements/runtime.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements/development.txt
	@echo "installing the locked tools into $(VENV)"
	@$(INSTALL) --require-hashes --requirement requirements/development.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.development requirements/fuzz.txt
	@$(INSTALL) --require-hashes --requirement requirements/fuzz.txt
	@touch $@

.PHONY: setup hooks lock clean help
setup: $(VENV)/.development ## make the virtual environment from the lock (every target does this by itself)

hooks: setup ## install the git hooks
	@$(BIN)/pre-commit install

lock: setup ## choose versions anew and write requirements/*.txt (with hashes, without registry addresses)
	@$(UV) --upgrade pyproject.toml --group build --output-file requirements/runtime.txt
	@$(UV) --upgrade pyproject.toml --group build --group development --constraints requirements/runtime.txt --output-file requirements/development.txt
	@$(UV) --upgrade --group fuzz --constraints requirements/development.txt --output-file requirements/fuzz.txt

# What is released: packages whose hot modules are compiled.  It needs a C compiler and Python's headers.
$(COMPILED)/.created: $(VENV)/.development setup.py pyproject.toml $(shell find $(PACKAGES) -name '*.py')
	@$(PYTHON_HEADERS) || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq gcc libc6-dev python3-dev >/dev/null; \
		fi; \
		$(PYTHON_HEADERS) || { echo "Compiling needs gcc and the headers of this Python (python3-dev)." >&2; exit 1; }; }
	@echo "compiling the hot modules into a wheel"
	@rm -rf build dist
	@$(call quietly,CHAPPE_COMPILED=1 $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .)
	@$(INSTALL) --no-deps --target $(COMPILED) dist/*.whl
	@touch $@

.PHONY: wheel
wheel: $(COMPILED)/.created ## what is released, in dist/: a wheel with the hot modules compiled

clean: ## remove what the tools left; the environment and the demo's state stay
	@rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .fuzz
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

# ----------------------------------------------------------------------------------------------------------- demo

.PHONY: demo demo-reset
demo: $(VENV)/.runtime ## a hub and two branches on this machine, with people in them; Ctrl-C ends it
	@exec $(BIN)/chappe demo

demo-reset: $(VENV)/.runtime ## forget everything the demo has stored
	@$(BIN)/chappe demo --reset

# ---------------------------------------------------------------------------------------------------------- checks

.PHONY: check lint format-check ruff types layers proto-check spelling project fmt unit test test-released story sim integration soak
check: lint unit ## what must be green before a commit: lint, types, layers, unit and architecture tests

lint: format-check ruff types layers proto-check spelling project ## every check that runs no product code

format-check: setup
	@$(call quietly,$(BIN)/ruff format --quiet --diff .)

ruff: setup
	@$(BIN)/ruff check --quiet .

types: setup
	@$(BIN)/mypy --no-error-summary $(PACKAGES) tests

layers: setup
	@$(call quietly,$(BIN)/lint-imports)

proto-check: setup
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(call protoc,$$fresh); \
	diff --recursive --brief --exclude=__init__.py --exclude=__pycache__ $$fresh/cascade/v1 cascade/v1 >&2 || { \
		echo "cascade/v1 differs from proto/: run make proto" >&2; exit 1; }

spelling: setup
	@$(BIN)/codespell

project: setup
	@$(call quietly,$(BIN)/validate-pyproject pyproject.toml)

fmt: setup ## format, and fix what can be fixed by itself
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

unit: setup ## unit and architecture tests; TESTS=tests/unit/xmpp for a part
	@$(PYTEST) $(TESTS)

test: lint ## everything: lint, all tests, and those of the hot path once more as it is released
	@$(PYTEST) tests
	@$(MAKE) test-released

test-released: wheel ## the tests of the hot path, with the packages of the wheel in place of the sources
	@$(RELEASED) $(PYTEST) --override-ini pythonpath='$(COMPILED) .' $(HOT_TESTS)

story: setup ## the plays
	@$(PYTEST) tests/stories

sim: setup ## the simulated cluster; SEED=7 repeats a run
	@$(if $(SEED),SEED=$(SEED)) $(PYTEST) tests/simulation

integration: setup ## real sockets, real processes, foreign clients
	@$(PYTEST) tests/integration

soak: setup ## deaths and outages of the whole cluster, again and again for ROUNDS; the hub is away for a minute
	@for round in $$(seq $(ROUNDS)); do CHAPPE_OUTAGE_SECONDS=60 $(PYTEST) tests/integration/cluster -k death; done

# ------------------------------------------------------------------------------------------------- generated, measured

.PHONY: proto docs bench fuzz
proto: setup ## generate cascade/v1 from proto/
	@$(call protoc,.)

docs: setup ## write the generated pages of docs/
	@$(BIN)/chappe reference docs

bench: wheel ## CPU per delivered message and per login, memory per connection; QUICK=1 for a shorter run
	@$(RELEASED) $(BIN)/python -m tests.benchmarks.edge.bench $(if $(QUICK),--quick)

fuzz: $(VENV)/.fuzz ## fuzz every parser for DURATION_SECONDS each
	@mkdir -p .fuzz
	@for target in tests/fuzz/fuzz_*.py; do \
		corpus=.fuzz/$$(basename $$target .py); mkdir -p $$corpus; \
		$(BIN)/python $$target -max_total_time=$(DURATION_SECONDS) -timeout=10 -artifact_prefix=$$corpus/ $$corpus; \
	done
