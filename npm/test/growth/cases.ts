// What is measured by run.ts: each case makes an input of size n, and says how it is used.
import { deflateSync } from 'node:zlib'
import { AtomicDB, MemoryStorage, SealedStorage, or } from '../../dist/index.js'

export interface Prepared {
  readonly run: () => Promise<unknown>
  readonly end?: () => Promise<unknown>
}

export interface Case {
  readonly name: string
  readonly n: number
  readonly prepare: (n: number) => Promise<Prepared>
}

type Row = Record<string, unknown>

let names = 0
const open = (options: object = {}): Promise<AtomicDB> => AtomicDB.open(`growth${names++}`, { inMemory: true, maxQueryTime: Infinity, ...options })

const list = <R>(n: number, of: (i: number) => R): R[] => Array.from({ length: n }, (_, i) => of(i))
const rows = (n: number): Row[] => list(n, (i) => ({ a: i, b: i % 7, c: `text ${i}`, tags: [i % 3, i % 5], d: { e: i } }))

/** A case on a collection of `documents` rows, whose input has size n. */
function on(name: string, n: number, documents: number, run: (db: AtomicDB, n: number) => () => Promise<unknown>): Case {
  return {
    name, n,
    async prepare(n) {
      const db = await open()
      await db.insertMany(rows(documents))
      const work = run(db, n)
      // What is refused is as good as an answer, if it comes soon.
      return { run: () => work().catch((error: { code?: string }) => { if (error.code !== 'invalid') throw error }), end: () => db.close() }
    },
  }
}

/** A case on a collection of n rows. */
function over(name: string, n: number, run: (db: AtomicDB) => Promise<unknown>, prepare?: (db: AtomicDB) => Promise<unknown>): Case {
  return {
    name, n,
    async prepare(n) {
      const db = await open()
      await db.insertMany(rows(n))
      await prepare?.(db)
      return { run: () => run(db), end: () => db.close() }
    },
  }
}

const joined = (n: number, of: (i: number) => string, by: string) => list(n, of).join(by)
const object = (n: number, value: (i: number) => unknown = (i) => i): Row => Object.fromEntries(list(n, (i) => [`f${i}`, value(i)]))
const nested = (n: number, inner: unknown, around: (inner: unknown) => unknown): unknown => {
  let value = inner
  for (let i = 0; i < n; i++) value = around(value)
  return value
}

