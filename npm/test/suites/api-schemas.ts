import type { AtomicDBError } from '../../src/errors.js'
import type { StandardSchema } from '../../src/index.js'
import { equal, ok, rejects } from './check.js'
import type { Suite } from './suite.js'

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 }, email: { type: 'string', format: 'email' }, born: { type: 'string', format: 'date-time' } },
  required: ['name', 'email'],
  additionalProperties: false,
}
const ada = { name: 'Ada', age: 36, email: 'ada@example.com' }

/** What a call rejects with. */
async function failure(work: () => Promise<unknown>): Promise<Pick<AtomicDBError, 'code' | 'errors' | 'message'>> {
  return work().then(() => {
    throw new Error('it resolved')
  }, (error: AtomicDBError) => error)
}

/** A validator by hand: a name must be there, and gets a capital. */
function naming(wait: boolean): StandardSchema<{ name: string; age?: number }> {
  const validate = (value: unknown) => {
    const { name, ...rest } = value as { name?: unknown }
    if (typeof name !== 'string') return { issues: [{ message: 'is no name', path: [{ key: 'name' }] }] }
    return { value: { name: name[0]!.toUpperCase() + name.slice(1), ...rest } }
  }
  return { '~standard': { version: 1, vendor: 'hand', validate: wait ? async (value) => validate(value) : validate } }
}

