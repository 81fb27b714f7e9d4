import type { Relationship } from '../../src/index.js'
import { equal, rejects } from './check.js'
import type { Context, Suite } from './suite.js'

/** Two users, their posts, and what is said about them. */
async function blog({ open }: Context, onDelete: Relationship['onDelete'] = 'none', name?: string) {
  const db = await open(name)
  await db.addRelationship({ type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user_id', onDelete })
  await db.addRelationship({ type: 'one_to_many', from: 'posts', to: 'comments', foreignKey: 'post', onDelete })
  await db.addRelationship({ name: 'author', type: 'many_to_one', from: 'comments', to: 'users', foreignKey: 'by.user' })
  await db.addRelationship({ type: 'many_to_many', from: 'posts', to: 'tags', foreignKey: 'tag_ids', onDelete })
  await db.insertMany([{ name: 'Ada' }, { name: 'Bob' }], 'users')
  await db.insertMany([{ _id: 'go' }, { _id: 'wasm' }], 'tags')
  await db.insertMany([{ user_id: 1, tag_ids: ['wasm', 'go'] }, { user_id: 2, tag_ids: [] }, { user_id: 1 }], 'posts')
  await db.insertMany([{ post: 1, by: { user: 2 } }, { post: 1 }], 'comments')
  return db
}

const ada = { _id: 1, name: 'Ada' }
const bob = { _id: 2, name: 'Bob' }

/** Relationships: what populate puts in place, and what keeps documents together. */
export const relationships: Suite = [
  {
    name: 'populate puts documents in place, level by level',
    async run(context) {
      const db = await blog(context)
      const [first] = await db.search('_id = 1', { collection: 'users', populate: ['posts', 'posts.comments.author', 'posts.tags'] })
      equal(first, { ...ada, posts: [
        { _id: 1, user_id: 1, tag_ids: ['wasm', 'go'], comments: [{ _id: 1, post: 1, by: { user: 2 }, author: bob }, { _id: 2, post: 1, author: null }], tags: [{ _id: 'wasm' }, { _id: 'go' }] },
        { _id: 3, user_id: 1, comments: [], tags: [] },
      ] })
      const users = db.collection<{ name: string }>('users')
      equal(await users.get(2, { populate: ['posts'] }), { ...bob, posts: [{ _id: 2, user_id: 2, tag_ids: [] }] })
      equal(await users.findOne({ name: 'Bob' }, { populate: ['posts'], fields: [] }), { _id: 2, posts: [{ _id: 2, user_id: 2, tag_ids: [] }] })
      const found = await users.find({}, { populate: ['posts'], sort: '-name', limit: 1 })
      equal(found.map((user: any) => [user.name, user.posts.length]), [['Bob', 1]])
      const asked = await users.search((user) => user.name < 'B', { populate: ['posts'] })
      equal(asked.map((user: any) => [user.name, user.posts.length]), [['Ada', 2]])
      equal((await users.search(undefined, { populate: [] })).asList(), [ada, bob])
      await db.transaction(async (tx) => {
        await tx.remove('_id = 3', 'posts')
        equal(((await tx.get(1, { collection: 'users', populate: ['posts'] })) as any).posts.length, 1)
      })
    },
  },
  {
    name: 'a populated result is current, and is not for changing others through it',
    async run(context) {
      const db = await blog(context)
      const options = { collection: 'users', populate: ['posts'] }
      const count = async () => ((await db.get(1, options)) as any).posts.length as number
      equal([await count(), await count(), await count()], [2, 2, 2]) // from the query cache, if it were in there
      await db.insert({ user_id: 1 }, 'posts')
      equal(await count(), 3)
      const found = await db.search('_id = 1', options)
      await rejects('invalid', async () => found.tracked(), /populate/)
      equal(await found.updateAll({ name: 'Ada L.' }), 1)
      equal([found[0].name, found[0].posts.length], ['Ada L.', 3])
      equal(await db.get(1, 'users'), { _id: 1, name: 'Ada L.' })
    },
  },
  {
    name: 'onDelete: a removed document takes, frees or keeps those that hold its id',
    async run(context) {
      const left = async (onDelete: Relationship['onDelete'], remove: (db: Awaited<ReturnType<typeof blog>>) => Promise<unknown>) => {
        const db = await blog(context, onDelete, `left ${onDelete} ${String(remove)}`)
        await remove(db)
        return [await db.documentIds('users'), (await db.all('posts')).map((post: any) => [post._id, post.user_id]), await db.count(undefined, 'comments')]
      }
      for (const remove of [
        (db: Awaited<ReturnType<typeof blog>>) => db.remove('_id = 1', 'users'),
        (db: Awaited<ReturnType<typeof blog>>) => db.sql('DELETE FROM users WHERE _id = ?', [1]),
        (db: Awaited<ReturnType<typeof blog>>) => db.transaction((tx) => tx.remove((user: any) => user._id === 1, 'users')),
      ]) {
        equal(await left('none', remove), [[2], [[1, 1], [2, 2], [3, 1]], 2])
        equal(await left('cascade', remove), [[2], [[2, 2]], 0])
        equal(await left('set_null', remove), [[2], [[1, null], [2, 2], [3, null]], 2])
        await rejects('relationship', () => left('restrict', remove), /^(remove|sql).*users\/1: the relationship posts keeps it: posts\/1 refers to it/)
      }
      equal(await left('cascade', (db) => db.clear('users')), [[], [], 0])
      equal(await left('cascade', (db) => db.dropCollection('users')), [[], [], 0])
      const db = await blog(context, 'restrict')
      for (const call of [() => db.clear('users'), () => db.dropCollection('users')]) await rejects('relationship', call, /posts\/1/)
      await rejects('relationship', () => db.remove('_id = "go"', 'tags'), /tags\/go/)
      equal(await db.count(undefined, 'users'), 2)
    },
  },
  {
    name: 'a cascade goes around a ring of 10,000 documents, and ends where it began',
    async run({ open }) {
      const db = await open()
      await db.addRelationship({ name: 'right', type: 'one_to_many', from: 'left', to: 'right', foreignKey: 'before', onDelete: 'cascade', enforce: true })
      await db.addRelationship({ name: 'left', type: 'one_to_many', from: 'right', to: 'left', foreignKey: 'before', onDelete: 'cascade', enforce: true })
      const half = (before: (id: number) => number) => Array.from({ length: 5_000 }, (_, i) => ({ _id: i, before: before(i) }))
      const fill = () => db.transaction(async (tx) => {
        await tx.insertMany(half((id) => (id + 4_999) % 5_000), 'left')
        await tx.insertMany(half((id) => id), 'right')
      })
      await fill()
      await db.transaction(async (tx) => {
        equal(await tx.remove('_id = 7', 'left'), 1)
        equal([await tx.count(undefined, 'left'), await tx.count(undefined, 'right')], [0, 0])
        throw new Error('undone')
      }).catch(() => {})
      equal([await db.count(undefined, 'left'), await db.count(undefined, 'right')], [5_000, 5_000])
      await db.insert({ _id: 'own', before: 3 }, 'left')
      await db.addRelationship({ name: 'kept', type: 'one_to_many', from: 'left', to: 'kept', foreignKey: 'by', onDelete: 'restrict' })
      await db.insert({ by: 'own' }, 'kept')
      await rejects('relationship', () => db.remove('_id = 7', 'right'), /kept/)
      equal([await db.count(undefined, 'left'), await db.count(undefined, 'right')], [5_001, 5_000])
      await db.clear('kept')
      await db.remove('_id = 7', 'right')
      equal([await db.count(undefined, 'left'), await db.count(undefined, 'right')], [0, 0])
    },
  },
  {
    name: 'a relationship may name collections that do not exist',
    async run({ open }) {
      const db = await open()
      await db.addRelationship({ type: 'one_to_many', from: 'nobody', to: 'nothing', foreignKey: 'by', onDelete: 'cascade' })
      await db.addRelationship({ name: 'author', type: 'many_to_one', from: 'nothing', to: 'nobody', foreignKey: 'by', enforce: true })
      equal([...(await db.find({}, { collection: 'nobody', populate: ['nothing.author'] }))], [])
      await rejects('relationship', () => db.insert({ by: 5 }, 'nothing'))
      await db.insert({ _id: 5 }, 'nobody')
      equal(await db.get(5, { collection: 'nobody', populate: ['nothing.author'] }), { _id: 5, nothing: [] })
      await db.insert({ by: 5 }, 'nothing')
      await db.dropCollection('nothing')
      equal(await db.relationships(), [])
      equal(await db.remove('_id = 5', 'nobody'), 1)
      await rejects('invalid', () => db.get(5, { collection: 'nobody', populate: ['nothing'] }))
    },
  },
  {
    name: 'a cascade is undone as a whole',
    async run(context) {
      const db = await blog(context, 'cascade', 'undone')
      await db.transaction(async (tx) => {
        await tx.clear('users')
        equal([await tx.count(undefined, 'posts'), await tx.count(undefined, 'comments')], [0, 0])
        throw new Error('no')
      }).catch(() => {})
      equal([await db.count(undefined, 'posts'), await db.count(undefined, 'comments')], [3, 2])
      await db.remove('_id = 1', 'users')
      await db.close()
      const again = await context.open('undone')
      equal([await again.documentIds('posts'), await again.count(undefined, 'comments')], [[2], 0])
      equal((await again.relationships()).length, 4)
      equal((await again.explain('user_id = 2', 'posts')).index, ['user_id'])
    },
  },
  {
    name: 'enforce refuses ids that no document has, from both sides, in every way of writing',
    async run(context) {
      const db = await context.open()
      const author = { name: 'author', type: 'many_to_one', from: 'posts', to: 'users', foreignKey: 'user', enforce: true } as const
      await db.insert({ user: 5 }, 'posts')
      await rejects('relationship', () => db.addRelationship(author), /posts\/1/)
      equal(await db.relationships(), [])
      await db.upsert({ _id: 5 }, 'users')
      await db.addRelationship(author)
      equal(await db.relationships(), [{ ...author, onDelete: 'none' }])
      const file = new TextEncoder().encode('{"posts": [{"user": 7}], "users": [{"_id": 8}]}')
      for (const call of [
        () => db.insert({ user: 6 }, 'posts'),
        () => db.upsert({ _id: 1, user: 6 }, 'posts'),
        () => db.insertMany([{}, { user: 'x' }], 'posts'),
        () => db.update({ user: 6 }, undefined, 'posts'),
        () => db.atomicUpdate(() => ({ user: 6 }), undefined, 'posts'),
        () => db.sql`UPDATE posts SET user = ${6}`,
        () => db.sql`INSERT INTO posts (user) VALUES (${6})`,
        () => db.transaction((tx) => tx.insert({ user: 6 }, 'posts')),
        () => db.remove('_id = 5', 'users'),
        () => db.sql`DELETE FROM users`,
        () => db.clear('users'),
        () => db.dropCollection('users'),
        () => db.import(file),
      ]) await rejects('relationship', call, /posts\//)
      equal([(await db.all('posts')).asList(), (await db.all('users')).asList()], [[{ _id: 1, user: 5 }], [{ _id: 5 }]])
      await db.transaction(async (tx) => {
        await tx.insert({ user: 9 }, 'posts') // its user comes later
        await tx.insert({ _id: 9 }, 'users')
      })
      await db.import(new TextEncoder().encode('{"posts": [{"user": 7}, {"user": null}], "users": [{"_id": 7}]}'))
      equal(await db.count(undefined, 'posts'), 4)
    },
  },
  {
    name: 'relationships are declared once, removed by name, and exported',
    async run(context) {
      const db = await blog(context)
      const posts: Relationship = { name: 'posts', type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user_id', onDelete: 'none', enforce: false }
      await db.addRelationship(posts) // the same
      await rejects('invalid', () => db.addRelationship({ ...posts, foreignKey: 'other' }), /another relationship of this name/)
      equal((await db.metadata('users')).relationships.map(({ name }) => name), ['author', 'posts'])
      equal((await db.metadata('posts')).indexes.map(({ paths }) => paths).sort(), [['tag_ids'], ['user_id']])
      await rejects('relationship', () => db.dropIndex('user_id', { collection: 'posts' }), /relationship/)
      const copy = await context.open()
      await copy.import(await db.export())
      equal(await copy.relationships(), await db.relationships())
      await db.removeRelationship('posts')
      await db.removeRelationship('comments.author')
      equal((await db.relationships()).map(({ name }) => name), ['comments', 'tags'])
      await rejects('not_found', () => db.removeRelationship('posts'))
      await rejects('invalid', () => db.search(undefined, { collection: 'users', populate: ['posts'] }), /users has no relationship named "posts"/)
    },
  },
  {
    name: 'wrong relationships and wrong populates are refused by name',
    async run({ open }) {
      const db = await open()
      const good = { type: 'one_to_many', from: 'a', to: 'b', foreignKey: 'k' }
      for (const [wrong, message] of [
        [undefined, /^relationship/], [null, /^relationship/], [[], /^relationship/], ['x', /^relationship/],
        [{}, /from and to/], [{ ...good, type: 'many' }, /type/], [{ ...good, onDelete: 'no' }, /onDelete/], [{ ...good, onDelete: true }, /onDelete/],
        [{ ...good, enforce: 1 }, /enforce/], [{ ...good, foreignKey: '' }, /foreignKey/], [{ ...good, foreignKey: 5 }, /foreignKey/],
        [{ ...good, to: '_b' }, /reserved/], [{ ...good, name: 'x.y' }, /name/], [{ ...good, name: '__proto__' }, /name/], [{ ...good, colour: 'red' }, /^relationship: there is no property colour; the properties are name/],
      ] as const) await rejects('invalid', () => db.addRelationship(wrong as any), message)
      for (const name of [undefined, 5, null]) await rejects('invalid', () => db.removeRelationship(name as any), /^name/)
      equal([await db.relationships(), await db.collections()], [[], []])
      await db.insert({})
      for (const populate of ['posts', [5], [''], {}, null]) await rejects('invalid', () => db.search(undefined, { populate } as any), /^options.populate/)
    },
  },
]
