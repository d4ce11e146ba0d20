PYTHON ?= python3
PORT ?= 5000
AWS_PORT ?= 4566
STAGE ?= dev
BIN := .venv/bin
# pip would also compile 9,500 modules, of which few are ever imported, for a third of its time.
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile

# The releases that Lambda runs and infra/wheels.py has a lock for.
REQUIRE_PYTHON = import sys; version = sys.version_info[:2]; \
  sys.exit("CloudAlbum needs Python 3.11 to 3.14, not %d.%d: make install PYTHON=python3.14" % version \
  if not (3, 11) <= version <= (3, 14) else 0)

# Points the commands after it to the embedded AWS of `make run`.
USE_EMBEDDED_AWS = test -f .local/env || { echo "The embedded AWS is not running. Start it with \`make run\`."; exit 1; }; . ./.local/env

# The npm that infra/frontend.py installs, for commands in frontend/.
NPM = PATH="$(CURDIR)/.venv-node/bin:$$PATH" npm

CHECK_INTEGRITY = STAGE=$(STAGE) $(BIN)/python -m infra.integrity $(if $(REPAIR),--repair) $(if $(SUB),--user $(SUB))

# python-jose requires ecdsa, whose signing leaks timing (CVE-2024-23342, no fix is planned). The
# album signs and verifies nothing with it, and the package does not contain it.
ACCEPTED_VULNERABILITIES = --ignore-vuln CVE-2024-23342

.PHONY: help install run reset dev-frontend check check-frontend test-frontend lighthouse types mail test test-full lint format audit fuzz mutants load provision invite package deploy deploy-local destroy publish-frontend gateway-responses check-integrity check-integrity-local restore bench bench-renditions bench-deployed bench-memory bench-decoder lock verify-locks routes costs architecture swagger-ui fault-matrix bench-page demo screenshots

help: ## Show this list
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Run

install: .venv/installed ## Create .venv and install everything (PYTHON=python3.14)
	@$(BIN)/python -c '$(REQUIRE_PYTHON)'

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c '$(REQUIRE_PYTHON)'
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

run: install ## Run the album and an embedded AWS (PORT=5000 AWS_PORT=4566 VERBOSE=1)
	@$(BIN)/python -m infra.local --port $(PORT) --aws-port $(AWS_PORT) $(if $(VERBOSE),--verbose)

reset: install ## Delete all local accounts and photos
	@$(BIN)/python -m infra.local --reset

dev-frontend: install ## Run Vite's server with reloading, next to `make run` (PORT=5000 WEB_PORT=5173)
	@$(BIN)/python -m infra.frontend install
	cd frontend && ALBUM=http://127.0.0.1:$(PORT) $(NPM) run dev -- --port $(or $(WEB_PORT),5173)

demo: install ## Fill the account demo@example.com of `make run` with 300 pictures (PORT=5000)
	@$(BIN)/python -m infra.demo --port $(PORT)

mail: install ## Print the emails of the embedded AWS, newest last
	@$(USE_EMBEDDED_AWS) && $(BIN)/python -m infra.mail

##@ Check

# In the order of their names, the small unit tests come last, so no worker waits long for the other.
PYTEST_PARALLEL = $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

# The browser comes first: a test of the deployed stage uses the web app that is built for it.
test: install check ## Run the linters and all fast tests (COVERAGE=1 measures and requires coverage)
	cd frontend && $(NPM) run --silent browser
	$(PYTEST_PARALLEL) $(if $(COVERAGE),--cov)

test-full: install check ## Also run slow tests, and those of /docs in a browser
	cd frontend && FULL=1 $(NPM) run --silent browser
	$(PYTEST_PARALLEL) -m "full or not full"

test-frontend: check-frontend ## Check and test the web app alone (installs a Chromium if there is none)
	cd frontend && $(NPM) run --silent browser

# Each of them keeps only one processor busy.
check: install ## Run everything of `make test` that needs no album: linters, types, Vitest
	@$(MAKE) --no-print-directory -j2 lint check-frontend

check-frontend: install ## Check the web app, and run its unit tests
	@$(BIN)/python -m infra.frontend install
	@$(BIN)/python -m infra.openapi dist/openapi.json
	cd frontend && $(NPM) run --silent check

lighthouse: install ## Measure the web app of `make run` with Lighthouse (needs Chromium; PORT=5000)
	@$(BIN)/python -m infra.frontend install
	cd frontend/tests/lighthouse && $(NPM) ci --silent --ignore-scripts && \
	  ALBUM=http://127.0.0.1:$(PORT) PATH="$(CURDIR)/.venv-node/bin:$$PATH" node run.mjs

screenshots: demo ## Take the README's screenshots of the demo in `make run` (PORT=5000)
	@$(BIN)/python -m infra.frontend install
	cd frontend && PORT=$(PORT) $(NPM) run --silent screenshots

types: install ## Write the web app's types of the API
	@$(BIN)/python -m infra.frontend install
	@$(BIN)/python -m infra.openapi dist/openapi.json
	cd frontend && $(NPM) run --silent types

lint: install .venv-checkov/passed ## Check style, format, types and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy examples/myapp/app.py
	$(BIN)/mypy examples/myapp/resize/app.py

# The templates are checked again only after a change, since checkov takes several seconds to start.
TEMPLATES = infra/data.yaml infra/website.yaml dist/lint/app.json

