#!/bin/sh
# Builds the Worker into a folder, build/ unless another is given: what wrangler runs.
set -e
out=$(mkdir -p "${1:-build}" && cd "${1:-build}" && pwd)
cd "$(dirname "$0")/../.."
go run github.com/syumai/workers/cmd/workers-assets-gen -mode=go -o "$out/front" # which it empties
mkdir -p "$out/object"
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o "$out/front/app.wasm" ./wasm/front
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o "$out/object/worker.wasm" ./wasm/worker
# Both are in one isolate, which has one globalThis.Go: that of the front does all that Go's own does.
cp "$out/front/wasm_exec.js" wasm/worker/worker.mjs "$out/object"
cp demo/worker-go/src/index.mjs "$out"
