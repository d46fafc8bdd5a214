# make report | test | lint | proofs | docs | benchmark | mutation | soundness | clean.  Each makes its own virtual environment when it has to.
PYTHON ?= python3
EXTRAS ?=
# make benchmark ONLY="hessian ends": these subjects only.
ONLY ?=
# make mutation N=100 SEED=7: so many mutants, of another sample; make soundness SEED=7: other cases.
N ?= 400
SEED ?= 0

comma := ,
bin := .venv/bin
ledger := reports/out/ledger.json
development := dev$(if $(EXTRAS),$(comma)$(EXTRAS))
# One stamp for each set of extras, so that asking for more of them installs them.
ready := .venv/ready-$(subst $(comma),-,$(development))

# Several test processes at once, one thread each: more threads than cores only wait for each other.
pytest := OPENBLAS_NUM_THREADS=1 $(bin)/python -m pytest -n 2 --dist worksteal

.PHONY: report test lint proofs docs benchmark mutation soundness clean

report: .venv/ready
	$(bin)/elbo-verify prove --ledger $(ledger)
	$(bin)/elbo-verify report digits --ledger $(ledger) --out reports/out/digits --overwrite
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

# The lists "checked by" of docs/mathematics.md.
docs: $(ready)
	$(bin)/python -m proofs.machinery.blueprint

# The peers are large and would drag the versions of everything else along: they have an environment of their own.
benchmark: .venv-peers/ready
	.venv-peers/bin/python -m benchmarks $(ONLY) --json reports/out/benchmark.json

# How many small faults in the checkers the tests see; about half an hour.
mutation: $(ready)
	nice -n 19 $(bin)/python -m benchmarks.mutation -n $(N) --seed $(SEED) --json reports/out/mutation.json

# Whether the checkers of certificates can be made wrong; about ten minutes.
soundness: $(ready)
	nice -n 19 $(bin)/python -m benchmarks.soundness --seed $(SEED) --json reports/out/soundness.json

clean:
	rm -rf .venv .venv-peers build reports/out .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: setup.cfg pyproject.toml
	test -x $(bin)/python || $(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --editable .
	touch $@

$(ready): setup.cfg pyproject.toml
	test -x $(bin)/python || $(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --editable '.[$(development)]'
	touch $@ .venv/ready

.venv-peers/ready: setup.cfg pyproject.toml
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --editable '.[peers]'
	touch $@
