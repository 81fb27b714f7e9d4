// The command `atomicdb`, as a terminal runs it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { packageFolder } from './harness/site.js'

const command = join(packageFolder, 'dist/cli.js')
let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-cli-'))))
after(() => rm(folder, { recursive: true }))

/** Runs `atomicdb` with arguments that a shell would split at spaces, but for those in an array. */
async function atomicdb(args: string | readonly string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}) {
  const child = spawn(process.execPath, ['--no-warnings', command, ...(typeof args === 'string' ? args.split(' ') : args)], { cwd: folder, env: { ...process.env, ...env }, stdio: 'pipe' })
  const texts = [child.stdout, child.stderr].map(async (stream) => (await stream.setEncoding('utf8').toArray()).join(''))
  child.stdin.on('error', () => {}) // it may not read
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  const [out, err] = await Promise.all(texts)
  return { code, out: out!, err: err! }
}

async function done(...call: Parameters<typeof atomicdb>): Promise<string> {
  const { code, out, err } = await atomicdb(...call)
  assert.equal(code, 0, `${String(call[0])}: ${err}`)
  return out
}

const people = 'name,age,address.city,zip,active\nAda,36,Oslo,0150,true\nBob,19,Bergen,,false\n"Cy, the ""third""",52,Oslo,77,\n'

