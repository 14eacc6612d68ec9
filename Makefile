# `make run` and `make test` set themselves up; run again, they start at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

unexport PYTHONDONTWRITEBYTECODE  # hundreds of programs start in a test run: each would compile the harness anew

.PHONY: run test check lint lock clean help bench figures docs reference

help:  ## show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: $(READY)  ## start the embedded stack, run the provider outage under load, print the verdict
	@$(BIN)/harness run scenarios/provider-outage.yaml $(ARGS)

test: $(READY)  ## the whole test suite, in lanes; container tests run wherever an engine answers
	@$(BIN)/python -m pytest -q -n auto --no-loadscope-reorder $(ARGS)

check: lint test  ## what CI runs: lint, types, tests

lint: $(READY)  ## formatting, rules and types
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy

lock: $(READY)  ## pin every dependency again, with hashes
	@$(BIN)/pip install -q pip-tools
	@$(BIN)/pip-compile -q --strip-extras --extra test --extra containers --generate-hashes --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --output-file requirements.txt pyproject.toml

	@echo mkdocs-material | $(BIN)/pip-compile -q --strip-extras --generate-hashes --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --output-file docs/requirements.txt -

reference: $(READY)  ## write the pages of docs/reference that come from the code
	@$(BIN)/python docs/reference/generate.py

docs: .venv-docs/.ready  ## the documentation as a site in build/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

.venv-docs/.ready: docs/requirements.txt
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

figures: $(READY)  ## draw what `make bench` kept, and write docs/explanation/load-figures.md (FILE=... for another)
	@$(BIN)/python benchmarks/load_plots.py $(or $(FILE),build/load-table.json) docs

bench: $(READY)  ## the load engine's table beside its peers (k6, wrk, hey where they are), in one run; for a quiet machine
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/load_table.py $(ARGS)

clean: ## remove what runs and tools left in this checkout, but no run
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv does not work here: install your system's python3-venv package" >&2; exit 1; }
	@echo "installing into $(VENV) (once) ..." >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