const conditions: Case[] = [
  on('text: or of equalities', 2000, 1000, (db, n) => () => db.count(joined(n, (i) => `a = ${i * 2}`, ' or '))),
  on('text: and of !=', 2000, 1000, (db, n) => () => db.count(joined(n, (i) => `a != ${i * 2}`, ' and '))),
  on('text: or of ranges', 500, 300, (db, n) => () => db.count(joined(n, (i) => `(a > ${i} and a < ${i})`, ' or '))),
  on('text: or of fields', 500, 300, (db, n) => () => db.count(joined(n, (i) => `f${i} = 1`, ' or '))),
  on('text: in', 20_000, 100, (db, n) => () => db.count(`a in (${joined(n, String, ', ')})`)),
  on('text: not not', 20_000, 10, (db, n) => () => db.count(`${'not '.repeat(n)}a = 1`)),
  on('text: one long string', 200_000, 10, (db, n) => () => db.count(`c = '${'x'.repeat(n)}'`)),
  on('text: one long name', 200_000, 10, (db, n) => () => db.count(`${'x'.repeat(n)} = 1`)),
  on('text: white space', 200_000, 10, (db, n) => () => db.count(`a${' '.repeat(n)} = 1`)),
  on('text: brackets', 20_000, 10, (db, n) => () => db.count(`${'('.repeat(n)}a = 1${')'.repeat(n)}`)),
  on('text: an array', 20_000, 10, (db, n) => () => db.count(`a = [${joined(n, String, ',')}]`)),
  on('text: an object', 20_000, 10, (db, n) => () => db.count(`a = {${joined(n, (i) => `f${i}: ${i}`, ',')}}`)),
  on('text: a fault at the end', 20_000, 10, (db, n) => () => db.count(`${joined(n, (i) => `a = ${i}`, ' or ')} or or`)),
  on('text: a fault in many lines', 20_000, 10, (db, n) => () => db.count(`${'\n'.repeat(n)} or`)),
  on('filter: $or of equalities', 2000, 1000, (db, n) => () => db.find({ $or: list(n, (i) => ({ a: i * 2 })) }, { limit: 1 })),
  on('filter: $and of $ne', 2000, 1000, (db, n) => () => db.find({ $and: list(n, (i) => ({ a: { $ne: i * 2 } })) }, { limit: 1 })),
  on('filter: $nor', 2000, 1000, (db, n) => () => db.find({ $nor: list(n, (i) => ({ a: i * 2 })) }, { limit: 1 })),
  on('filter: $in', 20_000, 100, (db, n) => () => db.find({ a: { $in: list(n, String) } })),
  on('filter: $in of regular expressions', 500, 100, (db, n) => () => db.find({ c: { $in: list(n, (i) => new RegExp(`^x${i}$`)) } })),
  on('filter: $all', 5000, 100, (db, n) => () => db.find({ tags: { $all: list(n, (i) => i) } })),
  on('filter: many fields', 2000, 100, (db, n) => () => db.find(object(n) as never)),
  on('filter: one field with many operators', 2000, 100, (db, n) => () => db.find({ a: object(n) } as never)),
  on('filter: a long name around many', 2000, 10, (db, n) => () => db.find({ ['x'.repeat(n * 10)]: { $elemMatch: { $or: list(n, (i) => ({ a: { $gt: i } })) } } })),
  on('filter: nested $and', 2000, 10, (db, n) => () => db.find(nested(n, { a: 1 }, (inner) => ({ $and: [inner] })) as never)),
  on('filter: nested $or of two', 10, 10, (db, n) => () => db.find(nested(n, { a: 1 }, (inner) => ({ $or: [inner, { b: 1 }] })) as never)),
  on('filter: $or with an index', 2000, 5000, (db, n) => {
    const ready = db.createIndex('a')
    return async () => {
      await ready
      return db.count({ $or: list(n, (i) => ({ a: { $gt: i * 2, $lt: i * 2 + 1 } })) })
    }
  }),
  on('filter: $and with indexes', 1000, 3000, (db, n) => {
    const ready = Promise.all([db.createIndex('a'), db.createIndex('b'), db.createIndex('c')])
    return async () => {
      await ready
      return db.count({ $and: list(n, (i) => ({ [['a', 'b', 'c'][i % 3]!]: { $gte: i % 3 } })) })
    }
  }),
  on('builder: or', 2000, 1000, (db, n) => () => db.count(or(...list(n, (i) => db.query().a!.eq(i * 2))))),
  on('builder: or of or', 500, 1000, (db, n) => () => db.count(list(n, (i) => db.query().a!.eq(i * 2)).reduce((left, right) => left.or(right)))),
  on('builder: in', 20_000, 100, (db, n) => () => db.count(db.query().a!.in(list(n, String)))),
  on('builder: String()', 2000, 1, (db, n) => async () => String(or(...list(n, (i) => db.query().a!.eq(i))))),
  on('explain', 100, 300, (db, n) => () => db.explain(joined(n, (i) => `(a > ${i} and b < ${i})`, ' or '))),
  on('a regular expression', 20, 1000, (db, n) => () => db.count({ c: { $regex: `${'a?'.repeat(n)}b` } })),
  on('a regular expression on a long text', 50_000, 1, (db, n) => {
    const ready = db.insert({ long: 'ab'.repeat(n) })
    return async () => {
      await ready
      return db.count({ long: { $regex: '(a|b)*[cd]$' } })
    }
  }),
]

