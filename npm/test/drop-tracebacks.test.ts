// A step after Go's linker: a program without what tracebacks read runs as before, and says why it crashes.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { dropTracebacks } from '../scripts/drop-tracebacks.mjs'
import { mergeSegments } from '../scripts/merge-segments.mjs'
import { withoutNames } from '../scripts/split-module.mjs'
import { packageFolder } from './harness/site.js'

const run = promisify(execFile)

/** What reads the tables that stay: stacks that grow and are scanned, panics that are recovered from, reflect's calls. */
const program = `package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
)

type node struct {
	left, right *node
	text        string
}

var isCollecting bool

func grown(depth int, kept *node) *node {
	var room [50]*node
	room[depth%50] = kept
	n := &node{text: strings.Repeat("x", depth%7)}
	if depth > 0 {
		n.left = grown(depth-1, n)
	}
	if depth%500 == 0 && !isCollecting { // Go 1.26.8 breaks where many goroutines collect at once
		isCollecting = true
		runtime.GC()
		isCollecting = false
	}
	n.right = room[depth%50]
	return n
}

func recovered(work func()) (what any) {
	defer func() { what = recover() }()
	for i := range 3 {
		defer func() { runtime.GC(); _ = i }()
	}
	work()
	return nil
}

func main() {
	total := 0
	for n := grown(5000, &node{text: "end"}); n != nil; n = n.left {
		total += len(n.text) + len(n.right.text)
	}
	fmt.Println("grown", total)
	var none *node
	list := []int{1, 2, 3}
	fmt.Println(recovered(func() { fmt.Println(list[len(os.Args)+5]) }))
	fmt.Println(recovered(func() { fmt.Println(none.text) }))
	fmt.Println(recovered(func() { panic(fmt.Sprintf("thrown in %d", len(list))) }))
	add := reflect.MakeFunc(reflect.TypeOf(func(*node, int) string { return "" }), func(in []reflect.Value) []reflect.Value {
		runtime.GC()
		return []reflect.Value{reflect.ValueOf(in[0].Interface().(*node).text + fmt.Sprint(in[1].Int()))}
	}).Interface().(func(*node, int) string)
	fmt.Println(add(&node{text: "made"}, 7))
	method := reflect.ValueOf(strings.NewReplacer("a", "b")).MethodByName("Replace").Interface().(func(string) string)
	fmt.Println(method("banana"))
	answers := make(chan string)
	for i := range 100 {
		go func() {
			grown(i*10, &node{})
			answers <- fmt.Sprint(i)
		}()
	}
	sum := 0
	for range 100 {
		sum += len(<-answers)
	}
	fmt.Println("goroutines", sum)
	var crash map[string]int
	crash["a"] = 1
}
`

describe('a program without what tracebacks read', { timeout: 360_000 }, () => {
  let folder: string
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-tracebacks-'))))
  after(() => rm(folder, { recursive: true, force: true }))

  test('runs as it does with it, is much smaller, and says why it crashes', async () => {
    await writeFile(join(folder, 'main.go'), program)
    await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', 'linked.wasm', 'main.go'], { cwd: folder, env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' } })
    const linked = mergeSegments(await readFile(join(folder, 'linked.wasm')))
    const dropped = mergeSegments(linked, dropTracebacks)
    assert.ok(dropped.length < linked.length * 0.925, `${dropped.length} of ${linked.length} bytes`)
    await Promise.all([writeFile(join(folder, 'merged.wasm'), linked), writeFile(join(folder, 'dropped.wasm'), dropped)])
    const { stdout: goRoot } = await run('go', ['env', 'GOROOT'])
    const outputOf = (name: string) =>
      run(process.execPath, [join(goRoot.trim(), 'lib/wasm/wasm_exec_node.js'), join(folder, name)]).then(() => assert.fail('it does not crash'), ({ code, stdout, stderr }) => ({ code, stdout, stderr }))
    const [before, without] = await Promise.all([outputOf('merged.wasm'), outputOf('dropped.wasm')])
    assert.match(before.stdout, /^grown 29997\nruntime error: index out of range \[\d\] with length 3\nruntime error: invalid memory address.*\nthrown in 3\nmade7\nbbnbnb\ngoroutines 190\n$/)
    assert.equal(without.stdout, before.stdout)
    assert.equal(without.code, before.code)
    assert.equal(without.stderr.split('\n')[0], 'panic: assignment to entry in nil map')
    assert.match(before.stderr, /main\.main\(\)/)
    assert.doesNotMatch(without.stderr, /main\.|fatal/)
  })

  test('is what the package publishes', async () => {
    const [linked, published] = await Promise.all(['.build/go.wasm', 'dist/atomicdb.wasm'].map((name) => readFile(join(packageFolder, name))))
    assert.ok(Buffer.from(withoutNames(mergeSegments(linked!, dropTracebacks))).equals(published!))
  })

  test('cannot be made of what this step does not know', () => {
    assert.throws(() => dropTracebacks(new Uint8Array(1000), 0), /Go's linker has changed: the header of its tables/)
  })
})
