PYTHON ?= python3
PORT ?= 5000
AWS_PORT ?= 4566
STAGE ?= dev
BIN := .venv/bin

.PHONY: help install run reset mail provision package deploy deploy-local destroy check-integrity check-integrity-local publish-frontend gateway-responses bench bench-deployed bench-memory routes architecture swagger-ui fuzz load audit lock test fault-matrix test-full lint format

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

install: .venv/installed ## Make .venv and install everything

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("CloudAlbum needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: install ## Run the album and an embedded AWS here (PORT=5000 AWS_PORT=4566)
	@$(BIN)/python -m infra.local --port $(PORT) --aws-port $(AWS_PORT)

reset: install ## Wipe the local album: its accounts and photos
	@$(BIN)/python -m infra.local --reset

mail: install ## Print the mailbox of the embedded AWS, newest last
	@test -f .local/env || { echo "The embedded AWS is not there: start it with make run."; exit 1; }
	@. ./.local/env && $(BIN)/python -m infra.mail

provision: install ## Create or update a stage's accounts, bucket and tables (STAGE=dev OVERWRITE=1)
	@STAGE=$(STAGE) $(BIN)/python -m infra.provision

package: install ## Build what AWS runs into dist/ (STAGE=dev)
	@STAGE=$(STAGE) $(BIN)/python -m infra.package

deploy: install ## Build, deploy and try a stage of the app (STAGE=dev)
	@STAGE=$(STAGE) $(BIN)/python -m infra.deploy

deploy-local: install ## Provision and deploy a stage into the embedded AWS of `make run`
	@test -f .local/env || { echo "The embedded AWS is not there: start it with make run."; exit 1; }
	@. ./.local/env && STAGE=$(STAGE) $(BIN)/python -m infra.provision
	@. ./.local/env && STAGE=$(STAGE) $(BIN)/python -m infra.deploy

destroy: install ## Remove a stage's app and website; with DATA=delete its photos too
	@STAGE=$(STAGE) DATA=$(DATA) $(BIN)/python -m infra.destroy

check-integrity: install ## Tell whether a stage has lost or forgotten anything (STAGE=dev REPAIR=1 SUB=one-user)
	@STAGE=$(STAGE) $(BIN)/python -m infra.integrity $(if $(REPAIR),--repair) $(if $(SUB),--user $(SUB))

check-integrity-local: install ## The same for the embedded AWS of `make run`
	@test -f .local/env || { echo "The embedded AWS is not there: start it with make run."; exit 1; }
	@. ./.local/env && STAGE=$(STAGE) $(BIN)/python -m infra.integrity $(if $(REPAIR),--repair) $(if $(SUB),--user $(SUB))

publish-frontend: install ## Publish a built single-page client (DIST=path STAGE=dev)
	@STAGE=$(STAGE) DIST=$(DIST) $(BIN)/python -m infra.publish

gateway-responses: install ## After `chalice deploy`: CORS headers on the gateway's own errors
	@STAGE=$(STAGE) $(BIN)/python -m infra.gateway

bench: .venv/bench-installed ## Speed beside plain ways and limits (PHOTOS=folder adds your own)
	@PHOTOS="$(PHOTOS)" $(BIN)/python -m bench.speed

.venv/bench-installed: .venv/installed requirements-bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

bench-deployed: install ## Cold and warm calls, and whole journeys, in the AWS of `make run`
	@test -f .local/env || { echo "The embedded AWS is not there: start it with make run."; exit 1; }
	@. ./.local/env && $(BIN)/python -m bench.deployed http://127.0.0.1:$(PORT)

bench-memory: install ## Memory and time of the largest pictures
	@$(BIN)/python -m bench.memory

routes: install ## Write the README's table of routes
	@$(BIN)/python -m infra.readme

architecture: ## Draw docs/architecture.svg (needs Graphviz)
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

swagger-ui: ## Fetch what the page /docs loads from npm (VERSION=5.35.0)
	@cd "$$(mktemp -d)" && npm pack --silent swagger-ui-dist@$(or $(VERSION),5.35.0) && tar xzf swagger-ui-dist-*.tgz && \
	  cp package/LICENSE package/NOTICE package/swagger-ui.css package/swagger-ui-bundle.js $(CURDIR)/vendor/swagger_ui/

fuzz: install ## Send broken pictures and forms for a while, and tell which ones fail (SECONDS=60)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

load: install ## Put the album under load here, and check what it kept (SECONDS=120 USERS=50)
	@$(BIN)/python -m bench.load --seconds $(or $(SECONDS),120) --users $(or $(USERS),50)

audit: install ## Ask PyPI's advisory service about known flaws of the dependencies
	@$(BIN)/python -m infra.audit

lock: install ## Write requirements.lock anew, after a change to requirements.txt
	@$(BIN)/python -m infra.wheels

test: install lint ## Check everything: style, types, tests
	$(BIN)/pytest -n auto --dist loadgroup

test-full: install lint ## Check also what takes long or needs a browser (Debian's package chromium)
	$(BIN)/pytest -n auto --dist loadgroup -m "full or not full"

fault-matrix: install ## Break every call of every operation, and write the result into the docs
	WRITE_FAULT_MATRIX=1 $(BIN)/pytest -q -p no:xdist tests/api/test_faults.py -k whatever

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy examples/myapp/app.py
	$(BIN)/mypy examples/myapp/resize/app.py

format: install ## Put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