const statements: Case[] = [
  on('sql: 1+1', 10_000, 10, (db, n) => () => db.sql(`SELECT ${joined(n, () => '1', '+')} AS x`)),
  on('sql: a+a', 5000, 10, (db, n) => () => db.sql(`SELECT ${joined(n, () => 'a', '+')} AS x FROM "default"`)),
  on('sql: ||', 5000, 10, (db, n) => () => db.sql(`SELECT ${joined(n, () => "'x'", ' || ')} AS x`)),
  on('sql: or', 2000, 1000, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${joined(n, (i) => `a = ${i * 2}`, ' OR ')}`)),
  on('sql: or of sums', 1000, 30, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${joined(n, (i) => `a + b = ${i}`, ' OR ')}`)),
  on('sql: and', 2000, 1000, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${joined(n, (i) => `a <> ${i * 2}`, ' AND ')}`)),
  on('sql: in', 10_000, 100, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE a IN (${joined(n, String, ', ')})`)),
  on('sql: in of a parameter', 20_000, 100, (db, n) => () => db.sql('SELECT COUNT(*) AS n FROM "default" WHERE a IN ?', [list(n, String)] as never)),
  on('sql: parameters', 5000, 10, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE a IN (${joined(n, () => '?', ', ')})`, list(n, (i) => i))),
  on('sql: named parameters', 2000, 10, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE a IN (${joined(n, (i) => `:f${i}`, ', ')})`, object(n) as never)),
  on('sql: a parameter that is not used', 2000, 10, (db, n) => () => db.sql('SELECT :f1 AS x', object(n) as never)),
  on('sql: columns', 200, 100, (db, n) => () => db.sql(`SELECT ${joined(n, (i) => `a AS x${i}`, ', ')} FROM "default"`)),
  on('sql: * and more', 100, 100, (db, n) => {
    const ready = db.insert(object(n * 20))
    return async () => {
      await ready
      return db.sql('SELECT *, 1 AS one FROM "default"')
    }
  }),
  on('sql: aggregates', 30, 100, (db, n) => () => db.sql(`SELECT ${joined(n, (i) => `SUM(a + ${i}) AS x${i}`, ', ')} FROM "default"`)),
  on('sql: HAVING', 500, 100, (db, n) => () => db.sql(`SELECT b, COUNT(*) AS n FROM "default" GROUP BY b HAVING ${joined(n, (i) => `COUNT(*) > ${i}`, ' OR ')}`)),
  on('sql: HAVING by a column', 500, 100, (db, n) => () => db.sql(`SELECT b, COUNT(*) AS n FROM "default" GROUP BY b HAVING ${joined(n, (i) => `n > ${i}`, ' OR ')}`)),
  on('sql: names that are columns', 1000, 2000, (db, n) => () => db.sql(`SELECT a AS x, b AS y FROM "default" WHERE ${joined(n, (i) => `x = ${i}`, ' OR ')}`)),
  on('sql: CASE', 1000, 30, (db, n) => () => db.sql(`SELECT CASE a ${joined(n, (i) => `WHEN ${-i - 1} THEN ${i}`, ' ')} END AS x FROM "default"`)),
  on('sql: VALUES', 1000, 1, (db, n) => () => db.sql(`INSERT INTO t (a, b) VALUES ${joined(n, (i) => `(${i}, 'x')`, ', ')}`)),
  on('sql: INSERT of columns', 100, 1, (db, n) => () => db.sql(`INSERT INTO t (${joined(n, (i) => `f${i}`, ', ')}) VALUES (${joined(n, String, ', ')})`)),
  on('sql: SET', 50, 20, (db, n) => () => db.sql(`UPDATE "default" SET ${joined(n, (i) => `f${i} = ${i}`, ', ')}`)),
  on('sql: positions', 5000, 10, (db, n) => () => db.sql(`SELECT a${'[0]'.repeat(n)} AS x FROM "default"`)),
  on('sql: signs', 20_000, 10, (db, n) => () => db.sql(`SELECT ${'- '.repeat(n)} a AS x FROM "default"`)),
  on('sql: a comment before it', 500_000, 10, (db, n) => () => db.sql(`/*${'*'.repeat(n)}*/ SELECT 1 AS x`)),
  on('sql: comments before it', 50_000, 10, (db, n) => () => db.sql(`${'/**/--\n '.repeat(n)} SELECT 1 AS x`)),
  on('sql: white space before it', 500_000, 10, (db, n) => () => db.sql(`${' '.repeat(n)}SELECT 1 AS x`)),
  on('sql: a long string', 500_000, 10, (db, n) => () => db.sql(`SELECT '${'x'.repeat(n)}' AS x`)),
  on('sql: a fault at the end', 10_000, 10, (db, n) => () => db.sql(`SELECT ${joined(n, () => '1', '+')} FROM`)),
  on('sql: subqueries', 200, 30, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${joined(n, (i) => `a = (SELECT ${i} AS x)`, ' OR ')}`)),
  on('sql: subqueries in one another', 30, 10, (db, n) => () => db.sql(`SELECT ${'(SELECT MAX(x.a) + '.repeat(n)}1${' FROM "default" x)'.repeat(n)} AS x`)),
  on('sql: IN a query', 1000, 100, (db, n) => () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE a NOT IN (VALUES ${joined(n, (i) => `(${i * 2})`, ', ')})`)),
  on('sql: UNION ALL', 200, 30, (db, n) => () => db.sql(joined(n, (i) => `SELECT a + ${i} AS x FROM "default"`, ' UNION ALL '))),
  on('sql: UNION', 200, 10, (db, n) => () => db.sql(joined(n, (i) => `SELECT a + ${i} AS x FROM "default"`, ' UNION '))),
  on('sql: WITH', 200, 10, (db, n) => () => db.sql(`WITH ${joined(n, (i) => `q${i} AS (SELECT * FROM ${i === 0 ? '"default"' : `q${i - 1}`})`, ', ')} SELECT COUNT(*) AS n FROM q${n - 1}`)),
  on('sql: WITH RECURSIVE', 2000, 1, (db, n) => () => db.sql(`WITH RECURSIVE c(i) AS (SELECT 1 UNION SELECT i + 1 FROM c WHERE i < ${n}) SELECT COUNT(*) AS n FROM c`)),
  on('sql: columns of one name', 500, 10, (db, n) => () => db.sql(`SELECT ${joined(n, () => 'a', ', ')} FROM "default"`)),
  on('sql: statements', 1000, 10, (db, n) => () => db.sql(joined(n, (i) => `SELECT ${i} AS x`, '; '))),
  on('sql: statements that write', 500, 10, (db, n) => () => db.sql(joined(n, (i) => `UPDATE "default" SET c = ${i} WHERE a = ${i}`, '; '))),
  on('sql: a semicolon at the end', 20_000, 10, (db, n) => () => db.sql(`SELECT ${joined(n, () => '1', '+')} AS x;`)),
  on('sql: ON CONFLICT', 500, 1, (db, n) => () => db.sql(`INSERT INTO t (_id, a) VALUES ${joined(n, (i) => `(${i}, 1)`, ', ')} ON CONFLICT (_id) DO UPDATE SET a = a + 1`)),
  over('sql: a comma and an equality', 1000, (db) => db.sql('SELECT x.a FROM "default" x, "default" y WHERE x.a = y.a')),
  over('sql: FULL JOIN', 1000, (db) => db.sql('SELECT COUNT(*) AS n FROM "default" x FULL JOIN "default" y ON x.a = y.a')),
  over('sql: FROM a query', 1000, (db) => db.sql('SELECT COUNT(*) AS n FROM (SELECT a + 1 AS b FROM "default") WHERE b > 1')),
  over('sql: a query for each row', 100, (db) => db.sql('SELECT COUNT(*) AS n FROM "default" x WHERE EXISTS (SELECT 1 FROM "default" y WHERE y._id = x._id)')),
  over('sql: group by an expression', 1000, (db) => db.sql('SELECT a + 1 AS x, COUNT(*) AS n FROM "default" GROUP BY a + 1')),
  over('sql: DISTINCT', 1000, (db) => db.sql('SELECT DISTINCT a + 1 AS x FROM "default"')),
  over('sql: ORDER BY', 1000, (db) => db.sql('SELECT a FROM "default" ORDER BY a * -1')),
  over('sql: a join', 1000, (db) => db.sql('SELECT x.a FROM "default" x JOIN "default" y ON x.a = y.a')),
  over('sql: UPDATE', 1000, (db) => db.sql('UPDATE "default" SET a = a + 1')),
  over('sql: DELETE by an expression', 1000, (db) => db.sql('DELETE FROM "default" WHERE a + 1 < 0')),
]