.venv-checkov/passed: .venv-checkov/installed $(wildcard infra/*.yaml infra/*.py .chalice/*.json) app.py | install
	STAGE=dev $(BIN)/python -m infra.sam dist/lint/app.json
	$(BIN)/cfn-lint $(TEMPLATES)
	.venv-checkov/bin/checkov --framework cloudformation --skip-download --quiet --compact $(TEMPLATES:%=-f %)
	@touch $@

.venv-checkov/installed: requirements-checkov.txt
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements-checkov.txt
	@touch $@

format: install ## Fix style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: install ## Check the dependencies for known vulnerabilities
	$(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off $(ACCEPTED_VULNERABILITIES) -r requirements-dev.txt

fuzz: install ## Send broken images, forms and bodies to every route (SECONDS=60)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

mutants: install .venv-mutants/installed ## Print planted bugs that no test finds (SECONDS=600 SINCE=main MODULES=... SAMPLE=...)
	@$(BIN)/python -m tests.mutants --seconds $(or $(SECONDS),600) $(if $(SINCE),--since $(SINCE)) \
	  $(if $(MODULES),--modules $(MODULES)) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

.venv-mutants/installed: requirements-mutants.txt
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements-mutants.txt
	@touch $@

load: install ## Put a local album under load, and check what it stored (SECONDS=120 USERS=50)
	@$(BIN)/python -m bench.load --seconds $(or $(SECONDS),120) --users $(or $(USERS),50)

##@ Deploy

provision: install ## Create or update a stage's accounts, bucket and tables (STAGE=dev OWNER=address)
	@STAGE=$(STAGE) $(BIN)/python -m infra.provision

invite: install ## Allow a person, or a domain, to sign up (EMAIL=address or @domain, STAGE=dev)
	@STAGE=$(STAGE) EMAIL='$(EMAIL)' $(BIN)/python -m infra.invite

package: install ## Build the Lambda package into dist/ (STAGE=dev)
	@STAGE=$(STAGE) $(BIN)/python -m infra.package

deploy: install ## Build and deploy a stage, and smoke-test it (STAGE=dev WAF=true PARAMETERS="...")
	@STAGE=$(STAGE) $(BIN)/python -m infra.deploy

deploy-local: install ## Provision and deploy a stage to the embedded AWS of `make run` (STAGE=dev)
	@$(USE_EMBEDDED_AWS) && STAGE=$(STAGE) $(BIN)/python -m infra.provision
	@$(USE_EMBEDDED_AWS) && STAGE=$(STAGE) $(BIN)/python -m infra.deploy

destroy: install ## Delete a stage's app and website (STAGE=dev; DATA=delete: its photos, too)
	@STAGE=$(STAGE) DATA=$(DATA) $(BIN)/python -m infra.destroy

publish-frontend: install ## Publish a built single-page client (DIST=path STAGE=dev)
	@STAGE=$(STAGE) DIST=$(DIST) $(BIN)/python -m infra.publish

gateway-responses: install ## After `chalice deploy`: configure the gateway's own errors (STAGE=dev)
	@STAGE=$(STAGE) $(BIN)/python -m infra.gateway

##@ Maintain

check-integrity: install ## Check data integrity (STAGE=dev REPAIR=1 SUB=user)
	@$(CHECK_INTEGRITY)

check-integrity-local: install ## Check data integrity in the embedded AWS of `make run`
	@$(USE_EMBEDDED_AWS) && $(CHECK_INTEGRITY)

restore: install ## Restore tables and objects to one moment (STAGE=dev TO=2026-11-20T12:00Z YES=1)
	@STAGE=$(STAGE) TO="$(TO)" YES=$(YES) $(BIN)/python -m infra.restore

lock: install ## Update the locks after a change to requirements.txt
	@$(BIN)/python -m infra.locks

verify-locks: install ## Check that the locks of all Pythons give a package
	@$(BIN)/python -m infra.locks --verify

swagger-ui: ## Update what the page /docs loads from npm (VERSION=5.35.0)
	@cd "$$(mktemp -d)" && npm pack --silent swagger-ui-dist@$(or $(VERSION),5.35.0) && tar xzf swagger-ui-dist-*.tgz && \
	  cp package/LICENSE package/NOTICE package/swagger-ui.css package/swagger-ui-bundle.js $(CURDIR)/vendor/swagger_ui/

##@ Measure

bench: .venv/bench-installed ## Run the benchmarks (PHOTOS=folder adds your own photos)
	@PHOTOS="$(PHOTOS)" $(BIN)/python -m bench.speed

.venv/bench-installed: .venv/installed requirements-bench.txt
	$(PIP_INSTALL) -r requirements-bench.txt
	@touch $@

bench-renditions: .venv/bench-installed ## Compare thumbnails with those of libvips
	@$(BIN)/python -m bench.renditions

bench-deployed: install ## Measure cold starts and requests in the embedded AWS of `make run`
	@$(USE_EMBEDDED_AWS) && $(BIN)/python -m bench.deployed http://127.0.0.1:$(PORT)

bench-memory: install ## Measure memory and time for the largest images
	@$(BIN)/python -m bench.memory

bench-decoder: install ## Measure what decoding in a process of its own costs
	@$(BIN)/python -m bench.decoder

bench-page: install ## Measure the web app with 50,000 photos in a slowed Chromium (PHOTOS=50000 SECONDS=60)
	@$(BIN)/python -m infra.frontend install
	@$(BIN)/python -m bench.page --photos $(or $(PHOTOS),50000) --seconds $(or $(SECONDS),60)

##@ Document

routes: install ## Write the table of routes
	@$(BIN)/python -m infra.routes

costs: install ## Write the tables of costs into docs/costs.md
	@$(BIN)/python -m bench.costs

architecture: ## Draw docs/architecture.svg (needs Graphviz)
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

fault-matrix: install ## Make each AWS call of each operation fail, and write the results into the docs
	WRITE_FAULT_MATRIX=1 $(BIN)/pytest -q -p no:xdist tests/api/test_faults.py -k honest
