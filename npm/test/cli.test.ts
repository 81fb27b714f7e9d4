// The command `atomicdb`, as a terminal runs it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
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

  test('asks a file of documents, and a collection that is the only one', async () => {
    await writeFile(join(folder, 'asked.csv'), people)
    assert.equal(await done(['query', 'asked.csv', 'age > 40', '-f', 'csv']), '_id,name,age,address.city,zip\r\n3,"Cy, the ""third""",52,Oslo,77\n')
    await done('import asked.atomicdb asked.csv --collection people')
    assert.equal((await done('query asked.atomicdb')).split('\n').length, 4)
    assert.equal((await done('export asked.atomicdb -f ndjson')).split('\n').length, 4)
    assert.match(await done('--version'), /^\d+\.\d+\.\d+\n$/)
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
    assert.equal(err, 'atomicdb: invalid: importStream: line 5002: expected a value; 5,001 documents before are stored\n')
    assert.equal(await done(['query', 'faulty.atomicdb', 'SELECT COUNT(*) AS n FROM default']), '{"n":5001}\n')
  })

  test('says which collections there are if a statement finds nothing in one that there is not', async () => {
    await done('import named.atomicdb -c people', { input: '{"name":"Ada"}\n' })
    const ask = async (statement: string) => {
      const { code, out, err } = await atomicdb(['query', 'named.atomicdb', statement])
      return [code, out, err]
    }
    assert.deepEqual(await ask('SELECT * FROM peple JOIN pets ON 1 = 1'), [0, '', 'atomicdb: there is no collection peple, pets; there is people\n'])
    assert.deepEqual(await ask("SELECT * FROM people WHERE name = 'Bob'"), [0, '', ''])
    assert.deepEqual(await ask('SELECT * FROM people WHERE name = "Ada"'), [0, '', `atomicdb: in SQL, "Ada" is the field of that name; a text stands in single quotes: 'Ada'\n`])
    assert.deepEqual(await ask("nam = 'Ada' and name = 'Ada'"), [0, '', 'atomicdb: no document of people has the field nam\n'])
    assert.deepEqual(await ask('{"nam": "Ada"}'), [0, '', 'atomicdb: no document of people has the field nam\n'])
    assert.deepEqual(await ask("name = 'Bob'"), [0, '', ''])
    assert.deepEqual(await ask("WITH few AS (SELECT * FROM people WHERE name = 'Bob') SELECT * FROM few"), [0, '', ''])
  })

  test('replaces, leaves out or refuses an _id that is taken, and keeps columns as text', async () => {
    await done('import taken.atomicdb', { input: '{"_id":1,"n":1}\n' })
    await done('import taken.atomicdb --duplicates skip', { input: '{"_id":1,"n":2}\n{"_id":2,"n":2}\n' })
    const refused = await atomicdb('import taken.atomicdb -d error', { input: '{"_id":1,"n":3}\n' })
    assert.deepEqual([refused.code, refused.err.slice(0, 23)], [1, 'atomicdb: duplicate_id:'])
    assert.equal(await done('export taken.atomicdb -f ndjson -w n>1'), '{"_id":2,"n":2}\n')
    assert.equal(await done('export taken.atomicdb --no-ids -f csv'), 'n\r\n1\r\n2\r\n')
    await writeFile(join(folder, 'zips.csv'), 'zip,n\n150,1\n')
    await done('import zips.atomicdb zips.csv --text zip')
    assert.equal(await done('export zips.atomicdb -f ndjson'), '{"_id":1,"zip":"150","n":1}\n')
  })

  test('reads the files of the Python library', async () => {
    const theirs = join(packageFolder, '../storage/docfile/testdata/python')
    const { password, salt_hex: salt, fernet_key: key } = JSON.parse(await readFile(join(theirs, 'secrets.json'), 'utf8')) as Record<string, string>
    await done(['import', 'plain-python.atomicdb', join(theirs, 'plain.json')])
    const all = await done('export plain-python.atomicdb')
    assert.ok(all.length > 1_000)
    for (const [file, env, encrypted] of [['compressed.json', {}, {}], ['data.msgpack', {}, {}], ['encrypted.json', { ATOMICDB_KEY: key! }, { ATOMICDB_KEY: key! }], ['encrypted-level0.json', { ATOMICDB_PASSWORD: password!, ATOMICDB_SALT: salt! }, { ATOMICDB_PASSWORD: password! }]] as const) {
      await done(['import', `python-${file}.atomicdb`, join(theirs, file)], { env })
      assert.equal(await done(`export python-${file}.atomicdb`, { env: encrypted }), all, file)
    }
    const { code, err } = await atomicdb(['import', 'python-none.atomicdb', join(theirs, 'encrypted.json')])
    assert.deepEqual([code, /ATOMICDB_SALT/.test(err)], [2, true], err)
  })

  test('converts files, and databases', async () => {
    await writeFile(join(folder, 'convert.csv'), people)
    await done('convert convert.csv convert.ndjson --no-ids')
    assert.equal(await readFile(join(folder, 'convert.ndjson'), 'utf8'), '{"name":"Ada","age":36,"address":{"city":"Oslo"},"zip":"0150","active":true}\n{"name":"Bob","age":19,"address":{"city":"Bergen"},"active":false}\n{"name":"Cy, the \\"third\\"","age":52,"address":{"city":"Oslo"},"zip":"77"}\n')
    await done('convert convert.ndjson convert.atomicdb')
    await done('convert convert.atomicdb convert.msgpack')
    await done('convert convert.msgpack again.csv --no-ids')
    assert.equal((await readFile(join(folder, 'again.csv'), 'utf8')).replaceAll('\r', ''), people)
    await done('convert convert.atomicdb converted.mdb')
    assert.equal(await done('export converted.mdb -f ndjson --no-ids'), await readFile(join(folder, 'convert.ndjson'), 'utf8'))
    assert.equal((await atomicdb('convert convert.csv what.txt')).code, 2)
  })

  test('reads the tables of SQLite, where Node has it', async () => {
    const sqlite3 = await sqlite3InitModule()
    const made = new sqlite3.oo1.DB()
    made.exec("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, photo BLOB); INSERT INTO people VALUES (7, 'Ada', x'00ff'), (9, NULL, NULL); CREATE TABLE pairs (a, b, big, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO pairs VALUES ('x', 1.5, 9007199254740993)")
    await writeFile(join(folder, 'tables.sqlite'), sqlite3.capi.sqlite3_js_db_export(made))
    made.close()
    const arguments_ = ['import', 'tables.atomicdb', 'tables.sqlite']
    if (!(await import('node:sqlite' as string).then(() => true, () => false))) {
      const without = await atomicdb(arguments_)
      assert.match(without.err, /tables\.sqlite: Node v\S+ has no node:sqlite; 22\.13 and newer ones have/)
    }
    // node:sqlite as far as it is used, over the SQLite that is built for pages: not every Node that runs these tests has it.
    await writeFile(join(folder, 'hooks.mjs'), `export const resolve = (name, context, next) => name === 'node:sqlite' ? { url: ${JSON.stringify(pathToFileURL(join(packageFolder, 'test/harness/node-sqlite.mjs')).href)}, shortCircuit: true } : next(name, context)`)
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register(${JSON.stringify(pathToFileURL(join(folder, 'hooks.mjs')).href)})`)}` }
    await done(arguments_, { env })
    assert.equal(await done('export tables.atomicdb -c people -f ndjson'), '{"_id":7,"name":"Ada","photo":{"$binary":{"base64":"AP8=","subType":"00"}}}\n{"_id":9}\n')
    assert.equal(await done('export tables.atomicdb -c pairs -f ndjson --no-ids'), '{"a":"x","b":1.5,"big":9007199254740993}\n')
    await done('convert tables.sqlite tables.ndjson -c people', { env })
    const none = await atomicdb('import tables.atomicdb tables.sqlite -c none', { env })
    assert.match(none.err, /has no table none: it has pairs, people/)
  })

  test('measures with documents of the user', async () => {
    await writeFile(join(folder, 'bench.ndjson'), Array.from({ length: 500 }, (_, n) => `{"city":"c${n % 7}","n":${n}}\n`).join(''))
    const said = await done('bench bench.ndjson')
    assert.match(said, /^500 documents; each question 7 times/)
    for (const what of ['import of', 'open it again', 'get one by its id', 'find by city', 'by its index', 'groups by city', 'change one, stored']) assert.match(said, new RegExp(`${what}.* ms`))
    assert.equal((await atomicdb('bench missing.ndjson')).code, 1)
  })

  test('shows how far it is on a terminal, and is silent in a pipe', async () => {
    await writeFile(join(folder, 'shown.csv'), people)
    const { err } = await atomicdb('import silent.atomicdb shown.csv')
    assert.equal(err, '')
    const terminal = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`
    const child = spawn('python3', ['-c', terminal, process.execPath, '--no-warnings', command, 'import', 'shown.atomicdb', 'shown.csv'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    const shown = (await child.stdout.setEncoding('utf8').toArray()).join('')
    assert.match(shown, /█{24} 100 % {2}3 documents {2}shown\.csv/)
    assert.match(shown, /3 documents imported; shown\.atomicdb has 3\r?\n$/)
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
    assert.deepEqual((await readdir(join(folder, 'public/db'))).sort(), ['atomicdb-first.wasm', 'atomicdb-rest.wasm', 'atomicdb.wasm', 'csv.js', 'index.js', 'libraries.js', 'streams.js', 'worker.js'])
  })

  test('is called wrongly with the code 2 and a hint, and makes no file', async () => {
    const before = await readdir(folder)
    const cases: [string | string[], RegExp][] = [
      ['nonsense', /there is no command nonsense; atomicdb --help lists them/],
      ['query', /query: <database> is missing\natomicdb query --help says more/],
      ['improt people.csv', /there is no command improt: is import meant\?/],
      ['import people.csv', /people\.csv holds documents; the database comes first/],
      ['export people.atomicdb people.xlsx', /people\.xlsx: --format says which format/],
      ['export people.atomicdb out.csv', /--collection says which: people, words/],
      ['query people.atomicdb x -c nope', /there is no collection nope; there is people, words/],
      ['verify a.atomicdb b', /verify: "b" is one argument too many/],
      ['query notes.txt x', /notes\.txt: expected a database, whose name ends in \.atomicdb, /],
      ['query people.atomicdb x --format xml', /--format: expected table, json, ndjson, csv, not "xml"/],
      ['query people.atomicdb x --limit -1', /'-1'|--limit/],
      ['query people.atomicdb {oh', /the filter is no JSON: /],
      ['verify people.atomicdb --fast', /Unknown option '--fast'\natomicdb verify --help says more$/m],
    ]
    for (const [args, message] of cases) {
      const { code, err } = await atomicdb(args)
      assert.equal(code, 2, `${String(args)}: ${err}`)
      assert.match(err, message)
    }
    const missing = await atomicdb('query missing.atomicdb x')
    assert.deepEqual([missing.code, missing.err], [1, 'atomicdb: missing.atomicdb does not exist\n'])
    assert.deepEqual(await readdir(folder), before)
    for (const [csv, message] of [['a,a.b\n1,2\n', /column a\.b: there is a column a with a value/], ['__proto__.x\n1\n', /__proto__ is a field/], ['a,b\n"1,2\n', /line 2: Quoted field unterminated/]] as const) {
      const { code, err } = await atomicdb('import refused.atomicdb -f csv', { input: csv })
      assert.equal(code, 1, csv)
      assert.match(err, message)
    }
  })

  test('helps', async () => {
    assert.match(await done('--help'), /usage: atomicdb <command>/)
    for (const name of ['query', 'import', 'export', 'inspect', 'verify', 'repair', 'copy', 'convert', 'serve', 'bench', 'copy-assets']) assert.match(await done(`${name} --help`), new RegExp(`^atomicdb ${name} `))
    assert.equal((await atomicdb([])).code, 2)
  })
})
