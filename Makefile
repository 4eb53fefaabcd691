# celltrail: one verb for each thing one does here; CI runs the same ones.
#
#   make setup   environment in .venv, front end built, extension linked
#   make demo    setup, then the quickstart executed for real and its run table
#   make lab     opens the executed quickstart in JupyterLab
#   make test    everything but what wants packages of its own, two stages at a time (AT_ONCE=1: one by one)
#   make newer   the cells of a kernel recorded with the newest Python of this machine
#   make torch   PyTorch (CPU), SHAP and captum into .venv, for the tests that need them
#   make frameworks   what Keras, Lightning, accelerate, CatBoost and the Trainer of Hugging Face tell, in an environment of their own
#   make check   format, lint and types: seconds
#   make print   the printed files, again
#   make bench   the store beside JSON lines; with peers: benchmarks/store.py --help
#   make bench-panels   the panels beside AG Grid, Plotly and Vega
#   make bench-server   a Jupyter server with many runs
#   make matrix   oldest and newest front ends, each in an environment of its own

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PY := .venv/bin/python
PYTHONS := python3.13 python3.12 python3.11 python3 python
LAB_LINK := .venv/share/jupyter/labextensions/celltrail
BUILT := src/celltrail/static/chart.js src/celltrail/labextension/package.json
DEMO := build/demo
# What builds celltrail itself, as pyproject.toml has it; and setuptools, for packages that still build by it.
BUILDERS := editables "setuptools>=70.1" "hatchling>=1.27" "hatch-fancy-pypi-readme>=24.1" "hatch-jupyter-builder>=0.10" "jupyter-builder>=1.3"
# Everything runs with the environment's commands first, whatever the shell has activated.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Some machines ask Python to keep nothing compiled: every kernel of the tests would then compile all of celltrail again.
unexport PYTHONDONTWRITEBYTECODE

# A stamp is only as good as what it stands for: forget it when that is gone.
$(shell [ -x $(PY) ] || rm -f .make/venv .make/python)
$(shell [ -d js/node_modules ] || rm -f .make/npm)
$(foreach file,$(BUILT),$(if $(wildcard $(file)),,$(shell rm -f .make/front)))

JS_SOURCES := $(shell find js -path js/node_modules -prune -o -path js/lib -prune -o -name __pycache__ -prune -o -type f -print 2>/dev/null)

.PHONY: help setup demo lab test check print bench bench-panels bench-server matrix unit calm vitest nbval browser package floors newer torch framework-env frameworks frameworks-told

help:
	@sed -n '/^#   make/s/^# *//p' Makefile

setup: .make/venv .make/npm .make/front .make/python
	@[ "$$(readlink $(LAB_LINK))" = "$(CURDIR)/src/celltrail/labextension" ] \
	  || { rm -rf $(LAB_LINK); mkdir -p $(dir $(LAB_LINK)); ln -s "$(CURDIR)/src/celltrail/labextension" $(LAB_LINK); }

