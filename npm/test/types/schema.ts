// Compiled, never run: a database that knows the types of its collections.
import { AtomicDB, ThreadSafeDatabase, type Collection, type QueryResult, type Transaction } from '../../src/index.js'

interface User { name: string; age: number }
interface Post { title: string; author: { name: string } }
interface Schema { users: User; posts: Post }

async () => {
  const db = await AtomicDB.open<Schema>('blog')
  db satisfies AtomicDB<Schema>
  db satisfies AtomicDB
  const users = db.collection('users')
  users satisfies Collection<User>
  users.query().age.gt(5)
  db.collection('posts').find({ 'author.name': 'Ada' })
  await db.insert({ name: 'Ada', age: 36 }, 'users')
  await db.count('age > 1', 'users')
  await db.search('age > 1', 'users')
  await db.search('age > 1', { collection: 'users', limit: 1 })
  await db.createIndex('age', { collection: 'users' })
  await db.aggregate({ groupBy: 'age', select: { n: { $sum: 'age' } } }, 'users')
  await db.update({ age: 1 }, 'age > 1', 'users')
  const take = (any: AtomicDB) => any.collection<{ x: number }>('elsewhere')
  take(db)
  // @ts-expect-error: no such collection
  db.collection('user')
  // @ts-expect-error: no such field
  db.collection('users').query().title
  // @ts-expect-error: no such field
  db.collection('users').find({ title: 'x' })
  // @ts-expect-error: no such collection
  await db.insert({ name: 'Ada', age: 36 }, 'user')
  // @ts-expect-error: no such collection
  await db.count('age > 1', 'user')
  // @ts-expect-error: no such collection
  await db.search('age > 1', 'user')
  // @ts-expect-error: no such collection
  await db.search('age > 1', { collection: 'user' })
  await db.transaction(async (tx) => {
    tx satisfies Transaction<Schema>
    await tx.collection('users').update({ $inc: { age: 1 } })
    // @ts-expect-error: no such collection
    tx.collection('user')
    // @ts-expect-error: $inc of a text
    await tx.collection('users').update({ $inc: { name: 1 } })
  })

  const pool = await ThreadSafeDatabase.open<Schema>('blog')
  pool.collection('users') satisfies Collection<User>
  await pool.execute(async (db) => db.collection('posts').search() satisfies Promise<QueryResult<Post>>)
  // @ts-expect-error: no such collection
  pool.collection('user')

  const free = await AtomicDB.open('free')
  free satisfies AtomicDB
  free.collection('anything').find({ x: 1 })
  free.collection<User>('users').query().age.gt(5)
  const name: string = 'x'
  free.collection(name)
  await free.insert({ x: 1 }, name)
  const typed: AtomicDB<Schema> = free
  return typed
}
