// Validators of zod and valibot at the edge: what they make of documents is stored, and their issues are the errors.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import * as z from 'zod'
import { AtomicDB, type AtomicDBError, type InferStandard, type StandardSchema } from '../src/index.js'

interface User {
  name: string
  age: number
  role: 'admin' | 'user'
}

// Each trims the name, has a default role, and knows no _id.
const zod = z.object({ name: z.string().trim().min(1), age: z.number().int().min(0), role: z.enum(['admin', 'user']).default('user') })
const strictZod = z.strictObject(zod.shape)
const waitingZod = zod.refine(async ({ name }) => name !== 'taken', { path: ['name'], error: 'is taken' })
const valibot = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1)),
  age: v.pipe(v.number(), v.integer(), v.minValue(0)),
  role: v.optional(v.picklist(['admin', 'user']), 'user'),
})
const validators: Record<string, StandardSchema<User>> = { zod, 'strict zod': strictZod, 'zod that waits': waitingZod, valibot }

for (const [name, validate] of Object.entries(validators)) {
  test(`${name} decides what is stored`, async () => {
    await using db = await AtomicDB.open(`validators ${name}`)
    const users = db.collection('users', { validate })
    assert.equal(await users.insert({ name: ' Ada ', age: 36 } as User), 1)
    assert.deepEqual(await users.insertMany([{ _id: 'b', name: 'Bo', age: 1, role: 'admin' }]), ['b'])
    assert.equal(await users.update({ name: ' Bea ' }, 'age = 1'), 1)
    assert.equal((await users.atomicUpdate((user) => ({ age: user.age + 1 }), 'age = 1'))?.age, 2)
    const refused = [
      () => users.insert({ name: '  ', age: -1, role: 'boss' } as never),
      () => users.insertMany([{ name: 'x', age: 1, role: 'user' }, {} as never]),
      () => users.update({ age: 1.5 }),
      () => users.update({ $unset: { name: true } }),
      () => users.upsert({ _id: 1, name: 5 } as never),
    ]
    for (const call of refused) {
      await assert.rejects(call, (error: AtomicDBError) => {
        assert.equal(error.code, 'schema')
        assert.ok(error.errors!.length > 0 && error.errors!.every(({ path, keyword, message }) => path && /zod|valibot/.test(keyword) && message))
        return true
      })
    }
    assert.deepEqual([...(await users.all())], [{ _id: 1, name: 'Ada', age: 36, role: 'user' }, { _id: 'b', name: 'Bea', age: 2, role: 'admin' }])
  })
}

test('every issue is an error', async () => {
  await using db = await AtomicDB.open('issues')
  const users = db.collection('users', { validate: zod })
  const error = await users.insert({ name: '', age: -1, role: 'boss' } as never).then(() => assert.fail(), (error: AtomicDBError) => error)
  assert.deepEqual(error.errors!.map(({ path }) => path), ['name', 'age', 'role'])
  await assert.rejects(db.collection('users', { validate: waitingZod }).insert({ name: 'taken', age: 1, role: 'user' }), /name: is taken/)
})

test('the output of a validator is the type of the collection', async () => {
  await using db = await AtomicDB.open('types')
  const users = db.collection('users', { validate: zod })
  type Output = InferStandard<typeof zod>
  const first: (Output & { _id: string | number }) | undefined = (await users.all()).first()
  first?.role satisfies 'admin' | 'user' | undefined
  // @ts-expect-error: no such field
  void first?.agee
  // @ts-expect-error: no such field
  void users.query().agee
})
