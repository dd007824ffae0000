# autocom: `make run` and `make test` set up all they need on a fresh Debian or Ubuntu machine, without root.
#
# Needs: git, make, Python 3.11 or later. Everything else lands in .venv (locked, with hashes) and in
# $(ASTERISK_HOME) (a real Asterisk 22, unpacked, not installed). Each step leaves a stamp and is not repeated.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev asterisk browser jssip run demo test chaos properties simulate-validate bench check lock audit sounds words clean distclean

VENV := .venv
BIN := $(VENV)/bin
STEP := tools/step.sh
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/autocom
ASTERISK_HOME := $(if $(AUTOCOM_ASTERISK_HOME),$(AUTOCOM_ASTERISK_HOME),$(if $(AST),$(AST),$(CACHE)/asterisk))
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# a test of calls waits for more than half of its time, so there are two workers more than processors
WORKERS ?= $(shell echo $$(( $$(nproc) + 2 )))
PYTEST_ARGS ?=
BENCH_ARGS ?=
CHAOS_ARGS ?=

help:
	@echo 'make run     a bureau that takes calls, with one demonstration call (Ctrl-C ends it)'
	@echo 'make demo    callers and secretaries, told live'
	@echo 'make test    every check and every test'
	@echo 'make chaos   every fault of docs/faults.md at full length, and the table of what was measured'
	@echo 'make properties  the laws of the queue, with 20,000 random histories'
	@echo 'make simulate-validate  the simulator against queueing theory, with 200,000 calls a figure'
	@echo 'make bench   how fast it is, beside app_queue'
	@echo 'make check   only style, types, walls and the dialplan'
	@echo 'make setup   what the others need: Python packages and Asterisk'
	@echo 'make jssip   the SIP library of the page in a browser, bundled again'
	@echo 'make words   the French of what check says: bring new words into the catalogue, compile it'
	@echo 'make audit   known vulnerabilities of what is locked'
	@echo 'make lock    choose new versions for requirements/*.txt'
	@echo 'make clean   remove what tests and runs left; distclean: the environment too'

# --- set-up ----------------------------------------------------------------------------------

setup: $(VENV)/.installed asterisk

setup-dev: $(VENV)/.installed-dev asterisk browser

$(VENV)/.made:
	@$(STEP) 'Python environment' tools/make_venv.sh $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements/run.txt pyproject.toml
	@[ -e $(VENV)/.installed-dev ] || $(STEP) 'Python packages' $(PIP) install --require-hashes -r requirements/run.txt
	@$(STEP) 'autocom itself' $(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# the locks agree with each other, so the tests' set holds the other one
$(VENV)/.installed-dev: $(VENV)/.made requirements/dev.txt pyproject.toml
	@$(STEP) 'Python packages, with those of the tests' $(PIP) install --require-hashes -r requirements/dev.txt
	@$(STEP) 'autocom itself' $(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/.installed $@

# an Asterisk of yours needs none of ours
asterisk:
ifeq ($(AUTOCOM_ARI_URL),)
	@[ -x $(ASTERISK_HOME)/bin/asterisk ] || tools/get-asterisk.sh $(ASTERISK_HOME)
endif

# for the tests of the page in a browser; says so where none can be had
browser:
	@tools/get-chromium.sh $(CACHE)/chromium

# --- what it is for --------------------------------------------------------------------------

run: setup
	@exec $(BIN)/autocom up --demo

demo: setup
	@exec $(BIN)/autocom demo

test: check
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# one after the other and alone on the machine, or the figures mean nothing; CHAOS_ARGS="-k burst" does only some
chaos: setup-dev
	@$(BIN)/python -m pytest -m fault --chaos --fault-table=var/faults.md -o timeout=3600 $(CHAOS_ARGS)

# the floor's laws, with twenty times as many examples as `make test` (some minutes)
properties: setup-dev
	@$(BIN)/python -m pytest -q -p no:cacheprovider --timeout=0 --hypothesis-profile=properties $(PYTEST_ARGS) tests/core/test_floor_properties.py

# the gates of `autocom simulate` with so many calls that figures of large groups must be right to a point (half an hour)
simulate-validate: setup-dev
	@SIMULATE_CALLS=200000 $(BIN)/python -m pytest -q -rP -n $(WORKERS) -p no:cacheprovider -o timeout=7200 $(PYTEST_ARGS) tests/core/test_erlang.py tests/simulate/test_gates.py

# about three minutes; beside app_queue on the same Asterisk
bench: setup-dev
	@$(BIN)/python bench/latency.py $(BENCH_ARGS)

check: setup-dev
	@$(STEP) 'style' $(BIN)/ruff check
	@$(STEP) 'format' $(BIN)/ruff format --check
	@$(STEP) 'types' $(BIN)/mypy
	@$(STEP) 'walls' $(BIN)/lint-imports
	@$(STEP) 'dialplan' $(BIN)/python tools/lint_dialplan.py

# --- upkeep ----------------------------------------------------------------------------------

LOCK := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --prerelease if-necessary-or-explicit

$(VENV)/lock/bin/uv: $(VENV)/.made
	@$(STEP) 'the resolver' bash -c '$(BIN)/python -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install uv'

lock: $(VENV)/lock/bin/uv
	@$(STEP) 'requirements/run.txt' $(LOCK) --extra private --extra demo pyproject.toml requirements/build.in -o requirements/run.txt
	@$(STEP) 'requirements/dev.txt' $(LOCK) --all-extras pyproject.toml requirements/build.in -o requirements/dev.txt
	@! grep -nE '://|--(extra-)?index|--find-links' requirements/*.txt   # a lock names packages, never places

# known vulnerabilities of what is locked; AUDIT_ARGS=--required: fail where nobody can be asked
audit: setup-dev
	@$(BIN)/python tools/audit.py $(AUDIT_ARGS)

# the French of what `check` says: new templates of the source into the catalogue, and the catalogue compiled
words: setup-dev
	@$(BIN)/python tools/words.py

# the SIP library of the page, bundled again from npm (needs node and npm, and only for this)
jssip:
	@tools/make_jssip.sh

# stock prompts and music again from sounds/prompts.yaml and tools/make_sounds.py
sounds: setup-dev
	@$(STEP) 'a writer of FLAC' $(PIP) install soundfile
	@$(BIN)/python tools/make_sounds.py

clean:
	rm -rf var .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests tools bench migrations -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean
	rm -rf $(VENV)
