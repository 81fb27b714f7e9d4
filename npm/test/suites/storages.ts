import type * as atomicdb from '../../src/index.js'
import type { OpenOptions, SealOptions, StorageBackend } from '../../src/index.js'
import { contract } from '../../src/testing.js'
import { equal, rejects, until } from './check.js'
import type { Context, Suite } from './suite.js'

let stores = 0

async function kinds({ atomicdb }: Context): Promise<Record<string, () => () => StorageBackend>> {
  const securityManager = await atomicdb.SecurityManager.create()
  const memory = () => {
    const storage = new atomicdb.MemoryStorage()
    return () => storage
  }
  const sealed = (options: SealOptions) => () => {
    const storage = new atomicdb.MemoryStorage()
    return () => new atomicdb.SealedStorage(storage, options)
  }
  const indexeddb = (options?: SealOptions) => () => {
    const name = `storage ${++stores}`
    return () => new atomicdb.IndexedDBStorage(name, options)
  }
  const local = (options?: SealOptions) => () => {
    const name = `storage ${++stores}`
    return () => new atomicdb.LocalStorageStorage(name, options)
  }
  const opfs = (options?: SealOptions) => () => {
    const name = `storage / ${++stores}`
    return () => new atomicdb.OPFSStorage(name, options)
  }
  const everywhere = { memory, compressed: sealed({ compressionLevel: 6 }), encrypted: sealed({ compressionLevel: 1, securityManager }) }
  if (typeof indexedDB === 'undefined') return everywhere
  const page = { ...everywhere, indexeddb: indexeddb(), localStorage: local(), 'encrypted localStorage': local({ compressionLevel: 6, securityManager }), 'encrypted indexeddb': indexeddb({ compressionLevel: 6, securityManager }) }
  if (!navigator.storage?.getDirectory) return page // WebKitGTK
  return { ...page, opfs: opfs(), 'encrypted opfs': opfs({ compressionLevel: 1, securityManager }) }
}

/**
 * Fails unless several databases can use one storage object at once, the last of them closes it, and a later one uses
 * it again.
 */
export async function sharesObject(lib: typeof atomicdb, storage: StorageBackend, options: OpenOptions = {}): Promise<void> {
  const open = () => lib.AtomicDB.open('shared object', { ...options, storage })
  const first = await open()
  await first.insert({ n: 1 })
  await first.close()
  const [one, other, third] = await Promise.all([open(), open(), open()])
  const writes = Array.from({ length: 20 }, (_, n) => one.insert({ n }))
  await other.close()
  await Promise.all(writes)
  equal(await one.count(), 21)
  await one.insert({ _id: 'heard' })
  await until(() => third.contains("_id = 'heard'"), 'a database hears of another after a third was closed')
  await Promise.all([one, third].map((db) => db.close()))
  await lib.AtomicDB.destroy('shared object', { storage })
  const anew = await open()
  equal(await anew.count(), 0)
  await anew.insert({ n: 1 })
  await anew.close()
  await lib.AtomicDB.destroy('shared object', { storage })
}

/** Runs `work` for each storage of the package that works in this host. */
async function each(context: Context, work: (open: () => StorageBackend) => Promise<void>): Promise<void> {
  for (const [kind, make] of Object.entries(await kinds(context))) {
    await work(make()).catch((error: Error) => {
      throw new Error(`${kind}: ${error.message}`, { cause: error })
    })
  }
}

/** What all storages of the package have to do. */
export const storages: Suite = [
  {
    name: 'a storage that does not work in this host is unsupported',
    async run({ atomicdb, wasm }) {
      const { IndexedDBStorage, LocalStorageStorage, OPFSStorage, LMDBStorage, FileStorage } = atomicdb
      const missing = typeof indexedDB === 'undefined' ? [new IndexedDBStorage('x'), new LocalStorageStorage('x'), new OPFSStorage('x')] : [new LMDBStorage('x'), new FileStorage('x')]
      for (const storage of missing) await rejects('unsupported', () => atomicdb.AtomicDB.open('x', { wasm, storage }))
    },
  },
  ...contract.map(({ name, run }) => ({ name: `each storage ${name}`, run: (context: Context) => each(context, run) })),
  {
    name: 'several databases can use one storage at once, and again after it was closed',
    run: (context) => each(context, (open) => sharesObject(context.atomicdb, open(), { wasm: context.wasm })),
  },
]
