# Two commands for a newcomer: `make quickstart` and `make test`. Each does all the set-up it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
# pip checks for its own updates and prints them over our output; nobody asked.
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help install quickstart real test lint unit docs bench fuzz clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("biosig needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.user: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[text]'
	@touch $@

$(VENV)/.developer: $(VENV)/.user
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[text,dev]'
	@touch $@

install: $(VENV)/.user ## a virtual environment in .venv with the command biosig in it

quickstart: $(VENV)/.user ## simulate, prepare, pretrain, evaluate: quickstart/report/report.html
	rm -rf quickstart
	$(BIN)/biosig simulate quickstart/recordings --records 1500 --seed 0
	$(BIN)/biosig prepare simulated quickstart/recordings quickstart/store --rate 100
	$(BIN)/biosig pretrain quickstart --data quickstart/store --out quickstart/run
	$(BIN)/biosig evaluate quickstart/run/model quickstart/store --protocol all --out quickstart/report

REAL_CORPORA := ludb cinc2021 ptb-xl
# As much as two CPU cores do in a few minutes; leave these out to run the recipe as it is.
REAL_SIZE := --set optimiser.steps=80 --set optimiser.batch_size=64 --set optimiser.warmup_steps=10 \
  --set training.validate_every=40 --set training.checkpoint_every=40
REAL_EVALUATION := --fractions 0.1,1 --seeds 3 --scratch-steps 40

real: $(VENV)/.user ## the same on real recordings: BIOSIG_DATA=folder make real
	@test -n "$(BIOSIG_DATA)" || { echo "set BIOSIG_DATA to the folder that holds ecg/ludb, ecg/cinc2021 and ecg/ptb-xl"; exit 2; }
	rm -rf real
	for corpus in $(REAL_CORPORA); do $(BIN)/biosig prepare $$corpus $(BIOSIG_DATA)/ecg/$$corpus real/stores/$$corpus || exit 1; done
	$(BIN)/biosig pretrain ecg_language_ontology $(REAL_CORPORA:%=--data real/stores/%) --out real/run $(REAL_SIZE)
	$(BIN)/biosig evaluate real/run/model real/stores/ludb real/stores/cinc2021 --out real/report $(REAL_EVALUATION)

test: lint unit ## style, types, architecture and every test

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.developer
	$(BIN)/python -m pytest -n 2 --dist worksteal

docs: $(VENV)/.developer ## the documentation, strictly: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(VENV)/.developer ## the side-by-side measurements, as ratios; a quarter of an hour
	for script in $(filter-out %/bench_latency.py, $(sort $(wildcard tests/benchmarks/bench_*.py))); do \
		echo $$script; $(BIN)/python $$script || exit 1; done
	$(BIN)/python tests/benchmarks/bench_latency.py --quick

SECONDS ?= 600
fuzz: $(VENV)/.developer ## hostile files for every parser, ten minutes, or as long as SECONDS=... says
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[text,dev,fuzz]'
	$(BIN)/python -m tests.fuzz --engine damage --seconds $$(($(SECONDS) / 2))
	$(BIN)/python -m tests.fuzz --engine guided --seconds $$(($(SECONDS) / 2))

clean: ## remove what the commands above made
	rm -rf $(VENV) quickstart real site fuzz-crashes build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
