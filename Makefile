# Everything a person or CI runs. Needs make, Python 3.11-3.13 and the Python package index; `.venv` is made once and re-used.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v) 2>/dev/null)) python3)
BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 2
export MLFLOW_DISABLE_TELEMETRY := true
export DAGSTER_DISABLE_TELEMETRY := true
# Without bytecode every start of Python would compile 200 packages again.
unexport PYTHONDONTWRITEBYTECODE

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(STAMP): pyproject.toml constraints.txt
	@echo "Making .venv with $(PYTHON) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[test]'
	@touch $(STAMP)

install: $(STAMP)  ## Make .venv from the pinned constraints

demo: $(STAMP)  ## Generate a population, run the whole graph, show the summary
	@$(BIN)/claims demo

spark-deps: $(STAMP)  ## Fetch once the jars of CLAIMS_ENGINE=spark (needs Java)
	@$(BIN)/python -m claims_assets.runtime.spark_jars

ui: $(STAMP)  ## Open the Dagster UI on the state that `make demo` left
	@$(BIN)/claims ui

test: $(STAMP)  ## All tests that need only Python packages
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not full and not ui"

test-full: test-system parity test-ui  ## The tests that need more than that: Java, a system PostgreSQL, Chromium, or minutes

test-system: test-large test-engines  ## Of them those without the UI; `make -j 2` runs its halves side by side

test-large: spark-deps  ## The local Databricks workspace, both engines in it, PostgreSQL with TLS
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m full

test-engines: spark-deps  ## Reading and writing on Spark
	@$(BIN)/python -m pytest -q --engine spark $(addprefix claims_assets_tests/,runtime/test_lake.py runtime/test_writers.py runtime/test_publish.py runtime/test_spark.py sources/test_auto_loader.py models/test_spark_fitting.py)

test-ui: $(STAMP)  ## Backfills, kills and clicks against a live UI; `make test-ui PICTURES=1` writes docs/images
	@$(BIN)/python -m pytest -q -n 4 --dist loadfile -m ui $(if $(PICTURES),--pictures)

parity: spark-deps  ## Run the whole graph on both engines and compare every table
	@$(BIN)/python -m claims_assets_tests.parity

test-spark: spark-deps  ## The tests of contracts, lake and transforms on Spark instead of Sail
	@$(BIN)/python -m pytest -q --engine spark --timeout=900 $(addprefix claims_assets_tests/,test_contracts.py runtime/test_lake.py runtime/test_writers.py bronze silver features predictions outreach monitoring/test_model_performance.py)

lint: $(STAMP)  ## Style, types, and the engine calls that are forbidden
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/python -m claims_assets_tests.forbidden_calls
	@$(BIN)/dg check defs 2>/dev/null || $(BIN)/dg check defs

databricks-local: $(STAMP)  ## One month, every step on a local Databricks workspace, compared with a local run
	@$(BIN)/python -m claims_assets_tests.databricks.one_month

bench-fraud: $(STAMP)  ## Planted fraud found by the detectors, an isolation forest, PCA and plain squared error; about 5 minutes
	@$(BIN)/python -m bench.fraud $(if $(SEEDS),--seeds $(SEEDS))

bench: spark-deps  ## The claims workload on both engines, in DuckDB and in Polars, 0.1 to 10 million lines; `make bench SIZES=0.1`
	@$(BIN)/python -m bench.claims $(if $(SIZES),--sizes $(SIZES)) $(if $(WAYS),--ways $(WAYS)) --plot docs/images/benchmarks.svg

bench-scoring: $(STAMP)  ## Score 1,000,000 made-up members, the table against a plain loop; `make bench-scoring MEMBERS=10000` is quick
	@$(BIN)/python -m bench.scoring $(if $(MEMBERS),--members $(MEMBERS))

cluster-wheel: $(STAMP)  ## Build dist/cluster/*.whl, which the jobs on Databricks install
	@$(BIN)/python deploy/build_wheel.py

requirements: $(STAMP)  ## Write docs/requirements.md from the markers of the tests
	@$(BIN)/python -m claims_assets_tests.requirements

config: $(STAMP)  ## Write config/*.yaml and config/data_schema.json from the code and its contracts
	@$(BIN)/python -m claims_assets.config_export

constraints: $(STAMP)  ## Resolve the pins again, for all supported Pythons
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra test --no-header --no-annotate --no-emit-index-url pyproject.toml -o constraints.txt
	@echo "uv==$$($(BIN)/uv --version | cut -d' ' -f2)" >> constraints.txt

clean:  ## Remove .venv and the demo's state
	rm -rf .venv .claims

.PHONY: help install demo spark-deps ui test test-full test-system test-large test-engines test-ui parity test-spark lint databricks-local bench bench-scoring bench-fraud requirements config constraints clean
