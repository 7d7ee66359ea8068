# `make` alone lists the targets. Everything runs from the checkout; nothing outside of it is changed, but for the cache
# of the user in which a livekit-server is built once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
PIP := -m pip --disable-pip-version-check install --quiet
# Further arguments of the tool that a target runs: make test ARGS="-k routing".
ARGS ?=
# How many stories the simulation lives through.
SEEDS ?= 100

.PHONY: help setup page demo test check documents bench simulate soak clean lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready .venv-worker/.ready page ## install everything: .venv, .venv-worker, livekit-server, the page (idempotent)
	@$(BIN)/python -m deploy.tools.livekit_server --build

page: orchestrator/web/page/livekit-client.mjs ## what the pages need from npm (Node 18 or later; left out without npm)

orchestrator/web/page/livekit-client.mjs: deploy/page/package.json deploy/page/package-lock.json deploy/page/.npmrc deploy/tools/pages.py
	@$(PYTHON) -m deploy.tools.pages

.venv/.ready: requirements/orchestrator.txt requirements/dev.txt requirements/build.txt pyproject.toml
	@$(call create_venv,.venv)
	@echo "setup: .venv: the orchestrator, its tests and its checks (a minute or two)"
	@$(BIN)/python $(PIP) --require-hashes -r requirements/orchestrator.txt -r requirements/dev.txt -r requirements/build.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv-worker/.ready: requirements/worker.txt requirements/worker-test.txt requirements/build.txt pyproject.toml
	@$(call create_venv,.venv-worker)
	@echo "setup: .venv-worker: the agents and livekit-agents (a minute or two, 400 MB)"
	@.venv-worker/bin/python $(PIP) --require-hashes -r requirements/worker.txt -r requirements/worker-test.txt -r requirements/build.txt
	@.venv-worker/bin/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## see it work: a real LiveKit, a worker, a client, and the session's timeline
	@exec $(BIN)/python -m deploy.demo $(ARGS)

# What is about time, sound or a loaded machine has the machine to itself; the rest shares it. Each part runs, whatever became
# of the one before.
ALONE := $(addprefix tests/e2e/test_,burst.py foreign.py late_agents.py replicas.py speech.py switch.py) tests/faults/test_calls.py
test: setup ## all tests: unit, integration, end to end
ifeq ($(strip $(ARGS)),)
	@failed=0; \
	echo "test: unit, integration, simulation"; \
	$(BIN)/python -m pytest -m "not soak" -n 3 --dist worksteal tests/unit tests/integration tests/simulation || failed=1; \
	echo "test: the agents, in their own environment"; \
	.venv-worker/bin/python -m pytest tests/worker || failed=1; \
	echo "test: end to end"; \
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadfile $(addprefix --ignore=,$(ALONE)) tests/e2e tests/faults || failed=1; \
	echo "test: end to end, one at a time"; \
	$(BIN)/python -m pytest -m "not soak" $(ALONE) tests/cloud || failed=1; \
	exit $$failed
else
	@$(BIN)/python -m pytest -m "not soak" $(ARGS)
endif

check: .venv/.ready .venv-worker/.ready ## style, types, direction of imports, generated documents
	@echo "check: ruff" && $(BIN)/ruff check && $(BIN)/ruff format --check
	@echo "check: mypy" && $(BIN)/mypy
	@echo "check: mypy, the worker against its own environment"
	@$(BIN)/mypy --python-executable .venv-worker/bin/python --cache-dir .mypy_cache/worker worker tests/e2e/workers/*.py tests/worker/*.py
	@echo "check: images" && $(BIN)/hadolint deploy/images/*.Dockerfile
	@echo "check: imports" && $(BIN)/lint-imports --no-logo
	@if [[ -e deploy/tools/state_diagram.py ]]; then \
	  echo "check: generated documents" && $(BIN)/python -m deploy.tools.state_diagram --check; \
	  $(BIN)/python -m deploy.tools.metrics_reference --check && $(BIN)/python -m deploy.tools.dashboard --check; \
	  for tool in settings_reference http_reference runbooks chart_files; do $(BIN)/python -m deploy.tools.$$tool --check || exit; done; \
	fi

documents: ## write the generated documents anew, from the code
	@for tool in state_diagram metrics_reference dashboard settings_reference http_reference runbooks chart_files; do \
	  $(BIN)/python -m deploy.tools.$$tool || exit; \
	done

simulate: .venv/.ready ## the service in virtual time under faults of all kinds: make simulate SEEDS=300
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

bench: setup ## speed, as ratios measured in one run
	@$(BIN)/python -m tests.benchmarks $(ARGS)

soak: setup ## faults at random on real processes, for half an hour (ARGS="--minutes 480 --seed 7 --livekit redis")
	@$(BIN)/python -m tests.faults $(ARGS)

lock: .venv/.ready ## compile requirements/*.txt from pyproject.toml (ARGS=--upgrade for newer versions)
	@requirements/lock $(ARGS)

clean: ## remove the environments, caches and artifacts
	@rm -rf .venv .venv-worker .artifacts deploy/page/node_modules orchestrator/web/page/livekit-client* orchestrator/web/screen/{preact,htm}[.-]* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that works is kept, whatever PYTHON says now: `make clean` makes room for another one.
define create_venv
$(1)/bin/python -m pip --version &> /dev/null && exit; \
$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
  || { echo "setup: Rollcall needs Python 3.11 to 3.14; point at one: make setup PYTHON=python3.11" >&2; exit 1; }; \
$(PYTHON) -c 'import ensurepip' 2> /dev/null \
  || { echo "setup: this Python cannot create environments; install its venv package (Debian: apt-get install python3-venv)" >&2; exit 1; }; \
$(PYTHON) -m venv --clear $(1)
endef
