// Compiled, never run: `tsc` fails if a line below stops being an error, or another becomes one.
import { and, AtomicDB, bytesOf, MemoryStorage, not, or, type Change, type Collection, type Condition, type ErrorCode, type Id, type LiveDelta, type LiveQuery, type LiveValue, type Problem, type QueryResult, type Report, type StorageBackend, type Stored, type Transaction, type Where } from '../../src/index.js'

interface User {
  name: string
  age: number
  admin?: boolean
  address?: { city: string; geo: { lat: number } }
  tags: string[]
  orders: { item: string; price: number }[]
  joined: Date
  type: string
  anything: any
}

declare const db: AtomicDB
declare const users: Collection<User>

// ------------------------------------------------------------ the builder of a typed collection

const q = users.query()
q.age.gte(18).and(q.name.matches(/^J/)).or(q.tags.contains('x')).not() satisfies Condition
q.address.city.in(['Oslo']) satisfies Condition
q.address.geo.lat.between(0, 1)
q.orders.price.gt(5)
q.orders[0]!.item.eq('pen')
q.orders.any((order) => order.price!.gt(5).and(order.item!.eq('pen')))
q.tags.any((tag) => tag.startsWith('x'))
q.type.eq('a')
q.type.type('str')
q.admin.exists(false)
q.joined.lt(new Date())
q.anything.at.all.eq(1)
q.field('not.known').eq(1)
q.field('not.known').below.eq(1)
db.query<User>().age.gte(18)
db.query().whatever!.it.is.eq(1)
and(q.age.gt(1), or(q.age.lt(5), not(q.name.eq('x')))) satisfies Condition

// @ts-expect-error: no such field
q.agee.gte(18)
// @ts-expect-error: no such field below
q.address.town.eq('Oslo')
// @ts-expect-error: no such field of an element
q.orders.cost.gt(5)
// @ts-expect-error: a field of text has no fields
q.name.first.eq('x')
// @ts-expect-error: no such operator
q.age.greaterThan(18)
// @ts-expect-error: an operand is needed
q.age.gte()
// @ts-expect-error: a function is no value
q.age.eq(() => 1)
// @ts-expect-error: undefined is no value; exists(false) asks for a missing field
q.age.eq(undefined)
// @ts-expect-error: in takes an array
q.age.in(18)
// @ts-expect-error: no such type
q.age.type('integer')
// @ts-expect-error: a regular expression is needed
q.name.matches(5)
// @ts-expect-error: a condition is needed
and(q.age.gt(1), 'age > 1')
// @ts-expect-error: a text is no condition of its own
q.age.gt(1).and('age > 1')

// ------------------------------------------------------------ reading

