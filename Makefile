.DEFAULT_GOAL := help
.PHONY: help docs llms release-check examples clients python install install-run run dev test coverage test-fast prereleases check lock format bench bench-compare bench-growth bench-search costs map rename lint types layers private-names templates voice migrations-check spec
# Without bytecode every process compiles the whole app, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin
EXAMPLES := examples/notebook examples/model
# The next command replaces this shell by exec and keeps its process id, the worker's parent.
BESIDE := $(BIN)/flask worker --beside $$$$ &

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.13 ..." if sys.version_info < (3, 11) else 0)'

install: python ## Make .venv with the locked requirements, the development ones too
	@$(PYTHON) tools/install.py requirements.txt requirements-dev.txt

install-run: python
	@$(PYTHON) tools/install.py requirements.txt

run: install-run ## Serve on http://127.0.0.1:8000 (PORT=9000 moves it), with demo data
	@$(BIN)/python -m tools.check_port
	@$(BIN)/flask db upgrade
	@$(BIN)/flask seed-demo --if-empty
	@$(BESIDE) exec $(BIN)/gunicorn run:app

dev: install ## The same with reloader and debugger
	@APP_ENV=development LOG_FORMAT=console $(BIN)/flask db upgrade
	@APP_ENV=development LOG_FORMAT=console $(BIN)/flask seed-demo --if-empty
	@export APP_ENV=development LOG_FORMAT=console; $(BESIDE) \
	  exec $(BIN)/flask --debug run --host 127.0.0.1 --port $${PORT:-8000}

test: install ## The whole suite on SQLite and PostgreSQL (ARGS='-k etag' narrows it)
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--numprocesses auto --dist worksteal --durations 20)

coverage: install ## The same, with the lines and branches that no test reaches (at most 5 %)
	@$(BIN)/python -m pytest --cov --numprocesses auto --dist worksteal

# Not even imported: their libraries take seconds.
LEFT_OUT := --ignore tests/browser --ignore tests/contract/test_schemathesis.py -p no:schemathesis
test-fast: install ## The suite on SQLite, without browsers, races and slow tests, in two minutes
	@$(BIN)/python -m pytest --fast $(LEFT_OUT) --numprocesses auto --dist worksteal $(ARGS)

prereleases: install ## Try the app with the newest pre-releases of Flask and Werkzeug, from the package index
	@$(BIN)/python -m tools.try_prereleases

check: lint types layers private-names templates voice migrations-check spec ## Lint, format, types, import rules, private names, voice, migrations, spec

format: install ## Fix and format the code with ruff
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

rename: install ## Give a fork its own name (NAME="Acme Desk" [SLUG=acme_desk] [PREFIX=acd])
	@$(BIN)/python -m tools.transform rename "$$NAME" "$$SLUG" "$$PREFIX"
	@$(BIN)/ruff format --quiet .

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: install
	@$(BIN)/mypy

layers: install
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.tools.draw_map

map: install ## Redraw docs/map.svg, the rooms of the app, from the imports
	@$(BIN)/python -m tests.tools.draw_map --write

private-names: install
	@$(BIN)/python -m tests.tools.check_private_names

templates: install
	@$(BIN)/djlint app/templates --lint --quiet

voice: install
	@$(BIN)/python -m tests.tools.check_voice
	@$(BIN)/python -m tests.tools.write_llms

migrations-check: install
	@$(BIN)/python -m tests.tools.check_migrations

spec: install
	@$(BIN)/python -m tests.tools.check_spec

bench: install $(if $(RIVALS),bench/rivals/.venv/installed) ## CPU per request beside a bare WSGI service (RIVALS=1: beside DRF, flask-smorest, FastAPI and Litestar; SQLITE=1: on SQLite)
	@$(BIN)/python -m $(if $(RIVALS),bench.rivals,$(if $(SQLITE),bench.embedded,bench))

bench-growth: install ## The effect of a million tasks, more workers and more connections
	@$(BIN)/python -m bench.growth

bench-search: install ## The CPU of searches of 100,000 tasks of one person, on both databases
	@$(BIN)/python -m bench.search

docs: docs/.venv/installed ## Build the site of the documents into docs/.build; a broken link is an error
	@docs/.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --conf-dir docs . docs/.build
	@echo "docs/.build/index.html"

examples: install $(EXAMPLES:=/.venv/installed) examples/spa/node_modules ## Install what the examples need beside the service, and run their tests
	@$(BIN)/python -m pytest tests/examples

llms: install ## Write llms.txt, the list of the documents for programs
	@$(BIN)/python -m tests.tools.write_llms --write

release-check: install ## What must hold before a version is tagged: tree, changelog, contract, migrations, lock, CI
	@$(BIN)/python -m tests.tools.check_release

clients: install ## Build the Python and TypeScript packages of the API, and try them against the served app
	@$(BIN)/python -m tools.build_clients
	@$(BIN)/python -m pytest tests/clients

%/node_modules: %/package-lock.json
	@cd $* && npm ci --no-audit --no-fund
	@touch $@

%/.venv/installed: %/requirements.txt
	@$(PYTHON) -m venv --clear $*/.venv
	@$*/.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r $<
	@$*/.venv/bin/python -m pip check
	@touch $@

bench-compare: install ## The same for two commits (A=ref B=ref, . is the working tree)
	@$(BIN)/python -m bench.compare $(or $(A),HEAD) $(or $(B),.)

costs: install ## Rewrite the budget of each operation in calls and round trips (tests/costs.json)
	@WRITE_COSTS=1 $(BIN)/python -m pytest tests/contract/test_costs.py

lock: install ## Lock the requirements again, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header requirements.in -o requirements.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header requirements-dev.in -c requirements.txt -o requirements-dev.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header bench/rivals/requirements.in -o bench/rivals/requirements.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header docs/requirements.in -o docs/requirements.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header examples/notebook/requirements.in -o examples/notebook/requirements.txt $(ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header examples/model/requirements.in -c requirements.txt -o examples/model/requirements.txt $(ARGS)
