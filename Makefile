# All paths are relative to this file's folder: call it as `make -C FOLDER target` from elsewhere.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup extra dev demo test test-browser verify-models check speed bench bench-clustering chaos throughput queue-soak model-loop lock secrets clean

PYTHON ?= python3
BIN := .venv/bin
PIP = $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check --quiet

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: .venv/setup ## .venv with the facealbum command in it

extra: setup ## what an extra needs, such as NAME=stack
	@$(PIP) install "facealbum[$(NAME)]"

dev: .venv/dev ## .venv with everything that tests and checks need

demo: setup ## the main job on the bundled portraits, end to end
	@$(BIN)/facealbum demo

# The long files come first by their names, so that no process is left alone with one at the end.  Tests of workers and
# servers mostly wait, so there is one process more than there are cores; each computes with one thread, as more would
# only wait for each other, at full load.
test: dev ## all tests
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile --no-loadscope-reorder

test-browser: dev ## the dashboard in an installed Chromium; screenshots of every page into build/screenshots
	@$(BIN)/python -m pytest tests/browser

verify-models: dev ## rebuild the packaged models from their sources and compare (needs npm, fetches 200 MB)
	@$(BIN)/python -m models.convert fetch build/sources
	@FACEALBUM_MODEL_SOURCES=build/sources $(BIN)/python -m pytest tests/golden/models

check: dev ## formatting, lint, types and layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

speed: setup ## photos per second on one core, and where the time goes
	@$(BIN)/python -m eval.speed

bench: dev ## score the albums in ALBUMS=FOLDER into docs/benchmarks.md
	@$(BIN)/python -m eval.bench "$(ALBUMS)" --out docs/benchmarks.md

CACHE ?= build/albums
bench-clustering: dev ## arms, baselines and breakage on the albums in ALBUMS=FOLDER into docs; then what it costs
	@$(BIN)/python -m eval.clustering "$(ALBUMS)" --cache "$(CACHE)" --out docs/benchmarks.md
	@$(BIN)/python -m eval.ceiling "$(ALBUMS)" --cache "$(CACHE)" --out docs/breakage.md
	@$(BIN)/python -m eval.cost

chaos: dev ## kill and cut everything while 2,000 photos and a monthly job are worked on (half an hour)
	@$(BIN)/python -m eval.chaos

throughput: dev ## what the queues cost, and how long a photo waits, into docs/benchmarks.md
	@$(BIN)/python -m eval.throughput --out docs/benchmarks.md

queue-soak: dev ## half an hour of full load: memory, files and connections by time
	@$(BIN)/python -m eval.queue_soak

study: dev ## what metrics, alarms, experiments and gates are worth, into docs/studies.md; with ALBUMS=FOLDER on real ones too
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m eval.studies $(if $(ALBUMS),"$(ALBUMS)" --cache "$(CACHE)") --out docs/studies.md

study-short: dev ## the same on a few simulated families, in under a minute
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m eval.studies --short

LOOP ?= build/model-loop
model-loop: dev ## train, try in the shadow, promote and take back, on the albums in ALBUMS=FOLDER; again from what LOOP holds
	@export FACEALBUM_DATA="$(LOOP)/data"; \
	$(BIN)/facealbum import "$(ALBUMS)/visible/growth/photos.csv" --families "$(ALBUMS)/visible/growth/families.csv" && \
	$(BIN)/facealbum analyze && \
	$(BIN)/facealbum cluster --through 2022-01 && \
	$(BIN)/facealbum pipelines loop "$(LOOP)/reports" --data "bench:$(ALBUMS)" --through 2022-01 --months 36 --accept-research-only

LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url pyproject.toml --group build
lock: ## the newest versions that pyproject.toml allows into the lock files (needs uv)
	@$(LOCK) --upgrade -o requirements.lock
	@$(LOCK) --upgrade --all-extras --group dev -c requirements.lock -o requirements-dev.lock

secrets: ## passwords for docker-compose.yml, where there are none yet
	@$(PYTHON) facealbum/stack/passwords.py secrets

clean: ## remove .venv and every cache, never data
	@rm -rf .venv build dist htmlcov .coverage* .*_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The venv is made without ensurepip, which Debian packages apart; the machine's pip fills it.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "facealbum needs Python 3.11 or newer, this is " + sys.version)'
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --without-pip --clear .venv
	@touch $@

.venv/setup: requirements.lock pyproject.toml | .venv/python
	@echo "Installing what facealbum runs on (about a minute)"
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements-dev.lock .venv/setup
	@echo "Installing what tests and checks need (about a minute)"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@
