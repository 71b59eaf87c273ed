# Every target works on a fresh machine: it first sets up what it needs under .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Some images set it. Every start would then compile every module again, for seconds.
unexport PYTHONDONTWRITEBYTECODE
# Wheels only: nothing here needs a compiler.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock

.PHONY: up test gen lint format bench faults clean lock

# Runs server, gateway and this machine's agent in the foreground. make up ARGS="--http 127.0.0.1:8081"
up: $(VENV)/.runtime
	@exec $(BIN)/novasphere up $(ARGS)

# All that can run here, several at a time (ARGS="-n 0": one after the other). Says loudly what it skipped
# and how to get it.
test: $(VENV)/.dev debian-packages
	$(BIN)/python -m pytest -n auto $(ARGS)

gen: $(VENV)/.dev
	$(BIN)/python gen/generate.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy server gateway agent client
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code proto
	$(BIN)/buf breaking proto --against proto/baseline.binpb
	$(BIN)/python gen/generate.py --check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/buf format -w proto

# The table of speed goals. Takes some minutes and wants a quiet machine. Only its peers need Redis, whose package
# starts a server of its own.
bench: PEERS = redis-server
bench: $(VENV)/.dev debian-packages
	$(BIN)/python -m bench $(ARGS)

# The fault tests in their long form, an hour of many schedules in simulated time, the planted bugs that they must
# catch, and every property with new examples.
PROPERTIES = tests/store/test_properties.py tests/agent/test_spools.py tests/codegen/test_codecs.py \
	tests/fleet/test_metric_tiers.py tests/fleet/test_firing_storms.py tests/e2e/test_foreign_nodes.py
faults: $(VENV)/.dev debian-packages
	NOVASPHERE_FAULTS=long $(BIN)/python -m pytest tests/faults $(PROPERTIES) --timeout 1800 -s $(ARGS)

# Pins what pyproject.toml allows. The lock names versions only, no addresses.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml --extra dev --quiet --no-annotate --no-header \
		--no-emit-index-url --python-version 3.11 --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "novasphere needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "this Python cannot make virtual environments: on Debian, apt-get install python3-venv" >&2; \
		exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv pyproject.toml
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv pyproject.toml
	@$(INSTALL) --editable ".[dev]"
	@touch $@ $(VENV)/.runtime

# Programs that tests and benchmarks use and that no Python package carries.
.PHONY: debian-packages
debian-packages:
	@sh deploy/debian-packages.sh $(PEERS)