const calls: Case[] = [
  { name: 'insertMany', n: 2000, prepare: async (n) => {
    const db = await open()
    return { run: () => db.insertMany(rows(n)), end: () => db.close() }
  } },
  { name: 'insert, one by one', n: 500, prepare: async (n) => {
    const db = await open({ inMemory: false, storage: new MemoryStorage() })
    return { run: () => Promise.all(rows(n).map((row) => db.insert(row))), end: () => db.close() }
  } },
  { name: 'a document of many fields', n: 5000, prepare: async (n) => {
    const db = await open()
    return { run: async () => db.get(await db.insert(object(n)) as number), end: () => db.close() }
  } },
  { name: 'a document of a long array', n: 20_000, prepare: async (n) => {
    const db = await open()
    return { run: async () => db.get(await db.insert({ list: list(n, String) }) as number), end: () => db.close() }
  } },
  { name: 'update: many fields', n: 500, prepare: async (n) => {
    const db = await open()
    const id = await db.insert(object(n))
    let round = 0
    return { run: () => db.update(object(n, (i) => i + ++round), { _id: id }), end: () => db.close() }
  } },
  { name: 'update: $inc of many fields', n: 500, prepare: async (n) => {
    const db = await open()
    const id = await db.insert(object(n))
    return { run: () => db.update({ $inc: object(n, () => 1) }, { _id: id }), end: () => db.close() }
  } },
  { name: 'update: $unset of many fields', n: 500, prepare: async (n) => {
    const db = await open()
    const id = await db.insert(object(n))
    return { run: () => db.update({ $unset: object(n, () => 1) }, { _id: id }), end: () => db.close() }
  } },
  { name: 'update: $push of many values', n: 5000, prepare: async (n) => {
    const db = await open()
    const id = await db.insert({ list: [] })
    return { run: () => db.update({ $push: { list: { $each: list(n, (i) => i), $slice: -n } } }, { _id: id }), end: () => db.close() }
  } },
  { name: 'update: $pull of many values', n: 5000, prepare: async (n) => {
    const db = await open()
    const id = await db.insert({ list: list(n, (i) => i) })
    return { run: () => db.update({ $pull: { list: { $gte: 0 } } }, { _id: id }), end: () => db.close() }
  } },
  { name: 'update: by a function', n: 500, prepare: async (n) => {
    const db = await open()
    await db.insertMany(rows(n))
    return { run: () => db.update((row: Row) => ({ a: Number(row.a) + 1 })), end: () => db.close() }
  } },
  over('update: all', 1000, (db) => db.update({ $inc: { a: 1 } })),
  over('upsert', 1000, async (db) => db.transaction(async (tx) => {
    for (const row of await tx.all()) await tx.upsert(row as never)
  })),
  over('remove and insert', 1000, async (db) => {
    const all = await db.all()
    await db.remove('a >= 0')
    await db.insertMany([...all])
  }),
  over('all', 1000, (db) => db.all()),
  over('documentIds', 5000, (db) => db.documentIds()),
  over('distinct', 1000, (db) => db.distinct('a')),
  over('distinct of arrays', 1000, (db) => db.distinct('tags')),
  over('sort', 1000, (db) => db.search(undefined, { sort: ['-c', 'a'] })),
  over('sort with a limit', 1000, (db) => db.search(undefined, { sort: '-c', limit: 100 })),
  over('sort of equal values', 1000, (db) => db.search(undefined, { sort: ['missing', 'b'] })),
  over('fields', 1000, (db) => db.search(undefined, { fields: ['a', 'd.e'] })),
  over('skip', 1000, (db) => db.search(undefined, { skip: 10 })),
  over('aggregate: many groups', 1000, (db) => db.aggregate({ groupBy: 'a', select: { n: { $count: true }, m: { $max: 'b' } } })),
  over('aggregate: two paths', 1000, (db) => db.aggregate({ groupBy: ['a', 'b'], select: { n: { $distinct: 'tags' } } })),
  over('aggregate: sorted', 1000, (db) => db.aggregate({ groupBy: 'a', select: { n: { $count: true } }, sort: '-a' })),
  on('aggregate: many outputs', 100, 300, (db, n) => () => db.aggregate({ select: object(n, () => ({ $sum: 'a' })) as never })),
  on('many fields are asked for', 200, 300, (db, n) => () => db.search(undefined, { fields: list(n, (i) => `f${i}`) })),
  over('an index is created', 1000, (db) => db.createIndex('c').then(() => db.count("c > 'text'")).then(() => db.dropIndex('c'))),
  over('an index of equal values', 1000, (db) => db.update({ $inc: { b: 1 } }), async (db) => {
    await db.createIndex('b')
    await db.count('b = 1')
  }),
  over('an index of arrays', 500, (db) => db.update({ tags: list(5, (i) => i) }), async (db) => {
    await db.createIndex('tags')
    await db.count('tags = 1')
  }),
  over('a transaction that is undone', 1000, (db) => db.transaction(async (tx) => {
    await tx.update({ $inc: { a: 1 } })
    throw new Error('undo')
  }).catch(() => {})),
  over('a function as a condition', 500, (db) => db.search((row: Row) => Number(row.a) % 2 === 0)),
  { name: 'collections', n: 1000, prepare: async (n) => {
    const db = await open()
    let round = 0
    return { run: async () => {
      const prefix = `c${round++}_`
      await db.transaction(async (tx) => {
        for (let i = 0; i < n; i++) await tx.createCollection(prefix + i)
      })
      return db.collections()
    }, end: () => db.close() }
  } },
  { name: 'collections, one by one', n: 500, prepare: async (n) => {
    const db = await open({ inMemory: false, storage: new MemoryStorage() })
    let round = 0
    return { run: () => {
      const prefix = `c${round++}_`
      return Promise.all(list(n, (i) => db.createCollection(prefix + i)))
    }, end: () => db.close() }
  } },
]