# What this machine must bring: a Python for the environment, a Node.js for the front end.
.make/tools:
	@mkdir -p .make
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
	  ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "$$python" > .make/python-command; break; }; \
	done
	@[ -s .make/python-command ] || { echo "celltrail needs Python 3.11 or newer and found none; install it, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$$(cat .make/python-command)" -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$$(cat .make/python-command) cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' 2>/dev/null \
	  || { echo "celltrail's front end needs Node.js 20.19 or newer (of the 22 line: 22.12) and found $$(node --version 2>/dev/null || echo none); install it and run make again" >&2; exit 1; }
	@touch $@

# What builds the package is named in pyproject.toml and may change after the environment was made.
.make/venv: pyproject.toml | .make/tools
	@echo "[1/4] Python environment in .venv"
	@[ -x $(PY) ] || "$$(cat .make/python-command)" -m venv .venv
	@$(PY) -m pip install -q $(BUILDERS)
	@touch $@

.make/npm: js/package-lock.json | .make/tools
	@echo "[2/4] npm packages of the front end, from the lock file (about two minutes the first time)"
	@cd js && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.make/front: .make/npm $(JS_SOURCES) | .make/venv
	@echo "[3/4] front end: panels and JupyterLab extension"
	@cd js && npm run --silent build
	@touch $@

# The front end is built by now, so pip's own build of it is skipped: it would install npm packages beside the
# lock file. A newer front end is no reason to install again.
# pip would remove the files of an old installation through the link, so the link goes first.
.make/python: pyproject.toml js/package.json | .make/venv .make/front
	@echo "[4/4] Python packages into .venv (one to three minutes the first time)"
	@rm -f $(LAB_LINK)
	@SKIP_JUPYTER_BUILDER=1 $(PY) -m pip install -q --no-build-isolation -e ".[dev]"
	@rm -rf $(LAB_LINK)
	@touch $@

demo: setup
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@CELLTRAIL_STORE=$(CURDIR)/$(DEMO)/.celltrail $(PY) notebooks/execute.py notebooks/01_quickstart.ipynb $(DEMO)
	@echo; echo "The trail, as 'celltrail ls' shows it in a terminal:"; echo
	@cd $(DEMO) && CELLTRAIL_STORE=$(CURDIR)/$(DEMO)/.celltrail celltrail ls
	@echo; echo "The executed notebook is $(DEMO)/01_quickstart.ipynb; 'make lab' opens it in JupyterLab."

lab: setup
	@[ -f $(DEMO)/01_quickstart.ipynb ] || { mkdir -p $(DEMO) && cp notebooks/01_quickstart.ipynb $(DEMO)/; }
	@cd $(DEMO) && jupyter lab 01_quickstart.ipynb

check: .make/python .make/npm
	@echo "check: format and lint (ruff)"
	@ruff format --check --quiet . || { echo "run: .venv/bin/ruff format ." >&2; exit 1; }
	@ruff check --quiet .
	@echo "check: types (pyright)"
	@js/node_modules/.bin/pyright --project pyproject.toml
	@echo "check: front end (tsc, biome)"
	@cd js && npm run --silent check

# Stages side by side, for tests wait for kernels, browsers and disks much of their time. What a stage says comes in one
# piece when it is over; the others go on when one has failed, and at the end all that did are named.
STAGES := check unit browser package nbval floors vitest
AT_ONCE ?= 2
test: setup
	@mkdir -p build && : > build/failed
	@$(MAKE) --no-print-directory --keep-going --output-sync=target -j$(AT_ONCE) $(addprefix stage-,$(STAGES) $(FURTHER)) \
	  || { echo "make test: failed: $$(xargs < build/failed)" >&2; exit 1; }
	@$(MAKE) --no-print-directory stage-calm
	@echo "make test: all green"

# What is set up stays as it is while stages run: none of them may build the front end under another one.
STAMPS := .make/venv .make/npm .make/front .make/python
stage-%:
	@if $(MAKE) $(addprefix -o ,$(STAMPS)) $*; then echo "stage $*: passed in $$SECONDS s"; \
	else echo $* >> build/failed; echo "stage $*: FAILED after $$SECONDS s" >&2; exit 1; fi

unit: setup
	@echo "test: units"
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not browser and not package and not calm"

calm: setup
	@echo "test: what is counted while nothing else runs"
	@$(PY) -m pytest -q -m calm tests

# The oldest IPython and ipykernel that are promised, laid over the environment: the cells of a kernel must be
# recorded there as in the newest ones.
FLOORS := build/floors
FLOOR_KERNEL := ipython==8.37.0 ipykernel==6.29.5
floors: setup
	@echo "test: cells recorded with $(FLOOR_KERNEL)"
	@[ -x $(FLOORS)/bin/python ] || { rm -rf $(FLOORS) && $(PY) -m venv $(FLOORS); }
	@[ "$$(cat $(FLOORS)/kernel 2>/dev/null)" = "$(FLOOR_KERNEL)" ] \
	  || { $(FLOORS)/bin/python -m pip install -q $(FLOOR_KERNEL) && echo "$(FLOOR_KERNEL)" > $(FLOORS)/kernel; }
	@$(FLOORS)/bin/python -c 'import sysconfig; from pathlib import Path; \
	  below = "$(CURDIR)/.venv" + sysconfig.get_path("purelib").removeprefix("$(CURDIR)/$(FLOORS)"); \
	  Path(sysconfig.get_path("purelib"), "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")'
	@$(FLOORS)/bin/python -m pytest -q -n 2 --dist loadfile -p no:cacheprovider tests/test_capture_cells.py \
	  tests/test_capture_session.py tests/test_capture_watch.py

# The newest Python of this machine, with celltrail and what it depends on as pip installs them today.
PYENV_ROOT ?= $(HOME)/.pyenv
NEWER_PYTHONS := python3.15 python3.14 python3.13 python3.12 $(wildcard $(PYENV_ROOT)/versions/3.*/bin/python)
NEWER_TESTS := tests/test_capture_cells.py tests/test_capture_watch.py
newer: setup
	@own="$$($(PY) -c 'import sys; print(*sys.version_info[:2], sep=".")')"; \
	read -r version python < <(for each in $(or $(NEWER),$(NEWER_PYTHONS)); do \
	  "$$each" -c 'import ensurepip, sys, venv; print(*sys.version_info[:2], sep=".", end=" "); print(sys.executable)' 2>/dev/null || true; \
	done | sort -V -k1,1 | tail -1) || true; \
	if [ -z "$${version:-}" ] || [ "$$(printf '%s\n' "$$own" "$$version" | sort -V | tail -1)" = "$$own" ]; then \
	  echo "test: skipped, no Python newer than $$own is on this machine's PATH or in pyenv"; exit 0; \
	fi; \
	echo "test: cells recorded with Python $$version"; \
	folder="build/newer-$$version"; \
	[ -x "$$folder/bin/python" ] || { rm -rf "$$folder" && "$$python" -m venv "$$folder"; }; \
	[ "$$folder/installed" -nt pyproject.toml ] || { \
	  "$$folder/bin/python" -m pip install -q $(BUILDERS); \
	  SKIP_JUPYTER_BUILDER=1 "$$folder/bin/python" -m pip install -q --no-build-isolation -e . hypothesis matplotlib pytest pytest-timeout pytest-xdist scikit-learn; \
	  touch "$$folder/installed"; \
	}; \
	"$$folder/bin/python" -m pytest -q -n 2 --dist loadfile -p no:cacheprovider $(NEWER_TESTS)

# Exactly this release: another one is a build for GPUs of some gigabytes.
torch: setup
	@$(PY) -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' \
	  || $(PY) -m pip install -q torch==2.13.0
	@# after PyTorch: by itself captum would bring one of several gigabytes
	@$(PY) -c 'import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, ("shap", "captum"))))' \
	  || $(PY) -m pip install -q 'shap>=0.48' 'captum>=0.8'

# Large ones, laid over the environment; not part of `make test`.
FRAMEWORKS := build/frameworks
FRAMEWORK_PINS := transformers==5.23.0 accelerate==1.15.0 lightning==2.6.6 keras==3.15.1
FURTHER_PINS := catboost==1.2.10 trl==1.16.0 datasets==5.2.0
FRAMEWORK_TESTS = HF_HUB_OFFLINE=1 KERAS_BACKEND=torch OMP_NUM_THREADS=1 $(FRAMEWORKS)/bin/python -m pytest -q -p no:cacheprovider
framework-env: torch
	@echo "environment: $(FRAMEWORK_PINS)"
	@[ -x $(FRAMEWORKS)/bin/python ] || { rm -rf $(FRAMEWORKS) && $(PY) -m venv $(FRAMEWORKS); }
	@$(FRAMEWORKS)/bin/python -c 'import sysconfig; from pathlib import Path; \
	  below = "$(CURDIR)/.venv" + sysconfig.get_path("purelib").removeprefix("$(CURDIR)/$(FRAMEWORKS)"); \
	  Path(sysconfig.get_path("purelib"), "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")'
	@[ "$$(cat $(FRAMEWORKS)/pins 2>/dev/null)" = "$(FRAMEWORK_PINS)" ] \
	  || { $(FRAMEWORKS)/bin/python -m pip install -q $(FRAMEWORK_PINS) && echo "$(FRAMEWORK_PINS)" > $(FRAMEWORKS)/pins; }

# Each once, in one kernel, and all that every plug-in must hold: about two minutes; CI runs this.
frameworks-told: framework-env
	@echo "test: what the large frameworks tell"
	@$(FRAMEWORK_TESTS) -n 2 -k "transformers or accelerate or lightning or keras or frameworks" \
	  tests/test_autolog.py tests/test_plugin_frameworks.py

frameworks: framework-env
	@echo "test: the large frameworks, $(FURTHER_PINS)"
	@$(FRAMEWORKS)/bin/python -m pip install -q $(FURTHER_PINS)
	@$(FRAMEWORK_TESTS) -k "transformers or accelerate or lightning or keras or catboost or framework" \
	  tests/test_autolog.py tests/test_plugin_frameworks.py

# The notebooks' runs belong to nobody: their trail is made in a scratch folder and thrown away.
nbval: setup
	@echo "test: the notebooks, cell by cell"
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	CELLTRAIL_STORE="$$scratch/.celltrail" $(PY) -m pytest -q --nbval-lax --nbval-cell-timeout=120 -p no:cacheprovider \
	  $(if $(wildcard .venv/lib/python*/site-packages/torch),notebooks/*.ipynb,$(filter-out %/06_language_model.ipynb,$(wildcard notebooks/*.ipynb)))

vitest: setup
	@echo "test: front end (vitest)"
	@cd js && npm run --silent test

browser: setup
	@echo "test: JupyterLab and Notebook 7 in Chromium"
	@$(PY) -m pytest -q -n 2 --dist loadfile -m browser tests/browser

package: setup
	@echo "test: the wheel on a machine without Node"
	@$(PY) -m pytest -q -m package tests/test_package.py

print: .make/python
	@$(PY) js/print_contract.py > js/src/contract.ts.new && mv js/src/contract.ts.new js/src/contract.ts
	@$(PY) js/print_golden.py > js/test/golden.json.new && mv js/test/golden.json.new js/test/golden.json
	@$(PY) js/print_messages.py > js/test/messages.ts.new && mv js/test/messages.ts.new js/test/messages.ts
	@echo "printed js/src/contract.ts and js/test/messages.ts"

bench: setup
	@$(PY) benchmarks/store.py --quick

bench-server: setup
	@$(PY) benchmarks/server.py --write

matrix: setup
	@$(PY) tests/browser/matrix.py

PANEL_PEERS := build/panels
bench-panels: setup
	@mkdir -p $(PANEL_PEERS)
	@cmp -s benchmarks/panels/peers.json $(PANEL_PEERS)/package.json \
	  || { cp benchmarks/panels/peers.json $(PANEL_PEERS)/package.json && cd $(PANEL_PEERS) && npm install --no-audit --no-fund --loglevel=error; }
	@node benchmarks/panels.mjs
