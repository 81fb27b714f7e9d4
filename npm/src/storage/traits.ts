import type { NativeBackend, Sealer } from '../engine/async-engine.js'
import type { StorageBackend } from '../types.js'

/** A storage that a worker opens itself, because only a worker can flush its files. */
export interface WorkerBackend {
  readonly kind: 'opfs'
  readonly name: string
}

/**
 * What a storage of this package says about itself, besides the methods that every storage has. A user's storage says
 * nothing.
 */
export interface Traits {
  /** What the engine opens in the place of this storage, so that batches need not go through JavaScript. */
  readonly native?: NativeBackend
  /**
   * What a worker opens in the place of this storage. Keys do not go to a worker, so a storage that encrypts has none.
   */
  readonly inWorker?: WorkerBackend
  /** The storage that holds the batches as they are stored: compressed and encrypted. Default: this one. */
  readonly bare?: StorageBackend
  /** What compresses and encrypts the batches of this storage, if they are. */
  readonly sealer?: Sealer
  /**
   * As the method append, but a storage that can answer at once does. It keeps the bytes that it is given. It stands for
   * this `method` alone: a class of the user may have an append of its own.
   */
  readonly atOnce?: { readonly method: StorageBackend['append']; readonly append: StorageBackend['append'] }
  /**
   * Whether it is for Cloudflare Workers, where no request may wait for what another has begun: see StatelessConnection.
   */
  readonly stateless?: boolean
  /** Whether the host may take back batches that it has stored. The engine then reads the log again. */
  readonly mayRevoke?: boolean
  /**
   * Of a storage whose last batch a crash can leave torn: cut short, or with bytes that were never written. Removes the last
   * batch if it is `seq` and has exactly these bytes. Others may have cut it off and appended one in its place.
   */
  readonly cutTail?: (seq: number, torn: Uint8Array) => Promise<void>
  /** What a repair does before it reads the log. Resolves to what was wrong and is mended. */
  readonly prepareRepair?: () => Promise<string | undefined>
  /** What an error says about saving damaged data. Default: to use AtomicDB.exportRaw and AtomicDB.repair. */
  readonly rescue?: string
}

/** The property that holds the traits of a storage. */
export const traits = Symbol('traits')

/** Traits of our storages: those that are not here come from a proxy that answers everything. */
const known = new WeakSet<Traits>()

/** Makes the value of the property `traits`. */
export function newTraits(own: Traits): Traits {
  known.add(own)
  return own
}

/**
 * Appends a batch to a storage, at once if it can.
 *
 * @param atOnce That of its traits.
 */
export function appendTo(storage: StorageBackend, atOnce: Traits['atOnce'], ...args: Parameters<StorageBackend['append']>): boolean | Promise<boolean> {
  return atOnce && storage.append === atOnce.method ? atOnce.append(...args) : storage.append(...args)
}

/** The traits of a storage, which may be anything that a user has passed. */
export function traitsOf(storage: unknown): Traits {
  try {
    const own = (storage as { [traits]?: Traits } | null | undefined)?.[traits]
    return own && known.has(own) ? own : {}
  } catch {
    return {}
  }
}
