# make report | test | lint | proofs | clean.  Each makes its own virtual environment in .venv when it has to.
PYTHON ?= python3
EXTRAS ?=

comma := ,
bin := .venv/bin
ledger := reports/out/ledger.json
development := dev$(if $(EXTRAS),$(comma)$(EXTRAS))
# One stamp for each set of extras, so that asking for more of them installs them.
ready := .venv/ready-$(subst $(comma),-,$(development))

# Several test processes at once, one thread each: more threads than cores only wait for each other.
pytest := OPENBLAS_NUM_THREADS=1 $(bin)/python -m pytest -n 2

.PHONY: report test lint proofs clean

report: .venv/ready
	$(bin)/elbo-verify prove --ledger $(ledger)
	$(bin)/elbo-verify report digits --ledger $(ledger) --out reports/out/digits
	@echo reports/out/digits/index.html

test: lint
	$(pytest) tests
	$(pytest) proofs

lint: $(ready)
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports

proofs: $(ready)
	$(pytest) proofs --ledger $(ledger)

clean:
	rm -rf .venv build reports/out .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: setup.cfg pyproject.toml
	test -x $(bin)/python || $(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --editable .
	touch $@

$(ready): setup.cfg pyproject.toml
	test -x $(bin)/python || $(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --editable '.[$(development)]'
	touch $@ .venv/ready
