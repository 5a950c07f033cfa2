# Everything starts from `make help`. The virtual environment is made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 200
RECORDS ?= tests/records
ONLY ?=
SCHEDULES ?= 1000
LAB ?= all

.PHONY: help run test notebooks docs lint bench fidelity mesh fit check-lazy transcript lab client schema clean

help:  ## Show what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) here; install it: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: $(PYTHON) has no venv module; install it: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(VENV)/installed  ## Run the quorum-loss scenario: timeline, trace, picture
	$(BIN)/swarmsim run scenarios/quorum-loss.yaml

test: $(VENV)/installed  ## Run the tests
	$(BIN)/pytest -n 2

notebooks: $(VENV)/installed  ## Run all notebooks
	$(BIN)/pytest -q --nbmake --nbmake-kernel=python3 -n 2 notebooks

docs: $(VENV)/installed  ## Build the documentation into build/docs
	$(BIN)/sphinx-build -W -q -b html docs build/docs
	@echo build/docs/index.html

lint: $(VENV)/installed  ## Check style, types and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed  ## Measure speed, all or ONLY=name; writes build/bench.json
	$(BIN)/python -m benchmarks.run $(ONLY)

fidelity: $(VENV)/installed  ## Hold the model against the recorded real cluster (SEEDS=200, EAGER=1 runs every heartbeat)
	$(BIN)/swarmsim fidelity $(RECORDS) --seeds $(SEEDS) $(if $(EAGER),--eager)

mesh: $(VENV)/installed  ## Hold what requests see while things break against five recorded meshes (SEEDS=200, ONLY=cut)
	$(BIN)/python -m swarmsim.analysis.meshfidelity $(RECORDS)/mesh --seeds $(SEEDS) $(if $(ONLY),--only $(ONLY))

fit: $(VENV)/installed  ## Fit the profile lab to half of the recorded runs, judge it by the others (about half an hour)
	$(BIN)/python -m swarmsim.analysis.fit $(RECORDS)

check-lazy: $(VENV)/installed  ## Compare eager and lazy runs of random faults (SCHEDULES=1000)
	$(BIN)/swarmsim check-lazy --schedules $(SCHEDULES)

transcript: $(VENV)/installed  ## Type the recorded docker commands into the model
	$(BIN)/swarmsim transcript $(RECORDS)/cli/swarm.jsonl
	$(BIN)/swarmsim transcript $(RECORDS)/cli/networks.jsonl

lab: $(VENV)/installed  ## Scenarios on real engines of this machine and on the model (root, docker; LAB=quick: what fits into minutes)
	LAB=$(LAB) $(BIN)/pytest -n 0 -s -rs tests/real/test_agreement.py $(if $(filter all,$(LAB)),tests/real/test_lab.py)

client: $(VENV)/installed  ## Compare our docker client with what the real one was recorded to do
	$(BIN)/swarmsim client $(RECORDS)/client
	$(BIN)/swarmsim client $(RECORDS)/stacks

schema: $(VENV)/installed  ## Write the tables of docs/trace.md from the types of rows
	$(BIN)/python -m swarmsim.trace.tables docs/trace.md

clean:  ## Remove what was built
	rm -rf build dist runs .mypy_cache .ruff_cache .pytest_cache .hypothesis
