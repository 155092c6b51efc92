# One list of commands; CI and people call the same recipes. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH ?= torch==2.13.0
# One thread pool per process is enough; numba, torch and DuckDB each size theirs by the CPUs this process may use.
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
# Of `make gpu`. Its Python is the machine's own, whose torch is for its GPU; the one of `make setup` may not be.
GPU_PYTHON ?= $(PYTHON)
GPU_MINUTES ?= 25
GPU_OUT ?= build/gpu
GPU_OPTIONS ?=
GPU_WHEELS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-engines lock wheel hooks demo test test-all test-engines test-slow test-deps lint format bench mutate drills fuzz soak statements memory walks audit sbom dbt-docs site analyses verified-models base-model gpu gpu-pack screenshots clean

help: ## list the recipes
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.installed ## make .venv with the locked versions

# torch by pip and by itself: which file is right (CPU, CUDA) is up to the machine's registries, so that no lock holds it.
$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=python3.12 make ...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m tools.install requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup-engines: $(VENV)/.engines ## the same with Spark and DuckLake

$(VENV)/.engines: $(VENV)/.installed requirements-engines.lock
	$(BIN)/python -m tools.install requirements-engines.lock
	@touch $@

lock: setup ## resolve pyproject.toml into the lock files again; PACKAGES="a b" are locked anew
	$(BIN)/python -m tools.lock $(if $(PACKAGES),--upgrade $(PACKAGES))

wheel: setup ## the installable product: dist/*.whl
	rm -rf build/lib build/bdist.*
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

demo: setup ## the whole pipeline on a planted corpus, then where to look
	$(BIN)/pivots demo

# -n logical: a process for every core. loadfile: what a file builds once is not built again by another process.
PYTEST := $(BIN)/python -m pytest -n logical --dist loadfile --durations 15

test: setup ## the quick tests, the whole pipeline included: after every change
	$(PYTEST) -m "not slow and not engines"

test-all: setup-engines ## every test: slow ones, servers and clusters too (Prefect, Spark, PostgreSQL, several processes)
	$(PYTEST)

test-engines: setup-engines ## of these only what starts servers, clusters or several processes
	$(PYTEST) -m engines

test-slow: setup ## of these only what takes long, but starts no engine
	$(PYTEST) -m "slow and not engines"

test-deps: ## what tests need from Debian: chromium and fonts for pages, Java for Spark, PostgreSQL for DuckLake
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="$$missing fontconfig fonts-noto-cjk"; \
	command -v java >/dev/null || missing="$$missing default-jre-headless"; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -n "$$missing" ] || exit 0; \
	command -v apt-get >/dev/null || { echo "no apt-get here: install$$missing, or tests that need them skip"; exit 0; }; \
	run() { if [ "$$(id -u)" = 0 ]; then "$$@"; else sudo -n "$$@"; fi; }; \
	run apt-get update -qq && run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	$$missing >/dev/null || echo "$$missing could not be installed: tests that need them skip"

screenshots: setup test-deps ## the pictures of docs/images/, from the home that `make demo` fills
	$(BIN)/python -m tools.screenshots

bench: setup ## the benchmarks; they print ratios and rewrite docs/benchmarks/
	for file in tests/benchmarks/bench_*.py; do PYTHONPATH=.:tests $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

mutate: setup ## break every mart's formula in turn: do the dbt tests notice? (minutes)
	PYTHONPATH=.:tests $(BIN)/python -m mutation.mutate

drills: setup ## spoil every change that commands make to files, and see that the next call fixes it (hours)
	PYTHONPATH=.:tests $(BIN)/python -m drills.every_write --out build/drills.json

fuzz: setup ## feed every reader of foreign files with changed ones: a million records
	PYTHONPATH=.:tests $(BIN)/python -m drills.fuzz --out build/fuzz.json

soak: setup ## kill two writers a thousand times beside readers, then compare with a home that nobody disturbed
	PYTHONPATH=.:tests $(BIN)/python -m drills.soak --out build/soak.json

statements: setup ## ten thousand hostile statements on the connection that readers get
	PYTHONPATH=.:tests $(BIN)/python -m drills.statements --out build/statements.json

memory: setup ## ingest, count, build and publish within 3 GiB (needs the right to make control groups)
	PYTHONPATH=.:tests $(BIN)/python -m drills.memory --out build/memory.json

walks: setup ## what a newcomer, an analyst, a researcher and an operator type, step by step (minutes): docs/walks.md
	PYTHONPATH=.:tests $(BIN)/python -m walks --page

# Apart from what they look at: what these tools bring would be in every process of the product.
AUDIT := build/audit-venv
$(AUDIT)/.installed: requirements-audit.lock
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m tools.install requirements-audit.lock
	@touch $@

audit: $(AUDIT)/.installed ## look the locked packages up among known vulnerabilities
	$(AUDIT)/bin/python -m tools.audit

sbom: setup $(AUDIT)/.installed ## what is installed, as a CycloneDX bill of materials: build/sbom.json
	$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --of JSON --output-file build/sbom.json $(BIN)/python

dbt-docs: setup ## what every model, column and test is, as one page in the home (after a build)
	$(BIN)/pivots docs

site: setup ## the documentation as a site, its tutorials run (minutes): build/site/html; fails on what is broken or stale
	$(BIN)/python -m tools.site

analyses: setup ## answer the twenty questions on the demo's home again: docs/analyses.md
	$(BIN)/python -m tools.answer_questions --home pivots-home/demo

verified-models: setup ## every family that transformers can build, at random, against plain transformers (an hour): docs/verified-models.md
	$(BIN)/python -m tools.verified_models

gpu: ## on a machine with a GPU: correctness, speed, scales, counting, within GPU_MINUTES (25); resumes
	$(GPU_PYTHON) -m ml.gpu --minutes $(GPU_MINUTES) --out $(GPU_OUT) $(GPU_OPTIONS)

gpu-pack: setup ## the folder, at most 60 MB, that a machine with a GPU needs for that: build/gpu-pack
	$(BIN)/python -m ml.gpu.pack --out build/gpu-pack $(foreach wheel,$(GPU_WHEELS),--wheel $(wheel))

base-model: setup ## train the demo's base model again (about an hour; resumes)
	$(BIN)/python -m tools.base_model --work build/base-model

lint: setup ## ruff, mypy, import contracts, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/sqlfluff lint dbt_project --processes 2

format: setup ## rewrite Python and SQL in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_project

hooks: setup ## run lint before every commit, and the quick tests before every push
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push

clean: ## remove build leftovers (never the home folder with your data)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dbt_project/target dbt_project/logs *.egg-info \
	build/lib build/bdist.* dist
