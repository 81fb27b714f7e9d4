import type { Answer } from '../library.js'
import { Random } from '../../test/random/random.js'

/** The document of RxDB's suite: about 330 bytes of JSON. */
export interface Item {
  id: string
  var1: string
  var2: number
  deep: { deep1: string; deep2: string; deeper: { deepNr: number } }
  list: { deep1: string; deep2: string }[]
}

/** An item for libraries whose ids are in `_id`. */
export type Own = Omit<Item, 'id'> & { _id: string }
export const own = ({ id, ...rest }: Item): Own => ({ _id: id, ...rest })
/** The item that {@link own} made `found` of. */
export function plainOf(found: unknown): Item {
  const { _id, ...rest } = found as Own
  return { id: _id, ...rest }
}

/** A library as the suite uses it. */
export interface SuiteLibrary {
  /**
   * Opens the database of that name. If there is none, creates one with four
   * collections, each with indexes on var1, var2, deep.deep1, and var2 with var1.
   */
  open(name: string): Promise<SuiteDatabase>
}

/** An open database. It may answer with objects of the library's own: `plain` reads them. */
export interface SuiteDatabase {
  /** Stores one item in the second collection. */
  insertElsewhere(item: Item): Answer<unknown>
  // All other methods use the first collection.
  insert(item: Item): Answer<unknown>
  insertMany(items: Item[]): Answer<unknown>
  byId(id: string): Answer<unknown>
  byIds(ids: string[]): Answer<Iterable<unknown>>
  /** All items, by var2 and then var1. */
  sorted(): Answer<Iterable<unknown>>
  withVar2(var2: number): Answer<Iterable<unknown>>
  countVar2(var2: number): Answer<number>
  /** The item that `found` is. */
  plain(found: unknown): Item
  close(): Answer<unknown>
}

/** The steps that are timed, with the names of RxDB's charts. */
export const steps = {
  firstInsert: 'time to first insert',
  insertMany: 'insert 500 documents (bulk)',
  byIds: 'find 3,000 documents by id (bulk)',
  inserts: 'insert 50 documents (serial)',
  getEach: 'find 50 documents by id (serial)',
  sorted: 'find 3,050 documents by query, sorted',
  parallel: 'run 4 queries in parallel, 750 documents each',
  counts: 'count 750 documents (4x)',
  access: 'read a nested property of 3,050 documents, twice',
}

/** Milliseconds of each step: one number a run, of insertMany six. */
export type Samples = Record<keyof typeof steps, number[]>

const batches = 6
const perBatch = 500
const serial = 50
const queries = 4

/**
 * The performance suite of RxDB 17 (src/plugins/test-utils/performance.ts in
 * its repository), with the same documents, the same steps, and new connections
 * between them, so that no library answers from a cache. RxDB publishes the mean
 * of the fastest 5 %. Two things differ here: the pauses are shorter, and every
 * answer is compared with plain JavaScript's, which is not timed.
 */
export async function runSuite(library: SuiteLibrary, runs: number, seed: number): Promise<Samples> {
  const random = new Random(seed)
  const samples = Object.fromEntries(Object.keys(steps).map((step) => [step, []])) as unknown as Samples
  for (let run = 0; run < runs; run++) await runOnce(library, `run-${run}`, random, samples)
  return samples
}

async function runOnce(library: SuiteLibrary, name: string, random: Random, samples: Samples): Promise<void> {
  let db: SuiteDatabase | undefined
  const reopen = async () => {
    await db?.close()
    db = await library.open(name)
    await db.insertElsewhere(makeItem(random))
    return db
  }
  const timed = async <R>(step: keyof Samples, work: () => Answer<R>): Promise<R> => {
    await pause()
    const start = performance.now()
    const result = await work()
    samples[step].push(performance.now() - start)
    return result
  }

  db = await timed('firstInsert', reopen)
  const items: Item[] = []
  for (let n = 0; n < batches; n++) {
    const batch = Array.from({ length: perBatch }, (_, i) => ({ ...makeItem(random), var1: String(i % 2), var2: i % queries }))
    items.push(...batch)
    await timed('insertMany', () => db!.insertMany(structuredClone(batch)))
  }

  db = await reopen()
  const ids = items.map(({ id }) => id)
  sameItems(db, await timed('byIds', () => db!.byIds(ids)), items)

  const singles = Array.from({ length: serial }, () => ({ ...makeItem(random), var2: 1_000 }))
  await timed('inserts', async () => {
    for (const item of structuredClone(singles)) await db!.insert(item)
  })
  const all = [...items, ...singles]

  db = await reopen()
  const each = await timed('getEach', async () => {
    const found: unknown[] = []
    for (const { id } of singles) found.push(await db!.byId(id))
    return found
  })
  sameItems(db, each, singles)
  const sorted = [...(await timed('sorted', () => db!.sorted()))]
  const sum = await timed('access', () => {
    let sum = 0
    for (const one of sorted as Item[]) {
      sum += one.deep.deeper.deepNr
      sum += one.deep.deeper.deepNr
    }
    return sum
  })
  same(sum, 2 * all.reduce((sum, one) => sum + one.deep.deeper.deepNr, 0), 'sum')
  sameItems(db, sorted, all)
  const order = sorted.map((one) => keyOf(db!.plain(one)))
  same(String(order), String(all.map(keyOf).sort()), 'order')

  db = await reopen()
  const parallel = await timed('parallel', () => Promise.all(Array.from({ length: queries }, (_, n) => db!.withVar2(n))))
  for (const [n, found] of parallel.entries()) sameItems(db, found, items.filter((one) => one.var2 === n))
  const counts = await timed('counts', async () => {
    const counts: number[] = []
    for (let n = 0; n < queries; n++) counts.push(await db!.countVar2(n))
    return counts
  })
  same(String(counts), String(Array(queries).fill((batches * perBatch) / queries)), 'counts')
  await db.close()
}

/** A text that sorts as the suite sorts items: var2 is padded. */
const keyOf = ({ var1, var2 }: Item) => `${String(var2).padStart(5, '0')} ${var1}`

function makeItem(random: Random): Item {
  const text = (low: number, high: number) => random.list(low, high, () => random.pick(letters)).join('')
  return {
    id: text(12, 12),
    var1: text(9, 12),
    var2: random.int(100, 50_000),
    deep: { deep1: text(7, 10), deep2: text(7, 10), deeper: { deepNr: random.int(0, 10) } },
    list: Array.from({ length: 5 }, () => ({ deep1: text(2, 5), deep2: text(5, 8) })),
  }
}

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']

/** Waits until work that a step has left behind is done. */
async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20))
  await new Promise((resolve) => requestIdleCallback(resolve))
}

/** Throws unless `found` are these items, in any order. */
function sameItems(db: SuiteDatabase, found: Iterable<unknown>, items: Item[]): void {
  const text = (all: Item[]) => all.map(({ id, var1, var2, deep: { deep1, deep2, deeper: { deepNr } }, list }) => JSON.stringify([id, var1, var2, deep1, deep2, deepNr, list])).sort().join('\n')
  same(text(Array.from(found, db.plain)), text(items), 'documents')
}

function same<T>(found: T, expected: T, what: string): void {
  if (found !== expected) throw new Error(`wrong ${what}: ${String(found).slice(0, 200)} instead of ${String(expected).slice(0, 200)}`)
}
