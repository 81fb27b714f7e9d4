// In development, a mistyped field of a condition is told.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { AtomicDB } from '../src/index.js'
import { testWasm as wasm } from './harness/node.js'

const { warn } = console
let warnings: string[] = []
beforeEach(() => {
  warnings = []
  process.env.NODE_ENV = 'development'
})
afterEach(() => {
  console.warn = warn
  delete process.env.NODE_ENV
})

/** Resolves with the next warning. */
function nextWarning(): Promise<string> {
  return new Promise((resolve) => {
    console.warn = (text: string) => {
      warnings.push(text)
      resolve(text)
    }
  })
}

/** Asks for what is certainly warned of, after what must not be: warnings come in the order of the questions. */
async function noWarningBefore(db: AtomicDB, certain: string): Promise<void> {
  const warned = nextWarning()
  await db.find({ [certain]: 'nobody' }, 'users')
  assert.match(await warned, new RegExp(`has the field ${certain}; is name meant\\?`))
  assert.equal(warnings.length, 1)
}

test('a field that no document has, and that is nearly another, is told once, whatever the spelling', async () => {
  await using db = await AtomicDB.open('mistyped', { inMemory: true, wasm })
  await db.insertMany([{ name: 'Ada', age: 36, address: { city: 'Oslo' } }, { name: 'Bob', age: 19, nickname: 'B' }], 'users')
  for (const [ask, path, meant] of [
    [() => db.search('agee > 10', 'users'), 'agee', 'age'],
    [() => db.find({ 'address.ctiy': 'Oslo' }, 'users'), 'address.ctiy', 'address.city'],
    [() => db.find({ $or: [{ nicknam: 'X' }, { nicknam: 'Y' }] }, 'users'), 'nicknam', 'nickname'],
    [() => db.collection('users').search(db.query().field('Age').gt(1)), 'Age', 'age'],
  ] as const) {
    const warned = nextWarning()
    assert.equal((await ask()).length, 0)
    assert.equal(await warned, `atomicdb: no document of the collection users has the field ${path}; is ${meant} meant? (this is told once, and only in development)`)
    await ask()
  }
  warnings = []
  // Empty for another reason, or of a field that may come.
  await db.find({ age: { $gt: 100 } }, 'users')
  await db.find({ deleted: true }, 'users')
  await db.find({ name: 'Cy', agee: 3 }, 'users')
  await db.search('agee > 10', 'users')
  await db.search((user: { agee?: number }) => user.agee === 1, 'users')
  await noWarningBefore(db, 'nam')
})

test('a statement that compares with a name in double quotes, and finds nothing, is told once', async () => {
  await using db = await AtomicDB.open('mistyped', { inMemory: true, wasm })
  await db.insert({ name: 'Ada', alias: 'Ada' }, 'users')
  const warned = nextWarning()
  assert.equal((await db.sql('SELECT * FROM users WHERE name = "alias"')).length, 1)
  assert.equal((await db.sql("SELECT * FROM users WHERE name = 'Bob'")).length, 0)
  assert.equal((await db.sql`SELECT * FROM users WHERE name = ${'Bob'} AND name = "Kim"`).length, 0)
  assert.equal(await warned, `atomicdb: in SQL, "Kim" is the field of that name; is the text 'Kim' meant? (this is told once, and only in development)`)
  await db.sql('SELECT * FROM users WHERE name = "Kim"')
  warnings = []
  await noWarningBefore(db, 'nme')
})

test('what a schema has no place for is told, also when nothing is stored', async () => {
  await using db = await AtomicDB.open('mistyped', { inMemory: true, wasm })
  await db.createCollection('strict', { properties: { name: { type: 'string' } }, additionalProperties: false })
  const warned = nextWarning()
  await db.find({ title: 'x' }, 'strict')
  assert.match(await warned, /^atomicdb: the schema of the collection strict has no field title \(/)
})

test('in production nothing is asked', async () => {
  process.env.NODE_ENV = 'production'
  await using db = await AtomicDB.open('mistyped', { inMemory: true, wasm })
  await db.insert({ name: 'Ada' }, 'users')
  console.warn = (text: string) => void warnings.push(text)
  await db.find({ nmae: 'x' }, 'users')
  process.env.NODE_ENV = 'development'
  await noWarningBefore(db, 'naem')
})