const stored = (name: string, n: number, options: object = {}): Case => ({
  name, n,
  async prepare(n) {
    const storage = new SealedStorage(new MemoryStorage(), options)
    const db = await open({ inMemory: false, storage })
    for (const row of rows(n / 10)) await db.insert(row)
    await db.close()
    return { run: async () => (await open({ inMemory: false, storage })).close() }
  },
})

const files = ['json', 'msgpack'] as const
const formats: Case[] = [
  stored('opening', 5000),
  stored('opening what is compressed', 5000, { compressionLevel: 1 }),
  ...files.map((type): Case => over(`export as ${type}`, 1000, (db) => db.export({ type }))),
  ...files.map((type): Case => ({ name: `import of ${type}`, n: 1000, prepare: async (n) => {
    const from = await open()
    await from.insertMany(rows(n))
    const file = await from.export({ type })
    await from.close()
    return { run: async () => {
      const db = await open()
      await db.import(file)
      await db.close()
    } }
  } })),
  ...files.map((type): Case => ({ name: `import of ${type} with many collections`, n: 2000, prepare: async (n) => {
    const from = await open()
    await from.transaction(async (tx) => {
      for (let i = 0; i < n; i++) await tx.createCollection(`c${i}`)
    })
    const file = await from.export({ type })
    await from.close()
    return { run: async () => {
      const db = await open({ inMemory: false, storage: new MemoryStorage() })
      await db.import(file)
      await db.close()
    } }
  } })),
  ...Object.entries({
    'a long array': (n: number) => `{"default": [{"a": [${joined(n, String, ',')}]}]}`,
    'an object of many fields': (n: number) => `{"default": [{"a": {${joined(n, (i) => `"f${i}": ${i}`, ',')}}}]}`,
    'a long text': (n: number) => `{"default": [{"a": "${'x'.repeat(n * 10)}"}]}`,
    'a long text of escapes': (n: number) => `{"default": [{"a": "${'\\u0041'.repeat(n)}"}]}`,
    'a long number': (n: number) => `{"default": [{"a": ${'1'.repeat(n)}}]}`,
    'white space': (n: number) => `{"default": ${' '.repeat(n * 10)}[]}`,
    'open brackets': (n: number) => `{"default": [{"a": ${'['.repeat(n)}`,
    'documents of the same id': (n: number) => `{"default": [${joined(n, () => '{"_id": 1}', ',')}]}`,
    'documents of long text ids': (n: number) => `{"default": [${joined(n, (i) => `{"_id": "id ${i}"}`, ',')}]}`,
    'equal names': (n: number) => `{${joined(n, () => '"a": []', ',')}}`,
    'a fault at the end': (n: number) => `{"default": [${joined(n, () => '{"a": 1}', ',')}`,
  }).map(([what, make]): Case => ({ name: `import of JSON: ${what}`, n: 10_000, prepare: async (n) => {
    const file = deflateSync(make(n), { level: 1 })
    return { run: async () => {
      const db = await open()
      await db.import(file).catch((error: { code?: string }) => { if (!['invalid', 'corrupt', 'duplicate_id'].includes(error.code!)) throw error })
      await db.close()
    } }
  } })),
]