describe('the command atomicdb', () => {
  test('imports CSV by its columns, and prints what text, filters and SQL find', async () => {
    await writeFile(join(folder, 'people.csv'), people)
    await done('import people.atomicdb people.csv --collection people')
    assert.equal(await done(['query', 'people.atomicdb', 'age > 20', '-c', 'people', '--sort=-age']), `{"_id":3,"name":"Cy, the \\"third\\"","age":52,"address":{"city":"Oslo"},"zip":"77"}
{"_id":1,"name":"Ada","age":36,"address":{"city":"Oslo"},"zip":"0150","active":true}
`)
    assert.equal(await done(['query', 'people.atomicdb', '{"address.city": "Bergen"}', '-c', 'people', '-f', 'json']), '[\n{"_id":2,"name":"Bob","age":19,"address":{"city":"Bergen"},"active":false}\n]\n')
    assert.equal(await done(['query', 'people.atomicdb', 'SELECT name, age FROM people ORDER BY age LIMIT 2', '-f', 'table']), 'name  age\n────  ───\nBob    19\nAda    36\n')
    assert.equal(await done(['query', 'people.atomicdb', "UPDATE people SET age = 20 WHERE name = 'Bob'"]), '{"updated":1}\n')
    assert.equal(await done(['query', 'people.atomicdb', "BEGIN; INSERT INTO words (_id, values) VALUES ('w', 4); COMMIT; WITH w AS (SELECT values FROM words) SELECT * FROM w"]), '{"values":4}\n')
    assert.equal(await done(['query', 'people.atomicdb', 'values > 3', '-c', 'words']), '{"_id":"w","values":4}\n')
    assert.equal(await done(['query', 'people.atomicdb', '', '-c', 'people', '-n', '2', '-f', 'csv']), '_id,name,age,address.city,zip,active\r\n1,Ada,36,Oslo,0150,true\r\n2,Bob,20,Bergen,,false\n')
  })

  test('what it exports, it imports, and nothing changes on the way', async () => {
    const documents = [{ _id: 'dated', at: { $date: '2026-11-30T01:02:03.000Z' } }, { _id: 2, bytes: { $binary: { base64: 'AAH/', subType: '00' } }, n: { $numberDouble: 'NaN' } }, { _id: 3, odd: { $literal: { $date: 'no date' } } }]
    const lines = documents.map((document) => `${JSON.stringify(document)}\n`).join('')
    await done('import kept.atomicdb - -c things', { input: `${lines}{"_id":4,"big":9007199254740993}\n` })
    const all = `${lines}{"_id":4,"big":9007199254740993}\n`
    assert.equal(await done('export kept.atomicdb -c things -f ndjson'), all)
    for (const name of ['kept.json', 'kept.msgpack']) {
      await done(`export kept.atomicdb out-${name}`)
      await done(`import from-${name}.atomicdb out-${name}`)
      assert.equal(await done(`export from-${name}.atomicdb -c things -f ndjson`), all, name)
    }
    await done('export kept.atomicdb list.json -c things')
    await done('import from-list.atomicdb list.json -c others')
    assert.equal(await done('export from-list.atomicdb -c others -f ndjson'), all)
    for (const name of ['copy.json', 'copy.msgpack', 'copy.mdb', 'copy.atomicdb']) {
      await done(`copy kept.atomicdb ${name}`)
      assert.equal(await done(`export ${name} -c things -f ndjson`), all, name)
    }
  })

  test('takes many lines from a pipe, in batches, and stores what came before a faulty one', async () => {
    const lines = Array.from({ length: 5_001 }, (_, n) => `{"n": ${n}}\n`).join('')
    await done('import many.atomicdb', { input: lines })
    assert.equal(await done(['query', 'many.atomicdb', 'SELECT COUNT(*) AS n, SUM(n) AS sum FROM default']), '{"n":5001,"sum":12502500}\n')
    const { code, err } = await atomicdb('import faulty.atomicdb', { input: `${lines}{"n": oh}\n` })
    assert.equal(code, 1)
    assert.match(err, /^atomicdb: corrupt: |^atomicdb: invalid: /)
    assert.equal(await done(['query', 'faulty.atomicdb', 'SELECT COUNT(*) AS n FROM default']), '{"n":4000}\n')
  })

  test('says what is in a database, and whether it is sound', async () => {
    await done('import sound.atomicdb -c notes', { input: '{"_id":1,"text":"a"}\n' })
    await done(['query', 'sound.atomicdb', 'CREATE UNIQUE INDEX ON notes (text)'])
    const said = await done('inspect sound.atomicdb')
    assert.match(said, /^sound\.atomicdb: 1 document, 13 B; the log has 2 records, /)
    assert.match(said, /\nnotes\n {2}1 document, 13 B, 13 B each; changed 20.*Z\n {2}index on text, unique: 1 entry\n/)
    assert.equal(await done('verify sound.atomicdb'), '2 sound records, 1 document: nothing is wrong\n')
    const path = join(folder, 'sound.atomicdb')
    const bytes = await readFile(path)
    bytes[120]! ^= 1
    await writeFile(path, bytes)
    const damaged = await atomicdb('verify sound.atomicdb')
    assert.equal(damaged.code, 1)
    assert.match(damaged.out, /checksum/)
    assert.match(await done('repair sound.atomicdb'), /1 problem\n {2}batch 1: corrupt: /)
    assert.equal((await atomicdb('verify sound.atomicdb')).code, 0)
  })

  test('opens an encrypted database with what the environment says, and not without', async () => {
    const env = { ATOMICDB_PASSWORD: 'correct horse' }
    await done('import secret.atomicdb', { input: '{"_id":1}\n', env })
    assert.equal(await done(['query', 'secret.atomicdb', ''], { env }), '{"_id":1}\n')
    for (const env of [{ ATOMICDB_PASSWORD: '' }, { ATOMICDB_PASSWORD: 'wrong' }]) {
      const { code, err } = await atomicdb(['query', 'secret.atomicdb', ''], { env })
      assert.deepEqual([code, err.slice(0, 18)], [1, 'atomicdb: decrypt:'])
    }
  })

  test('copies what a page loads', async () => {
    await done('copy-assets public/db')
    assert.deepEqual((await readdir(join(folder, 'public/db'))).sort(), ['atomicdb.wasm', 'index.js', 'libraries.js', 'worker.js'])
  })

  test('is called wrongly with the code 2 and a hint, and makes no file', async () => {
    const before = await readdir(folder)
    const cases: [string | string[], RegExp][] = [
      ['nonsense', /there is no command nonsense; atomicdb --help lists them/],
      ['query notes.atomicdb', /query: <question> is missing\natomicdb query --help says more/],
      ['verify a.atomicdb b', /verify: "b" is one argument too many/],
      ['query notes.txt x', /notes\.txt: expected a database, whose name ends in \.atomicdb, /],
      ['query people.atomicdb x --format xml', /--format: expected table, json, ndjson, csv, not "xml"/],
      ['query people.atomicdb x --limit -1', /'-1'|--limit/],
      ['query people.atomicdb {oh', /the filter is no JSON: /],
      ['verify people.atomicdb --fast', /Unknown option '--fast'/],
    ]
    for (const [args, message] of cases) {
      const { code, err } = await atomicdb(args)
      assert.equal(code, 2, `${String(args)}: ${err}`)
      assert.match(err, message)
    }
    const missing = await atomicdb('query missing.atomicdb x')
    assert.deepEqual([missing.code, missing.err], [1, 'atomicdb: missing.atomicdb does not exist\n'])
    assert.deepEqual(await readdir(folder), before)
    for (const [csv, message] of [['a,a.b\n1,2\n', /column a\.b: there is a column a with a value/], ['__proto__.x\n1\n', /__proto__ is a field/], ['a,b\n"1,2\n', /the CSV near line \d: /]] as const) {
      const { code, err } = await atomicdb('import refused.atomicdb -f csv', { input: csv })
      assert.equal(code, 1, csv)
      assert.match(err, message)
    }
  })

  test('helps', async () => {
    assert.match(await done('--help'), /usage: atomicdb <command>/)
    for (const name of ['query', 'import', 'export', 'inspect', 'verify', 'repair', 'copy', 'copy-assets']) assert.match(await done(`${name} --help`), new RegExp(`^atomicdb ${name} `))
    assert.equal((await atomicdb([])).code, 2)
  })
})
