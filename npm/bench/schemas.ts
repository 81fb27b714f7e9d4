// What it costs to check a document of ten fields: by the engine, as js/wasm and natively, and by libraries that check
// the same object in JavaScript. And what insertMany takes with a schema and without.
//
//   cd npm && npm install --no-save @cfworker/json-schema@4.1.6; node --import tsx bench/schemas.ts
//
// Prints the least time of several rounds, which is what other work on the machine disturbs least.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AtomicDB } from '../dist/index.js'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
// Many short rounds: one of them finds the machine quiet.
const rounds = 100
const calls = 2000

// The same as in engine/schema/bench_test.go.
const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 100 },
    email: { type: 'string', format: 'email' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    score: { type: 'number', minimum: 0 },
    active: { type: 'boolean' },
    city: { type: 'string' },
    country: { enum: ['NO', 'SE', 'DK', 'FI'] },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 10 },
    created: { type: 'string', format: 'date-time' },
    note: { type: ['string', 'null'] },
  },
  required: ['name', 'email', 'age'],
  additionalProperties: false,
}
const person = {
  name: 'Ada Lovelace', email: 'ada@example.com', age: 36, score: 12.5, active: true, city: 'Oslo', country: 'DK', tags: ['a', 'b', 'c'],
  created: '2024-05-17T10:30:00Z', note: null,
}

/** The least time of a call, in microseconds. */
function least(check: Check): number {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let n = 0; n < calls; n++) if (!check(person)) throw new Error('it is refused')
    best = Math.min(best, ((performance.now() - start) * 1000) / calls)
  }
  return best
}

/** The least time of BenchmarkCheck, in microseconds. */
async function engine(host: 'js/wasm' | 'native'): Promise<number> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const goroot = (await run('go', ['env', 'GOROOT'])).stdout.trim()
  const wasm = host === 'js/wasm'
  const { stdout } = await run('go', ['test', ...(wasm ? [`-exec=${goroot}/lib/wasm/go_js_wasm_exec`] : []), './engine/schema', '-run', '^$', '-bench', 'Check$', '-benchtime', `${calls}x`, '-count', String(rounds)], {
    cwd: root, env: { ...process.env, ...(wasm && { GOOS: 'js', GOARCH: 'wasm' }) },
  })
  return Math.min(...[...stdout.matchAll(/([\d.]+) ns\/op/g)].map(([, ns]) => Number(ns) / 1000))
}

type Check = (document: object) => boolean
const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: new (options: object) => { compile(schema: object): Check } }
const addFormats = require('ajv-formats') as (ajv: object) => void
const { Validator } = require('@cfworker/json-schema') as { Validator: new (schema: object, draft: string) => { validate(document: object): { valid: boolean } } }
const ajv = new Ajv2020({ allowUnionTypes: true })
addFormats(ajv)
const compiled = ajv.compile(schema)
const validator = new Validator(schema, '2020-12')
const version = (name: string) => (require(`${name}/package.json`) as { version: string }).version

const checks: Record<string, number> = {
  'AtomicDB, js/wasm': await engine('js/wasm'),
  'AtomicDB, native': await engine('native'),
  [`ajv ${version('ajv')}, compiled to JavaScript`]: least((document) => compiled(document)),
  [`@cfworker/json-schema ${version('@cfworker/json-schema')}, interpreting`]: least((document) => validator.validate(document).valid),
}
for (const [what, micros] of Object.entries(checks)) console.log(`${what}: ${micros.toFixed(2)} us for one check`)

const documents = Array.from({ length: calls }, () => person)
const times: Record<string, number> = { 'without a schema': Infinity, 'with it': Infinity }
for (let round = 0; round < rounds; round++) {
  for (const what of Object.keys(times)) {
    await using db = await AtomicDB.open(`${what} ${round}`, { inMemory: true })
    if (what === 'with it') await db.createCollection('people', schema)
    const start = performance.now()
    await db.insertMany(documents, 'people')
    times[what] = Math.min(times[what]!, ((performance.now() - start) * 1000) / calls)
  }
}
for (const [what, micros] of Object.entries(times)) console.log(`insertMany ${what}: ${micros.toFixed(2)} us a document`)