/** A schema of size n, and a document of size n that it fits. */
function schema(name: string, n: number, schemaOf: (n: number) => object, documentOf: (n: number) => object = () => ({})): Case {
  return {
    name: `schema: ${name}`, n,
    async prepare(n) {
      const db = await open()
      const run = async () => {
        await db.createCollection('c', schemaOf(n))
        await db.insert(documentOf(n), 'c').catch((error: { code?: string }) => { if (error.code !== 'schema') throw error })
      }
      return { run, end: () => db.close() }
    },
  }
}

const fieldNames = (n: number) => list(n, (i) => `f${i}`)
const schemas: Case[] = [
  schema('references in a row', 1500, (n) => ({ $defs: object(n, (i) => (i ? { $ref: `#/$defs/f${i - 1}` } : {})), $ref: `#/$defs/f${n - 1}` })),
  schema('references into an array', 1500, (n) => ({ $defs: { a: { prefixItems: list(n, () => ({})) } }, properties: object(n, (i) => ({ $ref: `#/$defs/a/prefixItems/${i}` })) }), object),
  schema('enum', 2000, (n) => ({ properties: { a: { items: { enum: list(n, (i) => `v${i}`) } } } }), (n) => ({ a: list(n, (i) => `v${i}`) })),
  schema('properties', 2000, (n) => ({ properties: object(n, () => ({ type: 'integer' })), unevaluatedProperties: false }), object),
  schema('required', 2000, (n) => ({ required: fieldNames(n) }), object),
  schema('dependentRequired', 2000, (n) => ({ dependentRequired: { f0: fieldNames(n), f1: fieldNames(n) } }), object),
  schema('dependentSchemas', 1000, (n) => ({ dependentSchemas: object(n, (i) => ({ required: [`f${i}`] })) }), object),
  schema('uniqueItems', 5000, () => ({ properties: { a: { uniqueItems: true } } }), (n) => ({ a: list(n, (i) => ({ i })) })),
  schema('oneOf', 2000, (n) => ({ oneOf: list(n, (i) => ({ properties: { t: { const: i } } })) }), () => ({ t: 5 })),
]

