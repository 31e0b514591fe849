# The README's two commands are `make repro` and `make test`. Each creates .venv if it is missing or the lock has
# changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

DEPS := $(RUN) python -m callwright.pipeline.deps

.PHONY: repro deps test check lock clean image image-check

repro: deps
	$(RUN) dvc repro
	@echo
	@$(RUN) dvc metrics show reports/seconds/*.json
	@echo "Report:   reports/index.html"
	@echo "Data:     reports/data_docs/index.html"
	@echo "Decision: models/registry.json"
	@echo "MLflow:   $(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db --port 5000"

# Writes the code that each stage reaches, also a user's own modules, into dvc.yaml.
deps: $(READY)
	$(DEPS)

# Two test processes of one thread each: threads that wait for each other on a busy core are several times slower.
test: $(READY)
	$(RUN) OMP_NUM_THREADS=1 pytest -n 2 --dist loadgroup

check: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(DEPS) --check
	$(RUN) OMP_NUM_THREADS=1 pytest -n 2 --dist loadgroup -m "not slow and not gpu"

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Callwright needs Python 3.11 or newer; name one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

# Pins what is installed now; local build tags such as +cpu are removed, so that the lock fits every build.
lock: $(READY)
	{ sed -n '/^#/p' requirements.lock; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//'; } > requirements.new
	mv requirements.new requirements.lock

clean:
	rm -rf $(VENV) build dist

# Uses docker, podman or buildah; docs/image.md has the variables. Neither needs .venv.
image:
	conf/image/build.sh

image-check:
	conf/image/check.sh