const found: Promise<QueryResult<User>> = users.search(q.age.gt(1))
users.search('age > 1')
users.search({ age: { $gt: 1 }, 'address.city': 'Oslo', name: /^J/ })
users.search((user) => user.age > 1 && user._id !== 5)
users.search(undefined, { sort: ['-age', 'name'], limit: 5, fields: ['name'] })
users.search(undefined, { sort: { age: 'desc', name: 1 } })
users.search(undefined, { fields: { name: 1, tags: { $slice: -2 }, 'orders.item': { $slice: [1, 2] } } })
// @ts-expect-error: no such field
users.search(undefined, { fields: { agee: 1 } })
users.search({ name: 'ada' }, { collation: { strength: 2, numeric: true }, sort: 'name' })
users.createIndex('name', { unique: true, collation: { strength: 1 } })
users.count({ name: 'ada' }, { collation: { strength: 2 } })
users.remove({ name: 'ada' }, { collation: { strength: 2 } })
users.update({ name: 'Ada' }, { name: 'ada' }, { collation: { strength: 2 } })
users.aggregate({ groupBy: 'name', select: { n: { $count: true } }, collation: { strength: 2 } })
db.distinct('name', undefined, { collection: 'users', collation: { strength: 1 } })
db.liveCount({ name: 'ada' }, { collection: 'users', collation: { strength: 1 } }).close()
// @ts-expect-error: no rules of that language
users.search({}, { collation: { locale: 'sv' } })
// @ts-expect-error: a slice is one number or two
users.search(undefined, { fields: { tags: { $slice: [1, 2, 3] } } })
async () => {
  for await (const user of users.iterate({ age: { $gt: 1 } }, { sort: '-age', signal: new AbortController().signal })) user satisfies Stored<User>
  for await (const user of db.iterate<User>('age > 1', 'users')) user satisfies Stored<User>
  // @ts-expect-error: no such field
  users.iterate({ agee: 1 })
  // @ts-expect-error: no such option
  users.iterate({}, { batch: 5 })
}
async (file: File, response: Response, stream: ReadableStream<Uint8Array>, lines: AsyncIterable<string>) => {
  for (const source of [file, response, stream, lines, new Uint8Array(), new ArrayBuffer(1), '[]', ['{"n":1}\n']]) {
    ;(await db.importStream(source, { format: 'ndjson', collection: 'users', onDuplicate: 'skip', columns: { zip: 'text' }, onProgress: (bytes, documents) => bytes + documents, signal: new AbortController().signal })) satisfies number
  }
  // @ts-expect-error: a number holds no documents
  db.importStream(5)
  // @ts-expect-error: no such format
  db.importStream(file, { format: 'xml' })
  // @ts-expect-error: dates are not guessed
  db.importStream(file, { columns: { born: 'date' } })
  // @ts-expect-error: no such option
  db.importStream(file, { table: 'users' })
  new Response(db.exportStream({ format: 'csv', collection: 'users', where: 'age > 1', fields: ['name'] }))
  // @ts-expect-error: no such format
  db.exportStream({ format: 'xml' })
  // @ts-expect-error: a list of names
  db.exportStream({ fields: 'name' })
  for (const source of [file, response]) (await bytesOf(source)) satisfies Uint8Array
  // @ts-expect-error: what has no bytes
  bytesOf({ name: 'a.png' })
}
db.search<User>((user) => user.age > 1, 'users')
db.search((user) => user.whatever > 1)
users.get(5).then((user) => user?.address?.city)
db.get<User>('id').then((user) => user?.name)
db.search((user: User) => user.age > 1).then((found) => found satisfies QueryResult<User>)
async function generic<T extends { age: number }>(some: Collection<T>, one: T) {
  await some.insert(one)
  ;(await some.search((document) => document.age > 1)) satisfies QueryResult<T>
}
void generic
const count: Promise<number> = db.count(q.age.gt(1))
void [found, count]

// @ts-expect-error: a field is no condition
users.search(q.age)
// @ts-expect-error: nor is a builder
users.search(q)
// @ts-expect-error: nor is a number
users.search(5)
// @ts-expect-error: the documents have no such field
users.search((user) => user.agee > 1)
// @ts-expect-error: a direction is 'asc', 'desc', 1 or -1
users.search(undefined, { sort: { age: 'up' } })
// @ts-expect-error: no such option
users.search(undefined, { limt: 5 })
// @ts-expect-error: the result may be empty
users.search().then((result) => result.first().name)
// @ts-expect-error: remove needs a condition
users.remove()
// @ts-expect-error: findOne needs a filter
db.findOne()

// ------------------------------------------------------------ writing