/** Schemas of the engine, and validators at the edge. */
export const schemas: Suite = [
  {
    name: 'documents that break the schema are refused, with all that is wrong',
    async run({ open }) {
      const db = await open()
      await db.createCollection('users', person)
      await db.insert({ ...ada, born: new Date(0) }, 'users')
      const { code, errors, message } = await failure(() => db.insert({ age: -3, email: 'x', agee: 1 }, 'users'))
      equal([code, errors], ['schema', [
        { path: 'age', keyword: 'minimum', message: 'must be at least 0, is -3' },
        { path: 'email', keyword: 'format', message: 'must be an email address, is "x"' },
        { path: 'agee', keyword: 'additionalProperties', message: 'is not allowed' },
        { path: 'name', keyword: 'required', message: 'is required' },
      ]])
      equal(message, 'insert users/2: age: must be at least 0, is -3; email: must be an email address, is "x"; agee: is not allowed; name: is required')
      equal(await db.count(undefined, 'users'), 1)
      equal(await db.schema('users'), person)
      equal(await db.schema('others'), null)
    },
  },
  {
    name: 'every write is checked, and what is refused leaves nothing',
    async run({ open }) {
      const db = await open()
      await db.createCollection('users', person)
      const users = db.collection('users')
      await users.insertMany([ada, { ...ada, name: 'Bo' }])
      const before = [...(await users.all())]
      const many = Array.from({ length: 200 }, (_, i) => ({ ...ada, name: 'x'.repeat(10_000), age: i === 199 ? -1 : i })) // in several pieces
      await rejects('schema', () => users.insertMany(many))
      await rejects('schema', () => users.upsert({ ...ada, _id: 1, age: 1.5 }))
      await rejects('schema', () => users.update({ age: 'old' }))
      await rejects('schema', () => users.update({ $inc: { age: -50 } }, 'name = "Bo"'))
      await rejects('schema', () => users.update({ $unset: { email: true } }))
      await rejects('schema', () => users.update((user) => ({ age: user.age - 37 })))
      await rejects('schema', () => users.atomicUpdate(() => ({ email: 'none' })))
      await rejects('schema', () => db.sql`INSERT INTO users (name) VALUES ('Cy')`)
      await rejects('schema', () => db.sql`UPDATE users SET age = age - 37`)
      await rejects('schema', () => db.import(new TextEncoder().encode('{"users": [{"_id": 1, "name": "Ada"}]}')))
      await rejects('schema', () => db.transaction(async (tx) => {
        await tx.insert(ada, 'users')
        await tx.insert({}, 'users')
      }))
      await db.transaction(async (tx) => {
        await rejects('schema', () => tx.insertMany([ada, {}], 'users'))
        await rejects('schema', () => tx.update({ name: 5 }, undefined as never, 'users').catch(() => tx.insert({}, 'users')))
      })
      equal([...(await users.all())], before)
    },
  },
  {
    name: 'a schema that is wrong is refused, with the place',
    async run({ open }) {
      const db = await open()
      await rejects('invalid', () => db.createCollection('a', { properties: { age: { minimun: 1 } } }), /properties\.age\.minimun is no keyword of JSON Schema.*did you mean minimum\?/)
      await rejects('invalid', () => db.createCollection('a', { pattern: '(?=a)' }), /look-ahead/)
      await rejects('invalid', () => db.createCollection('a', 5 as never), /must be a schema/)
      await rejects('invalid', () => db.createCollection('a', {}, { strikt: true } as never), /strikt/)
      await rejects('invalid', () => db.createCollection('a', {}, { strict: 1 } as never), /strict/)
      equal(await db.collections(), [])
      await db.createCollection('a', { nullable: true, 'x-mine': 1 }, { strict: false })
      await db.createCollection('a', { nullable: true, 'x-mine': 1 }, { strict: false })
      await rejects('invalid', () => db.createCollection('a', {}), /another schema/)
      await db.createCollection('b', false)
      await rejects('schema', () => db.insert({}, 'b'))
    },
  },
  {
    name: 'defaults are put in if that is asked for',
    async run({ open }) {
      const db = await open()
      const schema = { properties: { role: { default: 'user' }, address: { properties: { country: { default: 'NO' } } } } }
      await db.createCollection('with', schema, { defaults: true })
      await db.createCollection('without', schema)
      for (const name of ['with', 'without']) await db.insertMany([{}, { role: 'admin', address: {} }], name)
      equal([...(await db.all('with'))], [{ _id: 1, role: 'user' }, { _id: 2, role: 'admin', address: { country: 'NO' } }])
      equal([...(await db.all('without'))], [{ _id: 1 }, { _id: 2, role: 'admin', address: {} }])
    },
  },
  {
    name: 'a schema changes with the documents, or not at all',
    async run({ open }) {
      const db = await open()
      const users = db.collection('users')
      await users.insertMany([{ name: 'Ada', age: 36 }, { name: 'Kim', age: 12 }, { name: 'Joe' }])
      const adults = { properties: { age: { minimum: 18 } }, required: ['age'] }
      const { code, errors, message } = await failure(() => db.setSchema('users', adults))
      equal([code, errors?.length], ['schema', 2])
      ok(/2 documents do not fit: 2, 3; /.test(message), message)
      await rejects('schema', () => db.createCollection('users', adults))
      await rejects('schema', () => db.setSchema('users', adults, { migrate: { age: 17 } }))
      await rejects('schema', () => db.setSchema('users', adults, { migrate: () => ({ name: 'x' }) }))
      await rejects('invalid', () => db.setSchema('users', adults, { migrate: { age: undefined } }))
      await rejects('not_found', () => db.setSchema('nobody', adults), /createCollection makes one with a schema$/)
      await rejects('invalid', () => db.setSchema('users', undefined as never))
      equal(await db.schema('users'), null)
      const asked: string[] = []
      await db.setSchema('users', adults, { migrate: (user) => (asked.push(user.name), { age: (user.age ?? 0) + 18 }) })
      equal([...new Set(asked)], ['Kim', 'Joe'])
      equal((await users.all()).map((user) => user.age), [36, 30, 18])
      equal(await db.schema('users'), adults)
      await db.setSchema('users', { properties: { age: { minimum: 20 } } }, { migrate: { $inc: { age: 2 } } })
      equal((await users.all()).map((user) => user.age), [36, 30, 20])
      await db.setSchema('users', null)
      await users.insert({})
      equal(await db.schema('users'), null)
    },
  },
  {
    name: 'a schema is part of a transaction, and of a file',
    async run({ open }) {
      const db = await open()
      await db.transaction(async (tx) => {
        await tx.createCollection('users', person)
        await rejects('schema', () => tx.insert({}, 'users'))
        await tx.insert(ada, 'users')
      })
      await db.transaction(async (tx) => {
        await tx.setSchema('users', null)
        await tx.insert({}, 'users')
        throw new Error('undone')
      }).catch(() => {})
      equal(await db.schema('users'), person)
      const file = await db.export()
      await db.dropCollection('users')
      equal(await db.schema('users'), null)
      await db.import(file)
      equal(await db.schema('users'), person)
      await rejects('schema', () => db.insert({}, 'users'))
    },
  },
  {
    name: 'a schema may refer to schemas that are handed over, and keeps them',
    async run({ open }) {
      const db = await open('kept')
      const address = { $id: 'https://example.com/address', properties: { city: { type: 'string', default: 'Oslo' } }, required: ['city'] }
      const person = { properties: { home: { $ref: 'https://example.com/address' } } }
      await rejects('invalid', () => db.createCollection('users', person), /properties\.home\.\$ref leads to "https:\/\/example\.com\/address", which is not there: nothing is fetched/)
      await db.createCollection('users', person, { schemas: [address], defaults: true })
      await db.createCollection('users', person, { schemas: [address], defaults: true })
      await rejects('invalid', () => db.createCollection('users', person, { schemas: [{ ...address, title: 'other' }] }), /another schema/)
      await db.insert({ home: {} }, 'users')
      const { errors } = await failure(() => db.insert({ home: { city: 5 } }, 'users'))
      equal(errors, [{ path: 'home.city', keyword: 'type', message: 'must be a string, is 5' }])
      const other = await open('kept') // another tab
      await rejects('schema', () => other.insert({ home: { city: 5 } }, 'users'))
      await Promise.all([db.close(), other.close()])
      const again = await open('kept')
      await rejects('schema', () => again.insert({ home: { city: 5 } }, 'users'))
      const { schema, schemaOptions } = await again.metadata('users')
      equal([schema, schemaOptions], [person, { defaults: true, schemas: [address] }])
      equal((await again.get(1, 'users')).home.city, 'Oslo')
      await rejects('invalid', () => again.setSchema('users', { ...schema, required: ['home'] }), /hand that schema over in schemas/)
      await again.setSchema('users', { ...schema, required: ['home'] }, schemaOptions)
      await again.transaction((tx) => tx.setSchema('users', person, { schemas: [{ ...address, properties: { city: { minLength: 2 } } }], migrate: () => ({}) }))
      await rejects('schema', () => again.insert({ home: { city: 'A' } }, 'users'))
      const file = await again.export()
      await again.dropCollection('users')
      equal((await again.metadata('users')).schemaOptions, {})
      await again.import(file)
      await rejects('schema', () => again.insert({ home: { city: 'A' } }, 'users'))
      await again.setSchema('users', null)
      equal((await again.metadata('users')).schemaOptions, {})
    },
  },
  {
    name: 'schemas that are handed over are checked as the schema is, and loops of them are refused',
    async run({ open }) {
      const db = await open()
      const create = (schema: object, ...others: unknown[]) => db.createCollection('a', schema, { schemas: others as never })
      await rejects('invalid', () => create({}, { $id: 'urn:a', minimun: 1 }), /createCollection a: schemas\.0\.minimun is no keyword/)
      await rejects('invalid', () => create({}, { $id: 'urn:a' }, { $id: 'urn:a' }), /schemas\.1\.\$id is the address of another schema too/)
      await rejects('invalid', () => create({}, {}), /schemas\.0\.\$id must be a URI/)
      await rejects('invalid', () => create({}, 5))
      await rejects('invalid', () => create({}, undefined))
      await rejects('invalid', () => db.createCollection('a', {}, { schemas: {} } as never), /schemas: expected an array of schemas/)
      await rejects('invalid', () => db.createCollection('a', {}, { schemas: 'urn:a' } as never), /schemas: expected an array of schemas/)
      await rejects('invalid', () => create({ $ref: 'urn:a' }, { $id: 'urn:a', allOf: [{ $ref: 'urn:b' }] }, { $id: 'urn:b', not: { $ref: 'urn:a' } }), /leads back to itself/)
      equal(await db.collections(), [])
      await create({ $ref: 'urn:a' }, { $id: 'urn:a', properties: { next: { $ref: 'urn:b' } } }, { $id: 'urn:b', properties: { next: { $ref: 'urn:a' } }, required: ['name'] })
      let deep: object = { end: true }
      for (let i = 0; i < 40; i++) deep = { name: 'x', next: deep }
      await db.insert(deep, 'a')
      await rejects('schema', () => db.insert({ next: { next: {} } }, 'a'), /next\.name: is required/)
    },
  },
  {
    name: 'hostile schemas and documents get an answer',
    async run({ open }) {
      const db = await open()
      await rejects('invalid', () => db.createCollection('loop', { $ref: '#' }), /leads back to itself/)
      await rejects('invalid', () => db.createCollection('loop', { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } }), /leads back to itself/)
      let nested: object = {}
      for (let i = 0; i < 95; i++) nested = { not: nested }
      await rejects('invalid', () => db.createCollection('deep', nested), /nested too deep/)
      const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`p${i}`, { type: 'number' }]))
      await db.createCollection('many', { properties: many, required: Object.keys(many).slice(9_990), additionalProperties: false })
      const { errors } = await failure(() => db.insert({ p5: 'x', q: 1 }, 'many'))
      equal(errors!.slice(0, 3).map(({ path, keyword }) => [path, keyword]), [['p5', 'type'], ['q', 'additionalProperties'], ['p9990', 'required']])
      await db.insert(Object.fromEntries(Object.keys(many).map((name) => [name, 1])), 'many')
      // Each schema applies the next one twice.
      const doubling = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`d${i}`, { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] }]))
      await db.createCollection('doubling', { $ref: '#/$defs/d0', $defs: { ...doubling, d60: { minProperties: 1 } } })
      await rejects('schema', () => db.insert({ a: 1 }, 'doubling'), /steps to check/)
      await db.createCollection('patterns', { properties: { nested: { pattern: '^(a+)+$' }, large: { pattern: `${'[ab]?'.repeat(1_900)}x` } } })
      await rejects('schema', () => db.insert({ nested: `${'a'.repeat(100_000)}b` }, 'patterns'), /nested: must match/)
      await rejects('schema', () => db.insert({ large: 'ab'.repeat(50_000) }, 'patterns'), /steps to check/)
      await db.insert({ nested: 'aaa', large: 'abx' }, 'patterns')
      for (const refusing of [false, { not: {} }, { enum: [] }]) {
        await db.createCollection(JSON.stringify(refusing), refusing as boolean)
        await rejects('schema', () => db.insert({}, JSON.stringify(refusing)))
        equal(await db.count(undefined, JSON.stringify(refusing)), 0)
      }
    },
  },
  {
    name: 'a validator at the edge decides what is stored',
    async run({ open }) {
      const db = await open()
      for (const wait of [false, true]) {
        const users = db.collection(`users ${wait}`, { validate: naming(wait) })
        equal(await users.insert({ name: 'ada' }), 1)
        equal(await users.insertMany([{ name: 'bo' }, { name: 'cy', age: 3 }]), [2, 3])
        equal(await users.upsert({ _id: 2, name: 'bob' }), 2)
        equal(await users.update({ name: 'dee' }, 'age = 3'), 1)
        equal(await users.update(({ name }) => ({ name: name.toLowerCase(), age: 5 }), 'name = "Ada"'), 1)
        equal((await users.atomicUpdate(() => ({ name: 'bea' }), 'name = "Bob"'))?.name, 'Bea')
        const { code, errors, message } = await failure(() => users.insert({ name: 5 } as never))
        equal([code, errors, message], ['schema', [{ path: 'name', keyword: 'hand', message: 'is no name' }], `insert users ${wait}: name: is no name`])
        await rejects('schema', () => users.insertMany([{ name: 'x' }, {} as never]))
        await rejects('schema', () => users.update({ $unset: { name: true } }))
        await rejects('schema', () => users.upsert({ _id: 1 } as never))
        await rejects('schema', () => users.atomicUpdate(() => ({ name: 5 }) as never))
        equal([...(await users.all())], [{ _id: 1, name: 'Ada', age: 5 }, { _id: 2, name: 'Bea' }, { _id: 3, name: 'Dee', age: 3 }])
        await db.transaction(async (tx) => {
          const inside = tx.collection(`users ${wait}`, { validate: naming(wait) })
          await inside.insert({ name: 'eve' })
          if (wait) await rejects('unsupported', () => inside.update({ name: 'eva' }, 'name = "Eve"'))
          else equal(await inside.update({ name: 'eva' }, 'name = "Eve"'), 1)
        })
        equal((await users.get(4))?.name, wait ? 'Eve' : 'Eva')
      }
    },
  },
  {
    name: 'a validator must be one',
    async run({ open }) {
      const db = await open()
      for (const validate of [5, null, {}, { '~standard': {} }, () => {}]) {
        let code
        try {
          db.collection('users', { validate } as never)
        } catch (error) {
          code = (error as AtomicDBError).code
        }
        equal(code, 'invalid')
      }
    },
  },
  {
    name: 'wrong schemas and options are refused by name',
    async run({ open }) {
      const db = await open()
      for (const wrong of [Symbol('s'), () => {}, 2n ** 70n, new Map(), new Date(NaN)]) {
        await rejects('invalid', () => db.createCollection('users', wrong as never), /^schema /)
        await rejects('invalid', () => db.setSchema('users', wrong as never), /^schema /)
      }
      await rejects('invalid', () => db.createCollection('users', {}, { strict: Symbol('s') } as never), /^options\.strict /)
    },
  },
  {
    name: 'a validator may answer anything',
    async run({ open }) {
      const db = await open()
      const { proxy: revoked, revoke } = Proxy.revocable({}, {})
      revoke()
      for (const wait of [false, true]) {
        const answering = (answer: unknown) => {
          const validate = () => (wait ? { then: (resolve: (value: unknown) => void) => resolve(answer) } : answer)
          return db.collection('users', { validate: { '~standard': { version: 1, vendor: Symbol('v'), validate } } as never })
        }
        const wrong = [undefined, null, 5, 'x', { issues: 5 }, { issues: 'x' }, { issues: {} }, { issues: revoked }, { value: revoked }, { value: Promise.resolve({}) }, ...(wait ? [] : [revoked])]
        for (const answer of wrong) await rejects('invalid', () => answering(answer).insert({ a: 1 }), /^(options\.validate|document): /)
        const issues = [undefined, null, 5, {}, { message: Symbol('m') }, { message: 5n, path: 5 }, { message: 'm', path: [null, Symbol('p'), { key: Object.create(null) }] }]
        for (const issue of issues) await rejects('schema', () => answering({ issues: [issue] }).insert({ a: 1 }))
        await rejects('schema', () => answering({ issues: [] }).insert({ a: 1 }))
      }
      await rejects('invalid', async () => db.collection('users', { validate: revoked as never }), /^options\.validate: a proxy/)
      equal(await db.count(undefined, 'users'), 0)
    },
  },
]
