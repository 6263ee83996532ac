# A thin face over `python start.py` and the seqlib command; `make help` lists what there is.
PYTHON ?= python3
SEQLIB = .venv/bin/seqlib
# Options for the tests, for example: make test ARGS="-k recurrent"
ARGS ?=
LECTURE ?= 02
ASSIGNMENT ?= a1_recurrent
COURSE ?= class

.DEFAULT_GOAL := help
.PHONY: help setup lab present test test-slow test-all lint claims bench bench-grading peers attacks honest fuzz site export release bundle grade mutants soak

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup:  ## install everything, pinned, into .venv
	@$(PYTHON) start.py --extras grading,postgres,cluster,dev --setup

lab: ## set up and open the course in JupyterLab
	@$(PYTHON) start.py --extras grading --setup
	@$(SEQLIB) lab

present: setup  ## present a lecture from JupyterLab: make present LECTURE=02
	@$(SEQLIB) lab --present $(LECTURE)

test: setup lint  ## set up and pass the tests (under five minutes)
	.venv/bin/python -m pytest -q -m "not slow" $(ARGS)

test-slow: setup  ## the tests that take longer
	.venv/bin/python -m pytest -q -m "slow and not long" $(ARGS)

test-all: test test-slow  ## both

lint: setup  ## format, lint and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

claims: setup  ## run every claim whose code changed and print the table
	@$(SEQLIB) claims

bench: setup  ## time ours beside the peers
	.venv/bin/python -m benchmarks

peers: setup  ## make the environments of nbgrader and otter that benchmarks and attacks compare with
	.venv/bin/python -m benchmarks.peers.environments

attacks: setup  ## try every attack on the grader: make attacks ARGS="--engine all --only forge"
	.venv/bin/python -m tests.attacks $(ARGS)

honest: setup  ## grade five hundred honest submissions in every form: none may be called tampered
	.venv/bin/python -m tests.attacks.honest --count 500

fuzz: setup  ## send a hundred thousand damaged messages to the grader
	.venv/bin/python -m tests.fuzz

bench-grading: setup peers  ## the same submissions graded by nbgrader, by otter and by us
	.venv/bin/python -m benchmarks.grading

site: setup  ## write every lecture as a page, with an index, to dist/site
	@$(SEQLIB) export site

soak: setup  ## kill parts of the grader in every way and resume it: make soak ARGS="--runs 400 --resume"
	.venv/bin/python -m tests.soak $(ARGS)

export: setup  ## one lecture as one HTML file: make export LECTURE=02
	@$(SEQLIB) export lecture $(LECTURE)

release: setup  ## make what students get: make release ASSIGNMENT=a1_recurrent
	@$(SEQLIB) release $(ASSIGNMENT)

bundle: setup  ## write the students' edition of the course to dist/
	@$(SEQLIB) bundle

grade: setup  ## grade a class: make grade ASSIGNMENT=a1_recurrent COURSE=class
	@$(SEQLIB) grade $(ASSIGNMENT) --course "$(COURSE)"

mutants: setup  ## show that every check finds every known mistake
	@$(SEQLIB) mutants $(ASSIGNMENT)
