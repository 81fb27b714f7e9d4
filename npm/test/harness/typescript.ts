import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Consumer } from './packed.js'
import { packageFolder } from './site.js'

/** What people write whose types depend on settings of TypeScript. */
const program = `
import { AtomicDB, AtomicDBError, MemoryStorage, type OpenOptions } from 'atomicdb'
interface User { name: string; age: number; email?: string; kids: { n: number }[]; home?: { city: string } }
export async function run() {
  const options: OpenOptions = { storage: new MemoryStorage(), durability: 'strict' }
  const db = await AtomicDB.open('typed', options)
  const users = db.collection<User>('users')
  await users.insert({ _id: 'a', name: 'Ada', age: 36, kids: [] })
  await users.insertMany([{ _id: 1, name: 'Bob', age: 36, kids: [] }, { name: 'Kim', age: 12, kids: [{ n: 1 }] }])
  await db.insert<User>({ _id: 'b', name: 'Ada', age: 36, kids: [] })
  await users.atomicUpdate(() => ({ $inc: { age: 1 } }))
  await users.atomicUpdate((user) => ({ age: user.age + 1 }), "name = 'Ada'")
  await db.atomicUpdate<User>(() => ({ $unset: { email: true }, $push: { kids: { n: 1 } } }))
  const q = users.query()
  const found = await users.search(q.kids.any((kid) => kid.n.gt(1)).and(q.email.exists(false), q.home.city.eq('Oslo')))
  await db.search(db.query<User>().field('kids').any((kid) => kid.field('n').gt(1)))
  found.first()?._id satisfies string | number | undefined
  await found.updateAll({ age: 1 }).catch((error: unknown) => error instanceof AtomicDBError && error.code === 'closed')
  await db.transaction(async (tx) => tx.collection<User>('users').insert({ _id: 5, name: 'Eve', age: 1, kids: [] }))
  await db.close()
  return found.pluck('name').asList()
}
`

/** A Worker with a Durable Object. Types of Cloudflare's own are in place of `Own` where the package with them is. */
const worker = `
import { AtomicDB, KVStorage, SQLiteStorage } from 'atomicdb'
import { AtomicDurableObject, connect, type Access, type Answer } from 'atomicdb/worker'
import wasm from 'atomicdb/atomicdb.wasm'
interface Note { text: string; stars: number }
export class Notes extends AtomicDurableObject {
  override async authorise(request: Request): Promise<Access | undefined> {
    return request.headers.get('Authorization') === 'Bearer ' + String(this.env.TOKEN) ? 'write' : undefined
  }
  protected override options() {
    return { durability: 'strict' } as const
  }
  protected override async prepare(db: AtomicDB) {
    await db.collection<Note>('notes').createIndex('stars')
  }
  async best(): Promise<string[]> {
    const db = await this.database()
    return (await db.search<Note>('stars >= 4', { collection: 'notes', sort: '-stars' })).map(({ text }) => text)
  }
  override async fetch(request: Request): Promise<Response> {
    return request.url.endsWith('/best') ? new Response(JSON.stringify(await this.best())) : super.fetch(request)
  }
}
export class Waking extends AtomicDurableObject {
  override async alarm() {
    await this.compact()
  }
}
interface Env { NOTES: Space; DB: object; KV: object }
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const stub = () => env.NOTES.get(env.NOTES.idFromName('one'))
    const db = await connect<{ notes: Note }>(stub, { token: 'x', retryFor: 100 })
    const answer: Answer = await stub().call('count', ['true', 'notes'])
    const own = await AtomicDB.open('d1', { storage: new SQLiteStorage(env.DB), wasm })
    const kept = await AtomicDB.open('kv', { storage: new KVStorage(env.KV, 'kv') })
    if ('error' in answer) return new Response(answer.error.message, { status: 500 })
    const first = (await db.collection('notes').find({ stars: { $gt: 3 } })).first()
    return stub().fetch(new Request(request, { method: 'POST', body: JSON.stringify([first?.text, await own.count(), await kept.count()]) }))
  },
}
`

/** How a Worker names the namespace of its objects: with the types of Cloudflare, and without. */
const spaces = {
  theirs: 'type Space = DurableObjectNamespace<Notes>',
  own: 'interface Space { idFromName(name: string): object; get(id: object): { fetch(request: string | Request, init?: RequestInit): Promise<Response>; call(name: string, args: unknown[]): Promise<Answer> } }',
}

const lib = (...libraries: string[]) => ['--lib', libraries.join()]

/** Options of tsc, besides those that all have, by what they are. */
export const typeScriptSettings: Record<string, string[]> = {
  'nodenext': ['--module', 'nodenext', ...lib('es2022', 'dom')],
  'a bundler': ['--module', 'esnext', '--moduleResolution', 'bundler', ...lib('es2022', 'dom')],
  'the library of disposables': ['--module', 'nodenext', ...lib('es2022', 'dom', 'esnext.disposable')],
  'the newest library': ['--module', 'nodenext', ...lib('esnext', 'dom', 'dom.iterable')],
  'an old library': ['--module', 'nodenext', ...lib('es2020', 'dom')],
  'the strictest settings': ['--module', 'nodenext', ...lib('es2022', 'dom'), '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noPropertyAccessFromIndexSignature', '--verbatimModuleSyntax', '--isolatedModules'],
  'no strict settings': ['--module', 'nodenext', ...lib('es2022', 'dom'), '--strict', 'false'],
  'no types of a host': ['--module', 'nodenext', ...lib('es2022')],
  'the types of Workers': ['--module', 'esnext', '--moduleResolution', 'bundler', ...lib('es2022'), '--types', '@cloudflare/workers-types'],
  'the types of Node': ['--module', 'nodenext', ...lib('es2022'), '--types', 'node'],
}