/** Documents of `l` and of `k`, which a relationship ties together. */
function related(name: string, n: number, relationship: object, prepare: (db: AtomicDB, n: number) => Promise<unknown>, run: (db: AtomicDB, n: number) => Promise<unknown>): Case {
  return {
    name: `relationship: ${name}`, n,
    async prepare(n) {
      const db = await open()
      await db.addRelationship({ name: 'r', type: 'one_to_many', from: 'l', to: 'k', foreignKey: 'p', enforce: true, ...relationship } as never)
      await prepare(db, n)
      return { run: () => run(db, n), end: () => db.close() }
    },
  }
}

const ids = (n: number) => list(n, (i) => ({ _id: i }))
const relationships: Case[] = [
  related('a chain of cascades', 2000, { to: 'l', onDelete: 'cascade' }, (db, n) => db.insertMany(list(n, (i) => ({ _id: i, ...(i > 0 && { p: i - 1 }) })), 'l'), (db) => db.remove('_id = 0', 'l')),
  related('many that refer to one', 2000, { onDelete: 'set_null' }, async (db, n) => (await db.insert({ _id: 1 }, 'l'), db.insertMany(list(n, () => ({ p: 1 })), 'k')), (db) => db.remove('_id = 1', 'l')),
  related('one that refers to many', 2000, { type: 'many_to_many', onDelete: 'set_null' }, async (db, n) => (await db.insertMany(ids(n), 'k'), db.insert({ p: list(n, Number) }, 'l')), (db) => db.clear('k')),
  related('populate', 2000, {}, async (db, n) => (await db.insertMany(ids(n), 'l'), db.insertMany(list(n, (i) => ({ p: i })), 'k')), (db) => db.all('l').then(() => db.search('true', { collection: 'l', populate: ['r'] }))),
]

const lives: Case[] = [
  { name: 'live: a change with many live queries', n: 1000, async prepare(n) {
    const db = await open()
    const all = list(n, (i) => db.live(`a = ${i}`))
    await all.at(-1)!.ready
    return { run: async () => { for (let i = 0; i < 20; i++) await db.insert({ a: -i }) }, end: () => db.close() }
  } },
  { name: 'live: many subscribers', n: 2000, async prepare(n) {
    const db = await open()
    const live = db.live()
    await live.ready
    return { run: async () => {
      const stops = list(n, () => live.subscribe(() => {}))
      for (let i = 0; i < 20; i++) await db.insert({ a: -i })
      for (const stop of stops) stop()
    }, end: () => db.close() }
  } },
  { name: 'undo: many steps', n: 2000, async prepare(n) {
    const db = await open({ undoSteps: 10_000 })
    return { run: async () => { for (let i = 0; i < n; i++) await db.insert({ i }) }, end: () => db.close() }
  } },
]

export const cases: readonly Case[] = [...conditions, ...statements, ...calls, ...formats, ...schemas, ...relationships, ...lives]
