import { mkdtemp, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { AtomicDB, FileStorage, type ImportOptions } from '../index.js'
import { importFile } from './files.js'
import { counted, size, type Progress } from './progress.js'
import { printed } from './write.js'

/** How often each question is asked. */
const runs = 7

/** What takes how long with the user's own documents. Returns the table. */
export async function bench(file: string, options: ImportOptions, progress: Progress): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'atomicdb-bench-'))
  const rows: { what: string; median: string; from: string; to: string }[] = []
  const row = (what: string, times: number[]) => {
    const sorted = times.sort((a, b) => a - b)
    const text = (time: number) => `${time < 10 ? time.toFixed(2) : time.toFixed(0)} ms`
    rows.push({ what, median: text(sorted[sorted.length >> 1]!), from: text(sorted[0]!), to: text(sorted.at(-1)!) })
  }
  const timed = async <R>(work: () => Promise<R>): Promise<[number, R]> => {
    const start = performance.now()
    const result = await work()
    return [performance.now() - start, result]
  }
  /** Each run asks for something else, so that no answer is there already. */
  const ask = async (what: string, work: (run: number) => Promise<unknown>) => {
    const times: number[] = []
    for (let run = 0; run < runs; run++) times.push((await timed(() => work(run)))[0])
    row(what, times)
  }
  try {
    const open = () => AtomicDB.open('bench', { storage: new FileStorage(join(folder, 'bench.atomicdb')) })
    let db = await open()
    const [importing, documents] = await timed(() => importFile(db, file, options, progress))
    progress.end()
    const [name] = await db.collections()
    if (name === undefined || documents === 0) throw new Error(`${file} has no document`)
    row(`import of ${size((await stat(file)).size)}, stored`, [importing])
    await db.close()
    const [opening, again] = await timed(open)
    db = again
    row('open it again', [opening])
    const collection = db.collection(name)
    const count = await collection.count()
    const ids = await db.documentIds(name)
    const sample = (await collection.search(undefined, { limit: runs })).asList() as Record<string, unknown>[]
    const field = Object.keys(sample[0]!).find((field) => field !== '_id' && ['string', 'number'].includes(typeof sample[0]![field]))
    await ask('get one by its id', (run) => collection.get(db.query()._id!.eq(ids[Math.floor((ids.length - 1) * (run / runs))]!)))
    if (field !== undefined) {
      const is = (run: number) => ({ [field]: { $eq: sample[run % sample.length]![field] ?? null }, _bench: { $ne: run } })
      await ask(`find by ${field}`, (run) => collection.find(is(run) as never, { limit: 20 }))
      row(`index on ${field}, and first find`, [(await timed(async () => {
        await db.createIndex(field, { collection: name })
        await collection.find(is(runs) as never, { limit: 20 })
      }))[0]])
      await ask(`find by ${field}, by its index`, (run) => collection.find(is(runs + 1 + run) as never, { limit: 20 }))
      await ask(`the first 20 by ${field}`, (run) => collection.find({ _bench: { $ne: run } } as never, { sort: `-${field}`, limit: 20 }))
      await ask(`groups by ${field}`, (run) => collection.aggregate({ where: `_bench != ${run}`, groupBy: field, select: { n: { $count: true } }, limit: 20 } as never))
    }
    await ask('change one, stored', (run) => collection.update({ _bench: run }, db.query()._id!.eq(ids[run % ids.length]!) as never))
    await ask('insert one, stored', (run) => db.insert({ _bench: run }, name))
    await db.close()
    return `${counted(documents, 'document')}${count < documents ? `, ${counted(count, 'document')} in ${name}` : ''}; each question ${runs} times, never the same twice
Node ${process.version}, ${cpus()[0]?.model ?? 'a machine'}; a file in ${tmpdir()}, durability relaxed

${printed(rows, 'table')}`
  } finally {
    await rm(folder, { recursive: true })
  }
}
