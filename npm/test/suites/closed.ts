/** Arguments that a call accepts, of those that need some. */
const accepted: Record<string, unknown[]> = {
  insert: [{ n: 1 }],
  insertMany: [[{ n: 1 }]],
  upsert: [{ _id: 1 }],
  upsertMany: [[{ _id: 1 }]],
  replace: [{ n: 1 }, {}],
  get: [1],
  findOne: [{}],
  contains: ['n = 1'],
  distinct: ['n'],
  aggregate: [{ select: { n: { $count: true } } }],
  sql: ['SELECT * FROM users'],
  liveGet: [1],
  liveDistinct: ['n'],
  liveAggregate: [{ select: { n: { $count: true } } }],
  liveSql: ['SELECT * FROM users'],
  at: [0],
  onChange: [() => {}],
  update: [{ n: 2 }],
  atomicUpdate: [() => ({ n: 2 })],
  remove: ['n = 1'],
  transaction: [async () => {}],
  collection: ['users'],
  createCollection: ['more'],
  dropCollection: ['users'],
  schema: ['users'],
  setSchema: ['users', {}],
  createIndex: ['n'],
  dropIndex: ['n'],
  explain: ['n = 1'],
  addRelationship: [{ type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user' }],
  removeRelationship: ['posts'],
  importStream: ['{}'],
  import: [new TextEncoder().encode('{"users": []}')],
  execute: [async () => {}],
  withSignal: [new AbortController().signal],
}

/** What TypeScript alone keeps private. */
const isPrivate = new Set(['constructor', 'collectionNamed', 'collectionIn', 'namesCollection', 'modified', 'answerOf', 'found', 'databaseOf', 'closeOnce', 'history'])

/** What throws instead of rejecting, because it returns no promise. */
const throwing = /^(live|changes$|onChange$)/

/** What has to be read before it says that it is closed. */
const reading: Record<string, (answer: any) => unknown> = { iterate: (documents: AsyncIterator<unknown>) => documents.next(), exportStream: (stream: ReadableStream) => stream.getReader().read() }

/** The names of the methods of `object`, whatever they are, that do not reject with `closed`, or throw it; those it inherits too. */
export async function callsThatAreNotClosed(object: object): Promise<string[]> {
  const open: string[] = []
  for (let owner = Object.getPrototypeOf(object) as object; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value !== 'function' || isPrivate.has(name)) continue
      const call = () => (value as (...args: unknown[]) => unknown).apply(object, accepted[name] ?? [])
      const code = await outcomeOf(throwing.test(name), () => (reading[name] ?? ((answer) => answer))(call()))
      if (code !== 'closed') open.push(name)
    }
  }
  return open.sort((a, b) => Number(a === 'close') - Number(b === 'close') || (a < b ? -1 : 1))
}

/** The code that a call rejects with, or, of an iteration, its first step; or, if the call `throws`, what it throws; anything else, if it does not. */
async function outcomeOf(throws: boolean, call: () => unknown): Promise<string | undefined> {
  let answer: unknown
  try {
    answer = call()
  } catch (error) {
    return throws ? (error as { code?: string }).code : 'thrown'
  }
  return Promise.resolve(answer).then(() => undefined, ({ code }: { code?: string }) => code)
}