declare const user: User
const id: Promise<Id> = users.insert(user)
users.insertMany([user, user])
users.upsert({ ...user, _id: 'a' })
users.insert({ ...user, _id: 'a' })
users.insertMany([user, { ...user, _id: 1 }])
users.atomicUpdate(() => ({ $inc: { age: 1 }, $unset: { admin: true } }))
db.atomicUpdate<User>(() => ({ $push: { tags: 'x' } }))
users.update({ 'address.city': 'Oslo' }, q.age.gt(1))
users.update({ $currentDate: { joined: true }, $setOnInsert: { age: 1 } }, { name: 'x' }, { upsert: true, sort: ['-age'] }).then((n) => n satisfies number)
users.update({ age: 1 }, q.age.gt(1), { many: false, returnDocuments: 'before' }).then((user) => user?.name satisfies string | undefined)
users.update({ age: 1 }, undefined, { returnDocuments: true, sort: { age: 'desc' } }).then((all) => all satisfies QueryResult<User>)
users.update((user) => ({ age: user.age }), 'age > 1', { many: false }).then((n) => n satisfies number)
db.update<User>({ age: 1 }, { name: 'x' }, { collection: 'users', many: false, returnDocuments: 'after' }).then((user) => user?.age satisfies number | undefined)
db.update({ age: 1 }, { name: 'x' }, 'users').then((n) => n satisfies number)
users.upsert({ $inc: { age: 1 } }, { name: 'x' }).then((id) => id satisfies Id)
db.upsert({ age: 1 }, q.age.gt(1), 'users').then((id) => id satisfies Id)
db.upsert({ _id: 1 }, 'users').then((id) => id satisfies Id)
users.upsertMany([{ ...user, _id: 'a' }]).then((ids) => ids satisfies Id[])
users.replace(user, { name: 'x' }, { upsert: true }).then((n) => n satisfies number)
users.replace(user, { name: 'x' }, { returnDocuments: true }).then((user) => user?.age satisfies number | undefined)
users.update({ $inc: { 'orders.$.price': 1 }, $set: { 'tags.$[]': 'x', 'orders.$[big].price': 5 } }, q.orders.price.gt(5), { arrayFilters: [{ 'big.price': { $gt: 5 } }] })
// @ts-expect-error: a price is a number
users.update({ 'orders.$.price': 'x' })
// @ts-expect-error: an order has no such field
users.update({ $set: { 'orders.$[big].cost': 5 } })
// @ts-expect-error: a tag is text
users.update({ 'tags.$[]': 5 })
// @ts-expect-error: a position is nothing to sort by
users.search(undefined, { sort: 'orders.$.price' })
// @ts-expect-error: a number has no time
users.update({ $currentDate: { age: true } })
// @ts-expect-error: there are no timestamps
users.update({ $currentDate: { joined: { $type: 'timestamp' } } })
// @ts-expect-error: text is no age
users.update({ $setOnInsert: { age: 'x' } })
// @ts-expect-error: no such option
users.update({ age: 1 }, 'age > 1', { upsrt: true })
// @ts-expect-error: a collection has its name
users.update({ age: 1 }, 'age > 1', { collection: 'x' })
// @ts-expect-error: no such field to sort by
users.update({ age: 1 }, 'age > 1', { sort: 'agee' })
// @ts-expect-error: it may be before or after
users.update({ age: 1 }, 'age > 1', { returnDocuments: 'both' })
// @ts-expect-error: there may be no such document
users.update({ age: 1 }, 'age > 1', { many: false, returnDocuments: 'after' }).then((user) => user.name)
// @ts-expect-error: a document is needed
users.replace({ age: 1 }, 'age > 1')
// @ts-expect-error: it is about one document anyway
users.replace(user, 'age > 1', { many: false })
// @ts-expect-error: each needs its id
users.upsertMany([user])
users.update((user) => ({ age: user.age + 1 }))
db.update({ $inc: { age: 1 } })
users.atomicUpdate((user) => ({ age: user.age + 1 }), q.age.gt(1))
db.atomicUpdate<User>((user) => ({ age: user.age + 1 }), undefined, 'users')
users.createIndex('age')
users.createIndex('address.city', 'age', { unique: true })
db.dropIndex('age', { collection: 'users' })
void id

// @ts-expect-error: fields are missing
users.insert({ name: 'Ada' })
// @ts-expect-error: no such field
users.insert({ ...user, adress: 'Oslo' })
// @ts-expect-error: no such field, in a document of several
users.insertMany([user, { ...user, adress: 'Oslo' }])
// @ts-expect-error: a collection has one type of documents
users.search<Stored<User>>()
// @ts-expect-error: also where the result is awaited as another
;(async (): Promise<QueryResult<{ other: number }>> => await users.find())
// @ts-expect-error: a collection is asked about no other
users.count('age > 1', 'others')
// @ts-expect-error: nor by the name in the place of options
users.search('age > 1', 'others')
// @ts-expect-error: age is a number
users.insert({ ...user, age: '36' })
// @ts-expect-error: an upsert needs an _id
users.upsert(user)
// @ts-expect-error: a document is an object
db.insert(5)
// @ts-expect-error: no such operator
users.atomicUpdate(() => ({ $incr: { age: 1 } }))
users.update({ $mul: { age: 2 }, $addToSet: { tags: 'a' }, $pop: { tags: -1 } })
users.update({ $bit: { age: { or: 1 } }, $addToSet: { tags: { $each: ['a', 'b'] } }, $pullAll: { tags: ['a'] } })
// @ts-expect-error: $mul multiplies numbers
users.update({ $mul: { name: 2 } })
// @ts-expect-error: $bit takes and, or, xor
users.update({ $bit: { age: { not: 1 } } })
// @ts-expect-error: tags are strings
users.update({ $addToSet: { tags: 1 } })
// @ts-expect-error: $pop takes 1 or -1
users.update({ $pop: { tags: 2 } })
// @ts-expect-error: $pullAll takes an array
users.update({ $pullAll: { tags: 'a' } })
// @ts-expect-error: $inc adds numbers
users.atomicUpdate(() => ({ $inc: { age: 'x' } }))
// @ts-expect-error: an id is a string or a number
users.insert({ ...user, _id: true })
// @ts-expect-error: the change of an atomic update has the documents' fields
users.atomicUpdate(() => ({ age: 'old' }))
// @ts-expect-error: no such option
db.createIndex('age', { uniqe: true })
// @ts-expect-error: options come last
db.createIndex({ unique: true }, 'age')