const always = ['--noEmit', '--strict', '--target', 'es2022', '--skipLibCheck', 'false']

/** Fails unless tsc accepts the program and the declarations of the package under these settings. */
export async function typeCheck(consumer: Consumer, tsc: string, settings: string): Promise<void> {
  await consumer.write('typed.ts', program)
  const options = typeScriptSettings[settings]!
  const folders = options.includes('--types') ? ['node_modules/@types', 'node_modules'].map((folder) => join(packageFolder, folder)) : ['none']
  await accepts(consumer, tsc, ...always, '--typeRoots', folders.join(), ...options, 'typed.ts')
}

/** Options of tsc for a Worker, by what they are. */
export const workerSettings: Record<string, string[]> = {
  'the types of Workers, without DOM': [...lib('es2022'), '--types', '@cloudflare/workers-types'],
  'the types of Workers and the newest library': [...lib('esnext'), '--types', '@cloudflare/workers-types'],
  'DOM, without the types of Workers': lib('es2022', 'dom'),
  'DOM and the types of Node': [...lib('es2022', 'dom'), '--types', 'node'],
}

/** Values whose types an editor shows, and how it should: tsc writes the same into declarations. */
const shown = {
  'db = await AtomicDB.open<{ users: User }>("shown")': 'AtomicDB<{users: User;}>',
  'users = db.collection("users")': 'import("atomicdb").Collection<User>',
  'free = db.transaction(async (tx) => tx.collection("users").all())': 'Promise<import("atomicdb").QueryResult<User>>',
  'found = await users.find({ age: { $gt: 5 } })': 'import("atomicdb").QueryResult<User>',
  'one = await users.get(1)': 'import("atomicdb").Stored<User> | undefined',
  'ages = found.map(({ age }) => age)': 'number[]',
  'names = await users.distinct("name")': 'string[]',
  'city = users.query().home.city': 'import("atomicdb").FieldOps<string>',
  'live = users.live()': 'import("atomicdb").LiveQuery<User>',
  'valid = (await AtomicDB.open("free")).collection("valid", { validate: validator })': 'import("atomicdb").Collection<{name: string;stars?: number;}>',
}

/** Fails unless the types of values are as plain as their authors would write them. */
export async function showsPlainTypes(consumer: Consumer, tsc: string): Promise<void> {
  const types = 'interface User { name: string; age: number; home?: { city: string } }\ndeclare const validator: StandardSchema<{ name: string; stars?: number }>\n'
  await consumer.write('shown.ts', `import { AtomicDB, type StandardSchema } from 'atomicdb'\n${types}${Object.keys(shown).map((value) => `export const ${value}\n`).join('')}`)
  await consumer.node(tsc, '--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--strict', '--target', 'es2022', '--typeRoots', 'none', '--module', 'nodenext', ...lib('es2022', 'dom'), 'shown.ts').catch((error: { stdout: string }) => assert.fail(error.stdout))
  const text = (await readFile(join(consumer.folder, 'shown.d.ts'), 'utf8')).replaceAll(/\n */g, '')
  for (const [value, type] of Object.entries(shown)) {
    const [name] = value.split(' ')
    assert.equal(new RegExp(`declare const ${name}: (.*?);(?=export)`).exec(text)?.[1], type, value)
  }
}

/** As {@link typeCheck}, with a Worker that has a Durable Object. */
export async function typeCheckWorker(consumer: Consumer, tsc: string, settings: string): Promise<void> {
  const options = workerSettings[settings]!
  await consumer.write('worker.ts', worker + (options.includes('@cloudflare/workers-types') ? spaces.theirs : spaces.own))
  const folders = options.includes('--types') ? ['node_modules/@types', 'node_modules'].map((folder) => join(packageFolder, folder)) : ['none']
  await accepts(consumer, tsc, ...always, '--module', 'esnext', '--moduleResolution', 'bundler', '--customConditions', 'workerd', '--typeRoots', folders.join(), ...options, 'worker.ts')
}

/**
 * Fails unless tsc finds in the published declarations what test/types claims of the sources, but for the hooks: the
 * declarations of their frameworks want newer versions of TypeScript.
 */
export async function typeTests(consumer: Consumer, tsc: string, ...options: string[]): Promise<void> {
  const folder = join(packageFolder, 'test/types')
  const names = (await readdir(folder)).filter((name) => !/^(frameworks|react)\./.test(name))
  for (const name of names) await consumer.write(name, (await readFile(join(folder, name), 'utf8')).replace("'../../src/index.js'", "'atomicdb'"))
  await accepts(consumer, tsc, ...always, '--typeRoots', 'none', '--module', 'nodenext', ...lib('es2022', 'dom', 'esnext.disposable'), ...options, ...names)
}

async function accepts(consumer: Consumer, tsc: string, ...args: string[]): Promise<void> {
  // From TypeScript 6 on, a tsconfig.json beside the files counts unless that is said.
  const newer = Number(/\d+/.exec(await consumer.node(tsc, '--version'))![0]) >= 6 ? ['--ignoreConfig'] : []
  await consumer.node(tsc, ...newer, ...args).catch((error: { stdout: string }) => assert.fail(error.stdout))
}
