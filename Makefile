# The entry points for people and CI. `make` alone lists them. The steps themselves are in cargo or in tests/; this file only
# has their order.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: run test lint dist dist-fast bench docs fmt clean help deps build-deps fmt-check clippy doc deny advisories cargo-test install-check dist-check \
	models fuzz fuzz-build reference selftest record record-ours record-websocket differential websocket differential-wpt differential-serve functional \
	browser browser-wpt attack soak bench-startup bench-smoke peers python-selftest python-diff python-cpython

# Plain cargo for the version that Cargo.toml names and newer ones. The code compiles on 1.95 as well, with --ignore-rust-version.
RUST_MINOR := $(shell rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\).*/\1/p')
RUST_NEEDED := $(shell sed -n 's/^rust-version = "1\.\([0-9]*\)"$$/\1/p' Cargo.toml)
RUST_FLAG := $(shell [ "$(RUST_MINOR)" -ge "$(RUST_NEEDED)" ] 2>/dev/null || echo --ignore-rust-version)
CARGO ?= cargo

comma := ,
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
TRIPLE := x86_64-unknown-linux-gnu
# The C compiler knows the place of libffi.a; see .cargo/dist.toml.
FFI_DIR = $(shell dirname "$$($(or $(CC),cc) -print-file-name=libffi.a)")
DIST_FLAGS = --profile dist --target $(TRIPLE) --config .cargo/dist.toml \
	--config 'target.$(TRIPLE).ffi.rustc-link-search=["native=$(FFI_DIR)"]'

SITE := fixtures/site
WPT_ROOT ?= $(SITE)
OWN_SITE := $(filter $(abspath $(SITE)),$(abspath $(WPT_ROOT)))
# The demo site shows the strict rules; for a checkout the binary chooses the policy itself.
IMPORT_POLICY ?= $(if $(OWN_SITE),strict)
PORT ?= 8000
# The differential run on a checkout wants at least this many percent of the answers to agree.
MINIMUM ?= 95

LOGS := $(TARGET_DIR)/test-logs
STEP := @tests/step.sh $(LOGS)
VENV := $(TARGET_DIR)/reference-venv
PYTHON := $(VENV)/bin/python
# Without the reference its steps are skipped; tests/reference_venv.sh says so, or fails in CI.
IF_REFERENCE = [ -x $(PYTHON) ] || { echo "SKIPPED, no reference: $@"; exit 0; };

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  WPT_ROOT=DIR names the checkout for run and test; PORT=N the port for run ($(PORT); 0 for any)."

run: build-deps ## build, serve WPT_ROOT (the demo site) and print its URLs
	@$(CARGO) build $(RUST_FLAG)
	@exec $(TARGET_DIR)/debug/wptserve serve --doc-root "$(WPT_ROOT)" --port $(PORT) \
		$(if $(IMPORT_POLICY),--import-policy $(IMPORT_POLICY))

test: ## everything CI runs: format, lints, unit tests, the static binary, the comparison, the browser
	$(STEP) --start
	$(STEP) deps $(MAKE) -s deps
	$(STEP) fmt $(MAKE) -s fmt-check
	$(STEP) clippy $(MAKE) -s clippy
	$(STEP) doc $(MAKE) -s doc
	$(STEP) deny $(MAKE) -s deny
	$(STEP) advisories $(MAKE) -s advisories
	$(STEP) cargo-test $(MAKE) -s cargo-test
	$(STEP) models $(MAKE) -s models
	$(STEP) fuzz $(MAKE) -s fuzz SECONDS=1 RUNS=20000
	$(STEP) install-check $(MAKE) -s install-check
	$(STEP) dist $(MAKE) -s dist
	$(STEP) dist-check $(MAKE) -s dist-check
	$(STEP) reference $(MAKE) -s reference
	$(STEP) selftest $(MAKE) -s selftest
	$(STEP) differential $(MAKE) -s differential
	$(STEP) websocket $(MAKE) -s websocket
	$(STEP) python-selftest $(MAKE) -s python-selftest
	$(STEP) python-diff $(MAKE) -s python-diff
	$(STEP) python-cpython $(MAKE) -s python-cpython
