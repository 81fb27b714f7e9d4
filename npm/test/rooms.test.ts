// The layout of the sources: which room of src may import which. The twin of engine/architecture_test.go.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src/', import.meta.url))

/**
 * The rooms, from the ground up, each with what it may import: rooms above it
 * in this list, so that arrows only go down. A room is a folder; the files
 * beside the folders have theirs in `roomOfFile`.
 */
const mayImport: Record<string, string> = {
  ground: '',
  msgpack: 'ground',
  query: 'ground msgpack',
  engine: 'ground msgpack',
  security: 'ground msgpack',
  storage: 'ground engine security',
  streams: 'ground',
  hints: '',
  connection: 'ground msgpack engine storage',
  operations: 'ground msgpack query connection',
  live: 'ground msgpack query connection operations',
  thread: 'ground msgpack engine storage connection',
  api: 'ground msgpack query engine security storage connection operations live thread streams hints',
  entry: 'ground query security storage live api',
  cloudflare: 'ground query connection thread entry',
  hooks: 'live entry',
  react: 'entry hooks',
  vue: 'entry hooks',
  svelte: 'entry hooks',
  solid: 'entry hooks',
  angular: 'entry hooks',
  cli: 'ground streams entry cloudflare',
}

/** The rooms of single files. The ground: what all rooms share. The entries: what people import. */
const roomOfFile: Record<string, string> = {
  'atomicdb-error.ts': 'ground',
  'errors.ts': 'ground',
  'types.ts': 'ground',
  'checks.ts': 'ground',
  'left-alone.ts': 'ground',
  'node-modules.ts': 'ground',
  'load.ts': 'ground',
  'own-files.ts': 'ground',
  'program.ts': 'ground',
  'release.ts': 'ground',
  'engine/ops.ts': 'ground', // generated: what TypeScript and Go agree on
  'operations/statements.ts': 'ground', // generated
  'operations/writing-sql.ts': 'ground',
  'thread.ts': 'thread',
  'worker.ts': 'thread',
  'index.ts': 'entry',
  'testing.ts': 'entry',
  'inline.ts': 'entry',
  'workerd.ts': 'entry',
  'atomicdb.wasm.d.ts': 'entry',
}

/** The only files that import packages; each is loaded when something needs it. */
const importPackages = ['security/libraries.ts', 'streams/csv.ts']

/** The rooms of hooks and of Cloudflare, and the package that each of them alone imports: users have it. */
const frameworks: Record<string, RegExp> = { cloudflare: /^cloudflare:workers$/, react: /^react$/, vue: /^vue$/, svelte: /^svelte(\/|$)/, solid: /^solid-js(\/store)?$/, angular: /^@angular\/core$/, cli: /^(node:\w+(\/\w+)?|papaparse|ws)$/ }

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => file.replaceAll(sep, '/'))

function roomOf(file: string): string {
  return roomOfFile[file] ?? file.slice(0, Math.max(0, file.indexOf('/')))
}

/** What a file imports, types too, as it is written there. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  return [...text.matchAll(/^(?:import|export)\s(?:[^'\n]|\n(?!import|export))*?\sfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm)].map(([, from, bare, dynamic]) => (from ?? bare ?? dynamic)!)
}

/** The files of src that each file imports. */
const imports = new Map(files.map((file) => [file, importsOf(file).filter((name) => name.startsWith('.') && !name.includes('/.build/')).map((name) => normalize(join(file, '..', name)).replaceAll(sep, '/').replace(/\.js$/, '.ts'))]))

test('every file is in a room', () => {
  assert.ok(files.length > 50, `only ${files.length} files: the test looks at the wrong folder`)
  assert.deepEqual(files.filter((file) => !(roomOf(file) in mayImport)), [])
  assert.deepEqual(Object.keys(mayImport).filter((room) => !files.some((file) => roomOf(file) === room)), [], 'these rooms have no file')
  assert.deepEqual(Object.keys(roomOfFile).filter((file) => !files.includes(file)), [], 'these files do not exist')
})

test('arrows between rooms go down', () => {
  const rooms = Object.keys(mayImport)
  for (const [room, allowed] of Object.entries(mayImport)) {
    for (const other of allowed.split(' ').filter(Boolean)) assert.ok(rooms.indexOf(other) >= 0 && rooms.indexOf(other) < rooms.indexOf(room), `${room} may import ${other}, which is not below it`)
  }
})

test('a room imports only what it may', () => {
  const wrong = [...imports].flatMap(([file, imported]) => imported.filter((other) => {
    const [room, otherRoom] = [roomOf(file), roomOf(other)]
    assert.ok(imports.has(other), `${file} imports ${other}, which does not exist`)
    return room !== otherRoom && !mayImport[room]!.split(' ').includes(otherRoom)
  }).map((other) => `${file} imports ${other}; ${roomOf(file)} may import only: ${mayImport[roomOf(file)]}`))
  assert.deepEqual(wrong, [])
})

test('a room imports all that it may', () => {
  const unused = Object.entries(mayImport).flatMap(([room, allowed]) => allowed.split(' ').filter((other) => other && ![...imports].some(([file, imported]) => roomOf(file) === room && imported.some((one) => roomOf(one) === other))).map((other) => `${room} → ${other}`))
  assert.deepEqual(unused, [], 'nothing goes these ways, so the table need not allow them')
})

test('no files import each other in a circle, not even types', () => {
  assert.deepEqual(circles(), [])
})

test('packages are imported in two files, and only the start of the engine reaches outside src', () => {
  const outside = files.filter((file) => importsOf(file).some((name) => !name.startsWith('.') && name !== 'atomicdb/atomicdb.wasm' && !frameworks[roomOf(file)]?.test(name)))
  assert.deepEqual(outside, importPackages)
  assert.deepEqual(files.filter((file) => importsOf(file).some((name) => name.includes('/.build/'))), ['engine/go-runtime.ts'])
})

test('a storage is asked what it is, by its traits and not by its class', () => {
  const asked = files.filter((file) => /instanceof \w*(Storage|Log)\b/.test(readFileSync(join(src, file), 'utf8')))
  assert.deepEqual(asked, [])
})

/** The groups of files of which each leads to all the others (Tarjan's algorithm). */
function circles(): string[][] {
  const found: string[][] = []
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const visit = (file: string) => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    stack.push(file)
    for (const other of imports.get(file)!) {
      if (!index.has(other)) visit(other)
      if (stack.includes(other)) low.set(file, Math.min(low.get(file)!, low.get(other)!))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle)
  }
  for (const file of files) if (!index.has(file)) visit(file)
  return found
}
