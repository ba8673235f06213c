# Everything the project does, as commands. Needs python3 and make; the rest is installed into .venv.
export UV_PYTHON_DOWNLOADS := never
PY := .venv/bin/python
UV := .venv/bin/uv
# Compiled ahead: the first start takes half as long, and where Python may not write it, every start.
COMPILE := $(PY) -m compileall -q app services models rest graphql migrations
.NOTPARALLEL:
.PHONY: run test check format contracts lock assets bench clean

## Install what is missing, migrate, make the demo tenant, serve; prints what to open.
run: .venv/run.stamp console/assets/manifest.json
	@exec .venv/bin/dovetail serve --demo

## Install what is missing and run every test; PYTEST_ARGS narrows it down.
test: .venv/dev.stamp console/assets/manifest.json .venv/node/dev.stamp
	$(PY) -c "import pathlib, sys; sys.exit('graphql/__init__.py shadows graphql-core; delete it' if pathlib.Path('graphql/__init__.py').exists() else 0)"
	$(PY) -m pytest $(PYTEST_ARGS)

## Format, lint, types, layers, lock, snapshots, migrations: everything but the tests.
check: .venv/dev.stamp
	sh bin/check

format: .venv/dev.stamp
	.venv/bin/ruff check --fix --quiet .
	.venv/bin/ruff format --quiet .

## Write the snapshots of the active versions and schema.graphql from the code; frozen ones stay.
contracts: .venv/dev.stamp
	.venv/bin/dovetail contract snapshot

## Write the lock files from pyproject.toml.
lock: .venv/uv.stamp
	sh bin/lock

## Fetch the browser files of the console.
assets: console/assets/manifest.json

## Measure everything; tables and plots go to bench/results.
bench:
	@bench/run

clean:
	rm -rf .venv console/assets .pytest_cache .mypy_cache .ruff_cache

.venv/uv.stamp:
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

# Not a sync: what `make test` installed stays, the versions are the same.
.venv/run.stamp: .venv/uv.stamp requirements.lock pyproject.toml
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@$(COMPILE)
	@touch $@

.venv/dev.stamp: .venv/uv.stamp requirements-dev.lock pyproject.toml
	$(UV) pip sync --quiet --compile-bytecode --require-hashes requirements-dev.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@$(COMPILE)
	@touch .venv/run.stamp $@

console/assets/manifest.json: .venv/uv.stamp package-lock.json bin/assets requirements-node.lock
	python3 bin/assets
	@touch $@

.venv/node/dev.stamp: .venv/uv.stamp package-lock.json bin/assets requirements-node.lock
	python3 bin/assets --dev
	@touch $@