// ------------------------------------------------------------ transactions

const moved: Promise<number> = db.transaction(async (tx) => {
  tx satisfies Transaction
  const user = await tx.get<User>(1, 'users')
  await tx.insertMany([{ name: user?.name }], 'log')
  const age: number | undefined = (await tx.search<User>((user) => user.age > 1, 'users')).first()?.age
  await tx.collection<User>('users').update((user) => ({ age: user.age + 1 }), tx.query<User>().age.gt(1))
  const [row] = await tx.sql<{ n: number }>`SELECT COUNT(*) AS n FROM users`
  return (age ?? 0) + row!.n
})
const changed: Promise<Stored<User> | undefined> = db.atomicUpdate<User>((user) => ({ age: user.age + 1 }), q.age.gt(1), 'users')
void [moved, changed]

// @ts-expect-error: the function is asynchronous
db.transaction((tx) => 5)
// @ts-expect-error: an upsert needs an _id
db.transaction((tx) => tx.upsert({ name: 'Ada' }))
// @ts-expect-error: the documents have no such field
db.transaction((tx) => tx.collection<User>('users').search((user) => user.agee > 1))
// @ts-expect-error: a transaction is stored by ending, not by a call
db.transaction((tx) => tx.flush())

// ------------------------------------------------------------ aggregates and SQL

const cities: Promise<{ address: { city: string }; n: number }[]> = users.aggregate({ groupBy: 'address.city', select: { n: { $count: true } }, having: { n: { $gt: 2 } }, sort: '-n' })
users.aggregate({ select: { n: { $count: 'age' }, mean: { $avg: 'age' }, tags: { $distinct: 'tags' } }, where: (user) => user.age > 1 })
users.aggregate({ groupBy: ['type', 'name'], select: {}, where: q.age.gt(1), having: q.field('n').gt(2), limit: 5 })
db.aggregate({ select: { n: { $count: true } } }, 'users').then((rows) => rows[0]!.n)
const rows: Promise<{ city: string; n: number }[]> = db.sql`SELECT city, COUNT(*) AS n FROM users WHERE age > ${18} AND name <> ${'x'} GROUP BY city`
db.sql<{ n: number }>`SELECT COUNT(*) AS n FROM users`.then(([row]) => row?.n)
db.sql('SELECT * FROM users WHERE age > ?', [18])
db.sql('SELECT * FROM users WHERE age > :age', { age: 18 })
void [cities, rows]

// @ts-expect-error: no such operator
users.aggregate({ select: { mean: { $average: 'age' } } })
// @ts-expect-error: an operator takes a path
users.aggregate({ select: { n: { $sum: 1 } } })
// @ts-expect-error: there is nothing to return
users.aggregate({ groupBy: 'age' })
// @ts-expect-error: the documents have no such field
users.aggregate({ select: {}, where: (user) => user.agee > 1 })
// @ts-expect-error: no such option
users.aggregate({ select: {}, order: 'n' })
// @ts-expect-error: undefined is no value
db.sql`SELECT * FROM users WHERE age > ${undefined}`
// @ts-expect-error: parameters are an array or an object
db.sql('SELECT * FROM users WHERE age > ?', 18)

// ------------------------------------------------------------ results

async function results(found: QueryResult<User>) {
  const names: string[] = found.map((user) => user.name)
  const adults: QueryResult<User> = found.filter((user) => user.age >= 18)
  const admins = found.filter((user): user is Stored<User & { admin: true }> => user.admin === true)
  const admin: true | undefined = admins.first()?.admin
  const two: QueryResult<User> = found.slice(0, 2)
  const list: Stored<User>[] = found.sortBy('age', { reverse: true }).asList()
  const tracked = found.tracked()
  tracked[0]!.name = 'New'
  await tracked.saved()
  void [names, adults, admin, two, list]

  // @ts-expect-error: only a tracked result can be saved
  await found.saved()
  // @ts-expect-error: name is text
  tracked[0]!.name = 5
  // @ts-expect-error: updateAll takes an object
  await found.updateAll('x')
}
void results

// ------------------------------------------------------------ opening