ifeq ($(OWN_SITE),)
	$(STEP) differential-wpt $(MAKE) -s differential-wpt
	$(STEP) differential-serve $(MAKE) -s differential-serve
	$(STEP) functional $(MAKE) -s functional
	$(STEP) browser-wpt $(MAKE) -s browser-wpt
endif
	$(STEP) browser $(MAKE) -s browser
	$(STEP) bench-smoke $(MAKE) -s bench-smoke
	$(STEP) --summary

lint: fmt-check clippy doc deny advisories ## format, clippy and rustdoc without warnings, licences, sources, known vulnerabilities

# The new binary is renamed into place, because a running copy cannot be written to.
put_dist = mkdir -p dist && cp $(TARGET_DIR)/$(TRIPLE)/dist/wptserve dist/.wptserve.part && \
	mv dist/.wptserve.part dist/wptserve && ls -l dist/wptserve

dist: build-deps ## the static binary, at dist/wptserve
	$(CARGO) build $(RUST_FLAG) $(DIST_FLAGS)
	@$(put_dist)

# The compiler's own tool, or Debian's of the same version of LLVM.
LLVM = $(shell rustc -vV 2>/dev/null | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
PROFDATA = $(firstword $(wildcard $(shell rustc --print sysroot)/lib/rustlib/$(TRIPLE)/bin/llvm-profdata) \
	$(shell command -v llvm-profdata-$(LLVM)))
PGO = $(abspath $(TARGET_DIR))/pgo
with_rustflags = $(CARGO) build $(RUST_FLAG) $(DIST_FLAGS) --config 'target.$(TRIPLE).rustflags=[$(1)]'

dist-fast: build-deps ## the static binary of a release, built with a profile: a sixth faster, three times as long to build
	@[ -n "$(PROFDATA)" ] || { \
		echo "llvm-profdata is missing: rustup component add llvm-tools, or apt-get install llvm-$(LLVM)"; exit 1; }
	@rm -rf $(PGO) && mkdir -p $(PGO)
	@$(or $(CC),cc) -c benches/instrumented.s -o $(PGO)/instrumented.o
	$(call with_rustflags,"-Cprofile-generate=$(PGO)"$(comma) "-Clink-arg=$(PGO)/instrumented.o")
	@cp $(TARGET_DIR)/$(TRIPLE)/dist/wptserve $(PGO)/wptserve
	python3 benches/train.py $(PGO)/wptserve
	$(PROFDATA) merge -o $(PGO)/all.profdata $(PGO)/*.profraw
	$(call with_rustflags,"-Cprofile-use=$(PGO)/all.profdata")
	@$(put_dist)

BENCH = benches/bench.py --binary dist/wptserve --peers $(TARGET_DIR)/$(TRIPLE)/dist/examples/peers
bench: dist-fast peers reference ## side by side with wptserve and plain actix-web; renews benches/RESULTS.md
	@$(IF_REFERENCE) $(PYTHON) $(BENCH) --root "$(WPT_ROOT)" --json $(TARGET_DIR)/bench.json --results benches/RESULTS.md

bench-smoke: dist peers reference ## check that the benchmark works: a few seconds
	@$(IF_REFERENCE) command -v wrk >/dev/null || { echo "SKIPPED, wrk is not installed: $@"; exit 0; }; \
		$(PYTHON) $(BENCH) --quick

peers: build-deps
	@$(CARGO) build $(RUST_FLAG) $(DIST_FLAGS) --example peers

docs: ## the pages of docs/ as a book, at book/index.html
	@command -v mdbook >/dev/null || { echo "mdbook is missing: cargo install mdbook --locked"; exit 1; }
	@mdbook build

fmt: ## format the Rust code, rewrite the demo site's index
	$(CARGO) fmt --all
	@python3 fixtures/make_index.py

clean: ## remove what was built
	$(CARGO) clean
	@rm -rf dist book

deps: build-deps ## install or name the Debian packages that build and tests need
	@tests/deps.sh test

build-deps:
	@tests/deps.sh build

fmt-check: ## check the format of the code, and that the demo site's index is up to date
	$(CARGO) fmt --all --check
	@python3 fixtures/make_index.py --check

clippy: build-deps ## clippy, warnings are errors
	$(CARGO) clippy $(RUST_FLAG) --all-targets -- -D warnings
	$(CARGO) clippy $(RUST_FLAG) -p wptserve-fuzz -p wptserve-models --lib --bins --test all -- -D warnings

doc: build-deps ## the crate's documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps $(RUST_FLAG)

deny: ## licences and sources of the dependencies
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check bans licenses sources; else python3 tests/licences.py; fi

advisories: ## known vulnerabilities of the dependencies, as far as they can be looked up
	@python3 tests/advisories.py

cargo-test: build-deps ## unit and integration tests
	$(CARGO) test $(RUST_FLAG)

models: build-deps ## the crossings between threads under SCHEDULES (1000) schedules of each kind
	$(CARGO) test $(RUST_FLAG) -p wptserve-models --test all

# The counters of coverage are a pass of LLVM, which stable Rust can be asked for. Only the package fuzz gets it, not what it
# depends on. The last flag lets our own counter of basic blocks win over the empty one of libFuzzer; see fuzz/src/meter.rs.
COVERAGE = -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,level=4 inline-8bit-counters pc-table \
	trace-compares trace-pc) -Clink-arg=-Wl,--allow-multiple-definition
SECONDS ?= 60
fuzz: fuzz-build ## fuzz every target for SECONDS (60), or those that TARGETS names, RUNS inputs at most
	@python3 fuzz/run.py --binary $(TARGET_DIR)/debug/fuzz --work $(TARGET_DIR)/fuzz --seconds $(SECONDS) \
		$(if $(RUNS),--runs $(RUNS)) $(if $(TARGETS),--targets "$(TARGETS)") $(if $(TALLY),--tally $(TALLY))

fuzz-build: build-deps
	@$(CARGO) rustc $(RUST_FLAG) --quiet -p wptserve-fuzz --bin fuzz -- $(COVERAGE)

install-check: build-deps ## check that cargo install works as the README says, without optimisation
	$(CARGO) install $(RUST_FLAG) --path . --locked --debug --no-track --force --root $(TARGET_DIR)/installed
	@$(TARGET_DIR)/installed/bin/wptserve --version

dist-check: ## check that dist/wptserve is static, and works in an empty root
	@python3 tests/dist.py --binary dist/wptserve

reference: ## the virtual environment with wptserve 4.0.3
	@tests/reference_venv.sh $(VENV)

selftest: reference ## check that the comparison and the soak test can fail
	@python3 tests/soak/selftest.py 2>&1
	@$(IF_REFERENCE) $(PYTHON) tests/differential/selftest.py 2>&1

record-ours: build-deps ## record our own answers again, of the cases of fixtures/cases that differ on purpose
	RECORD_OURS=1 $(CARGO) test $(RUST_FLAG) --test cases

record: reference ## record the answers of fixtures/cases from wptserve again
	@$(IF_REFERENCE) $(PYTHON) tests/differential/record.py

differential: reference ## compare dist/wptserve with wptserve on the demo site
	@$(IF_REFERENCE) $(PYTHON) tests/differential/run.py --binary dist/wptserve --root $(SITE) --rich --scripts \
		--no-excludes --time-cap 3 --expected tests/differential/expected.json \
		--report $(TARGET_DIR)/differential-site.json

websocket: reference ## compare dist/wptserve and pywebsocket3 with the recorded sessions
	@$(IF_REFERENCE) $(PYTHON) tests/differential/websocket_record.py --check --binary dist/wptserve

record-websocket: reference ## record the sessions of fixtures/websocket again
	@$(IF_REFERENCE) $(PYTHON) tests/differential/websocket_record.py --binary dist/wptserve

# The interpreter against CPython. N, SEED and MODULES are for runs by hand; BINARY may be a debug build.
N ?= 20000
SEED ?= 1
MODULES ?= quick
BINARY ?= dist/wptserve

python-selftest: reference ## check that the comparison of Python programs can fail
	@$(IF_REFERENCE) $(PYTHON) tests/python/selftest.py 2>&1

python-diff: reference ## compare N generated Python programs (SEED=1) with CPython 3.11
	@$(IF_REFERENCE) $(PYTHON) tests/python/diff.py --binary $(BINARY) -n $(N) --seed "$(SEED)" \
		--report $(TARGET_DIR)/python-diff.json

python-cpython: reference ## CPython's own tests inside the interpreter; MODULES=all adds those that take long
	@$(IF_REFERENCE) $(PYTHON) tests/python/cpython/run.py --binary $(BINARY) --modules $(MODULES) $(RECORD) \
		--cache $(TARGET_DIR)/cpython-tests --report $(TARGET_DIR)/python-cpython.json

differential-wpt: reference ## compare dist/wptserve with wptserve on WPT_ROOT: a bare GET for each handler
	@$(IF_REFERENCE) $(PYTHON) tests/differential/run.py --binary dist/wptserve --root "$(WPT_ROOT)" --minimum $(MINIMUM) \
		--report $(TARGET_DIR)/differential-wpt.json

differential-serve: reference ## compare dist/wptserve with WPT_ROOT's own wpt serve: a sample of all files and handlers
	@$(IF_REFERENCE) $(PYTHON) tests/differential/run.py --wpt-serve --binary dist/wptserve --root "$(WPT_ROOT)" \
		--jobs 4 --minimum 99.9 --expected tests/differential/expected-wpt.json \
		--report $(TARGET_DIR)/differential-serve.json

functional: reference ## WPT_ROOT's own functional tests of wptserve, against dist/wptserve
	@$(IF_REFERENCE) $(PYTHON) tests/differential/functional.py --binary dist/wptserve --root "$(WPT_ROOT)"

browser-wpt: reference ## 400 of WPT_ROOT's test pages in headless Chromium, from its wpt serve and from dist/wptserve
	@$(IF_REFERENCE) $(PYTHON) tests/browser/compare.py --binary dist/wptserve --root "$(WPT_ROOT)" --sample 360 \
		--json $(TARGET_DIR)/browser-wpt.json

attack: ## play clients that want too much against dist/wptserve: print what the server held, and what they got
	@python3 tests/attack/run.py $(or $(BINARY),dist/wptserve) $(ATTACKS)

bench-startup: reference ## measure the time that dist/wptserve and WPT_ROOT's wpt serve take to start
	@$(IF_REFERENCE) $(PYTHON) benches/startup.py --binary dist/wptserve --root "$(WPT_ROOT)"

# The reference has the HTTP/2 that the soak test's client uses. BINARY may be a debug build, MINUTES a fraction.
# A class that a handler makes stays in memory: CLASSES=0 shows the memory without these.
soak: reference ## everything at once for MINUTES (10) against BINARY; LEAK=list or class shows the verdict red
	@python=$(PYTHON); [ -x $$python ] || python=python3; \
		$$python tests/soak/run.py --binary $(BINARY) --minutes $(or $(MINUTES),10) \
			$(if $(CLASSES),--classes $(CLASSES)) $(if $(LEAK),--leak $(LEAK))

browser: ## the demo site's test pages in headless Chromium
	@python3 tests/browser/run.py --binary dist/wptserve
