# Everything a newcomer needs: `make run` and `make test`. The rest: `make help`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
QUICK := -n 2 -m "not crash and not stress and not peer and not contract and not browser"

.DEFAULT_GOAL := help
.PHONY: help install run test coverage slow beside e2e openapi screenshots bench crash-test check lint types contracts migrations lock clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1|/' | \
		while IFS='|' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

install: $(VENV)/.runtime ## Install into .venv, with the command .venv/bin/tocsin

run: $(VENV)/.runtime ## Install, start the embedded PostgreSQL, migrate, serve on 127.0.0.1:8000
	@$(BIN)/tocsin serve

test: $(VENV)/.dev ## Run the tests, all but the slow stories ([PARTS="folders"])
	@$(BIN)/python -m pytest $(QUICK) $(PARTS)

coverage: $(VENV)/.dev ## Run the same tests and see that they cover 95 % of the lines and branches
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest $(QUICK) --cov --cov-report=term:skip-covered

slow: $(VENV)/.dev ## Run the slow stories: races, killed processes, a real Alertmanager, browsers, schemathesis
	@# What is killed waits most of the time; the rest has the room beside it, and gives way to it.
	@nice -n 19 $(MAKE) --no-print-directory beside & beside=$$!; \
		$(BIN)/python -m pytest -m crash; killed=$$?; \
		wait $$beside && exit $$killed

beside: $(VENV)/.dev
	@failed=0; \
		$(BIN)/python -m pytest -m "(stress or peer) and not crash" || failed=1; \
		$(BIN)/python -m pytest -n 2 -m browser || failed=1; \
		$(BIN)/python -m pytest -n 2 -m contract || failed=1; \
		exit $$failed

e2e: $(VENV)/.dev ## Call every route of a running server over HTTP (of one of its own if none runs)
	@$(BIN)/python run_e2e_tests.py

openapi: $(VENV)/.dev ## Write docs/openapi.json, and what it promises; refuses what would break a client of /v1
	@$(BIN)/python -m tests.versioning

screenshots: $(VENV)/.dev ## Take the README's pictures of the demo, in both themes (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

bench: $(VENV)/.dev ## Measure the hot paths, each against its limit (PEERS=1: beside Alerta, too)
	@$(BIN)/python -m tests.bench $(if $(PEERS),--peers)

crash-test: $(VENV)/.dev ## Kill everything for five minutes, then count ([SEED=n] [DURATION=seconds] [FAILOVER=1])
	@$(BIN)/python -m tests.$(if $(FAILOVER),failover,crash) $(if $(SEED),--seed $(SEED)) $(if $(DURATION),--duration $(DURATION))

check: lint types contracts migrations coverage slow e2e ## Everything CI checks (style, types, contracts, migrations, all tests), and what the tests cover

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(BIN)/mypy

contracts: $(VENV)/.dev
	@$(BIN)/lint-imports

migrations: $(VENV)/.dev
	@$(BIN)/python -m pytest -q tests/db/test_migrations.py

lock: ## Pin the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --group build -q -o requirements.txt
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --group build --extra otel -c requirements.txt -q -o requirements-image.txt
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --group build --group dev -q -o requirements-dev.txt

clean: ## Remove what was installed and cached (never the data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tocsin needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing Tocsin; the first time takes a minute."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