AtomicDB.open()
AtomicDB.open('users', { durability: 'strict', onProgress: (done, total) => console.log(done / total) })
async function disposable() {
  await using db = await AtomicDB.open()
  return db.name
}
void disposable

// @ts-expect-error: no such option
AtomicDB.open('users', { durable: true })
// @ts-expect-error: 'relaxed' or 'strict'
AtomicDB.open('users', { durability: 'full' })
// @ts-expect-error: a storage has more methods
AtomicDB.open('users', { storage: { read: async () => [] } })
// @ts-expect-error: a database is opened, not made
new AtomicDB()

declare const where: Where<User>
users.count(where)

// ------------------------------------------------------------ looking after what is stored

declare const storage: StorageBackend
async () => {
  const report = await db.verify()
  report satisfies Report
  report.problems satisfies Problem[]
  report.problems[0]!.code satisfies ErrorCode
  ;(await AtomicDB.repair('notes', { storage })) satisfies Report
  const file: Uint8Array = await AtomicDB.exportRaw('notes')
  ;(await AtomicDB.importRaw('copy', file, { storage, wasm: 'atomicdb.wasm' })) satisfies void
  ;(await MemoryStorage.fromRaw(file)) satisfies StorageBackend
  // @ts-expect-error: a report has no such number
  report.lost
  // @ts-expect-error: which database?
  AtomicDB.repair()
  // @ts-expect-error: a database in memory alone has nothing to repair
  AtomicDB.repair('notes', { inMemory: true })
  // @ts-expect-error: bytes, not text
  AtomicDB.importRaw('copy', 'file')
  // @ts-expect-error: where to?
  AtomicDB.importRaw(file)
}

// ------------------------------------------------------------ live queries

users.live('age > 1', { sort: '-age', fields: ['name'], signal: new AbortController().signal }) satisfies LiveQuery<User>
users.live(q.age.gt(1)).current satisfies QueryResult<User>
users.live({ age: { $gt: 1 } }).subscribe((result, delta) => {
  result[0]!.age satisfies number
  delta satisfies LiveDelta<User> | undefined
  delta!.added[0]!.name satisfies string
  delta!.moved satisfies Id[]
}, (error) => error.code satisfies ErrorCode) satisfies () => void
users.liveCount() satisfies LiveValue<number>
users.liveGet(1).current satisfies Stored<User> | undefined
users.liveDistinct('tags').current satisfies string[]
users.liveAggregate<{ n: number }>({ select: { n: { $count: true } } }).current[0]!.n satisfies number
db.live<User>((user) => user.age > 1, 'users').current[0]!.name satisfies string
db.liveSql<{ n: number }>`SELECT ${1} AS n`.current[0]!.n satisfies number
db.liveSql<{ n: number }>('SELECT ? AS n', [1]) satisfies LiveValue<{ n: number }[]>
db.liveCount('true') satisfies LiveValue<unknown>
async () => {
  for await (const result of users.live()) result satisfies QueryResult<User>
}
// @ts-expect-error: no such field
users.live({ agee: 1 })
// @ts-expect-error: no such field
users.live('true', { sort: 'agee' })
// @ts-expect-error: no such option
users.live('true', { sorted: 'age' })
// @ts-expect-error: current cannot be assigned
users.liveCount().current = 1
// @ts-expect-error: the listener of a count gets a number
users.liveCount().subscribe((n: string) => n)

// ------------------------------------------------------------ changes, earlier states, undo

declare const kept: AbortSignal
async () => {
  const stop: () => void = db.onChange((change) => {
    change satisfies Change
    change.type satisfies 'insert' | 'update' | 'remove'
  }, (error) => error.code satisfies ErrorCode)
  stop()
  for await (const { seq, document, before, last } of db.changes<User>({ since: 3, collection: 'users', signal: kept })) {
    document!.name satisfies string
    before?._id satisfies Id | undefined
    ;[seq, last] satisfies [number, boolean]
    // @ts-expect-error: it may have been removed
    document.name
  }
  await using earlier = await db.at(3)
  ;(await earlier.search<User>()) satisfies QueryResult<User>
  earlier.seq satisfies number
  // @ts-expect-error: an earlier state has no transactions
  earlier.transaction
  ;(await db.undo()) satisfies boolean
  ;(await db.redo()) satisfies boolean
  AtomicDB.open('users', { undoSteps: 10 })
  // @ts-expect-error: a number, not text
  db.changes({ since: '3' })
  // @ts-expect-error: there is no such option
  db.changes({ after: 3 })
}
