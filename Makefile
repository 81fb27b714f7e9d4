# Needs Go, Node 20 with npm, make and apt; installs the rest. `make help` first.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Runs a Go test binary built for js/wasm: under Node, and in Chromium.
NODE_EXEC     = $(shell go env GOROOT)/lib/wasm/go_js_wasm_exec
CHROMIUM_EXEC = node $(CURDIR)/npm/scripts/go-test-chromium.mjs
FUZZTIME     ?= 30s

.PHONY: help
help: ## list the targets, each with the reason it exists
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# ---------------------------------------------------------------- for a first look

.PHONY: demo
demo: build ## try it: build everything and serve the demo page on 127.0.0.1
	node demo/serve.mjs

.PHONY: build
build: npm/node_modules/.package-lock.json ## leave a ready npm package in npm/: JavaScript, declarations, wasm
	node npm/scripts/build.mjs

.PHONY: setup
setup: npm/node_modules/.package-lock.json ## install what a bare machine lacks: npm's packages, Debian's Chromium and Python, a newer Node
	@node npm/scripts/chromium.mjs --install
	@node npm/scripts/python.mjs --install
	@node npm/scripts/newer-node.mjs --install

# npm writes this file last, so it is as new as the installation.
npm/node_modules/.package-lock.json: npm/package-lock.json
	cd npm && npm ci

# ---------------------------------------------------------------- checks

.PHONY: test
test: lint test-go test-wasm test-types test-npm ## everything that must hold before a change lands (under 10 minutes on 2 cores)

.PHONY: lint
lint: ## formatting and vet, for both ways the Go code is built
	@unformatted="$$(gofmt -l engine storage jsbridge wasm)"; \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./...

.PHONY: test-go
test-go: ## the Go tests natively: fastest to tell what is wrong
	go test ./...
	@echo 'every benchmark, once, so that none rots'; out="$$(go test -run '^$$' -bench . -benchtime=1x ./...)" || { echo "$$out"; exit 1; }
	go test -tags invariants ./engine/... ./jsbridge/... # every query checked against the slow path, borrowed buffers overwritten

# Only storage has code that needs a browser; the rest would say the same twice.
.PHONY: test-wasm
test-wasm: setup ## the Go tests as the WebAssembly users run: under Node, and storage in Chromium
	GOOS=js GOARCH=wasm go test -exec="$(NODE_EXEC)" ./...
	GOOS=js GOARCH=wasm go test -exec="$(CHROMIUM_EXEC)" ./storage/...

.PHONY: test-types
test-types: build ## the declarations, the sources and the tests against the type checker
	cd npm && npx tsc --noEmit

# Two files at a time: one more only makes browsers wait for each other.
.PHONY: test-npm
test-npm: build setup ## the npm package in Node, Chromium, workerd and bundlers
	cd npm && node --import tsx --test --test-concurrency=2 --test-reporter=spec test/*.test.ts

# Each prints what it did; a failure prints how to replay it.
# The lines that a test logs are "n crash points, n operations, …": the last line is their sum.
.PHONY: crash
crash: build setup ## crash points of the engine and its logs, and of browsers, tabs and workers that are killed: CRASHES (6000), PROCESSES (200) and KILLS (10)
	@set -o pipefail; go test ./storage ./storage/filelog ./storage/sqlitelog ./storage/lmdblog -run 'Crashes|Processes' -count=1 -v -timeout 60m \
		-crash.points=$(or $(CRASHES),6000) -crash.kills=$(or $(PROCESSES),200) | awk '{ print; fflush() } \
		/ crash points, / { for (i = 2; i < NF; i++) { if ($$(i+1) == "crash") p += $$i; if ($$(i+1) ~ /^operations/) o += $$i; if ($$(i+2) == "them") a += $$i; if ($$(i+1) == "other") f += $$i; if ($$(i+1) == "pieces") n += $$i } } \
		/^(--- FAIL|FAIL|panic)/ { failed = 1 } \
		END { if (failed) { print "FAILED: see above" } else print "in all: " p " crash points, " o " operations, " a " of them acknowledged, " f " other faults, " n " pieces of bad news; acknowledged losses: 0" }'
	cd npm && CRASH_ROUNDS=$(or $(KILLS),10) node --import tsx --test --test-reporter=spec test/crash.test.ts test/atomic-tabs.test.ts test/worker.test.ts

.PHONY: browsers
browsers: build ## the tests of the API in Debian's Firefox and WebKitGTK, which it installs
	@node -e "import('./npm/scripts/apt.mjs').then(({ installPackages }) => installPackages('firefox-esr', 'webkit2gtk-driver', 'xvfb', 'xauth'))"
	cd npm && node --import tsx --test --test-reporter=spec test/other-browsers.ts

.PHONY: fuzz
fuzz: ## every decoder and parser against random input, FUZZTIME (30s) each
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
		done; \
	done

# ---------------------------------------------------------------- measurements

.PHONY: bench
bench: build setup ## AtomicDB beside eleven peers, in one run in headless Chromium (ROUNDS, SIZES, LIBRARIES; a whole run takes the better part of an hour)
	cd npm && node --import tsx bench/run.ts

.PHONY: variants
variants: build setup ## what sealing costs when a database is opened, and what workers cost and gain
	cd npm && node --import tsx bench/variants.ts

.PHONY: size
size: build ## bytes of wasm and JavaScript, raw, gzip and brotli, against the budgets in npm/package.json
	node npm/scripts/size.mjs

.PHONY: startup
startup: build setup ## time to ready and initial memory in Chromium, against their budgets
	node npm/scripts/startup.mjs

.PHONY: clean
clean: ## remove what a build leaves
	rm -rf npm/dist npm/.build demo/dist
