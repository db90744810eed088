# The few words people type. `make atlas` and `make test` set everything up that they need.
PYTHON ?= python3
BIN := .venv/bin
# Tests run beside each other, one process a core. More than 8 processes that import torch take more memory than they save time.
BESIDE := --numprocesses auto --maxprocesses 8 --dist worksteal

.PHONY: atlas test coverage lint install serve snapshots figures notebook bench bench-gpu bench-study bench-site clean help
.DEFAULT_GOAL := help

help:  ## these words
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 	/p' $(MAKEFILE_LIST) | expand -t 20

atlas: .venv/.reading  ## render what atlas.toml selects and the store lacks, build site/, check it
	@$(BIN)/atlas status --check; case $$? in 0) ;; 1) $(MAKE) --no-print-directory .venv/.rendering ;; *) exit 2 ;; esac
	@$(BIN)/atlas render
	@$(BIN)/atlas build
	@$(BIN)/atlas check
	@echo "open $(CURDIR)/site/index.html"

test: .venv/.testing  ## run all tests
	@$(BIN)/python -m pytest $(BESIDE)

coverage: .venv/.testing  ## run all tests, and say which lines of which room none of them runs
	@$(BIN)/python -m pytest $(BESIDE) --cov --cov-report=term:skip-covered

lint: .venv/.testing  ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

install: .venv/.testing  ## .venv with the package, the renderer and the test tools

serve: atlas  ## build, then preview on 127.0.0.1
	@$(BIN)/atlas serve

snapshots: .venv/.testing  ## write anew the pages and documents that tests compare with
	@WRITE_SNAPSHOTS=1 $(BIN)/python -m pytest --quiet tests/test_snapshots.py tests/test_cite.py

figures: .venv/.testing  ## the figures of docs/figures/, from the store; Lucent's take three minutes
	@$(BIN)/atlas figure gallery mixed4a:0-9 --dpi 120 -o docs/figures/gallery.png
	@$(BIN)/atlas figure filmstrip mixed4a:0 --dpi 120 -o docs/figures/filmstrip.png
	@$(BIN)/atlas figure parameterizations mixed4a:0 --dpi 120 -o docs/figures/parameterizations.png
	@$(BIN)/atlas figure poster mixed3a,mixed4a,mixed5b --channels 0,5,9 --dpi 120 -o docs/figures/poster.png
	@$(BIN)/atlas figure parameterizations mixed4a:0 --engine lucent --dpi 120 -o docs/figures/parameterizations-lucent.png

notebook: .venv/.testing  ## run the notebook and keep its results in it: some minutes
	@$(BIN)/python notebooks/run.py notebooks/activation_maximization.ipynb

bench: .venv/.rendering  ## this renderer beside Lucent and the floor, at mixed4a: a quarter of an hour
	@$(BIN)/atlas bench

bench-gpu: .venv/.rendering  ## a GPU: a step, its convolutions, Lucent, and the whole network rendered
	@$(BIN)/python benchmarks/device.py --device cuda --compile --output gpu.json

bench-study: .venv/.rendering  ## how time and memory of a study grow with photographs; ARGS="--photographs 50000 --device cuda"
	@$(BIN)/python benchmarks/study.py $(ARGS)

bench-site: .venv/.reading  ## build the atlas of a whole network from a synthetic store: what it takes and weighs
	@$(BIN)/python benchmarks/whole_site.py

attack: .venv/.testing  ## kill, fill, damage and mislead an atlas in many ways, and say what held: a quarter of an hour
	@PYTHONPATH=tests $(BIN)/python tests/attack.py $(ATTACK)

clean:  ## remove .venv and caches, never the store
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; type: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.reading: .venv/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.rendering: .venv/bin/python pyproject.toml
	@echo "installing the renderer (torch and what it needs: some GB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[render]'
	@touch $@ .venv/.reading

.venv/.testing: .venv/bin/python pyproject.toml
	@echo "installing the renderer and the test tools (torch and what it needs: some GB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/.rendering .venv/.reading
