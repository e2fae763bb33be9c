# These do everything on a machine that has only Python (3.11 or newer): `make demo`, `make lab` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# uv installs in seconds what pip does in minutes; where it cannot be had, pip does it.
comma := ,
INSTALL = $(BIN)/python -m uv pip install -q $(COMPILE) --reinstall-package jupyter-mlops --python $(BIN)/python -e '.[$(1)]' || $(BIN)/python -m pip install -q -e '.[$(1)]'

COMPILE := --compile-bytecode

# Much of what tests wait for is the disk; where there is memory for their files, the everyday ones wait less.
MEMORY := $(shell test -w /dev/shm && test $$(df -Pk /dev/shm | awk 'END {print $$4}') -gt 4000000 && echo /dev/shm)

# Without bytecode every kernel, worker and command would compile what it imports, again and again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo lab test quick lint format docs bench clean

## demo: set up, and run the flights example on real data
demo: $(VENV)/.demo
	$(BIN)/jupyter mlops run notebooks/flights

## lab: set up with the panel, and open JupyterLab on the example
lab: $(VENV)/.lab
	$(BIN)/jupyter lab --notebook-dir=notebooks

## test: set up, check the code, and run every test
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

## quick: the everyday subset (its tests often wait for processes and sockets: more files at a time than there are processors)
quick: $(VENV)/.test
	$(if $(MEMORY),TMPDIR=$(MEMORY)) $(BIN)/python -m pytest -m "not slow" -n 3 --dist loadfile -o tmp_path_retention_policy=failed

## lint: format, lint and types
lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

## format: mend what can be mended by itself
format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## docs: write the reference anew, and build the site into site/ (warnings are errors)
docs: $(VENV)/.docs
	$(BIN)/python docs/tools/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

## bench: us and our peers, side by side
bench: $(VENV)/.bench
	for script in latency throughput outputs dag stores admission; do $(BIN)/python benchmarks/$$script.py || exit 1; done

## clean: everything that can be made again
clean:
	rm -rf $(VENV) site .mlops notebooks/flights/flights.duckdb .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jupyter_mlops needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	-$(BIN)/python -m pip install -q uv

# Without the panel: to build that takes longer than all the rest, and a pipeline runs without it.
$(VENV)/.demo: export JUPYTER_MLOPS_SKIP_LAB = 1
$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(call INSTALL,example)
	@touch $@

# Whoever opens JupyterLab need not wait until all is compiled, which takes longer than to build the panel: what is imported
# is compiled then.
$(VENV)/.lab: COMPILE :=
$(VENV)/.lab $(VENV)/.test: export JUPYTER_MLOPS_REQUIRE_LAB = 1
$(VENV)/.lab: pyproject.toml | $(VENV)/bin/python
	$(call INSTALL,example)
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(call INSTALL,test)
	cd labextension && PATH="$(abspath $(BIN)):$$PATH" jlpm install --immutable
	@touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(call INSTALL,example$(comma)docs)
	@touch $@

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	$(call INSTALL,bench)
	@touch $@
