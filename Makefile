.DEFAULT_GOAL := help
.PHONY: help install run dev test check lock format bench bench-compare bench-growth costs lint types layers templates migrations-check spec
PYTHON ?= python3
BIN := .venv/bin
# What follows takes this shell's place by exec, and with it its process id: the worker's parent.
BESIDE := $(BIN)/flask worker --beside $$$$ &

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Flagstone needs Python 3.11 or newer." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

install: .venv/installed-dev ## Make .venv with the locked requirements, the development ones too

run: .venv/installed ## Serve on http://127.0.0.1:8000 (PORT=9000 moves it), with demo data
	@$(BIN)/flask db upgrade
	@$(BIN)/flask seed-demo --if-empty
	@$(BESIDE) exec $(BIN)/gunicorn run:app

dev: .venv/installed-dev ## The same with reloader and debugger
	@APP_ENV=development LOG_FORMAT=console $(BIN)/flask db upgrade
	@APP_ENV=development LOG_FORMAT=console $(BIN)/flask seed-demo --if-empty
	@export APP_ENV=development LOG_FORMAT=console; $(BESIDE) \
	  exec $(BIN)/flask --debug run --host 127.0.0.1 --port $${PORT:-8000}

test: .venv/installed-dev ## The whole suite on SQLite and PostgreSQL (ARGS='-k etag' narrows it)
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--cov --numprocesses auto --dist loadfile)

check: lint types layers templates migrations-check spec ## Lint, format, types, import rules, migrations, spec

format: .venv/installed-dev ## Mend what can be mended
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

lint: .venv/installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/installed-dev
	@$(BIN)/mypy

layers: .venv/installed-dev
	@$(BIN)/lint-imports

templates: .venv/installed-dev
	@$(BIN)/djlint app/templates --lint --quiet

migrations-check: .venv/installed-dev
	@$(BIN)/python -m tests.tools.check_migrations

spec: .venv/installed-dev
	@$(BIN)/python -m tests.tools.check_spec

bench: .venv/installed-dev $(if $(RIVALS),bench/rivals/.venv/installed) ## CPU per request beside a bare WSGI service (RIVALS=1: beside DRF and flask-smorest; SQLITE=1: on SQLite)
	@$(BIN)/python -m $(if $(RIVALS),bench.rivals,$(if $(SQLITE),bench.embedded,bench))

bench-growth: .venv/installed-dev ## What a million tasks, more workers and more connections change
	@$(BIN)/python -m bench.growth

bench/rivals/.venv/installed: bench/rivals/requirements.txt
	@$(PYTHON) -m venv bench/rivals/.venv
	@bench/rivals/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench-compare: .venv/installed-dev ## The same of two commits beside each other (A=ref B=ref, . is what lies here)
	@$(BIN)/python -m bench.compare $(or $(A),HEAD) $(or $(B),.)

costs: .venv/installed-dev ## Write anew what each operation may cost, in calls and round trips (tests/costs.json)
	@WRITE_COSTS=1 $(BIN)/python -m pytest tests/test_costs.py

lock: .venv/installed-dev ## Lock the requirements anew, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header requirements.in -o requirements.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header requirements-dev.in -c requirements.txt -o requirements-dev.txt $(ARGS)
