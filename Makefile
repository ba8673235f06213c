# Everything the project does, as commands. Needs python3 and make; the rest is installed into .venv.
export UV_PYTHON_DOWNLOADS := never
PY := .venv/bin/python
UV := .venv/bin/uv
HOST ?= $(or $(DOVETAIL_HOST),127.0.0.1)

.PHONY: run test check format contracts lock assets bench clean

.venv/uv.stamp:
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

.venv/run.stamp: .venv/uv.stamp requirements.lock pyproject.toml
	$(UV) pip sync --quiet --require-hashes requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@rm -f .venv/dev.stamp
	@touch $@

.venv/dev.stamp: .venv/uv.stamp requirements-dev.lock pyproject.toml
	$(UV) pip sync --quiet --require-hashes requirements-dev.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/run.stamp

lock: .venv/uv.stamp
	sh bin/lock
