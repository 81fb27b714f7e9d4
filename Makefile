# Needs Go, Node 20 with npm, make and apt, and installs the rest. Start with `make help`.
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
demo: ## try it: install and build what the demo page needs, and serve it with the manual on 127.0.0.1
	@$(MAKE) --no-print-directory -j2 engine npm/node_modules/.package-lock.json
	@echo "bundling the JavaScript"
	@node npm/scripts/build.mjs js
	@if [ -e demo/dist/docs/index.html ]; then echo "the manual is at /docs/"; else echo "the manual at /docs/ needs 'make docs' once"; fi
	@node demo/serve.mjs

# What make demo needs of Go; it runs while npm installs.
.PHONY: engine
engine:
	@echo "compiling the engine, Go to WebAssembly (half a minute or more the first time)"
	@node npm/scripts/build.mjs wasm

.PHONY: docs
docs: build demo/docs/node_modules/.package-lock.json ## build the manual: guides, recipes and the reference of the API, into demo/dist/docs
	cd demo/docs && npm run build

.PHONY: build
build: npm/node_modules/.package-lock.json ## build the npm package in npm/: JavaScript, declarations, wasm
	node npm/scripts/build.mjs

.PHONY: setup
setup: npm/node_modules/.package-lock.json npm/bench/node_modules/.package-lock.json ## install what the tests need: npm's packages, Debian's Chromium and Python, a newer Node
	@node npm/scripts/chromium.mjs --install
	@node npm/scripts/python.mjs --install
	@node npm/scripts/newer-node.mjs --install

# npm writes this file last, so its time is that of the installation.
%/node_modules/.package-lock.json: %/package-lock.json
	@echo "installing the packages of $*/package.json"
	@cd $* && npm ci --loglevel=error # warnings are about engines and scripts of others

# ---------------------------------------------------------------- checks

.PHONY: test
test: lint test-go test-wasm test-types test-npm ## everything that must hold before a change lands (about 26 minutes on 2 cores)

.PHONY: lint
lint: ## gofmt and vet, natively and as js/wasm
	@unformatted="$$(gofmt -l engine storage jsbridge wasm npm/scripts)"; \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./...

.PHONY: test-go
test-go: ## the Go tests natively: the fastest way to see what is wrong
	go test -count=1 ./... # not from the cache: random tests take a new seed each time
	@echo 'every benchmark once, so that each still runs'; out="$$(go test -run '^$$' -bench . -benchtime=1x ./...)" || { echo "$$out"; exit 1; }
	@go test -count=1 ./engine/schema -run '^TestSuite$$' -v | sed -n 's/.*suite_test.go:[0-9]*: //p' # the counts, which other runs do not print
	go test -count=1 -tags invariants ./engine/... ./jsbridge/... # checks every query against its slow definition, overwrites borrowed buffers

# Only storage has Go code that needs a browser.
.PHONY: test-wasm
test-wasm: setup ## the Go tests as WebAssembly: all of them in Node, storage in Chromium too
	GOOS=js GOARCH=wasm go test -exec="$(NODE_EXEC)" ./...
	GOOS=js GOARCH=wasm go test -exec="$(CHROMIUM_EXEC)" ./storage/...

.PHONY: test-types
test-types: build npm/bench/node_modules/.package-lock.json ## type-check the declarations, the sources and the tests
	cd npm && npx tsc --noEmit && npx tsc --noEmit -p bench

# Two files at a time: with more, browsers only wait for each other.
.PHONY: test-npm
test-npm: build setup ## the npm package in Node, Chromium, workerd and bundlers
	cd npm && node --import tsx --test --test-concurrency=2 --test-reporter=spec test/*.test.ts

.PHONY: audit
audit: ## known vulnerabilities of npm packages, where the registry answers
	node npm/scripts/audit.mjs

# Each test logs a line "n crash points, n operations, …"; the last line printed is their sum. A failure prints how to
# replay it.
.PHONY: crash
crash: build setup ## crash the engine and its logs, kill processes, tabs and workers, cut the power: CRASHES (6000), PROCESSES (200), KILLS (10)
	@set -o pipefail; go test ./storage ./storage/filelog ./storage/sqlitelog ./storage/lmdblog -run 'Crashes|Processes|PowerCut' -count=1 -v -timeout 60m \
		-crash.points=$(or $(CRASHES),6000) -crash.kills=$(or $(PROCESSES),200) | awk '{ print; fflush() } \
		/ crash points, / { for (i = 2; i < NF; i++) { if ($$(i+1) == "crash") p += $$i; if ($$(i+1) ~ /^operations/) o += $$i; if ($$(i+2) == "them") a += $$i; if ($$(i+1) == "other") f += $$i; if ($$(i+1) == "pieces") n += $$i } } \
		/^(--- FAIL|FAIL|panic)/ { failed = 1 } \
		END { if (failed) { print "FAILED: see above" } else print "in all: " p " crash points, " o " operations, " a " of them acknowledged, " f " other faults, " n " pieces of bad news; acknowledged losses: 0" }'
	cd npm && CRASH_ROUNDS=$(or $(KILLS),10) node --import tsx --test --test-reporter=spec test/crash.test.ts test/file-storage.test.ts test/power-cut.test.ts test/atomic-tabs.test.ts test/worker.test.ts

# A fault prints its seed and how to replay it. ATTACK_SECONDS is for each of four: Node, Chromium, and each with workers.
.PHONY: attack
attack: build setup ## throw hostile values at every call, storage and channel: ATTACK_SECONDS (900), SEED
	cd npm && ATTACK_SECONDS=$(or $(ATTACK_SECONDS),900) node --import tsx test/attack/run.ts

# A change that survives is printed with how to replay it. It needs a test, or a reason in npm/scripts/equal-mutants.txt.
.PHONY: mutants
mutants: build ## test the tests: change the sources a little and see which test notices: MUTANTS (250), SEED, ONLY (a pattern of paths)
	@node npm/scripts/mutants.mjs

.PHONY: growth
growth: build ## measure that what costs time grows about as its input does: ONLY (all), SCALE (1)
	cd npm && ONLY="$(ONLY)" SCALE=$(or $(SCALE),1) node --import tsx test/growth/run.ts

# Simulated hours pass as fast as there is work. What is wrong ends it, and SEED replays it.
.PHONY: soak
soak: build ## days of simulated tabs and requests that work, conflict and are killed, with clocks that jump: SOAK_HOURS (24), SEED
	cd npm && SOAK_HOURS=$(or $(SOAK_HOURS),24) node --import tsx test/soak/run.ts

.PHONY: browsers
browsers: build ## the tests of the API in Debian's Firefox and WebKitGTK, which this target installs
	@node -e "import('./npm/scripts/apt.mjs').then(({ installPackages }) => installPackages('firefox-esr', 'webkit2gtk-driver', 'xvfb', 'xauth'))"
	cd npm && node --import tsx --test --test-reporter=spec test/other-browsers.ts

.PHONY: bundlers
bundlers: build setup ## the packed package in Vite 5 to 7, Nuxt, Astro, SvelteKit, Angular, webpack, Rollup, Next.js, Parcel, Bun, Deno, wrangler and older TypeScript, which this target installs: BUNDLERS (all)
	cd npm && node --import tsx --test --test-reporter=spec test/bundlers.ts

.PHONY: fuzz
fuzz: ## feed random input to every decoder and parser, FUZZTIME (30s) each
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
		done; \
	done

# ---------------------------------------------------------------- measurements

# Needed after changes of the engine by which a page calls other functions; test/split-module.test.ts says so.
.PHONY: first-functions
first-functions: build setup ## list the functions of the engine that a page needs first, by running one
	node npm/scripts/first-functions.mjs && node npm/scripts/build.mjs wasm

.PHONY: bench
bench: build setup ## AtomicDB and twelve peers in headless Chromium, about an hour: ROUNDS, SIZES, LIBRARIES, SUITE, KEEP
	cd npm && node --import tsx bench/run.ts

.PHONY: bench-worker
bench-worker: build setup npm/bench/node_modules/.package-lock.json ## a Durable Object of AtomicDB beside one in plain JavaScript and one of TinyBase, in local workerd: DOCUMENTS (20000), ROUNDS (5), SOCKETS (100), KEEP
	cd npm && node --import tsx bench/worker/run.ts

.PHONY: variants
variants: build setup ## what encryption and compression cost at opening, and what workers cost and gain
	cd npm && node --import tsx bench/variants.ts

.PHONY: size
size: build ## bytes of wasm and JavaScript (raw, gzip, brotli), against the budgets in npm/package.json
	node npm/scripts/size.mjs

.PHONY: startup
startup: build setup ## time until the engine is ready and its memory, in Node and Chromium, against their budgets
	node npm/scripts/startup.mjs

.PHONY: release
release: build size ## pack the version of package.json, test what is in it, and tag the commit; make test comes first
	node npm/scripts/release.mjs

.PHONY: clean
clean: ## remove everything that a build writes
	rm -rf npm/dist npm/.build demo/dist demo/docs/api demo/docs/.vitepress/cache
